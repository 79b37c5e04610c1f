"""Which queries the probe sessions send: the application's own where it has some for a table, else generated ones.

A query is explained, not executed: planning takes all locks, including those on indexes, and reads and writes no rows. Which relations it reads
and writes is read from the locks that explaining it takes, so that views, partitions and functions are seen as PostgreSQL sees them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.linting.facts.sql_words import words_of
from migsafe.linting.finding import NamedQuery
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.patterns import lazy_pattern
from migsafe.replaying.exchange import exchange, rows_of
from migsafe.replaying.queries.explaining import explaining_texts
from migsafe.replaying.recording.records import Access
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted
from migsafe.workload.query import Query

if TYPE_CHECKING:
    from psycopg import Connection

MOST_QUERIES = 5
"""How many queries are sent for each table and access: the most frequent ones."""
_MOST_TRIES = 15
_WRITES = lazy_pattern(r"\b(insert|update|delete|merge)\b", re.IGNORECASE)
_ACCESSES: tuple[Access, ...] = ("reads", "writes")

_COLUMN = """
    SELECT a.attname FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = %s::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
    ORDER BY a.attnum LIMIT 1
"""

_LOCKED = """
    SELECT n.nspname, c.relname, pg_catalog.bool_or(l.mode NOT IN ('AccessShareLock', 'RowShareLock'))
    FROM pg_catalog.pg_locks AS l
    JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND c.oid >= 16384 AND c.relkind IN ('r', 'p', 'm', 'f', 'v')
    GROUP BY 1, 2
"""
"""The relations that the transaction has locked, without those of the system, and whether it locks them as a write does."""

_REACHED_BY = """
    WITH RECURSIVE reached (oid, name) AS (
        SELECT pg_catalog.to_regclass(n.name)::oid, n.name FROM pg_catalog.unnest(%s::text[]) AS n (name)
        UNION
        SELECT next.oid, reached.name FROM reached CROSS JOIN LATERAL (
            SELECT i.inhparent FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = reached.oid
            UNION
            SELECT w.ev_class FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_rewrite AS w ON w.oid = d.objid
            WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                AND d.refobjid = reached.oid AND w.ev_class <> reached.oid
        ) AS next (oid)
    )
    SELECT reached.name, c.relname FROM reached JOIN pg_catalog.pg_class AS c ON c.oid = reached.oid
"""
"""The names by which queries reach relations: their own, those of the tables that they are partitions of, and those of views."""

_RELATIONS = """
    SELECT o.oid::int8, n.name FROM pg_catalog.unnest(%s::text[]) AS n (name) CROSS JOIN LATERAL (
        SELECT pg_catalog.to_regclass(n.name)::oid
        UNION ALL SELECT i.indexrelid FROM pg_catalog.pg_index AS i WHERE i.indrelid = pg_catalog.to_regclass(n.name)
    ) AS o (oid)
"""


class Probe(Struct, frozen=True, kw_only=True):
    """A query that probe sessions send: its text as EXPLAIN, and how it uses each of its relations. `weight` is how often it is sent compared
    with others. `query` is the application's; None for a generated one."""

    sql: str
    uses: dict[Name, Access]
    weight: int = 1
    query: NamedQuery | None = None


class ProbedAccess(Struct, frozen=True, kw_only=True):
    """The probes for one access to a table."""

    relation: Name
    access: Access
    probes: tuple[Probe, ...]


class ProbeChoice(Struct, frozen=True, kw_only=True):
    """The chosen probes. `relations` are the relations that they use and whose indexes they lock, by oid of the relation or index."""

    accesses: tuple[ProbedAccess, ...] = ()
    relations: dict[int, Name] = {}


