"""The writes that only the new release sends, executed on the schema before a migration and on the one after it.

A write of the new release may need a migration although PostgreSQL can prepare it before: an INSERT that leaves out a column that is still NOT
NULL. Only errors that no other values avoid count.
"""

from collections.abc import Callable, Collection, Mapping

from msgspec import Struct
from msgspec.structs import replace

from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.replaying.queries.results import BrokenQuery, FailingQuery, Prepared, QueryFailure, QueryResults, UntriedQuery, WorkingQuery
from migsafe.replaying.queries.trial import TrialState
from migsafe.replaying.queries.write_attempts import WriteResult, tried_before, write_session
from migsafe.replaying.queries.write_execution import Trial, Write, WriteSession
from migsafe.replaying.queries.write_values import ATTEMPTS, WriteValues
from migsafe.sql.operations import Name


class _Change(Struct, frozen=True):
    """A write that works on one side of the migration only: with this `trial`, and with this error on the other side."""

    write: Write
    trial: Trial
    failure: QueryFailure
    works_now: bool


class NewWrites:
    """The writes of the new release. Those that fail stay known: a migration that does not affect them does not try them again."""

    def __init__(self, queries: ProjectQueries) -> None:
        self._queries = queries
        self._failing: dict[str, FailingQuery] = {}
        self._tried: set[str] = set()
        self._changes: dict[str, _Change] = {}
        self._untried: list[WriteResult] = []
        self._number = 0

    def is_untried(self, write: Write) -> bool:
        """Whether the write has not been executed on any schema."""
        return write.query.fingerprint not in self._tried

    def compare(
        self,
        writes: Collection[Write],
        earlier: Mapping[str, Prepared],
        state: TrialState,
        before: str | None,
        *,
        affected: Collection[Name] | None,
        deadline: float,
    ) -> None:
        """Executes the writes that PostgreSQL can prepare after a migration on the schema after it, and those that it could prepare `earlier`
        on the copy of the database `before` it, if there is one.

        A write of a table that is not `affected` (None: all are) says nothing if it cannot be executed.
        """
        self._changes, self._untried, self._number = {}, [], len(writes)
        if not writes:
            return
        now = _results(writes, state, state.database, deadline)
        both = [write for write in writes if (accepted := earlier.get(write.query.fingerprint)) is not None and accepted.failure is None]
        first = _results(both, state, before, deadline) if before is not None and both else {}
        for fingerprint, result in now.items():
            self._note(result, first.get(fingerprint))
            if (
                result.untried
                and result.refused is None
                and (affected is None or any(table in affected for table in result.write.targets.tables))
            ):
                self._untried.append(result)

    def check(self, session: WriteSession) -> set[str]:
        """Returns the writes that are different now from how they were before the migration."""
        return {name for name, each in self._changes.items() if (session.execute(each.write, each.trial).failure is None) == each.works_now}

    @property
    def changed(self) -> dict[str, str]:
        """The texts of the writes that work on one side of the migration only, by fingerprint."""
        return {name: each.write.query.text for name, each in self._changes.items()}

    def add_results(self, results: QueryResults, cause_of: Callable[[str], int | None]) -> QueryResults:
        """Returns the results with the writes that work from this migration on, those that it breaks, and those that fail on the schema after
        it."""
        working: list[WorkingQuery] = []
        broken: list[BrokenQuery] = []
        for fingerprint, change in self._changes.items():
            query, cause = change.write.query, cause_of(fingerprint)
            named = self._queries.named(query)
            if change.works_now:
                working.append(WorkingQuery(query=named, text=query.text, before=change.failure, statement=cause, is_new=True))
            else:
                broken.append(BrokenQuery(query=named, text=query.text, failure=change.failure, statement=cause))
        broken_here = {each.query.fingerprint for each in broken}
        listed: tuple[FailingQuery | UntriedQuery | BrokenQuery, ...] = (*results.failing, *results.untried, *results.broken_new)
        refused = {each.query.fingerprint for each in listed}
        failing = [each for name, each in self._failing.items() if name not in broken_here and name not in refused]
        untried = (
            UntriedQuery(query=self._queries.named(each.write.query), text=each.write.query.text, reason=each.untried, is_write=True)
            for each in self._untried
        )
        return replace(
            results,
            written=results.written + self._number - len(self._untried),
            working=(*results.working, *working),
            broken_new=(*results.broken_new, *broken),
            failing=(*results.failing, *failing),
            untried=(*results.untried, *untried),
        )

    def _note(self, now: WriteResult, first: WriteResult | None) -> None:
        """Notes what the results on both sides of a migration mean."""
        query = now.write.query
        name = query.fingerprint
        self._tried.add(name)
        if now.trial is not None:
            self._failing.pop(name, None)
            if first is not None and first.trial is None and first.refused is not None:
                self._changes[name] = _Change(now.write, now.trial, first.refused, works_now=True)
        elif now.refused is not None:
            if first is not None and first.trial is not None:
                self._changes[name] = _Change(now.write, first.trial, now.refused, works_now=False)
            self._failing[name] = FailingQuery(query=self._queries.named(query), text=query.text, failure=now.refused, is_write=True)


def _results(writes: Collection[Write], state: TrialState, database: str, deadline: float) -> dict[str, WriteResult]:
    """Executes writes in a database; returns how each went, by fingerprint."""
    with write_session(state.host, database, state.search_path) as (connection, session):
        values = WriteValues(connection)
        return {write.query.fingerprint: tried_before(write, session, values, range(ATTEMPTS), deadline) for write in writes}
