"""INSERTs, UPDATEs, DELETEs and MERGEs of both releases, executed before and after a migration.

PREPARE does not see what depends on rows: NOT NULL, CHECK, unique and foreign-key constraints, generated columns, triggers. Of the running
release, only a write that succeeds before the migration and fails after it with the same values is reported, and only if the error does not
come from the chosen values.
"""

from collections.abc import Iterable, Iterator, Mapping
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from migsafe.linting.facts.sql_words import words_of
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.lock import LockMode
from migsafe.replaying.queries.attribution import Check, likely_causes
from migsafe.replaying.queries.new_writes import NewWrites
from migsafe.replaying.queries.results import BrokenWrite, Prepared, QueryResults, UntriedQuery
from migsafe.replaying.queries.trial import TrialState
from migsafe.replaying.queries.write_attempts import TIME_LIMIT, WriteResult, tried_after, tried_before, write_session
from migsafe.replaying.queries.write_execution import Write, WriteSession
from migsafe.replaying.queries.write_targets import write_targets
from migsafe.replaying.queries.write_values import ATTEMPTS, WriteValues, unique_columns
from migsafe.replaying.recording.records import Recording
from migsafe.schema.catalog import Catalog
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.workload.compared_columns import application_path
from migsafe.workload.query import Query

if TYPE_CHECKING:
    from psycopg import Connection

_NO_ARBITER = "42P10"
"""The SQLSTATE of ON CONFLICT without a unique index over its columns."""
_WORDS = frozenset(("insert", "update", "delete", "merge"))
_LOCAL = (
    *(sql.AlterRelation, sql.CreateTable, sql.CreateTableAs, sql.CreateIndex, sql.CreateView, sql.CreateMaterializedView, sql.CreateSequence),
    *(sql.CreateTrigger, sql.CreateRule, sql.CreatePolicy, sql.AlterPolicy, sql.CreateEnum, sql.CreateCompositeType, sql.CreateDomain),
    *(sql.CreateSchema, sql.CreateStatistics, sql.Comment, sql.Grant, sql.Insert, sql.Update, sql.Delete, sql.Select, sql.Copy, sql.Truncate),
    *(sql.LockTable, sql.Cluster, sql.Reindex, sql.Vacuum, sql.Analyze, sql.SessionControl, sql.RefreshMaterializedView, sql.AddEnumValue),
)
"""Operations that change only relations which they lock, or add something that no write uses yet."""
_OBJECTS_OF_TABLES = ("table", "index", "view", "materialized view", "sequence", "trigger", "rule", "policy", "constraint", "foreign table")


class WriteTrial:
    """Executes the writes of both releases before and after each migration."""

    def __init__(self, queries: ProjectQueries) -> None:
        self._queries = queries
        self._new = NewWrites(queries)
        self._earlier: Mapping[str, Prepared] = {}
        self._first: dict[str, WriteResult] = {}
        self._results: list[WriteResult] = []
        self._likely: Mapping[str, int] = {}
        self._milliseconds = 0.0

    def before(self, state: TrialState) -> None:
        """Keeps what PostgreSQL says before the migration. A database of which no copy is possible is tried now."""
        self._earlier = state.prepared
        self._first = {}
        if state.host.only_database is not None:
            deadline = monotonic() + TIME_LIMIT
            writes = self._writes(self._queries.running.values(), state.prepared, state.catalog)
            with write_session(state.host, state.database, state.search_path) as (connection, session):
                values = WriteValues(connection)
                self._first = {write.query.fingerprint: tried_before(write, session, values, range(ATTEMPTS), deadline) for write in writes}

    def after(self, state: TrialState, before: str | None, recording: Recording) -> Check | None:
        """Executes the writes that the migration may affect before and after it; returns a function that executes those again that fail."""
        both = {name: each for name, each in self._earlier.items() if each.failure is None and state.prepared[name].failure is None}
        affected = _affected(recording, state.catalog)
        writes = self._writes(self._queries.running.values(), both, state.catalog)
        writes = [write for write in writes if affected is None or _is_affected(write, affected, state.catalog)]
        start, deadline = perf_counter(), monotonic() + TIME_LIMIT
        results = self._compared(writes, state, before, deadline) if writes else ()
        # A write that only a trigger may connect with the migration says nothing if it could not be tried.
        self._results = [each for each in results if not each.untried or affected is None or affected.intersection(each.write.targets.tables)]
        self._try_new(state, before, affected, deadline)
        self._milliseconds = 1000 * (perf_counter() - start)
        failing = {each.write.query.fingerprint: each for each in self._results if each.after is not None}
        texts = {**{name: each.write.query.text for name, each in failing.items()}, **self._new.changed}
        self._likely = likely_causes(texts, recording, state.catalog) if before is None else {}

        def check(connection: "Connection[Any]") -> set[str]:
            session = WriteSession(connection, state.search_path)
            failed = {name for name, each in failing.items() if session.execute_or_plan(each.write, each.trial).failure is not None}
            return failed | self._new.check(session)

        return check if texts else None

    def _try_new(self, state: TrialState, before: str | None, affected: set[Name] | None, deadline: float) -> None:
        """Executes the writes of the new release that the migration may affect, and those that were not executed yet."""
        new = [query for query in self._queries.all.values() if self._queries.is_new(query)]
        writes = self._writes(new, state.prepared, state.catalog)
        chosen = [write for write in writes if self._new.is_untried(write) or affected is None or _is_affected(write, affected, state.catalog)]
        self._new.compare(chosen, self._earlier, state, before, affected=affected, deadline=deadline)

    def add_results(self, results: QueryResults, causes: Mapping[str, int]) -> QueryResults:
        """Returns the results with the writes that fail after the migration, and those that could not be tried."""
        broken: list[BrokenWrite] = []
        untried: list[UntriedQuery] = []
        for result in self._results:
            query = result.write.query
            named = self._queries.named(query)
            if result.after is not None:
                cause = causes.get(query.fingerprint, self._likely.get(query.fingerprint))
                is_certain = result.after.query_failure.sqlstate[:2] in ("23", "42")
                broken.append(
                    BrokenWrite(
                        query=named,
                        text=query.text,
                        failure=result.after.query_failure,
                        statement=cause,
                        is_certain=is_certain,
                        in_both=self._queries.is_in_both(query),
                    )
                )
            elif result.untried:
                untried.append(UntriedQuery(query=named, text=query.text, reason=result.untried, is_write=True))
        found = replace(
            results,
            written=len(self._results) - len(untried),
            broken_writes=tuple(broken),
            untried=(*results.untried, *untried),
            write_ms=self._milliseconds,
        )
        return self._new.add_results(found, lambda name: causes.get(name, self._likely.get(name)))

    def _writes(self, queries: Iterable[Query], prepared: Mapping[str, Prepared], catalog: Catalog) -> list[Write]:
        """Returns the writes among queries, as far as PostgreSQL accepts them."""
        writes = []
        for query in queries:
            accepted = prepared.get(query.fingerprint)
            if accepted is None or accepted.failure is not None or _WORDS.isdisjoint(words_of(query.text)):
                continue
            with application_path(catalog):
                targets = write_targets(query, catalog, self._queries.assessor.shapes)
            if targets is not None:
                declared = () if accepted.untyped else query.parameters
                writes.append(Write(query=query, targets=targets, types=accepted.parameters, declared=declared))
        return writes

    def _compared(self, writes: Iterable[Write], state: TrialState, before: str | None, deadline: float) -> Iterator[WriteResult]:
        with write_session(state.host, state.database, state.search_path) as (connection, session):
            if before is None:
                for write in writes:
                    result = self._first.get(write.query.fingerprint) or WriteResult(
                        write, untried="it could not be executed before the migration"
                    )
                    yield tried_after(result, session, is_last=True)
                return
            unique = unique_columns(connection)
            with write_session(state.host, before, state.search_path) as (first_connection, first):
                values = WriteValues(first_connection, unique)
                for write in writes:
                    yield _compare(write, first, session, values, deadline)


