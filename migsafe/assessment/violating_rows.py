"""The existing rows that can make an operation fail, with SQL that finds them before the migration."""

from migsafe.linting.facts.ownership import column_added_by_migration, is_created_here
from migsafe.linting.rule import Context
from migsafe.patterns import lazy_pattern
from migsafe.prediction.effects.columns import has_value, type_change
from migsafe.prediction.effects.effect_context import EffectContext
from migsafe.schema.violating_rows import ViolatingRows, rows_with_equal_index_keys, violating_constraint, violating_existing_constraint
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name, Operation
from migsafe.sql.operations.values import quoted

_WORD = lazy_pattern(r"\w+")


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
            return None if _only_nulls(at, table, constraint) else violating_constraint(name, constraint, at.catalog)
        case sql.ValidateConstraint(constraint=constraint_name):
            return violating_existing_constraint(name, constraint_name, at.catalog)
        case sql.CreateIndex(unique=True):
            return rows_with_equal_index_keys(name, op)
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
        added = column_added_by_migration(at, table, name)
        if added is None or has_value(EffectContext(at.catalog), added.column) or name in filled_columns:
            return False
    return constraint.kind is not ConstraintKind.PRIMARY_KEY


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
