"""The values of foreign keys: which row of the referenced table a row references.

A foreign key is an array of the referenced values, or a join of the generated rows with the referenced rows, on their number. Every join
condition is an equality that can be hashed, so that the cost grows with the rows only.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.replaying.seeding.tables import Reference, Table
from migsafe.sql.operations.values import quoted

if TYPE_CHECKING:
    from psycopg import Connection

SAMPLED_ROWS = 500
"""The number of referenced rows that take part when a sample of rows is generated."""

_COLUMNS = """
    SELECT a.attnum, a.attname, a.attnotnull, a.attlen > 0
    FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = %s AND a.attnum = ANY (%s::int2[])
"""
_KEPT_SAMPLE = "generated_sample"
_MAX_PACE = 10**15
_LARGE_TYPES = (20, 23, 25, 1114, 1184, 2950)
"""The oids of int8, int4, text, timestamp, timestamptz and uuid (pg_type.dat), whose generated values are all different."""

_STRIDES = (1, 7919, 104_729, 15_485_863, 1299709, 611_953)
"""Primes: foreign keys go through the referenced rows with different steps, so that they do not reference rows of the same number."""


class Referenced(Struct, frozen=True):
    """The rows of a table that a foreign key can reference: a table or subquery, the number of its rows, and its columns. `is_fixed_length`
    says whether all values of a single column have the same length."""

    name: str
    rows: str
    count: int
    columns: tuple[str, ...]
    is_fixed_length: bool


class ReferencedTables:
    """The referenced tables of a database while tables are filled; what has been read is kept."""

    def __init__(self, connection: "Connection[Any]") -> None:
        self._connection = connection
        self._known: dict[tuple[int, tuple[int, ...]], Referenced] = {}

    def read(self, reference: Reference) -> Referenced:
        """Returns the referenced rows of a foreign key."""
        key = (reference.table, reference.referenced)
        if key not in self._known:
            self._known[key] = self._read(*key)
        return self._known[key]

    def _read(self, oid: int, numbers: tuple[int, ...]) -> Referenced:
        name = relation_name(self._connection, oid)
        columns = {number: row for number, *row in self._connection.execute(_COLUMNS, (oid, list(numbers))).fetchall()}
        names = tuple(columns[number][0] for number in numbers)
        nullable = [quoted(columns[number][0]) for number in numbers if not columns[number][1]]
        rows = name
        if nullable:
            # A row with NULL in its key cannot be referenced.
            rows = f"(SELECT * FROM {name} WHERE {' AND '.join(f'{column} IS NOT NULL' for column in nullable)})"  # noqa: S608  # quoted
        [(count,)] = self._connection.execute(f"SELECT pg_catalog.count(*) FROM {rows} AS t".encode()).fetchall()  # noqa: S608  # quoted
        return Referenced(name, rows, count, names, len(numbers) == 1 and columns[numbers[0]][2])


class Join(Struct, frozen=True):
    """A foreign key as a join: `sql` for all rows and `sample` for a sample, and the expression of each of its columns.

    In a sample, the text `whole` is replaced by `part`, which reads only some of the referenced rows. `aliased` are the columns of the join
    that the expressions name, and `reads_all` says that the join reads all referenced rows in a sample, too.
    """

    sql: str
    sample: str
    expressions: dict[int, str]
    whole: str = ""
    part: str = ""
    can_lose_rows: bool = False
    aliased: tuple[tuple[str, str], ...] = ()
    reads_all: bool = False


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
        self._is_sample_kept = False
        self.pace = 1

    def sql(self, *, sample: bool) -> str:
        """Returns the joins, for the end of a FROM clause."""
        if sample and self._is_sample_kept:
            return " ".join(_from_kept_sample(join) for join in self._joins if join.aliased)
        return " ".join(join.sample if sample else join.sql for join in self._joins)

    def sample_numbers(self, numbers: str) -> str:
        """Returns the FROM item with the numbers of a sample's rows, of which `numbers` is the usual one."""
        return f"pg_temp.{_KEPT_SAMPLE} AS numbers" if self._is_sample_kept else numbers

    @contextmanager
    def kept_sample(self, connection: "Connection[Any]", numbers: str) -> Iterator[None]:
        """Keeps the sample of the referenced rows in the `with` block, if reading it each time would take long. `numbers` is a FROM item."""
        if not any(join.reads_all for join in self._joins):
            yield
            return
        columns = ", ".join(["n", *(f"{alias}.{column} AS {alias}_{column}" for join in self._joins for alias, column in join.aliased)])
        query = self.sampled(f"SELECT {columns} FROM {numbers} {self.sql(sample=True)}")  # noqa: S608  # PostgreSQL's own
        connection.execute(f"CREATE TEMP TABLE {_KEPT_SAMPLE} AS {query}".encode())
        self._is_sample_kept = True
        try:
            yield
        finally:
            self._is_sample_kept = False
            if not connection.closed:
                connection.execute(f"DROP TABLE pg_temp.{_KEPT_SAMPLE}".encode())

    def sampled(self, query: str) -> str:
        """Returns a query in which the arrays of the referenced values are short."""
        for join in self._joins:
            query = query.replace(join.whole, join.part) if join.whole else query
        return query

    @property
    def can_lose_rows(self) -> bool:
        """Whether a generated row may have no row to reference."""
        return any(join.can_lose_rows for join in self._joins)

    def add(self, reference: Reference, referenced: Referenced, bound: dict[int, str], chosen: str | None = None) -> dict[int, str]:
        """Adds a foreign key; returns the expressions of its columns. `bound` has the expressions of those that another foreign key has.
        `chosen` is the number of the referenced row, from 0, unless a key of the table prescribes it."""
        alias = f"r{len(self._joins)}"
        if bound:
            join = _bound_join(self._table, reference, referenced, alias, bound)
        elif referenced.is_fixed_length:
            # An element of an array of such values is found in constant time, much faster than with a join.
            row = self._row_number(reference, referenced.count, chosen)
            whole = f"({_array(referenced)})[1 + {row} % {referenced.count}]"
            part = f"({_array(referenced, SAMPLED_ROWS)})[1 + {row} % {min(referenced.count, SAMPLED_ROWS)}]"
            join = Join("", "", {reference.columns[0]: whole}, whole, part)
        else:
            row = self._row_number(reference, referenced.count, chosen)
            join = Join(
                f"JOIN {_numbered(referenced, alias)} ON {alias}.k = {row} % {referenced.count}",
                f"JOIN {_numbered(referenced, alias, SAMPLED_ROWS)} ON {alias}.k = {row} % {min(referenced.count, SAMPLED_ROWS)}",
                {number: f"{alias}.c{index}" for index, number in enumerate(reference.columns)},
                aliased=tuple((alias, f"c{index}") for index in range(len(reference.columns))),
            )
        self._joins.append(join)
        return join.expressions

    def _row_number(self, reference: Reference, count: int, chosen: str | None) -> str:
        """Returns the number of the referenced row in row `n`, which is still to be divided by the count of the rows.

        The foreign keys of a key go through the referenced rows each at its own pace, so that each combination occurs only once; the index
        prevents that two of them begin with the same row.
        """
        index = len(self._joins)
        if chosen is not None and not _is_in_key(self._table, reference, without_distinct=True):
            return chosen
        if not _is_in_key(self._table, reference):
            return f"((n - 1) * {_STRIDES[index % len(_STRIDES)]} + {index})"
        pace = self.pace
        self.pace = min(pace * count, _MAX_PACE)
        return f"((n - 1) / {pace} + (n - 1) % {pace} + {index})"