def _compare(write: Write, first: WriteSession, second: WriteSession, values: WriteValues, deadline: float) -> WriteResult:
    """Tries a write with several sets of values, until it succeeds with one on both sides, or its error does not depend on the values."""
    failed: WriteResult | None = None
    for attempt in range(ATTEMPTS):
        result = tried_before(write, first, values, (attempt,) if failed else range(attempt, ATTEMPTS), deadline)
        if result.trial is None:
            break
        result = tried_after(result, second, is_last=False)
        if result.after is None:
            return result
        failed = result
        if result.after.query_failure.sqlstate[:2] in ("42", "23") and not result.untried:
            break
    if failed is None:
        return _planned(result, first, second)
    if failed.untried:
        failed.after = None
    return failed


def _planned(result: WriteResult, first: WriteSession, second: WriteSession) -> WriteResult:
    """Plans an INSERT with ON CONFLICT that could not be executed: the planner looks for the unique index (infer_arbiter_indexes)."""
    write = result.write
    if "conflict" not in words_of(write.query.text) or first.plan(write).failure is not None:
        return result
    planned = second.plan(write)
    if planned.failure is not None and planned.failure.sqlstate == _NO_ARBITER:
        result.untried, result.after = "", planned
    return result


def _affected(recording: Recording, catalog: Catalog) -> set[Name] | None:
    """Returns the relations whose writes a migration may affect; None if it may affect all."""
    affected: set[Name] = set()
    for record in recording.statements:
        if record.skip_reason:
            continue
        for operation in record.statement.operations:
            if isinstance(operation, sql.CreateFunction) and operation.returns is not None and operation.returns.name == "trigger":
                affected |= _with_trigger(operation.function, catalog)
                continue
            is_local = isinstance(operation, _LOCAL)
            if isinstance(operation, sql.Drop | sql.Rename | sql.SetSchema):
                is_local = operation.kind in _OBJECTS_OF_TABLES
            if not is_local:
                return None
        affected |= {measured.effect.relation for measured in record.measured_effects if measured.effect.lock >= LockMode.SHARE}
    return affected


def _with_trigger(function: Name, catalog: Catalog) -> set[Name]:
    """Returns the relations with a trigger that calls a function, or one that is not known."""
    found: set[Name] = set()
    for relation in catalog.relations():
        for trigger in catalog.triggers(relation.oid):
            called = catalog.get(trigger.function) if trigger.function is not None else None
            if called is None or called.name.name == function.name:
                found.add(relation.name)
    return found


def _is_affected(write: Write, affected: set[Name], catalog: Catalog) -> bool:
    """Whether a migration may affect a write: it changes a table of the write, or one that a trigger or a view may write to."""
    if not affected:
        return False
    for table in write.targets.tables:
        relation = catalog.relation(table)
        if table in affected or relation is None or relation.query is not None or catalog.triggers(relation.oid):
            return True
    return not write.targets.tables
