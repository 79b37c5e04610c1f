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
    table = _table_of(op)
    if table is None or is_created_here(at, table):
        return None
    rows = _find_violating_rows(op, table, at)
    return ViolatingRows(rows.description, runnable_before(rows.check, at)) if rows is not None else None


def runnable_before(check: str, at: Context) -> str:
    """Returns the SQL if it can run before the migration; empty if it names what the migration itself creates or renames."""
    return "" if not _created_names(at).isdisjoint(_WORD.findall(check)) else check


def on_one_line(sql: str) -> str:
    """Returns an expression without line breaks, unless a comment or a literal needs them."""
    needs_line_breaks = "--" in sql or any(" ".join(text.split()) != text for text in _LITERAL.findall(sql))
    return sql if needs_line_breaks else " ".join(sql.split())


def _created_names(at: Context) -> set[str]:
    """Returns the names of the tables and columns that the migration has created or renamed so far."""
    names = set()
    for past in at.past:
        match past.operation:
            case sql.AddColumn(column=column):
                names.add(column.name)
            case sql.RenameColumn(new_name=new_name) | sql.Rename(new_name=new_name):
                names.add(new_name)
            case sql.CreateTable(table=table) | sql.CreateTableAs(table=table) | sql.CreateView(view=table):
                names.add(table.name)
    return names


def _find_violating_rows(op: Operation, table: Name, at: Context) -> ViolatingRows | None:
    name = at.resolve(table)
    match op:
        case sql.SetNotNull(column=column) if any(effect.scan for effect in at.effects):
            return ViolatingRows(f"a null in {quoted(column)}", f"SELECT count(*) FROM {name} WHERE {quoted(column)} IS NULL;")
        case sql.AddConstraint(constraint=constraint) if not constraint.not_valid and constraint.enforced:
            return None if _only_nulls(at, table, constraint) else _violating_constraint(name, constraint, at)
        case sql.ValidateConstraint(constraint=constraint_name):
            return _violating_existing_constraint(name, at.catalog.relation(table), constraint_name, at)
        case sql.CreateIndex(unique=True, elements=elements, where=where):
            keys = [_key_expression(element) for element in elements]
            return _rows_with_equal_keys(name, keys, where.sql if where else "", nulls=op.nulls_not_distinct)
        case sql.AlterColumnType():
            return _unconvertible_values(op, name, at)
        case sql.AddColumn(column=column) if _requires_value(column) and not has_value(EffectContext(at.catalog), column):
            what = f"any row at all: {quoted(column.name)} is NOT NULL and has no default"
            return ViolatingRows(what, f"SELECT EXISTS (SELECT FROM {name});")
    return None


def _table_of(op: Operation) -> Name | None:
    match op:
        case sql.AlterRelation(target=target):
            return target.name
        case sql.CreateIndex(table=table):
            return table
    return None


def _only_nulls(at: Context, table: Name, constraint: sql.Constraint) -> bool:
    """Whether all columns of a constraint were added by this migration and not filled since."""
    if constraint.kind is ConstraintKind.CHECK or not constraint.columns:
        return False
    filled_columns = {column for past in at.past if isinstance(past.operation, sql.Update) for column in past.operation.columns}
    for name in constraint.columns:
        added = added_column(at, table, name)
        if added is None or has_value(EffectContext(at.catalog), added.column) or name in filled_columns:
            return False
    return constraint.kind is not ConstraintKind.PRIMARY_KEY


def _violating_constraint(table: Name, constraint: sql.Constraint, at: Context) -> ViolatingRows | None:
    columns = [quoted(column) for column in constraint.columns]
    match constraint.kind:
        case ConstraintKind.CHECK if constraint.check is not None:
            return ViolatingRows(
                "a row that violates the CHECK", f"SELECT count(*) FROM {table} WHERE NOT ({on_one_line(constraint.check.sql)});"
            )
        case ConstraintKind.FOREIGN_KEY if constraint.references is not None:
            referenced = at.catalog.relation(constraint.references.table)
            referenced_columns = [quoted(column) for column in constraint.references.columns] or _primary_key(referenced, at)
            return _rows_without_reference(table, columns, at.resolve(constraint.references.table), referenced_columns)
        case ConstraintKind.UNIQUE if columns:
            return _rows_with_equal_keys(table, columns, "", nulls=constraint.nulls_not_distinct)
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


