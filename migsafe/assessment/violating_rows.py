"""The existing rows that can make an operation fail, with SQL that finds them before the migration."""

import re
from collections.abc import Sequence

from msgspec import Struct

from migsafe.linting.facts.ownership import added_column, is_created_here
from migsafe.linting.rule import Context
from migsafe.prediction.effects.columns import has_value, type_change
from migsafe.prediction.effects.effect_context import EffectContext
from migsafe.schema.objects import Constraint as Known
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name, Operation
from migsafe.sql.operations.values import quoted

_WORD, _LITERAL = re.compile(r"\w+"), re.compile(r"'[^']*'")


class ViolatingRows(Struct, frozen=True):
    """The rows that PostgreSQL would refuse: `description` is the end of a sentence, `check` SQL that finds them, or empty."""

    description: str
    check: str = ""


def violating_rows(op: Operation, at: Context) -> ViolatingRows | None:
    """Returns the existing rows that can make an operation fail; None if there can be none."""
    table = _table(op)
    if table is None or is_created_here(at, table):
        return None
    found = _misfit(op, table, at)
    return ViolatingRows(found.description, runnable_before(found.check, at)) if found is not None else None


def runnable_before(check: str, at: Context) -> str:
    """Returns the SQL if it can run before the migration; empty if it names what the migration itself creates or renames."""
    return "" if not _made(at).isdisjoint(_WORD.findall(check)) else check


def on_one_line(sql: str) -> str:
    """Returns an expression without line breaks, unless a comment or a literal needs them."""
    means = "--" in sql or any(" ".join(text.split()) != text for text in _LITERAL.findall(sql))
    return sql if means else " ".join(sql.split())


def _made(at: Context) -> set[str]:
    """Returns the names of the tables and columns that the migration has created or renamed so far."""
    names = set()
    for done in at.past:
        match done.operation:
            case sql.AddColumn(column=column):
                names.add(column.name)
            case sql.RenameColumn(new_name=new) | sql.Rename(new_name=new):
                names.add(new)
            case sql.CreateTable(table=table) | sql.CreateTableAs(table=table) | sql.CreateView(view=table):
                names.add(table.name)
    return names


def _misfit(op: Operation, table: Name, at: Context) -> ViolatingRows | None:
    name = at.resolve(table)
    match op:
        case sql.SetNotNull(column=column) if any(effect.scan for effect in at.effects):
            return ViolatingRows(f"a null in {quoted(column)}", f"SELECT count(*) FROM {name} WHERE {quoted(column)} IS NULL;")
        case sql.AddConstraint(constraint=given) if not given.not_valid and given.enforced:
            return None if _only_nulls(at, table, given) else _constraint(name, given, at)
        case sql.ValidateConstraint(constraint=constraint):
            return _known(name, at.catalog.relation(table), constraint, at)
        case sql.CreateIndex(unique=True, elements=elements, where=where):
            keys = [_key(element) for element in elements]
            return _twice(name, keys, where.sql if where else "", nulls=op.nulls_not_distinct)
        case sql.AlterColumnType():
            return _type(op, name, at)
        case sql.AddColumn(column=column) if _must_be_given(column) and not has_value(EffectContext(at.catalog), column):
            what = f"any row at all: {quoted(column.name)} is NOT NULL and has no default"
            return ViolatingRows(what, f"SELECT EXISTS (SELECT FROM {name});")
    return None


def _table(op: Operation) -> Name | None:
    match op:
        case sql.AlterRelation(target=target):
            return target.name
        case sql.CreateIndex(table=table):
            return table
    return None


def _only_nulls(at: Context, table: Name, given: sql.Constraint) -> bool:
    """Whether all columns of a constraint were added by this migration and not filled since."""
    if given.kind is ConstraintKind.CHECK or not given.columns:
        return False
    filled = {column for done in at.past if isinstance(done.operation, sql.Update) for column in done.operation.columns}
    for name in given.columns:
        made = added_column(at, table, name)
        if made is None or has_value(EffectContext(at.catalog), made.column) or name in filled:
            return False
    return given.kind is not ConstraintKind.PRIMARY_KEY


def _constraint(table: Name, given: sql.Constraint, at: Context) -> ViolatingRows | None:
    columns = [quoted(column) for column in given.columns]
    match given.kind:
        case ConstraintKind.CHECK if given.check is not None:
            return ViolatingRows("a row that violates the CHECK", f"SELECT count(*) FROM {table} WHERE NOT ({on_one_line(given.check.sql)});")
        case ConstraintKind.FOREIGN_KEY if given.references is not None:
            far = at.catalog.relation(given.references.table)
            there = [quoted(column) for column in given.references.columns] or _primary_key(far, at)
            return _alone(table, columns, at.resolve(given.references.table), there)
        case ConstraintKind.UNIQUE if columns:
            return _twice(table, columns, "", nulls=given.nulls_not_distinct)
        case ConstraintKind.PRIMARY_KEY if columns:
            nulls = " OR ".join(f"{column} IS NULL" for column in columns)
            keys = ", ".join(columns)
            check = f"SELECT {keys}, count(*) FROM {table} GROUP BY {keys} HAVING count(*) > 1 OR {nulls};"
            return ViolatingRows(f"two rows with the same {keys}, or a null there", check)
        case ConstraintKind.NOT_NULL if len(columns) == 1:
            return ViolatingRows(f"a null in {columns[0]}", f"SELECT count(*) FROM {table} WHERE {columns[0]} IS NULL;")
        case ConstraintKind.EXCLUDE:
            return ViolatingRows("two rows that conflict under the constraint")
    return None


