"""Statistics of production's tables: work on a small table is short, a message can name the size of a large one, and a replay generates rows
that resemble those of production.

They are PostgreSQL's own estimates, without any values, in a file that a pipeline can keep next to its migrations:

    {"version": 1,
     "relations": {"public.orders": 120000000},
     "columns": {"public.orders": {"status": {"null_frac": 0.1, "n_distinct": 3, "frequencies": [0.7, 0.2], "correlation": 0.4, "width": 6}}}}
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from migsafe.errors import ConfigError, MigsafeError
from migsafe.text import read_text

if TYPE_CHECKING:
    import psycopg

VERSION = 1

QUERY = """\
SELECT jsonb_pretty(jsonb_build_object('version', 1, 'relations', relations, 'columns', columns))
FROM (
    SELECT coalesce(jsonb_object_agg(relation, rows), '{}') AS relations
    FROM (
        SELECT format('%I.%I', n.nspname, c.relname) AS relation,
               CASE c.relkind
                   -- A partitioned table has as many rows as its partitions.
                   WHEN 'p' THEN (
                       SELECT CASE WHEN bool_and(leaf.reltuples >= 0) IS NOT FALSE THEN coalesce(sum(leaf.reltuples), 0) END
                       FROM pg_partition_tree(c.oid) AS tree JOIN pg_class AS leaf ON leaf.oid = tree.relid
                       WHERE tree.isleaf
                   )
                   ELSE greatest(nullif(c.reltuples, -1), nullif(s.n_live_tup, 0))
               END::bigint AS rows
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
        WHERE c.relkind IN ('r', 'm', 'p')
          AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    ) AS counted
    WHERE rows IS NOT NULL  -- NULL: never analyzed
) AS counts, (
    SELECT coalesce(jsonb_object_agg(relation, columns), '{}') AS columns
    FROM (
        SELECT relation, jsonb_object_agg(attname, statistics) AS columns
        FROM (
            -- No values: neither most_common_vals nor histogram_bounds. A partitioned table that was never analyzed has the statistics of
            -- its largest partition.
            SELECT DISTINCT ON (relation, s.attname) relation, s.attname,
                   jsonb_strip_nulls(jsonb_build_object(
                       'null_frac', round(s.null_frac::numeric, 4),
                       'n_distinct', round(s.n_distinct::numeric, 4),
                       'correlation', round(s.correlation::numeric, 2),
                       'width', s.avg_width,
                       'frequencies', (
                           SELECT jsonb_agg(round(frequency::numeric, 4) ORDER BY frequency DESC)
                           FROM unnest(s.most_common_freqs[1:20]) AS frequency
                       )
                   )) AS statistics
            FROM pg_class AS c
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            JOIN pg_stats AS s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.inherited = (c.relkind = 'p')
            JOIN pg_class AS root ON root.oid = CASE WHEN c.relispartition THEN pg_partition_root(c.oid) ELSE c.oid END
            JOIN pg_namespace AS rn ON rn.oid = root.relnamespace
            CROSS JOIN LATERAL (SELECT format('%I.%I', rn.nspname, root.relname) AS relation) AS named
            WHERE c.relkind IN ('r', 'p')
              AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
            ORDER BY relation, s.attname, c.oid = root.oid DESC, c.reltuples DESC, c.oid
        ) AS described
        GROUP BY relation
    ) AS tables
) AS statistics
"""
"""Writes the file: PostgreSQL's estimate of the rows of every table, without those that were never analyzed, and of the values of each column.
pg_stats only shows columns that the role may read."""

UNREADABLE = """\
SELECT count(*)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.reltuples > 0 AND NOT has_any_column_privilege(c.oid, 'SELECT')
  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""
"""Counts the tables whose columns pg_stats does not show to the role."""

_PATIENCE = "10s"

Share = Annotated[float, Meta(ge=0, le=1)]
"""A part of the rows of a table, from 0 to 1."""