def _violating_existing_constraint(name: Name, table: Relation | None, constraint_name: str, at: Context) -> ViolatingRows:
    """Returns the rows that violate an existing constraint that is not valid yet."""
    constraint = at.catalog.constraint(table.oid, constraint_name) if table is not None else None
    if table is not None and constraint is not None:
        if constraint.check is not None:
            check = f"SELECT count(*) FROM {name} WHERE NOT ({on_one_line(constraint.check.expression.sql)});"
            return ViolatingRows(f"a row that violates {quoted(constraint_name)}", check)
        referenced = at.catalog.get(constraint.references) if constraint.references is not None else None
        if isinstance(referenced, Relation):
            return _rows_without_reference(
                name,
                _column_names(table, constraint.columns),
                referenced.name,
                _column_names(referenced, constraint.referenced_columns),
            )
    return ViolatingRows(f"a row that violates {quoted(constraint_name)}")


def _column_names(table: Relation, numbers: Sequence[int]) -> list[str]:
    columns = [table.column_numbered(number) for number in numbers]
    return [quoted(column.name) for column in columns if column is not None]


def _primary_key(table: Relation | None, at: Context) -> list[str]:
    key = at.catalog.primary_key(table.oid) if table is not None else None
    return _column_names(table, key.columns) if table is not None and isinstance(key, Known) else []


def _rows_without_reference(table: Name, columns: Sequence[str], referenced: Name, referenced_columns: Sequence[str]) -> ViolatingRows:
    """Returns the rows that reference no row."""
    description = f"a row that references no row of {referenced}"
    if not columns or len(columns) != len(referenced_columns):
        return ViolatingRows(description)
    has_reference = " AND ".join(f"here.{column} IS NOT NULL" for column in columns)
    is_equal = " AND ".join(
        f"there.{referenced_column} = here.{column}" for column, referenced_column in zip(columns, referenced_columns, strict=True)
    )
    return ViolatingRows(
        description,
        f"SELECT count(*) FROM {table} AS here WHERE {has_reference} AND NOT EXISTS (SELECT FROM {referenced} AS there WHERE {is_equal});",
    )


def _rows_with_equal_keys(table: Name, keys: Sequence[str], where: str, *, nulls: bool) -> ViolatingRows:
    """Returns the rows with the same key; NULLs are never the same, except with NULLS NOT DISTINCT."""
    conditions = [*([where] if where else []), *([] if nulls else [f"{key} IS NOT NULL" for key in keys])]
    where_clause = (
        f" WHERE {' AND '.join(f'({condition})' if condition is where else condition for condition in conditions)}" if conditions else ""
    )
    numbers = ", ".join(str(number) for number in range(1, len(keys) + 1))
    check = f"SELECT {', '.join(keys)}, count(*) FROM {table}{where_clause} GROUP BY {numbers} HAVING count(*) > 1;"
    return ViolatingRows(f"two rows with the same {', '.join(keys)}", check)


def _key_expression(element: sql.IndexElement) -> str:
    return quoted(element.column) if element.column is not None else f"({element.expression.sql if element.expression else ''})"


def _unconvertible_values(op: sql.AlterColumnType, table: Name, at: Context) -> ViolatingRows | None:
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
    return ViolatingRows(f"a value of {quoted(op.column)} that is not a valid {op.type}", _too_large_query(op, table))


_RANGES = {"smallint": "-32768 AND 32767", "integer": "-2147483648 AND 2147483647", "bigint": "-9223372036854775808 AND 9223372036854775807"}


def _too_large_query(op: sql.AlterColumnType, table: Name) -> str:
    """Returns SQL that finds the values that are out of range for an integer type or too long for a text type; otherwise empty."""
    column = quoted(op.column)
    if op.using is not None or op.type.dimensions:
        return ""
    if op.type.name in _RANGES:
        return f"SELECT count(*) FROM {table} WHERE {column} NOT BETWEEN {_RANGES[op.type.name]};"
    if op.type.name in ("character varying", "character") and op.type.modifiers:
        return f"SELECT count(*) FROM {table} WHERE length({column}::text) > {op.type.modifiers[0]};"
    return ""


def _requires_value(column: sql.Column) -> bool:
    return column.not_null or any(constraint.kind is ConstraintKind.PRIMARY_KEY for constraint in column.constraints)
