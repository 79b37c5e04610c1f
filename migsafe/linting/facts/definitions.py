"""The columns that an operation defines."""

import json
from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.rule import Context
from migsafe.sql.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    ConstraintKind,
    CreateTable,
    DropConstraint,
    Name,
    Persistence,
    TypeName,
)
from migsafe.sql.operations.values import quoted

DefinesColumns = CreateTable | AddColumn | AlterColumnType
"""The operations that give columns a type, as the annotation of a rule."""


class TypedColumn(Struct, frozen=True):
    """A column and the type that an operation gives it. `name` is quoted where it must be; as text it is `qty of public.orders is integer`."""

    table: Name
    name: str
    type: TypeName

    def __str__(self) -> str:
        return f"{self.subject} is {self.type}"

    @property
    def subject(self) -> str:
        """Returns the column as a list of findings shows it: `qty of public.orders`."""
        return f"{self.name} of {self.table}"


def columns_of_type(op: DefinesColumns, at: Context, *types: str) -> Iterator[TypedColumn]:
    """Yields the columns to which an operation gives one of the types, named as format_type() does, without those of temporary tables."""
    if isinstance(op, CreateTable) and op.persistence is Persistence.TEMPORARY:
        return
    table = at.resolve(op.table if isinstance(op, CreateTable) else op.target.name)
    for name, column_type in _columns(op):
        if column_type is not None and column_type.name in types:
            yield TypedColumn(table, quoted(name), column_type)


def _columns(op: DefinesColumns) -> list[tuple[str, TypeName | None]]:
    match op:
        case CreateTable(columns=columns):
            return [(column.name, column.type) for column in columns]
        case AddColumn(column=column):
            return [(column.name, column.type)]
        case AlterColumnType(column=name, type=column_type):
            return [(name, column_type)]


def primary_key_columns(op: CreateTable) -> tuple[str, ...]:
    """Returns the columns of the primary key that a CREATE TABLE defines; an empty tuple without a primary key."""
    for constraint in op.constraints:
        if constraint.kind is ConstraintKind.PRIMARY_KEY:
            return constraint.columns
    return tuple(
        column.name for column in op.columns if any(constraint.kind is ConstraintKind.PRIMARY_KEY for constraint in column.constraints)
    )


def definition(at: Context, column: str, sql_type: str, alembic_type: str, more: str = "", dimensions: int = 0) -> str:
    """Returns the safe way of a rule about types, as a comment: a column's definition, in SQL or for an Alembic script. `column` is quoted as
    in SQL; `more` follows it. The types are those of the elements if the column is an array with `dimensions`."""
    if not at.is_script:
        return f"-- {column} {sql_type}{'[]' * dimensions}{more}"
    if dimensions:
        alembic_type = f"postgresql.ARRAY({alembic_type}{f', dimensions={dimensions}' if dimensions > 1 else ''})"
    name = column[1:-1].replace('""', '"') if column.startswith('"') else column
    return f"-- sa.Column({json.dumps(name, ensure_ascii=False)}, {alembic_type}){more}"


def replaces_constraint(op: AddColumn | AddConstraint, name: str, at: Context) -> bool:
    """Whether the ALTER TABLE that adds a constraint also drops the one that has its name now."""
    return bool(replaced_constraint(op, name, at))


def replaced_constraint(op: AddColumn | AddConstraint, name: str, at: Context) -> str:
    """Returns the action with which the ALTER TABLE that adds a constraint also drops the one that has its name now; empty if it does not."""
    for each in at.statement.operations:
        if isinstance(each, DropConstraint) and each.constraint == name and each.target.name == op.target.name:
            return f"DROP CONSTRAINT {'IF EXISTS ' if each.if_exists else ''}{quoted(name)}"
    return ""