def _is_in_key(table: Table, reference: Reference, *, without_distinct: bool = False) -> bool:
    """Whether a foreign key shares a column with a key; `without_distinct`: with one that is not unique without the foreign keys."""
    keys = [key for key in table.keys if not set(reference.columns).isdisjoint(key)]
    return any(not (without_distinct and any(_is_distinct(table, number) for number in key)) for key in keys)


def _is_distinct(table: Table, number: int) -> bool:
    """Whether each row has another value in a column of a key: no foreign key and no condition limits the values of its type."""
    column = table.column(number)
    is_limited = number in table.referring_columns or any(number in check.columns for check in table.checks)
    return not is_limited and (column.given or column.type in _LARGE_TYPES)


def _numbered(referenced: Referenced, alias: str, limit: int | None = None, partition: Collection[int] = ()) -> str:
    """Returns a subquery with the referenced rows: their number `k` from 0, within the columns of `partition`, and their columns."""
    columns = ", ".join(f"{quoted(column)} AS c{index}" for index, column in enumerate(referenced.columns))
    window = f"PARTITION BY {', '.join(quoted(referenced.columns[index]) for index in partition)}" if partition else ""
    rows = f"(SELECT * FROM {referenced.rows} AS t LIMIT {limit})" if limit is not None else referenced.rows  # noqa: S608  # quoted
    return f"(SELECT pg_catalog.row_number() OVER ({window}) - 1 AS k, {columns} FROM {rows} AS s) AS {alias}"  # noqa: S608  # quoted


