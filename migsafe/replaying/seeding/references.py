"""The values of foreign keys: which row of the referenced table a row references.

Each foreign key is one join of the generated rows with the referenced rows, on their number. Every join condition is an equality that can be
hashed, so that the cost grows with the rows only.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.replaying.seeding.tables import Reference, Table
from migsafe.sql.operations.values import quoted

if TYPE_CHECKING:
    from psycopg import Connection

SAMPLED_ROWS = 500
"""The number of referenced rows that take part when a sample of rows is generated."""

_MAX_PACE = 10**15
_STRIDES = (1, 7919, 104_729, 15_485_863, 1299709, 611_953)
"""Primes: foreign keys go through the referenced rows with different steps, so that they do not reference rows of the same number."""


class Referenced(Struct, frozen=True):
    """The rows of a referenced table: its name, its number of rows, and its columns in a foreign key."""

    name: str
    count: int
    columns: tuple[str, ...]


class ReferencedTables:
    """The referenced tables of a database while tables are filled; what has been read is kept."""

    def __init__(self, connection: "Connection[Any]") -> None:
        self._connection = connection
        self._counts: dict[int, tuple[str, int]] = {}
        self._columns: dict[tuple[int, int], str] = {}

    def read(self, reference: Reference) -> Referenced:
        """Returns the referenced rows of a foreign key."""
        oid = reference.table
        if oid not in self._counts:
            name = relation_name(self._connection, oid)
            [(count,)] = self._connection.execute(f"SELECT pg_catalog.count(*) FROM {name}".encode()).fetchall()  # noqa: S608  # quoted
            self._counts[oid] = name, count
        return Referenced(*self._counts[oid], tuple(self._column(oid, number) for number in reference.referenced))

    def _column(self, oid: int, number: int) -> str:
        if (oid, number) not in self._columns:
            query = "SELECT attnum, attname FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attnum > 0"
            self._columns.update({(oid, found): name for found, name in self._connection.execute(query, (oid,)).fetchall()})
        return self._columns[oid, number]


class Join(Struct, frozen=True):
    """A foreign key as a join: `sql` for all rows and `sample` for a sample, and the expression of each of its columns."""

    sql: str
    sample: str
    expressions: dict[int, str]
    can_lose_rows: bool = False


def relation_name(connection: "Connection[Any]", oid: int) -> str:
    """Returns a relation's name, quoted, with its schema unless that is in the search path."""
    [(name,)] = connection.execute("SELECT %s::pg_catalog.oid::pg_catalog.regclass::text", (oid,)).fetchall()
    return str(name)


def in_useful_order(table: Table) -> list[Reference]:
    """Returns the foreign keys of a table: those of several columns first, because others may share their columns; then those of a key."""

    def position(reference: Reference) -> tuple[int, bool]:
        return -len(set(reference.columns)), not _is_in_key(table, reference)

    return sorted(table.references, key=position)


class Joins:
    """The joins of one table so far, in the order of `in_useful_order`. `pace` is the number of combinations of the rows that the foreign keys
    of its keys reference."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._joins: list[Join] = []
        self.pace = 1

    def sql(self, *, sample: bool) -> str:
        """Returns the joins, for the end of a FROM clause."""
        return " ".join(join.sample if sample else join.sql for join in self._joins)

    @property
    def can_lose_rows(self) -> bool:
        """Whether a generated row may have no row to reference."""
        return any(join.can_lose_rows for join in self._joins)

    def add(self, reference: Reference, referenced: Referenced, bound: dict[int, str]) -> dict[int, str]:
        """Adds a foreign key; returns the expressions of its columns. `bound` has the expressions of those that another foreign key has."""
        alias = f"r{len(self._joins)}"
        if bound:
            join = _bound_join(self._table, reference, referenced, alias, bound)
        else:
            row = self._row_number(reference, referenced.count, len(self._joins))
            join = Join(
                f"JOIN {_numbered(referenced, alias)} ON {alias}.k = {row} % {referenced.count}",
                f"JOIN {_numbered(referenced, alias, SAMPLED_ROWS)} ON {alias}.k = {row} % {min(referenced.count, SAMPLED_ROWS)}",
                {number: f"{alias}.c{index}" for index, number in enumerate(reference.columns)},
            )
        self._joins.append(join)
        return join.expressions

    def _row_number(self, reference: Reference, count: int, index: int) -> str:
        """Returns the number of the referenced row in row `n`, which is still to be divided by the count of the rows.

        The foreign keys of a key go through the referenced rows each at its own pace, so that each combination occurs only once; the index
        prevents that two of them begin with the same row.
        """
        if not _is_in_key(self._table, reference):
            return f"((n - 1) * {_STRIDES[index % len(_STRIDES)]} + {index})"
        pace = self.pace
        self.pace = min(pace * count, _MAX_PACE)
        return f"((n - 1) / {pace} + (n - 1) % {pace} + {index})"


def _is_in_key(table: Table, reference: Reference) -> bool:
    return any(not set(reference.columns).isdisjoint(key) for key in table.keys)


def _numbered(referenced: Referenced, alias: str, limit: int | None = None, partition: Collection[int] = ()) -> str:
    """Returns a subquery with the referenced rows: their number `k` from 0, within the columns of `partition`, and their columns."""
    columns = ", ".join(f"{quoted(column)} AS c{index}" for index, column in enumerate(referenced.columns))
    window = f"PARTITION BY {', '.join(quoted(referenced.columns[index]) for index in partition)}" if partition else ""
    rows = f"(SELECT * FROM {referenced.name} LIMIT {limit}) AS s" if limit is not None else referenced.name  # noqa: S608  # quoted
    return f"(SELECT pg_catalog.row_number() OVER ({window}) - 1 AS k, {columns} FROM {rows}) AS {alias}"  # noqa: S608  # quoted


def _bound_join(table: Table, reference: Reference, referenced: Referenced, alias: str, bound: dict[int, str]) -> Join:
    """Returns the join of a foreign key that shares columns with another one: one of the referenced rows with the same values."""
    shared = [index for index, number in enumerate(reference.columns) if number in bound]
    free = [index for index in range(len(reference.columns)) if index not in shared]
    equal = " AND ".join(f"{alias}.c{index} = {bound[reference.columns[index]]}" for index in shared)
    if not free:
        sql = f"JOIN {_numbered(referenced, alias)} ON {equal}"
        return Join(sql, sql, {}, can_lose_rows=True)
    # The number of referenced rows with the same values depends on these values.
    grouped = ", ".join(quoted(referenced.columns[index]) for index in shared)
    columns = ", ".join(f"{quoted(referenced.columns[index])} AS c{index}" for index in shared)
    groups = f"(SELECT pg_catalog.count(*) AS k, {columns} FROM {referenced.name} GROUP BY {grouped}) AS g{alias}"  # noqa: S608  # quoted
    equal_groups = " AND ".join(f"g{alias}.c{index} = {bound[reference.columns[index]]}" for index in shared)
    can_be_null = any(not table.column(reference.columns[index]).not_null for index in free)
    kind = "LEFT JOIN" if can_be_null else "JOIN"
    rows = _numbered(referenced, alias, partition=shared)
    sql = f"{kind} {groups} ON {equal_groups} {kind} {rows} ON {equal} AND {alias}.k = n % g{alias}.k"
    return Join(sql, sql, {reference.columns[index]: f"{alias}.c{index}" for index in free}, can_lose_rows=not can_be_null)
