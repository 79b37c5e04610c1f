"""Statements that PostgreSQL refused because of the values in rows: whether production's rows can cause the same."""

from enum import Enum
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from migsafe.replaying.recording.records import Recording
from migsafe.replaying.refusals import Failure, error_class
from migsafe.schema.catalog import Catalog
from migsafe.schema.violating_rows import ViolatingRows, rows_with_equal_index_keys, violating_constraint, violating_existing_constraint
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name
from migsafe.text import Span

if TYPE_CHECKING:
    from psycopg import Connection

_NOT_NULL_VIOLATION = "23502"
_UNIQUE_VIOLATION = "23505"
_CHECK_VIOLATION = "23514"
_OF_NULLS_OR_DUPLICATES = (_NOT_NULL_VIOLATION, _UNIQUE_VIOLATION, _CHECK_VIOLATION, "22004", "21000", "P0001", "P0003", "P0004")
"""Besides the violated constraints: null_value_not_allowed, cardinality_violation (a subquery returns several rows), raise_exception,
too_many_rows, assert_failure (manual, appendix A)."""
_KINDS = {
    _NOT_NULL_VIOLATION: (ConstraintKind.NOT_NULL, ConstraintKind.PRIMARY_KEY),
    "23503": (ConstraintKind.FOREIGN_KEY,),
    _UNIQUE_VIOLATION: (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY),
    _CHECK_VIOLATION: (ConstraintKind.CHECK,),
}
"""The kinds of constraint that an error code is about (manual, appendix A)."""
_DATA_CLASSES = ("21", "22", "23")
"""The classes of cardinality violations (a subquery returns several rows, ON CONFLICT or MERGE meets a row twice), of data exceptions and of
constraint violations (manual, appendix A)."""
_OF_CODE = ("P0001", "P0003", "P0004")
"""raise_exception, too_many_rows, assert_failure: code of the migration, or of a trigger, that looked at rows."""
_CONSTRAINT_VIOLATIONS = "23"
_CHECK_ROWS = (sql.AlterRelation, sql.AlterDomain, sql.CreateIndex, sql.Reindex)
"""Statements that check the existing rows of a table against a constraint."""
_WRITE_ROWS = (sql.Insert, sql.Update, sql.Merge)


class RowCause(Enum):
    """Which rows make a statement fail."""

    ANY = "any row"
    """Any row: a new column that must not be NULL has no default."""

    EXISTING = "rows that break a constraint"
    """Existing rows that violate the constraint; the generated rows do, and production's may."""

    GENERATED = "generated rows"
    """Values that production's rows may not have: a generated text cannot be cast to a number, or an inserted row has a generated key."""


class Emptying(Struct, frozen=True):
    """That a migration was run again with empty tables: PostgreSQL's message about the generated rows, the statement, the tables, which rows
    are the cause, and SQL that finds such rows in production; empty if there is none. `in_production` is the share of such rows in production's
    statistics, 0 if they have none."""

    message: str
    statement: int
    tables: frozenset[Name]
    cause: RowCause = RowCause.GENERATED
    check: str = ""
    in_production: float = 0.0

    @property
    def is_possible_in_production(self) -> bool:
        """Whether the migration fails in production, too: on any row, or if rows there violate the constraint."""
        return self.cause is not RowCause.GENERATED

    @property
    def event(self) -> str:
        """What happened, as the predicate of a sentence. A failure on any row does not come from the generated ones."""
        return f"failed on {'rows' if self.cause is RowCause.ANY else 'generated rows'}"


def empties_more(first: Emptying | None, second: Emptying | None) -> bool:
    """Whether the second emptying has emptied a table that the first has not."""
    return second is not None and (first is None or not second.tables <= first.tables)


def merged(first: Emptying | None, second: Emptying | None) -> Emptying | None:
    """Returns both as one, about the failure that is more likely in production; the first of equal ones."""
    if first is None or second is None:
        return first or second
    order = list(RowCause)
    shown = first if order.index(first.cause) <= order.index(second.cause) else second
    return replace(shown, tables=first.tables | second.tables)


def row_cause(recording: Recording) -> RowCause | None:
    """Returns which rows made a migration fail; None if it did not fail, or not because of rows."""
    failure = recording.failure
    if failure is None or (failure.sqlstate[:2] not in _DATA_CLASSES and failure.sqlstate not in _OF_CODE):
        return None
    statement = recording.statements[-1].statement
    if failure.sqlstate[:2] != _CONSTRAINT_VIOLATIONS or not isinstance(statement.operations[0], _CHECK_ROWS):
        return RowCause.GENERATED
    added = {operation.column.name for operation in statement.operations if isinstance(operation, sql.AddColumn)}
    if failure.sqlstate == _NOT_NULL_VIOLATION and failure.column in added:
        return RowCause.ANY
    return RowCause.EXISTING


def are_nulls_or_duplicates_refused(recording: Recording) -> bool:
    """Whether a migration failed because a column that it did not add contains NULLs, because it wrote a value that it computes from NULLs,
    because several rows have the same value, because of a CHECK, or because it raised an error itself."""
    failure = recording.failure
    if failure is None or failure.sqlstate not in _OF_NULLS_OR_DUPLICATES:
        return False
    if is_written(recording):
        return True
    operations = [operation for record in recording.statements for operation in record.statement.operations]
    return not failure.column or failure.column not in {each.column.name for each in operations if isinstance(each, sql.AddColumn)}


def is_written(recording: Recording) -> bool:
    """Whether the last statement of a migration writes rows: PostgreSQL checks the new values."""
    return isinstance(recording.statements[-1].statement.operations[0], _WRITE_ROWS)


def check_for_rows(recording: Recording, catalog: Catalog) -> str:
    """Returns SQL that finds the rows which violate the constraint of the statement that failed; empty if that is not known. `catalog` knows
    the table and the constraint."""
    failure, statement = recording.failure, recording.statements[-1].statement
    if failure is None:
        return ""
    found = [rows.check for operation in statement.operations if (rows := _violating_rows(operation, failure, catalog)) is not None]
    return next(filter(None, found), "")


def is_runnable(connection: "Connection[Any]", check: str) -> bool:
    """Whether a query can run in a database: not if it names a column that the migration adds."""
    try:
        connection.execute(f"EXPLAIN {check}".encode())
    except error_class():
        return False
    return True


def _violating_rows(operation: sql.Operation, failure: Failure, catalog: Catalog) -> ViolatingRows | None:
    match operation:
        case sql.SetNotNull(column=column) if failure.sqlstate == _NOT_NULL_VIOLATION and column in (failure.column, ""):
            null = sql.Constraint(kind=ConstraintKind.NOT_NULL, span=Span(0, 0), columns=(column,))
            return violating_constraint(catalog.resolve(operation.target.name), null, catalog)
        case sql.AddConstraint(constraint=constraint) if constraint.kind in _KINDS.get(failure.sqlstate, ()):
            if constraint.name in (None, failure.constraint) or not failure.constraint:
                return violating_constraint(catalog.resolve(operation.target.name), constraint, catalog)
        case sql.ValidateConstraint(constraint=name) if name == failure.constraint:
            return violating_existing_constraint(catalog.resolve(operation.target.name), name, catalog)
        case sql.CreateIndex(unique=True) if failure.sqlstate == _UNIQUE_VIOLATION:
            return rows_with_equal_index_keys(catalog.resolve(operation.table), operation)
    return None
