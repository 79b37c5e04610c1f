"""The removal of generated rows; rows that migrations inserted are kept."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.replaying.seeding.references import relation_name
from migsafe.replaying.seeding.suspension import triggers_off
from migsafe.sql.operations.values import Name, quoted

if TYPE_CHECKING:
    from psycopg import Connection

MOST_KEPT = 1000
"""A table with more rows of its own is not filled up, and its rows are not kept."""

_REFERRING = """
    WITH RECURSIVE referring (oid) AS (
        SELECT pg_catalog.unnest(%s::oid[])
        UNION SELECT c.conrelid FROM referring AS r JOIN pg_catalog.pg_constraint AS c ON c.confrelid = r.oid AND c.contype = 'f'
    )
    SELECT r.oid::int8, n.nspname, c.relname FROM referring AS r JOIN pg_catalog.pg_class AS c ON c.oid = r.oid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' ORDER BY r.oid
"""
"""Tables, and those that reference them: TRUNCATE … CASCADE empties them all."""

_COLUMNS = """
    SELECT attnum, attname FROM pg_catalog.pg_attribute
    WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""


class OwnRows(Struct, frozen=True):
    """The rows that a table had before it was filled up: the numbers of its key's columns, and the keys as text."""

    columns: tuple[int, ...]
    keys: tuple[tuple[str, ...], ...]


class _Copy(Struct, frozen=True):
    """A temporary table with the rows of a table that are kept."""

    oid: int
    table: Name
    name: str
    columns: tuple[str, ...]


def read_own_rows(connection: "Connection[Any]", oid: int, numbers: tuple[int, ...]) -> OwnRows:
    """Returns the keys of a table's rows; `numbers` are those of the columns of the key."""
    names = dict(connection.execute(_COLUMNS, (oid,)).fetchall())
    keys = ", ".join(f"{quoted(names[number])}::text" for number in numbers)
    rows = connection.execute(f"SELECT {keys} FROM ONLY {relation_name(connection, oid)}".encode()).fetchall()  # noqa: S608  # quoted
    return OwnRows(numbers, tuple(rows))


def remove_rows(connection: "Connection[Any]", oids: Collection[int], made: Collection[int], own: Mapping[int, OwnRows]) -> list[Name]:
    """Removes the rows of tables and of those that reference them. `made` are the tables with generated rows: of these, only their `own` rows
    remain, and all rows of the others as far as the rows that they reference remain. Returns the tables from which rows were removed."""
    referring = [(oid, Name(name, schema)) for oid, schema, name in connection.execute(_REFERRING, (list(oids),)).fetchall()]
    copies = [copy for oid, table in referring if (oid not in made or oid in own) and (copy := _copy(connection, oid, table, own.get(oid)))]
    for oid in oids:
        connection.execute(f"TRUNCATE {relation_name(connection, oid)} CASCADE".encode())
    _restore(connection, copies)
    for copy in copies:
        connection.execute(f"DROP TABLE pg_temp.{copy.name}".encode())
    return [table for _, table in referring]


def _copy(connection: "Connection[Any]", oid: int, table: Name, own: OwnRows | None) -> _Copy | None:
    """Copies the rows of a table that are kept; returns None if there are none, or too many."""
    columns = dict(connection.execute(_COLUMNS, (oid,)).fetchall())
    where = ""
    if own is not None:
        if not own.keys or any(number not in columns for number in own.columns):
            return None
        keys = ", ".join(f"{quoted(columns[number])}::text" for number in own.columns)
        rows = ", ".join(f"({', '.join(map(_literal, key))})" for key in own.keys)
        where = f"WHERE ({keys}) IN (VALUES {rows})"
    copy = _Copy(oid, table, f"own_rows_{oid}", tuple(columns.values()))
    source = f"SELECT * FROM ONLY {table} {where} LIMIT {MOST_KEPT + 1}"  # noqa: S608  # quoted
    made = connection.execute(f"CREATE TEMP TABLE {copy.name} AS {source}".encode()).rowcount
    if 0 < made <= MOST_KEPT and columns:
        return copy
    connection.execute(f"DROP TABLE pg_temp.{copy.name}".encode())
    return None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _restore(connection: "Connection[Any]", copies: list[_Copy]) -> None:
    """Inserts the kept rows, those that others reference first. Rows that reference removed ones are not inserted."""
    from psycopg import IntegrityError  # noqa: PLC0415  # start-up must not pay for it

    waiting = copies
    while waiting:
        refused = []
        for copy in waiting:
            names = ", ".join(map(quoted, copy.columns))
            insert = f"INSERT INTO {copy.table} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM pg_temp.{copy.name}"  # noqa: S608  # quoted
            try:
                with connection.transaction(), triggers_off(connection, copy.table, copy.oid):
                    connection.execute(insert.encode())
                    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except IntegrityError:
                refused.append(copy)
        if len(refused) == len(waiting):
            return
        waiting = refused