def _array(referenced: Referenced, limit: int | None = None) -> str:
    rows = f"{referenced.rows} AS t LIMIT {limit}" if limit is not None else f"{referenced.rows} AS t"
    return f"ARRAY(SELECT {quoted(referenced.columns[0])} FROM {rows})"  # noqa: S608  # quoted


def _bound_join(table: Table, reference: Reference, referenced: Referenced, alias: str, bound: dict[int, str]) -> Join:
    """Returns the join of a foreign key that shares columns with another one: one of the referenced rows with the same values."""
    shared = [index for index, number in enumerate(reference.columns) if number in bound]
    free = [index for index in range(len(reference.columns)) if index not in shared]
    equal = " AND ".join(f"{alias}.c{index} = {bound[reference.columns[index]]}" for index in shared)
    if not free:
        sql = f"JOIN {_numbered(referenced, alias)} ON {equal}"
        return Join(sql, sql, {}, can_lose_rows=True, reads_all=True)
    # The number of referenced rows with the same values depends on these values.
    grouped = ", ".join(quoted(referenced.columns[index]) for index in shared)
    columns = ", ".join(f"{quoted(referenced.columns[index])} AS c{index}" for index in shared)
    groups = f"(SELECT pg_catalog.count(*) AS k, {columns} FROM {referenced.rows} AS t GROUP BY {grouped}) AS g{alias}"  # noqa: S608  # quoted
    equal_groups = " AND ".join(f"g{alias}.c{index} = {bound[reference.columns[index]]}" for index in shared)
    can_be_null = any(not table.column(reference.columns[index]).not_null for index in free)
    kind = "LEFT JOIN" if can_be_null else "JOIN"
    rows = _numbered(referenced, alias, partition=shared)
    sql = f"{kind} {groups} ON {equal_groups} {kind} {rows} ON {equal} AND {alias}.k = n % g{alias}.k"
    return Join(
        sql,
        sql,
        {reference.columns[index]: f"{alias}.c{index}" for index in free},
        can_lose_rows=not can_be_null,
        aliased=tuple((alias, f"c{index}") for index in free),
        reads_all=True,
    )


def _from_kept_sample(join: Join) -> str:
    """Returns a join that finds the columns of the referenced rows in the kept sample."""
    alias = join.aliased[0][0]
    columns = ", ".join(f"numbers.{alias}_{column} AS {column}" for _, column in join.aliased)
    return f"CROSS JOIN LATERAL (SELECT {columns}) AS {alias}"
