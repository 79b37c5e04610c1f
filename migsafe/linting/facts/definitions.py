"""What a CREATE TABLE defines."""

from collections.abc import Iterator

from migsafe.sql.operations import AddColumn, AlterColumnType, Column, ConstraintKind, CreateTable, Operation, TypeName


def defined_columns(op: CreateTable) -> tuple[Column, ...]:
    """The columns that a CREATE TABLE spells out."""
    return op.columns


def primary_key_columns(op: CreateTable) -> tuple[str, ...]:
    """The columns of its primary key; none where it has none."""
    for constraint in op.constraints:
        if constraint.kind is ConstraintKind.PRIMARY_KEY:
            return constraint.columns
    return tuple(column.name for column in op.columns if any(one.kind is ConstraintKind.PRIMARY_KEY for one in column.constraints))


def typed_columns(op: Operation) -> Iterator[tuple[Column | None, str, TypeName]]:
    """The columns to which an operation gives a type, each with its name and that type."""
    match op:
        case CreateTable(columns=columns):
            for column in columns:
                if column.type is not None:
                    yield column, column.name, column.type
        case AddColumn(column=column) if column.type is not None:
            yield column, column.name, column.type
        case AlterColumnType(column=name, type=kind):
            yield None, name, kind
