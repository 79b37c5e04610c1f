"""Columns that a migration adds, and then fills with one value or constrains."""

from migsafe import expressions
from migsafe.linting.facts.changed_rows import adds_without_value, is_null_in_every_row
from migsafe.linting.facts.ownership import column_added_by_migration
from migsafe.linting.rule import Context
from migsafe.sql.generation import foreign_key_clause
from migsafe.sql.operations import AddColumn, Constraint, CreateTable, Name, Update
from migsafe.sql.operations.values import quoted


def with_its_value(at: Context, op: Update) -> str:
    """Returns the safe way instead of an UPDATE that gives one constant to all rows of a column that the migration adds without a value; empty
    if it does something else."""
    column = op.columns[0] if len(op.columns) == 1 else ""
    addition = column_added_by_migration(at, op.table, column)
    value = _constant(op, column, at) if addition is not None and adds_without_value(addition) else None
    if addition is None or value is None:
        return ""
    return f"-- instead, give the value to ADD COLUMN, which stores it once for all rows and takes a moment:\n{_added(addition, value, '', at)}"


def not_null_with_its_value(at: Context, table: Name, column: str) -> str:
    """Returns the safe way instead of the SET NOT NULL of a column that the migration adds and fills with a constant; empty if it does not."""
    addition, resolved = column_added_by_migration(at, table, column), at.resolve(table)
    if addition is None or not adds_without_value(addition):
        return ""
    fills = [
        done.operation
        for done in at.past
        if isinstance(done.operation, Update) and column in done.operation.columns and at.resolve(done.operation.table) == resolved
    ]
    value = _constant(fills[0], column, at) if len(fills) == 1 else None
    if value is None:
        return ""
    added = _added(addition, value, " NOT NULL", at)
    return f"-- instead of adding the column, filling it and NOT NULL afterwards: takes a moment, and the running release may omit it:\n{added}"


def added_with_its_reference(at: Context, table: Name, key: Constraint, name: str) -> str:
    """Returns the safe way instead of a foreign key on a column that the migration adds and that is null in every row; empty if it is not."""
    column = key.columns[0] if len(key.columns) == 1 else ""
    addition = column_added_by_migration(at, table, column)
    if addition is None or key.references is None or not is_null_in_every_row(table, column, at):
        return ""
    referenced = at.resolve(key.references.table)
    since = next(number for number, done in enumerate(at.past) if done.operation is addition)
    if any(isinstance(each := done.operation, CreateTable) and at.resolve(each.table) == referenced for done in at.past[since:]):
        return ""
    return (
        f"-- instead of ADD COLUMN {quoted(column)} and this: PostgreSQL checks no rows, because the new column is null in all of them:\n"
        f"ALTER TABLE {addition.target.name} {at.text(*addition.span)} {foreign_key_clause(key, name, not_valid=False, of_column=True)};"
    )


def _constant(op: Update, column: str, at: Context) -> str | None:
    """Returns the constant that an UPDATE gives to every row of a column that has no value before, as SQL."""
    not_null = expressions.not_null_columns(at.catalog.relation(op.table))
    if op.current_of is not None or op.reads or not op.certain:
        return None
    if op.where is not None and not expressions.is_always_true(op.where, not_null, lambda name: name == column):
        return None
    return expressions.constant_assigned(at.text(*op.span), column)


def _added(addition: AddColumn, value: str, constraint: str, at: Context) -> str:
    name = quoted(addition.column.name)
    return (
        f"ALTER TABLE {addition.target.name} {at.text(*addition.span)}{constraint} DEFAULT {value};\n"
        f"-- a later migration may drop the default, when every running release writes {name}"
    )
