"""What PostgreSQL says about each query before and after a migration."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.replaying.queries.attribution import Check
from migsafe.replaying.queries.results import (
    BrokenQuery,
    ChangedQuery,
    FailingQuery,
    Prepared,
    QueryResults,
    UntriedQuery,
    WorkingQuery,
)
from migsafe.replaying.queries.trial import TrialState
from migsafe.replaying.recording.records import Recording

if TYPE_CHECKING:
    from psycopg import Connection


class PreparationTrial:
    """Compares what PREPARE says before and after a migration."""

    def __init__(self, queries: ProjectQueries) -> None:
        self._queries = queries
        self._earlier: Mapping[str, Prepared] = {}
        self._now: Mapping[str, Prepared] = {}

    def before(self, state: TrialState) -> None:
        """Keeps what PostgreSQL says before the migration."""
        self._earlier = state.prepared

    def after(self, state: TrialState, before: str | None, recording: Recording) -> Check | None:
        """Returns a function that prepares the queries again that stop or begin to work, or have other types."""
        earlier, self._now = self._earlier, state.prepared
        different = {fingerprint for fingerprint, now in self._now.items() if _differs(earlier[fingerprint], now)}

        def check(connection: "Connection[Any]") -> set[str]:
            now = state.prepare(connection, different)
            return {fingerprint for fingerprint, prepared in now.items() if _differs(earlier[fingerprint], prepared)}

        return check if different else None

    def add_results(self, results: QueryResults, causes: Mapping[str, int]) -> QueryResults:
        """Returns the results with the queries that break, those that work now, and those that were not tried."""
        broken: list[BrokenQuery] = []
        broken_new: list[BrokenQuery] = []
        working: list[WorkingQuery] = []
        failing: list[FailingQuery] = []
        changed: list[ChangedQuery] = []
        untried: list[UntriedQuery] = []
        for fingerprint, now in self._now.items():
            query, before, cause = self._queries.all[fingerprint], self._earlier[fingerprint], causes.get(fingerprint)
            named = self._queries.named(query)
            if before.failure is None and now.failure is not None:
                found = broken if fingerprint in self._queries.running else broken_new
                found.append(BrokenQuery(query=named, text=query.text, failure=now.failure, statement=cause))
            elif now.failure is None and before.failure is not None:
                working.append(WorkingQuery(query=named, text=query.text, before=before.failure, statement=cause))
            elif now.failure is not None:
                if self._queries.is_new(query):
                    failing.append(FailingQuery(query=named, text=query.text, failure=now.failure))
                else:
                    untried.append(UntriedQuery(query=named, text=query.text, reason=str(now.failure)))
        return replace(
            results,
            broken=tuple(broken),
            broken_new=tuple(broken_new),
            working=tuple(working),
            failing=tuple(failing),
            changed=tuple(changed),
            untried=(*results.untried, *untried),
        )


def _differs(before: Prepared, after: Prepared) -> bool:
    """Whether a query stops or begins to work, or has other types."""
    if (before.failure is None) != (after.failure is None):
        return True
    return before.failure is None and (before.parameters, before.columns) != (after.parameters, after.columns)
