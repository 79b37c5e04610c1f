"""The columns and constraints that statements define."""

from collections.abc import Iterator
from typing import TypeVar

from msgspec.structs import replace

from migsafe.sql.operations import AddColumn, AddConstraint, Column, Constraint, ConstraintKind, CreateTable, Name, Operation
from migsafe.text import Span

DefiningOperation = CreateTable | AddColumn | AddConstraint
"""The operations that define columns or constraints of tables."""

AnOperation = TypeVar("AnOperation", bound=Operation)


def table_of(op: DefiningOperation) -> Name:
    """Return the table that gets the columns or constraints, as the SQL names it."""
    return op.table if isinstance(op, CreateTable) else op.target.name


def columns_in(op: DefiningOperation) -> tuple[Column, ...]:
    """Return the columns that an operation defines."""
    match op:
        case CreateTable():
            return op.columns
        case AddColumn():
            return (op.column,)
    return ()


def constraints_in(op: DefiningOperation) -> Iterator[Constraint]:
    """Yield the constraints that an operation defines, those of its columns first."""
    for column in columns_in(op):
        yield from column.constraints
    if isinstance(op, CreateTable):
        yield from op.constraints
    elif isinstance(op, AddConstraint):
        yield op.constraint


def foreign_keys_in(op: DefiningOperation) -> Iterator[Constraint]:
    """Yield the foreign keys that an operation defines."""
    return (constraint for constraint in constraints_in(op) if constraint.kind is ConstraintKind.FOREIGN_KEY)


def with_span(op: AnOperation, span: Span) -> AnOperation:
    """Return an operation with the span of one of its parts, so that a finding points to the part; an empty span changes nothing."""
    return replace(op, span=span) if span.end > span.start else op
