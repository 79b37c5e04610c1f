"""The queries of the load: the workload's SELECTs, with values for their parameters.

A query is executed once before it is part of the load, in a read-only transaction, in which PostgreSQL refuses what writes or locks rows.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.linting.finding import NamedQuery
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.patterns import lazy_pattern
from migsafe.replaying.probes.load_values import Parameters, ValueSource
from migsafe.replaying.queries.preparation import prepare_all
from migsafe.replaying.recording.load_times import UnusedQuery
from migsafe.replaying.refusals import failure_of
from migsafe.schema.catalog import Catalog
from migsafe.workload.compared_columns import ComparedColumn, compared_columns
from migsafe.workload.query import Query
from migsafe.workload.tokens import read_tokens

if TYPE_CHECKING:
    from psycopg import Connection

_MOST_QUERIES = 100
"""How many queries are sent: the most frequent ones."""
_TRIAL_SECONDS, _MOST_SECONDS = 1.0, 15.0
"""How long a query, and all of them, may take while they are tried."""
_READS = lazy_pattern(r"\s*\(*\s*(select|with|values|table)\b", re.IGNORECASE)
_MAY_WRITE = lazy_pattern(r"\b(insert|update|delete|merge)\b|\bfor\s+(no\s+key\s+update|key\s+share|share)\b", re.IGNORECASE)
_READ_ONLY = "25006"
_HARMLESS = (
    *("random", "random_normal", "clock_timestamp", "timeofday", "currval", "lastval"),
    *("gen_random_uuid", "uuidv4", "uuidv7", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "gen_random_bytes", "gen_salt"),
)
"""Volatile functions that only return something else each time."""

_EFFECTS = """
    SELECT DISTINCT p.proname::text FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
    WHERE p.provolatile = 'v' AND NOT l.lanpltrusted AND l.lanname <> 'sql' AND p.proname = ANY (%s) AND p.proname <> ALL (%s)
"""
"""The functions that may do what a read-only transaction does not prevent: sleep, take advisory locks, end other sessions."""


class LoadQuery(Struct, frozen=True, kw_only=True):
    """A query of the load: its text, the types of its parameters as OIDs, and sets of values for them. `weight` is how often it is sent
    compared with others, `seconds` how long it took when it was tried."""

    query: NamedQuery
    text: bytes
    types: tuple[int, ...]
    parameters: tuple[Parameters, ...]
    weight: int
    seconds: float


class LoadChoice(Struct, frozen=True):
    """The queries of the load, and the SELECTs that are not part of it."""

    queries: tuple[LoadQuery, ...] = ()
    unused: tuple[UnusedQuery, ...] = ()


Columns = Mapping[str, Mapping[int, ComparedColumn]]
"""What the parameters of each query are compared with, by fingerprint and number."""


def columns_of_reads(queries: ProjectQueries, catalog: Catalog) -> Columns:
    """Returns what the parameters of the running release's most frequent SELECTs are compared with in a database."""
    shapes = queries.assessor.shapes
    return {query.fingerprint: compared_columns(query, catalog, shapes) for query in _reads(queries)}


