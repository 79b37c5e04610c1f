"""The trials of the application's queries around each migration of a replay.

Every kind of trial sees the same states of the database: before a migration, and after it. Then the migration runs once more on a copy, and
after each statement each trial looks at the queries for which it found a difference.
"""

from collections.abc import Collection, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.queries.attribution import find_causes
from migsafe.replaying.queries.comparison import PreparationTrial
from migsafe.replaying.queries.plan_changes import PlanTrial
from migsafe.replaying.queries.preparation import prepare_all
from migsafe.replaying.queries.results import Prepared, QueryResults, UntriedQuery
from migsafe.replaying.queries.trial import Trial, TrialState
from migsafe.replaying.queries.writes import WriteTrial
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.refusals import error_class
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import Guard
from migsafe.schema.catalog import Catalog

if TYPE_CHECKING:
    from psycopg import Connection

_USUAL_PATHS = ((), ("public",))


class QueryTrials:
    """Tries the queries of both releases before and after each migration. `queries` are those of the project; `guard` limits the time of a
    statement of the migration. `keep_plans` keeps the plans of all queries in the results."""

    def __init__(self, host: Host, queries: ProjectQueries, guard: Guard, *, keep_plans: bool = False) -> None:
        self._host = host
        self._queries = queries
        self._guard = guard
        self._state: TrialState | None = None
        self._untyped: set[str] = set()
        self._problem = ""
        self._trials: Sequence[Trial] = (PreparationTrial(queries), PlanTrial(queries, keep_plans=keep_plans), WriteTrial(queries))

    def forget_state(self) -> None:
        """Forgets what PostgreSQL said about the queries, because the database has changed."""
        self._state = None

    def before(self, database: str, predictor: Predictor) -> None:
        """Tries the queries in a database before a migration; `predictor` knows its schema."""
        self._problem = ""
        try:
            if self._state is None or self._state.database != database:
                self._state = self._new_state(database, predictor)
            self._state = replace(self._state, catalog=predictor.catalog)
            for trial in self._trials:
                trial.before(self._state)
        except error_class() as error:
            self._problem = error.diag.message_primary or str(error).strip()

    def after(self, database: str, before: str | None, recording: Recording, predictor: Predictor) -> QueryResults:
        """Tries the queries after the migration that was recorded; `before` is a copy of the database as it was, if there is one. What was
        measured of the migration remains if the server does not allow this, for example because it has no free connection."""
        try:
            if not self._problem:
                return self._after(database, before, recording, predictor)
        except error_class() as error:
            self._problem = error.diag.message_primary or str(error).strip()
        self._state = None
        queries = self._queries.all.values()
        reason = f"trying the queries ended with an error: {self._problem}"
        untried = tuple(UntriedQuery(query=self._queries.named(query), text=query.text, reason=reason) for query in queries)
        return QueryResults(total=len(untried), compared=self._queries.workload.compared, untried=untried)

    def _after(self, database: str, before: str | None, recording: Recording, predictor: Predictor) -> QueryResults:
        start = perf_counter()
        state = self._state = self._new_state(database, predictor)
        results = QueryResults(
            total=len(state.prepared),
            prepared=sum(each.failure is None for each in state.prepared.values()),
            new_queries=tuple(self._queries.named(query) for query in self._queries.all.values() if self._queries.is_new(query)),
            compared=self._queries.workload.compared,
            prepare_ms=1000 * (perf_counter() - start),
        )
        differing = [(trial, check) for trial in self._trials if (check := trial.after(state, before, recording)) is not None]
        checks = [check for _, check in differing]
        causes = find_causes(self._host, before, recording.migration.up, checks, self._guard) if checks and before is not None else []
        causes_of = {id(trial): cause for (trial, _), cause in zip(differing, causes, strict=False)}
        for trial in self._trials:
            results = trial.add_results(results, causes_of.get(id(trial), {}))
        return results

    def _new_state(self, database: str, predictor: Predictor) -> TrialState:
        path = other_path(predictor.catalog)

        def prepare(connection: "Connection[Any]", fingerprints: Collection[str]) -> dict[str, Prepared]:
            queries = [self._queries.all[fingerprint] for fingerprint in fingerprints]
            return prepare_all(connection, queries, search_path=path, untyped=self._untyped)

        with self._host.connect(database) as connection:
            prepared = prepare(connection, self._queries.all)
        self._untyped |= {fingerprint for fingerprint, each in prepared.items() if each.untyped and each.failure is None}
        return TrialState(host=self._host, database=database, catalog=predictor.catalog, prepared=prepared, prepare=prepare, search_path=path)


def other_path(catalog: Catalog) -> tuple[str, ...]:
    """Returns the search_path of the migrations, if it is not the usual one: the project may work in that schema."""
    path = tuple(catalog.search_path)
    return path if path not in _USUAL_PATHS else ()
