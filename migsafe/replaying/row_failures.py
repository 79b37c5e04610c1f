"""Statements that PostgreSQL refused because of the values in rows: whether production's rows can cause the same."""

from enum import Enum

from msgspec import Struct

from migsafe.replaying.recording.records import Recording
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

_NOT_NULL_VIOLATION = "23502"
_DATA_CLASSES = ("22", "23")
"""The classes of data exceptions and of constraint violations (manual, appendix A)."""
_CONSTRAINT_VIOLATIONS = "23"
_CHECK_ROWS = (sql.AlterRelation, sql.AlterDomain, sql.CreateIndex, sql.Reindex)
"""Statements that check the existing rows of a table against a constraint."""


class RowCause(Enum):
    """Which rows make a statement fail."""

    ANY = "any row"
    """Any row: a new column that must not be NULL has no default."""

    EXISTING = "rows that break a constraint"
    """Existing rows that violate the constraint; the generated rows do, and production's may."""

    GENERATED = "generated rows"
    """Values that production's rows may not have: a generated text cannot be cast to a number, or an inserted row has a generated key."""


class Emptying(Struct, frozen=True):
    """That a migration was run again with empty tables: PostgreSQL's message about the generated rows, the statement, and the tables."""

    message: str
    statement: int
    tables: frozenset[Name]


def row_cause(recording: Recording) -> RowCause | None:
    """Returns which rows made a migration fail; None if it did not fail, or not because of rows."""
    failure = recording.failure
    if failure is None or failure.sqlstate[:2] not in _DATA_CLASSES:
        return None
    statement = recording.statements[-1].statement
    if failure.sqlstate[:2] != _CONSTRAINT_VIOLATIONS or not isinstance(statement.operations[0], _CHECK_ROWS):
        return RowCause.GENERATED
    added = {operation.column.name for operation in statement.operations if isinstance(operation, sql.AddColumn)}
    if failure.sqlstate == _NOT_NULL_VIOLATION and failure.column in added:
        return RowCause.ANY
    return RowCause.EXISTING
