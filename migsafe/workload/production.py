"""The queries of production, from pg_stat_statements: in the statistics file, beside the statistics of the tables.

{"version": 1, "relations": {…}, "queries": [{"text": "SELECT …", "calls": 120, "mean_ms": 0.4}]}
"""

from typing import Any

import msgspec
from msgspec import Struct

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.schema.statistics import QUERY, UNREADABLE, VERSION, FetchedStatistics, read_only_connection
from migsafe.text import read_text
from migsafe.workload.document import MOST_QUERIES, Collection
from migsafe.workload.normal_text import normal_text
from migsafe.workload.query import Query
from migsafe.workload.sources.found import query_texts

# The texts of pg_stat_statements have parameters instead of values, but PostgreSQL may store a text unchanged when it removes old entries
# (manual of pg_stat_statements). So what looks like a value is replaced here as well, and texts with other constants are left out; commands
# other than queries, which are stored with their values (ALTER ROLE … PASSWORD), are never read.
_STATEMENTS = """\
SELECT query, sum(calls)::bigint AS calls, round((sum(total_exec_time) / sum(calls))::numeric, 3)::float8 AS mean_ms
FROM (
    SELECT regexp_replace(
               regexp_replace(regexp_replace(query, '/\\*.*?\\*/|--[^\\n]*', ' ', 'g'), '''([^'']|'''')*''', '$0', 'g'),
               '([=<>]\\s*)-?\\d[\\d.]*', '\\1$0', 'g'
           ) AS query, calls, total_exec_time
    FROM {schema}pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND query !~ '\\$([a-zA-Z_]\\w*)?\\$' AND query !~* '\\min\\s*\\(\\s*-?\\d' AND NOT (query ~ '\\\\' AND query ~ '''')
) AS statements
WHERE query ~* '^[\\s(]*(select|insert|update|delete|with|merge|values)\\M' AND calls > 0
  AND query !~* '\\m(pg_stat\\w*|pg_class|pg_namespace|pg_extension|pg_catalog|information_schema)\\M'  -- monitoring
GROUP BY query
"""

_HIDDEN = """\
SELECT count(*) FROM {schema}pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query = '<insufficient privilege>'
"""

QUERY_WITH_STATEMENTS = f"""\
SELECT jsonb_pretty(counts.document::jsonb || jsonb_build_object('queries', coalesce((
    SELECT jsonb_agg(jsonb_build_object('text', query, 'calls', calls, 'mean_ms', mean_ms) ORDER BY query)
    FROM (
{_STATEMENTS.format(schema="")}    ) AS seen
), '[]')))
FROM (
{QUERY}) AS counts(document)
"""
"""Writes the statistics file with the queries of pg_stat_statements, for someone else to run."""


class _Statement(Struct, frozen=True):
    text: str
    calls: int = 0
    mean_ms: float | None = None


class _Document(Struct, frozen=True):
    version: int
    queries: tuple[_Statement, ...] = ()


def fetch_statistics(dsn: str) -> FetchedStatistics:
    """Reads statistics and queries from a server, in a read-only transaction. Values in the texts are masked. Raises MigsafeError."""
    with read_only_connection(dsn, "the queries of pg_stat_statements") as connection:
        schema: Any = connection.execute(
            "SELECT quote_ident(nspname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE relname = 'pg_stat_statements' AND relkind = 'v'"
        ).fetchone()
        if schema is None:
            raise MigsafeError(
                "the database does not have pg_stat_statements",
                "Set shared_preload_libraries = 'pg_stat_statements', restart the server, and run CREATE EXTENSION pg_stat_statements.",
            )
        prefix = f"{schema[0]}."
        counts: Any = connection.execute(QUERY).fetchone()
        rows: Any = connection.execute(_STATEMENTS.format(schema=prefix)).fetchall()
        unreadable: Any = connection.execute(UNREADABLE).fetchone()
        hidden: Any = connection.execute(_HIDDEN.format(schema=prefix)).fetchone()
    document = msgspec.json.decode(counts[0])
    document["queries"] = [
        {"text": query.text, "calls": query.calls, "mean_ms": round(query.mean_ms or 0.0, 3)}
        for query in _queries(_Statement(*row) for row in rows)
    ]
    return FetchedStatistics(msgspec.json.format(msgspec.json.encode(document)).decode() + "\n", unreadable[0], hidden[0])


def read_statements(path: str, content: str | None = None) -> list[Query]:
    """Returns the queries of a statistics file, with values masked; `content` is what it contains, if it is known. Raises UnreadableError."""
    hint = "`migsafe stats DSN --queries` writes such a file."
    try:
        document = msgspec.json.decode(content if content is not None else read_text(path), type=_Document)
    except msgspec.DecodeError as error:
        raise UnreadableError(f"{path}: is not a file of queries or statistics: {error}", hint) from error
    if document.version != VERSION:
        raise UnreadableError(f"{path}: has version {document.version} of the format; this migsafe reads version {VERSION}")
    if not document.queries:
        raise UnreadableError(f"{path}: contains no queries", hint)
    if len(document.queries) > MOST_QUERIES:
        raise UnreadableError(f"{path}: has more than {MOST_QUERIES:,} queries", "Remove those that the application does not send.")
    return _queries(document.queries)


def _queries(statements: Any) -> list[Query]:
    """Returns the queries of statements, each once."""
    collection = Collection()
    for statement in statements:
        for text in query_texts(statement.text):
            normal = normal_text(text)
            if normal.complete:
                collection.add(
                    Query(
                        text=normal.text,
                        fingerprint=normal.fingerprint,
                        parameters=normal.parameters(),
                        calls=statement.calls,
                        mean_ms=statement.mean_ms,
                    )
                )
    return collection.queries()
