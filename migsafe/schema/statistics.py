"""How many rows tables have: what a small one takes no time for, and what a message can say of a large one.

The counts are PostgreSQL's own estimates, as a file that a pipeline can keep beside its migrations:

    {"version": 1, "relations": {"public.orders": 120000000}}
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from migsafe.errors import ConfigError, MigsafeError
from migsafe.text import read_text

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
WHERE rows IS NOT NULL  -- never analyzed: nobody knows
"""
"""What writes the file: PostgreSQL's estimate for every table, none for one that was never analyzed."""

_PATIENCE = "10s"


class _Document(Struct):
    version: int
    relations: dict[str, int]


def read_row_counts(file: str) -> dict[str, int]:
    """The rows by relation that a file tells. Raises MigsafeError."""
    try:
        document = msgspec.json.decode(read_text(file), type=_Document)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{file}: holds no row counts: {error}", "`migsafe stats DSN` writes such a file.") from error
    if document.version != VERSION:
        raise ConfigError(f"{file}: holds row counts of version {document.version}; this migsafe knows version {VERSION}")
    return {unquoted_name(relation): rows for relation, rows in document.relations.items()}


def unquoted_name(relation: str) -> str:
    """A relation's name however it is quoted."""
    return relation.replace('"', "")


def row_count(rows: Mapping[str, int], relation: object) -> int | None:
    """How many rows a relation has, as far as anybody knows."""
    return rows.get(unquoted_name(str(relation)))


def fetch_row_counts(dsn: str) -> str:
    """Ask a server, in a transaction that cannot write, and return the file's text. Raises MigsafeError."""
    import psycopg  # noqa: PLC0415  # nothing else of the linter connects anywhere

    try:
        with psycopg.connect(dsn, connect_timeout=10, application_name="migsafe stats") as connection:
            connection.read_only = True
            connection.execute(f"SET LOCAL statement_timeout = '{_PATIENCE}'")
            connection.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
            found: Any = connection.execute(QUERY).fetchone()
    except psycopg.Error as error:
        raise MigsafeError(f"the rows cannot be counted: {str(error).strip()}") from error
    return f"{found[0]}\n"