class ColumnStatistics(Struct, frozen=True, kw_only=True):
    """What PostgreSQL knows about the values of a column, as in the view pg_stats.

    `null_frac` is the share of NULLs. `n_distinct` is the number of other values: 0 if it is unknown; if it is negative, its amount is their
    share of the rows. `frequencies` are the shares of the most common values, the most common first. `correlation` is that of the values
    with the physical order of the rows, `width` the average number of bytes.
    """

    null_frac: Share = 0.0
    n_distinct: Annotated[float, Meta(ge=-1)] = 0.0
    frequencies: tuple[Share, ...] = ()
    correlation: Annotated[float, Meta(ge=-1, le=1)] | None = None
    width: Annotated[int, Meta(ge=0)] | None = None

    def distinct(self, rows: int) -> int:
        """Returns how many different values the column has in a table with this number of rows; 0 if that is unknown."""
        number = self.n_distinct if self.n_distinct >= 0 else -self.n_distinct * rows
        return min(round(number), rows) or int(bool(number))


class Statistics(Struct, frozen=True):
    """What is known about the tables of a database: the number of rows of each relation, and the statistics of its columns by their names.
    The names of relations have no quotes."""

    rows: Mapping[str, int] = {}
    columns: Mapping[str, Mapping[str, ColumnStatistics]] = {}

    def of_columns(self, relation: object) -> Mapping[str, ColumnStatistics]:
        """Returns the statistics of a relation's columns; empty if none are known."""
        return self.columns.get(unquoted_name(str(relation)), {})


class _Rows(Struct):
    version: int
    relations: dict[str, int]


class _Document(_Rows):
    columns: dict[str, dict[str, ColumnStatistics]] = {}


_AnyDocument = TypeVar("_AnyDocument", bound=_Rows)


class FetchedStatistics(Struct, frozen=True):
    """The text of a statistics file, how many tables the role may not read, so that it has no statistics of their columns, and the number of
    statements in pg_stat_statements that the role may not see."""

    text: str
    unreadable_tables: int
    hidden_statements: int = 0


def read_row_counts(file: str) -> dict[str, int]:
    """Reads the number of rows of each relation from a file. Raises MigsafeError."""
    return {unquoted_name(relation): rows for relation, rows in _read(file, _Rows).relations.items()}


def read_statistics(file: str) -> Statistics:
    """Reads the row counts of relations and the statistics of their columns from a file. Raises MigsafeError."""
    document = _read(file, _Document)
    return Statistics(
        {unquoted_name(relation): rows for relation, rows in document.relations.items()},
        {unquoted_name(relation): columns for relation, columns in document.columns.items()},
    )


def _read(file: str, kind: type[_AnyDocument]) -> _AnyDocument:
    try:
        document = msgspec.json.decode(read_text(file), type=kind)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{file}: not a file of statistics: {error}", "`migsafe stats DSN` writes such a file.") from error
    if document.version != VERSION:
        raise ConfigError(f"{file}: unsupported version {document.version} of the statistics; this migsafe reads version {VERSION}")
    return document


def unquoted_name(relation: str) -> str:
    """Returns a relation's name without its quotes."""
    return relation.replace('"', "")


def row_count(rows: Mapping[str, int], relation: object) -> int | None:
    """Returns the number of rows of a relation; None if it is unknown."""
    return rows.get(unquoted_name(str(relation)))


def fetch_statistics(dsn: str) -> FetchedStatistics:
    """Reads the statistics from a server, in a read-only transaction. Raises MigsafeError."""
    with read_only_connection(dsn, "the statistics") as connection:
        row: Any = connection.execute(QUERY).fetchone()
        unreadable: Any = connection.execute(UNREADABLE).fetchone()
    return FetchedStatistics(f"{row[0]}\n", unreadable[0])


@contextmanager
def read_only_connection(dsn: str, wanted: str) -> "Iterator[psycopg.Connection[Any]]":
    """Connects to a server, in a read-only transaction with a time limit. Raises MigsafeError that says what is `wanted` and why it cannot be
    read."""
    import psycopg  # noqa: PLC0415  # nothing else of the linter connects anywhere

    try:
        with psycopg.connect(dsn, connect_timeout=10, application_name="migsafe stats") as connection:
            connection.read_only = True
            connection.execute(f"SET LOCAL statement_timeout = '{_PATIENCE}'")
            connection.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
            yield connection
    except psycopg.Error as error:
        raise MigsafeError(f"cannot read {wanted}: {str(error).strip()}") from error