class LoadQueries:
    """Chooses the queries of the load before each migration. What a query was tried with is used again while PostgreSQL accepts it."""

    def __init__(self, queries: ProjectQueries) -> None:
        self._queries = queries
        self._reads = list(_reads(queries))
        self._tried: dict[tuple[str, tuple[str, ...]], LoadQuery | UnusedQuery] = {}

    def choose(self, connection: "Connection[Any]", observer: "Connection[Any]", columns: Columns) -> LoadChoice:
        """Returns the queries that can be executed. `connection` is of the role that sends them, in a read-only session; `observer` may read
        all tables. `columns` are what parameters are compared with."""
        values = ValueSource(observer)
        effects = self._with_effects(observer)
        prepared = prepare_all(observer, self._reads)
        started = perf_counter()
        chosen: list[LoadQuery] = []
        unused: list[UnusedQuery] = []
        for query in self._reads:
            answer, called = prepared[query.fingerprint], effects.get(query.fingerprint)
            if answer.failure is not None:
                unused.append(UnusedQuery(self._queries.named(query), str(answer.failure), is_refused=True))
                continue
            if called is not None:
                unused.append(UnusedQuery(self._queries.named(query), f"it calls {called}, which may do more than read"))
                continue
            key = (query.fingerprint, answer.parameters)
            if key not in self._tried and perf_counter() - started > _MOST_SECONDS:
                unused.append(UnusedQuery(self._queries.named(query), f"not tried: the others took {_MOST_SECONDS:.0f} s"))
                continue
            if key not in self._tried:
                types = _oids(observer, answer.parameters)
                sets = tuple(values.parameters(query, types, columns.get(query.fingerprint, {})))
                self._tried[key] = self._try(connection, query, types, sets)
            tried = self._tried[key]
            chosen += [tried] if isinstance(tried, LoadQuery) else []
            unused += [tried] if isinstance(tried, UnusedQuery) else []
        return LoadChoice(tuple(chosen[:_MOST_QUERIES]), tuple(unused))

    def _with_effects(self, observer: "Connection[Any]") -> dict[str, str]:
        """Returns the function that a query calls and that may have effects, by fingerprint."""
        called = {query.fingerprint: set(_called(query.text)) for query in self._reads}
        names = sorted({name for each in called.values() for name in each})
        found = {name for (name,) in observer.execute(_EFFECTS, (names, list(_HARMLESS))).fetchall()} if names else set()
        return {fingerprint: min(each & found) for fingerprint, each in called.items() if each & found}

    def _try(
        self, connection: "Connection[Any]", query: Query, types: tuple[int, ...], sets: tuple[Parameters, ...]
    ) -> LoadQuery | UnusedQuery:
        """Executes a query with its first values, twice: the first time, its pages may not be in memory."""
        from psycopg.errors import error_from_result  # noqa: PLC0415  # start-up must not pay for it
        from psycopg.pq import ExecStatus  # noqa: PLC0415

        named, text = self._queries.named(query), query.text.encode()
        for _ in range(2):
            started = perf_counter()
            result = connection.pgconn.exec_params(text, sets[0], types)
            seconds = perf_counter() - started
        if result.status in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
            return LoadQuery(query=named, text=text, types=types, parameters=sets, weight=max(query.calls, 1), seconds=seconds)
        failure = failure_of(error_from_result(result, connection.info.encoding))
        if failure.sqlstate == "57014":
            return UnusedQuery(named, f"it takes longer than {_TRIAL_SECONDS:.0f} s")
        reason = "it writes, or locks rows" if failure.sqlstate == _READ_ONLY else f"{failure.message} ({failure.sqlstate})"
        return UnusedQuery(named, reason)


TRIAL_SETTINGS = f"SET default_transaction_read_only = on; SET client_min_messages = error; SET statement_timeout = '{_TRIAL_SECONDS:.0f}s'"
"""The settings of the session that executes queries to try them."""


def _reads(queries: ProjectQueries) -> Iterator[Query]:
    """Yields the SELECTs of the running release that lock no rows, the most frequent ones first: a few more than are sent."""
    reads = [query for query in queries.running.values() if _READS.match(query.text) and not _MAY_WRITE.search(query.text)]
    reads.sort(key=lambda query: (-query.calls, query.fingerprint))
    yield from reads[: 2 * _MOST_QUERIES]


def _called(text: str) -> Iterable[str]:
    """Yields the names before a parenthesis: those of the functions that a query calls, and some key words."""
    tokens, _ = read_tokens(text)
    for before, token in pairwise(tokens):
        if token.text == "(":
            yield before.text[1:-1].replace('""', '"') if before.text.startswith('"') else before.text.lower()


def _oids(observer: "Connection[Any]", names: Sequence[str]) -> tuple[int, ...]:
    """Returns the OIDs of types from the names that PostgreSQL gives them."""
    if not names:
        return ()
    query = "SELECT name::pg_catalog.regtype::oid::int8 FROM pg_catalog.unnest(%s::text[]) WITH ORDINALITY AS n (name, k) ORDER BY k"
    return tuple(oid for (oid,) in observer.execute(query, (list(names),)).fetchall())