def choose_probes(
    connection: "Connection[Any]", tables: Sequence[Name], queries: ProjectQueries | None, major: int, search_path: Sequence[str] = ()
) -> ProbeChoice:
    """Returns probes for reads and for writes of tables, of the queries of the running release if there are `queries`. A query that PostgreSQL
    refuses, also with the `search_path`, is not chosen; a table that cannot be queried has no probe."""
    candidates = _Candidates(connection, tables, queries, major, search_path) if queries is not None else None
    accesses = []
    for table in tables:
        own = candidates.probes(table) if candidates is not None else {}
        missing = [access for access in _ACCESSES if access not in own]
        chosen = {**own, **{access: (probe,) for access, probe in _generated(connection, table, missing)}}
        accesses += [ProbedAccess(relation=table, access=access, probes=chosen[access]) for access in _ACCESSES if access in chosen]
    used = dict.fromkeys(name for each in accesses for probe in each.probes for name in probe.uses)
    found = connection.execute(_RELATIONS, ([str(name) for name in used],)).fetchall() if queries is not None and used else []
    names = {str(name): name for name in used}
    return ProbeChoice(accesses=tuple(accesses), relations={oid: names[name] for oid, name in found if oid is not None})


class _Candidates:
    """The queries of the running release, tried on the server at most once each."""

    def __init__(
        self, connection: "Connection[Any]", tables: Sequence[Name], queries: ProjectQueries, major: int, search_path: Sequence[str]
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._major = major
        self._search_path = search_path
        self._tried: dict[str, Probe | None] = {}
        self._names: dict[str, set[str]] = {}
        for table, name in connection.execute(_REACHED_BY, ([str(table) for table in tables],)).fetchall():
            self._names.setdefault(table, set()).add(name)

    def probes(self, table: Name) -> dict[Access, tuple[Probe, ...]]:
        """Returns the most frequent queries that read a table, and those that write it."""
        chosen: dict[Access, list[Probe]] = {access: [] for access in _ACCESSES}
        mentioning = {
            query.fingerprint: query
            for name in sorted(self._names.get(str(table), ()))
            for query in self._queries.mentioning(words_of(name))
            if query.fingerprint in self._queries.running
        }
        by_frequency = sorted(mentioning.values(), key=lambda query: (-query.calls, query.fingerprint))
        for expected in _ACCESSES:
            tries = 0
            for query in by_frequency:
                if (expected == "writes") is not bool(_WRITES.search(query.text)):
                    continue
                if len(chosen[expected]) >= MOST_QUERIES or tries >= _MOST_TRIES:
                    break
                tries += query.fingerprint not in self._tried
                probe = self._try(query)
                access = probe.uses.get(table) if probe is not None else None
                if probe is not None and access is not None and len(chosen[access]) < MOST_QUERIES:
                    chosen[access].append(probe)
        return {access: tuple(probes) for access, probes in chosen.items() if probes}

    def _try(self, query: Query) -> Probe | None:
        if query.fingerprint not in self._tried:
            self._tried[query.fingerprint] = self._probe(query)
        return self._tried[query.fingerprint]

    def _probe(self, query: Query) -> Probe | None:
        for sql in explaining_texts(query, self._major, self._search_path):
            reply = exchange(self._connection, f"{sql}; {_LOCKED}")
            if reply.error is None:
                uses: dict[Name, Access] = {
                    Name(name or "", schema): "writes" if writes == "t" else "reads" for schema, name, writes in rows_of(reply.results[-1])
                }
                return Probe(sql=sql, uses=uses, weight=max(query.calls, 1), query=self._queries.named(query))
        return None


def _generated(connection: "Connection[Any]", table: Name, accesses: Sequence[Access]) -> Iterator[tuple[Access, Probe]]:
    """Yields probes that migsafe generates, for these accesses to a table, if PostgreSQL accepts them."""
    if not accesses:
        return
    with suppress(Exception):
        column = connection.execute(_COLUMN, (str(table),)).fetchone()
        change = f"UPDATE {table} SET {quoted(column[0])} = {quoted(column[0])}" if column else f"DELETE FROM {table}"  # noqa: S608  # quoted
        texts: Mapping[Access, str] = {"reads": f"SELECT FROM {table}", "writes": change}
        for access in accesses:
            probe = Probe(sql=f"EXPLAIN {texts[access]}", uses={table: access})
            with suppress(Exception):
                connection.execute(probe.sql.encode())
                yield access, probe
