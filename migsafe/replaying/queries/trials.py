"""The trials of the application's queries around each migration of a replay.

Every kind of trial sees the same states of the database: before a migration, and after it. Then the migration runs once more on a copy, and
after each statement each trial looks at the queries for which it found a difference.
"""

from collections.abc import Collection, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.queries.attribution import Check, find_causes
from migsafe.replaying.queries.preparation import prepare_all
from migsafe.replaying.queries.results import (
    BrokenQuery,
    ChangedQuery,
    FailingQuery,
    Prepared,
    QueryResults,
    UntriedQuery,
    WorkingQuery,
)
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import Guard
from migsafe.schema.catalog import Catalog
from migsafe.workload.query import Query

if TYPE_CHECKING:
    from psycopg import Connection

_USUAL_PATHS = ((), ("public",))


class TrialState(Struct, frozen=True, kw_only=True):
    """One state of a database in which queries are tried: the `database` on the host, and what PostgreSQL says about each query (`prepared`, by
    fingerprint).

    `catalog` is the predicted schema of this state. The predictor continues to change it: it may be read only during the call that gets the
    state.
    """

    host: Host
    database: str
    catalog: Catalog
    prepared: Mapping[str, Prepared]

    def connect(self) -> "Connection[Any]":
        """Connects to the database as the role that observes, in autocommit."""
        return self.host.connect(self.database)


class QueryTrials:
    """Tries the queries of both releases before and after each migration. `queries` are those of the project; `guard` limits the time of a
    statement of the migration."""

    def __init__(self, host: Host, queries: ProjectQueries, guard: Guard) -> None:
        self._host = host
        self._queries = queries
        self._guard = guard
        self._state: TrialState | None = None
        self._search_path: tuple[str, ...] = ()

    def forget_state(self) -> None:
        """Forgets what PostgreSQL said about the queries, because the database has changed."""
        self._state = None

    def before(self, database: str, predictor: Predictor) -> None:
        """Tries the queries in a database before a migration; `predictor` knows its schema."""
        self._search_path = _other_path(predictor.catalog)
        known = self._state.prepared if self._state is not None and self._state.database == database else self._prepared(database)
        self._state = TrialState(host=self._host, database=database, catalog=predictor.catalog, prepared=known)

    def after(self, database: str, before: str | None, recording: Recording, predictor: Predictor) -> QueryResults:
        """Tries the queries after the migration that was recorded; `before` is a copy of the database as it was, if there is one."""
        assert self._state is not None
        start = perf_counter()
        earlier = self._state.prepared
        self._search_path = _other_path(predictor.catalog)
        state = TrialState(host=self._host, database=database, catalog=predictor.catalog, prepared=self._prepared(database))
        prepare_ms = 1000 * (perf_counter() - start)
        self._state = state
        different = {fingerprint for fingerprint, now in state.prepared.items() if _differs(earlier[fingerprint], now)}
        checks: list[Check] = [self._check(different, earlier)] if different else []
        causes = find_causes(self._host, before, recording.migration.up, checks, self._guard) if checks and before is not None else [{}]
        return self._results(earlier, state, causes[0], prepare_ms)

    def _prepared(self, database: str) -> dict[str, Prepared]:
        with self._host.connect(database) as connection:
            return self._prepare(connection, self._queries.all)

    def _prepare(self, connection: "Connection[Any]", fingerprints: Collection[str]) -> dict[str, Prepared]:
        earlier = self._state.prepared if self._state is not None else {}
        untyped = {fingerprint for fingerprint, prepared in earlier.items() if prepared.untyped and prepared.failure is None}
        queries = [self._queries.all[fingerprint] for fingerprint in fingerprints]
        return prepare_all(connection, queries, search_path=self._search_path, untyped=untyped)

    def _check(self, fingerprints: Collection[str], earlier: Mapping[str, Prepared]) -> Check:
        """Returns a function that prepares these queries, and returns those that PostgreSQL treats otherwise than `earlier`."""

        def check(connection: "Connection[Any]") -> set[str]:
            now = self._prepare(connection, fingerprints)
            return {fingerprint for fingerprint, prepared in now.items() if _differs(earlier[fingerprint], prepared)}

        return check

    def _results(self, earlier: Mapping[str, Prepared], state: TrialState, causes: Mapping[str, int], prepare_ms: float) -> QueryResults:
        broken: list[BrokenQuery] = []
        working: list[WorkingQuery] = []
        failing: list[FailingQuery] = []
        changed: list[ChangedQuery] = []
        untried: list[UntriedQuery] = []
        for fingerprint, now in state.prepared.items():
            query, before, cause = self._queries.all[fingerprint], earlier[fingerprint], causes.get(fingerprint)
            named = self._queries.named(query)
            if before.failure is None and now.failure is not None:
                if fingerprint in self._queries.running:
                    broken.append(BrokenQuery(query=named, text=query.text, failure=now.failure, statement=cause))
            elif now.failure is None and before.failure is not None:
                working.append(WorkingQuery(query=named, text=query.text, before=before.failure, statement=cause))
            elif now.failure is not None:
                if self._is_new(query):
                    failing.append(FailingQuery(query=named, text=query.text, failure=now.failure))
                else:
                    untried.append(UntriedQuery(query=named, text=query.text, reason=str(now.failure)))
        return QueryResults(
            prepared=len(state.prepared),
            compared=self._queries.workload.compared,
            broken=tuple(broken),
            working=tuple(working),
            failing=tuple(failing),
            changed=tuple(changed),
            untried=tuple(untried),
            prepare_ms=prepare_ms,
        )

    def _is_new(self, query: Query) -> bool:
        return self._queries.is_new(query)


def _differs(before: Prepared, after: Prepared) -> bool:
    """Whether a query stops or begins to work, or has other types."""
    if (before.failure is None) != (after.failure is None):
        return True
    return before.failure is None and (before.parameters, before.columns) != (after.parameters, after.columns)


def _other_path(catalog: Catalog) -> tuple[str, ...]:
    """Returns the search_path of the migrations, if it is not the usual one: the project may work in that schema."""
    path = tuple(catalog.search_path)
    return path if path not in _USUAL_PATHS else ()
