"""Row counts of production's tables: work on a small table is short, and a message can name the size of a large one.

The counts are PostgreSQL's own estimates, in a file that a pipeline can keep next to its migrations:

    {"version": 1, "relations": {"public.orders": 120000000}}
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from migsafe.errors import ConfigError, MigsafeError
from migsafe.text import read_text

if TYPE_CHECKING:
    import psycopg

VERSION = 1

QUERY = """\
SELECT jsonb_pretty(jsonb_build_object('version', 1, 'relations', coalesce(jsonb_object_agg(relation, rows), '{}')))
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
"""
"""Writes the file: PostgreSQL's estimate for every table; tables that were never analyzed are left out."""

_PATIENCE = "10s"


class _Document(Struct):
    version: int
    relations: dict[str, int]


def read_row_counts(file: str) -> dict[str, int]:
    """Reads the number of rows of each relation from a file. Raises MigsafeError."""
    try:
        document = msgspec.json.decode(read_text(file), type=_Document)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{file}: not a file of row counts: {error}", "`migsafe stats DSN` writes such a file.") from error
    if document.version != VERSION:
        raise ConfigError(f"{file}: unsupported version {document.version} of the row counts; this migsafe reads version {VERSION}")
    return {unquoted_name(relation): rows for relation, rows in document.relations.items()}


def unquoted_name(relation: str) -> str:
    """Returns a relation's name without its quotes."""
    return relation.replace('"', "")


def row_count(rows: Mapping[str, int], relation: object) -> int | None:
    """Returns the number of rows of a relation; None if it is unknown."""
    return rows.get(unquoted_name(str(relation)))


def fetch_row_counts(dsn: str) -> str:
    """Reads the counts from a server, in a read-only transaction, and returns the text of the file. Raises MigsafeError."""
    with read_only_connection(dsn, "the row counts") as connection:
        row: Any = connection.execute(QUERY).fetchone()
    return f"{row[0]}\n"


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
