"""`op.sync_enum_values`, an operation of two plugins.

alembic_postgresql_enum replaces the type: it renames it, creates it with the new values, changes the columns, and drops the old one, with
operators that compare both meanwhile (https://github.com/Pogchamp-company/alembic-postgresql-enum, version 1). alembic-autogenerate-enums adds
the values that are missing, on a connection of its own (https://github.com/dw/alembic-autogenerate-enums).
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

import sqlalchemy
from alembic.operations import Operations
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from migsafe.rendering.worker.plugins.plugin import Plugin

_OPERATORS = {"!=": "new_old_not_equals", "=": "new_old_equals"}
_SAME_SCHEMA = "\x00"
"""The schema of a table reference that does not name one."""

Renamed = list[tuple[str, str]]


class ColumnType(Enum):
    """Whether a column contains one value or an array."""

    COMMON = "common"
    ARRAY = "array"


class TableReference(Struct, frozen=True):
    """A column of an enum's type."""

    table_name: str
    column_name: str
    table_schema: str | None = _SAME_SCHEMA
    column_type: ColumnType = ColumnType.COMMON
    existing_server_default: str | None = None


def _sync_enum_values(
    operations: Operations,
    enum_schema: str = "public",
    enum_name: str = "",
    new_values: Sequence[str] | None = None,
    affected_columns: Sequence[Any] = (),
    enum_values_to_rename: Iterable[tuple[str, str]] = (),
    old_values: Sequence[str] | None = None,
    schema: str | None = None,
    name: str | None = None,
) -> None:
    enum_schema, enum_name = schema or enum_schema, name or enum_name
    if affected_columns and all(isinstance(value, str) for value in affected_columns):
        _add_values(operations, f'"{enum_schema}"."{enum_name}"', new_values or (), affected_columns)
        return
    if old_values is not None:
        _add_values(operations, f'"{enum_schema}"."{enum_name}"', old_values, new_values or ())
        return
    columns = [_reference(operations, column, enum_schema) for column in affected_columns]
    _replace_type(operations, enum_schema, enum_name, new_values or (), columns, list(enum_values_to_rename))


def _add_values(operations: Operations, name: str, old: Sequence[str], new: Sequence[str]) -> None:
    missing = [value for value in new if value not in old]
    if missing:
        with operations.get_context().autocommit_block():
            for value in missing:
                operations.execute(text(f"ALTER TYPE {name} ADD VALUE {_literal(value)}"))


def _reference(operations: Operations, column: Any, schema: str) -> TableReference:
    if isinstance(column, TableReference):
        same_schema = column.table_schema == _SAME_SCHEMA
        return TableReference(
            column.table_name,
            column.column_name,
            schema if same_schema else column.table_schema,
            column.column_type,
            column.existing_server_default,
        )
    table, name, *kind = column
    return TableReference(table, name, schema, kind[0] if kind else ColumnType.COMMON, _default(operations, schema, table, name))


def _default(operations: Operations, schema: str, table: str, column: str) -> str | None:
    """Returns the default of a column in the schema; None if it has none, or the schema is not known."""
    try:
        columns = sqlalchemy.inspect(operations.get_bind()).get_columns(table, schema=schema)
    except SQLAlchemyError:
        return None
    defaults = [found.get("default") for found in columns if isinstance(found, dict) and found.get("name") == column]
    return defaults[0] if defaults and type(defaults[0]) is str else None


def _replace_type(
    operations: Operations, schema: str, name: str, values: Sequence[str], columns: Sequence[TableReference], renamed: Renamed
) -> None:
    new, old = f'"{schema}"."{name}"', f'"{schema}"."{name}_old"'
    statements = [f"ALTER TYPE {new} RENAME TO {name}_old", f"CREATE TYPE {new} AS ENUM ({', '.join(map(_literal, values))})"]
    arguments = f"new_enum_val {new}, old_enum_val {old}"
    for operator, function in _OPERATORS.items():
        statements += [
            f"CREATE FUNCTION {function}({arguments}) RETURNS boolean AS $$ "
            f"SELECT new_enum_val::text {operator} {_renamed('old_enum_val::text', renamed)}; $$ LANGUAGE SQL IMMUTABLE",
            f"CREATE OPERATOR {operator} (leftarg = {new}, rightarg = {old}, procedure = {function})",
        ]
    for column in columns:
        statements += _change_column(column, schema, name, renamed)
    statements += [f"DROP FUNCTION {function}({arguments}) CASCADE" for function in _OPERATORS.values()]
    for statement in (*statements, f"DROP TYPE {old}"):
        operations.execute(text(statement))


def _change_column(column: TableReference, schema: str, name: str, renamed: Renamed) -> list[str]:
    enum = f'"{schema}"."{name}"'
    table = f'"{column.table_schema}"."{column.table_name}"' if column.table_schema else f'"{column.table_name}"'
    start = f'ALTER TABLE {table} ALTER COLUMN "{column.column_name}"'
    if column.column_type.name == "ARRAY":
        array = f'"{column.column_name}"::text[]'
        for before, after in renamed:
            array = f"array_replace({array}, {_literal(before)}, {_literal(after)})"
        change = f"{start} TYPE {enum}[] USING {array}::{enum}[]"
    else:
        text_value = f'"{column.column_name}"::text'
        change = f"{start} TYPE {enum} USING {_renamed(text_value, renamed)}::{enum}"
    default = column.existing_server_default
    if default is None:
        return [change]
    for before, after in renamed:
        default = default.replace(_literal(before), _literal(after))
    value = default.partition("::")[0]
    return [f"{start} DROP DEFAULT", change, f"{start} SET DEFAULT {value}::{schema}.{name}{'[]' * default.endswith('[]')}"]


def _renamed(value: str, renamed: Renamed) -> str:
    if not renamed:
        return value
    branches = " ".join(f"WHEN {value} = {_literal(before)} THEN {_literal(after)}" for before, after in renamed)
    return f"(CASE {branches} ELSE {value} END)"


def _literal(value: str) -> str:
    return f"'{value}'"


PLUGIN = Plugin(
    packages=("alembic_postgresql_enum", "alembic_autogenerate_enums"),
    names={"TableReference": TableReference, "ColumnType": ColumnType},
    operations={"sync_enum_values": _sync_enum_values},
)
