"""What PostgreSQL says about each query before and after a migration."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.patterns import lazy_pattern
from migsafe.replaying.queries.attribution import Check, likely_causes
from migsafe.replaying.queries.results import (
    BrokenQuery,
    ChangedQuery,
    FailingQuery,
    Prepared,
    QueryFailure,
    QueryResults,
    UntriedQuery,
    WorkingQuery,
)
from migsafe.replaying.queries.trial import TrialState
from migsafe.replaying.recording.records import Recording
from migsafe.workload.query import Query

if TYPE_CHECKING:
    from psycopg import Connection

Difference = BrokenQuery | WorkingQuery | FailingQuery | ChangedQuery | UntriedQuery

_NO_RELATION = lazy_pattern(r'relation "(?P<name>[^"]+)" does not exist')
_OF_THE_TEXT = frozenset(("42601", "42P18", "42P08", "42P02", "42725", "42846"))
"""The errors of a query that no schema makes work: its syntax, and parameters whose type cannot be determined."""
_TRANSIENT = ("08", "40", "53", "55", "57", "58", "XX")
"""The classes of errors that say nothing about the query: of connections, resources, locks, timeouts, and of PostgreSQL itself."""


def is_transient(failure: QueryFailure) -> bool:
    """Whether an error says nothing about the query and the schema."""
    return failure.sqlstate[:2] in _TRANSIENT


class PreparationTrial:
    """Compares what PREPARE says before and after a migration."""

    def __init__(self, queries: ProjectQueries) -> None:
        self._queries = queries
        self._earlier: Mapping[str, Prepared] = {}
        self._now: Mapping[str, Prepared] = {}
        self._likely: Mapping[str, int] = {}

    def before(self, state: TrialState) -> None:
        """Keeps what PostgreSQL says before the migration."""
        self._earlier = state.prepared

    def after(self, state: TrialState, before: str | None, recording: Recording) -> Check | None:
        """Returns a function that prepares the queries again that stop or begin to work, or have other types."""
        earlier, self._now = self._earlier, state.prepared
        different = {fingerprint for fingerprint, now in self._now.items() if _differs(earlier[fingerprint], now)}
        self._likely = (
            likely_causes({name: self._queries.all[name].text for name in different}, recording, state.catalog) if before is None else {}
        )

        # A query that stops or begins to work may have other result columns before: the cause is not the statement that changes these.
        compare = {name: _works_otherwise if _works_otherwise(earlier[name], self._now[name]) else _differs for name in different}

        def check(connection: "Connection[Any]") -> set[str]:
            now = state.prepare(connection, different)
            return {fingerprint for fingerprint, prepared in now.items() if compare[fingerprint](earlier[fingerprint], prepared)}

        return check if different else None

    def add_results(self, results: QueryResults, causes: Mapping[str, int]) -> QueryResults:
        """Returns the results with the queries that break, those that work now, those that change, and those that could not be prepared."""
        found: dict[type, list[Any]] = {}
        for fingerprint, now in self._now.items():
            query, cause = self._queries.all[fingerprint], causes.get(fingerprint, self._likely.get(fingerprint))
            difference = self._difference(query, self._earlier[fingerprint], now, cause)
            if difference is not None:
                found.setdefault(type(difference), []).append(difference)
        running = self._queries.running
        return replace(
            results,
            broken=tuple(each for each in found.get(BrokenQuery, ()) if each.query.fingerprint in running),
            broken_new=tuple(each for each in found.get(BrokenQuery, ()) if each.query.fingerprint not in running),
            working=tuple(found.get(WorkingQuery, ())),
            failing=tuple(found.get(FailingQuery, ())),
            changed=tuple(found.get(ChangedQuery, ())),
            untried=(*results.untried, *found.get(UntriedQuery, ())),
        )

    def _is_of_created_table(self, failure: QueryFailure) -> bool:
        """Whether a query fails because the application creates a table itself, such as a temporary one, before it sends the query."""
        return _missing_relation(failure) in self._queries.workload.created

    def _difference(self, query: Query, before: Prepared, now: Prepared, cause: int | None) -> Difference | None:
        """Returns what the migration means for a query; None if it works before and after it in the same way."""
        named, text = self._queries.named(query), query.text
        if now.failure is not None and (is_transient(now.failure) or self._is_of_created_table(now.failure)):
            return UntriedQuery(query=named, text=text, reason=str(now.failure))
        if now.failure is not None and before.failure is None:
            return BrokenQuery(query=named, text=text, failure=now.failure, statement=cause, in_both=self._queries.is_in_both(query))
        if now.failure is not None:
            if self._queries.is_new(query) and now.failure.sqlstate not in _OF_THE_TEXT:
                return FailingQuery(query=named, text=text, failure=now.failure)
            return UntriedQuery(query=named, text=text, reason=str(now.failure))
        if before.failure is not None:
            if is_transient(before.failure):
                return UntriedQuery(query=named, text=text, reason=f"before the migration: {before.failure}")
            return WorkingQuery(query=named, text=text, before=before.failure, statement=cause, is_new=self._queries.is_new(query))
        if _differs(before, now):
            parameters, columns = _changed_parameters(before, now), _changed_columns(before, now)
            return ChangedQuery(query=named, text=text, parameters=parameters, columns=columns, statement=cause)
        return None


def _missing_relation(failure: QueryFailure) -> str | None:
    match = _NO_RELATION.fullmatch(failure.message) if failure.sqlstate == "42P01" else None
    return match["name"] if match is not None else None


def _differs(before: Prepared, after: Prepared) -> bool:
    """Whether a query stops or begins to work, or has other types or result columns."""
    if _works_otherwise(before, after):
        return True
    return before.failure is None and (before.parameters, before.columns) != (after.parameters, after.columns)


def _works_otherwise(before: Prepared, after: Prepared) -> bool:
    """Whether a query stops or begins to work."""
    return (before.failure is None) != (after.failure is None)


def _changed_parameters(before: Prepared, after: Prepared) -> tuple[str, ...]:
    pairs = enumerate(zip(before.parameters, after.parameters, strict=False), start=1)
    return tuple(f"${number} is {now} instead of {earlier}" for number, (earlier, now) in pairs if now != earlier)


def _changed_columns(before: Prepared, after: Prepared) -> tuple[str, ...]:
    """Returns how the result columns differ. Without `*` in the query, only their types can."""
    if [name for name, _ in before.columns] == [name for name, _ in after.columns]:
        pairs = zip(before.columns, after.columns, strict=True)
        return tuple(f"{name} is {now} instead of {earlier}" for (name, earlier), (_, now) in pairs if now != earlier)
    added = [name for name, _ in after.columns if name not in dict(before.columns)]
    gone = [name for name, _ in before.columns if name not in dict(after.columns)]
    phrases = (("has also", added), ("no longer has", gone))
    return tuple(f"its result {verb} {', '.join(names)}" for verb, names in phrases if names) or ("its result columns have another order",)