def _known(name: Name, table: Relation | None, constraint: str, at: Context) -> ViolatingRows:
    """Returns the rows that violate an existing constraint that is not valid yet."""
    found = at.catalog.constraint(table.oid, constraint) if table is not None else None
    if table is not None and found is not None:
        if found.check is not None:
            check = f"SELECT count(*) FROM {name} WHERE NOT ({on_one_line(found.check.expression.sql)});"
            return ViolatingRows(f"a row that violates {quoted(constraint)}", check)
        far = at.catalog.get(found.references) if found.references is not None else None
        if isinstance(far, Relation):
            return _alone(name, _spelt(table, found.columns), far.name, _spelt(far, found.referenced_columns))
    return ViolatingRows(f"a row that violates {quoted(constraint)}")


def _spelt(table: Relation, numbers: Sequence[int]) -> list[str]:
    columns = [table.column_numbered(number) for number in numbers]
    return [quoted(column.name) for column in columns if column is not None]


def _primary_key(table: Relation | None, at: Context) -> list[str]:
    key = at.catalog.primary_key(table.oid) if table is not None else None
    return _spelt(table, key.columns) if table is not None and isinstance(key, Known) else []


def _alone(table: Name, columns: Sequence[str], far: Name, there: Sequence[str]) -> ViolatingRows:
    """Returns the rows that reference no row."""
    what = f"a row that references no row of {far}"
    if not columns or len(columns) != len(there):
        return ViolatingRows(what)
    given = " AND ".join(f"here.{column} IS NOT NULL" for column in columns)
    met = " AND ".join(f"there.{other} = here.{column}" for column, other in zip(columns, there, strict=True))
    return ViolatingRows(what, f"SELECT count(*) FROM {table} AS here WHERE {given} AND NOT EXISTS (SELECT FROM {far} AS there WHERE {met});")


def _twice(table: Name, keys: Sequence[str], where: str, *, nulls: bool) -> ViolatingRows:
    """Returns the rows with the same key; NULLs are never the same, except with NULLS NOT DISTINCT."""
    given = [*([where] if where else []), *([] if nulls else [f"{key} IS NOT NULL" for key in keys])]
    filtered = f" WHERE {' AND '.join(f'({one})' if one is where else one for one in given)}" if given else ""
    numbers = ", ".join(str(number) for number in range(1, len(keys) + 1))
    check = f"SELECT {', '.join(keys)}, count(*) FROM {table}{filtered} GROUP BY {numbers} HAVING count(*) > 1;"
    return ViolatingRows(f"two rows with the same {', '.join(keys)}", check)


def _key(element: sql.IndexElement) -> str:
    return quoted(element.column) if element.column is not None else f"({element.expression.sql if element.expression else ''})"


def _type(op: sql.AlterColumnType, table: Name, at: Context) -> ViolatingRows | None:
    relation = at.catalog.relation(op.target.name)
    column = relation.column(op.column) if relation is not None else None
    if relation is None or column is None or column.type is None:
        return (
            ViolatingRows(f"a value of {quoted(op.column)} that is not a valid {op.type}")
            if any(effect.rewrite for effect in at.effects)
            else None
        )
    context = EffectContext(at.catalog)
    context.timezone = at.session.settings.timezone
    change = type_change(context, op, column)
    if not change.narrows or change.refused is not None:
        return None
    return ViolatingRows(f"a value of {quoted(op.column)} that is not a valid {op.type}", _too_large(op, table))


_RANGES = {"smallint": "-32768 AND 32767", "integer": "-2147483648 AND 2147483647", "bigint": "-9223372036854775808 AND 9223372036854775807"}


def _too_large(op: sql.AlterColumnType, table: Name) -> str:
    """Returns SQL that finds the values that are out of range for an integer type or too long for a text type; otherwise empty."""
    column = quoted(op.column)
    if op.using is not None or op.type.dimensions:
        return ""
    if op.type.name in _RANGES:
        return f"SELECT count(*) FROM {table} WHERE {column} NOT BETWEEN {_RANGES[op.type.name]};"
    if op.type.name in ("character varying", "character") and op.type.modifiers:
        return f"SELECT count(*) FROM {table} WHERE length({column}::text) > {op.type.modifiers[0]};"
    return ""


def _must_be_given(column: sql.Column) -> bool:
    return column.not_null or any(one.kind is ConstraintKind.PRIMARY_KEY for one in column.constraints)
