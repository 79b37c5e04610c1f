"""The plans of the application's queries before and after a migration, and the queries that are planned worse after it."""

from collections.abc import Iterable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.replaying.queries.attribution import Check
from migsafe.replaying.queries.plan_results import PlanGain, PlannedQuery, PlanRegression, PlanResults, UnplannedQuery
from migsafe.replaying.queries.plan_trees import FullRead, Plan, Unexplained
from migsafe.replaying.queries.planner_state import PlannerState, read_planner_state, tables_without_statistics
from migsafe.replaying.queries.planner_versions import PlannerVersions, mentions, read_planner_versions
from migsafe.replaying.queries.plans import GenericPlans
from migsafe.replaying.queries.results import QueryResults
from migsafe.replaying.queries.trial import TrialState
from migsafe.replaying.recording.records import Recording
from migsafe.sql.operations import Name
from migsafe.workload.query import Query

if TYPE_CHECKING:
    from psycopg import Connection

TENFOLD = 10.0
"""By how much the estimated cost of a query must rise or fall to be reported."""
EXPENSIVE = 1_000.0
"""A query whose plan costs less needs no index, in PostgreSQL's units of cost: reading all of about 60,000 small rows costs as much."""
MIN_ROWS = 1_000
"""A table with fewer rows is read completely at little cost."""


class _Snapshot(Struct):
    """The plans in one state of a database, by fingerprint."""

    versions: PlannerVersions
    state: PlannerState
    plans: dict[str, Plan | Unexplained]
    search_path: tuple[str, ...]
    duration_ms: float


class PlanTrial:
    """Compares the plans of both releases' queries before and after each migration. The plans after a migration are those before the next one,
    unless the database has changed meanwhile. `keep_plans` puts the plans of all queries into the results."""

    def __init__(self, queries: ProjectQueries, *, keep_plans: bool = False) -> None:
        self._queries = queries
        self._keep_plans = keep_plans
        self._before: _Snapshot | None = None
        self._after: _Snapshot | None = None
        self._regressed: list[PlanRegression] = []
        self._cost_before: dict[str, float] = {}

    def before(self, state: TrialState) -> None:
        """Plans the queries before a migration."""
        with state.connect() as connection:
            is_known = self._after is not None and self._after.versions == read_planner_versions(connection)
            self._before = self._after if is_known else self._snapshot(connection, state)

    def after(self, state: TrialState, before: str | None, recording: Recording) -> Check | None:
        """Plans the queries after the migration; returns a function that plans those again that are worse."""
        with state.connect() as connection:
            self._after = self._snapshot(connection, state)
            suspects = list(self._regressions(self._before, self._after)) if self._before is not None else []
            self._regressed = list(self._with_statistics(connection, suspects))
        return self._worse_on if self._regressed else None

    def add_results(self, results: QueryResults, causes: Mapping[str, int]) -> QueryResults:
        """Returns the results with the plans and the queries that are planned worse."""
        before, after = self._before, self._after
        if before is None or after is None:
            return results
        unplanned = [
            UnplannedQuery(self._queries.named(self._queries.all[fingerprint]), str(plan))
            for fingerprint, plan in after.plans.items()
            if isinstance(plan, Unexplained) and plan.is_accepted
        ]
        planned = (
            PlannedQuery(query=self._queries.named(query), text=query.text, before=before.plans[fingerprint], after=after.plans[fingerprint])
            for fingerprint, query in self._queries.all.items()
        )
        regressions = tuple(replace(each, statement=causes.get(each.query.fingerprint)) for each in self._regressed)
        recovered = {
            fingerprint
            for fingerprint, cost in self._cost_before.items()
            if isinstance(plan := after.plans[fingerprint], Plan) and plan.cost <= TENFOLD * cost
        }
        self._cost_before = {
            **{fingerprint: cost for fingerprint, cost in self._cost_before.items() if fingerprint not in recovered},
            **{each.query.fingerprint: each.cost_before for each in self._regressed},
        }
        number = sum(isinstance(plan, Plan) and isinstance(before.plans[fingerprint], Plan) for fingerprint, plan in after.plans.items())
        plans = PlanResults(
            planned=number,
            plans=tuple(planned) if self._keep_plans else (),
            regressions=regressions,
            gains=tuple(self._gains(before, after)),
            unplanned=tuple(unplanned),
            emptied=tuple(_emptied(before.state, after.state)),
            recovered=frozenset(recovered),
            plan_ms=after.duration_ms,
        )
        return replace(results, plans=plans)

    def _worse_on(self, connection: "Connection[Any]") -> set[str]:
        """Returns the queries that are planned worse now than before the migration."""
        assert self._before is not None
        plans = GenericPlans(connection, self._before.search_path)
        state = read_planner_state(connection)
        worse = set[str]()
        for each in self._regressed:
            fingerprint = each.query.fingerprint
            first, now = self._before.plans[fingerprint], plans.explain(self._queries.all[fingerprint])
            if isinstance(first, Plan) and isinstance(now, Plan) and worst_new_read(first, now, self._before.state, state) is not None:
                worse.add(fingerprint)
        return worse

    def _snapshot(self, connection: "Connection[Any]", state: TrialState) -> _Snapshot:
        """Plans the queries that PostgreSQL accepts, as far as the plans may have changed."""
        started = perf_counter()
        versions = read_planner_versions(connection)
        former = self._after if self._after is not None else self._before
        changed = versions.changed_names(former.versions) if former is not None and former.search_path == state.search_path else None
        plans = GenericPlans(connection, state.search_path)
        planned: dict[str, Plan | Unexplained] = {}
        for fingerprint, query in self._queries.all.items():
            failure = state.prepared[fingerprint].failure
            earlier = former.plans.get(fingerprint) if former is not None else None
            if failure is not None:
                plan: Plan | Unexplained = Unexplained(failure.sqlstate, failure.message, is_accepted=False)
            elif isinstance(earlier, Plan) and changed is not None and not mentions(query.text, changed):
                plan = earlier
            else:
                plan = plans.explain(query)
            # Equal plans are one object, so that those of many migrations need little memory.
            planned[fingerprint] = earlier if earlier is not None and earlier == plan else plan
        duration_ms = 1000 * (perf_counter() - started)
        return _Snapshot(versions, read_planner_state(connection), planned, state.search_path, duration_ms)

    def _regressions(self, before: _Snapshot, after: _Snapshot) -> Iterable[PlanRegression]:
        for fingerprint, query in self._queries.all.items():
            first, second = before.plans[fingerprint], after.plans[fingerprint]
            if not isinstance(first, Plan) or not isinstance(second, Plan):
                continue
            read = worst_new_read(first, second, before.state, after.state)
            if read is not None:
                yield self._regression(query, (first, second), read, before.state, after.state)

    def _gains(self, before: _Snapshot, after: _Snapshot) -> Iterable[PlanGain]:
        """Yields the queries that indexes which the migration created make cheap."""
        created = {after.state.indexes[oid] for oid in after.state.indexes.keys() - before.state.indexes.keys()}
        for fingerprint, query in self._queries.all.items() if created else ():
            first, second = before.plans[fingerprint], after.plans[fingerprint]
            if not isinstance(first, Plan) or not isinstance(second, Plan) or not second.indexes & created or first.cost <= EXPENSIVE:
                continue
            read = worst_new_read(second, first, after.state, before.state)
            if read is not None:
                yield PlanGain(
                    query=self._queries.named(query),
                    relation=before.state.root(read.relation),
                    rows=int(before.state.rows(before.state.root(read.relation))),
                    cost_before=first.cost,
                    cost_after=second.cost,
                    indexes=tuple(sorted(second.indexes & created)),
                )

    def _regression(self, query: Query, plans: tuple[Plan, Plan], read: FullRead, before: PlannerState, after: PlannerState) -> PlanRegression:
        first, second = plans
        former = _former_name(read.relation, before, after)
        used = first.indexes_of(former) if former is not None else frozenset()
        kept = set(after.indexes.values())
        return PlanRegression(
            query=self._queries.named(query),
            text=query.text,
            relation=after.root(read.relation),
            # After a rewrite, the number of rows may not be known before ANALYZE.
            rows=int(after.rows(after.root(read.relation)) or before.rows(before.root(former or read.relation))),
            cost_before=first.cost,
            cost_after=second.cost,
            lost=tuple(sorted(used - kept)),
            unused=tuple(sorted(used & kept)),
        )

    def _with_statistics(self, connection: "Connection[Any]", suspects: list[PlanRegression]) -> Iterable[PlanRegression]:
        """Returns the regressions, with what ANALYZE changes about them: it is run in a transaction that is rolled back."""
        before, after = self._before, self._after
        if not suspects or before is None or after is None:
            return
        read = {name for each in suspects for name in _tables_of(after.plans[each.query.fingerprint])}
        # The plans of a query are not compared for what ANALYZE says of an empty table.
        names = sorted(str(name) for name in read if name in after.state.tables and _has_rows(name, before.state, after.state))
        missing = tables_without_statistics(connection, read)
        connection.execute("BEGIN")
        try:
            connection.execute(f"ANALYZE {', '.join(names)}".encode())
            plans = GenericPlans(connection, after.search_path)
            for each in suspects:
                fingerprint = each.query.fingerprint
                first, analyzed = before.plans[fingerprint], plans.explain(self._queries.all[fingerprint])
                assert isinstance(first, Plan)
                is_worse = isinstance(analyzed, Plan) and worst_new_read(first, analyzed, before.state, after.state) is not None
                own = [name for name in missing if name in _tables_of(after.plans[fingerprint])]
                yield replace(each, to_analyze=() if is_worse else tuple(own or (each.relation,)))
        finally:
            connection.execute("ROLLBACK")


def worst_new_read(first: Plan, second: Plan, before: PlannerState, after: PlannerState) -> FullRead | None:
    """Returns the largest relation that the second plan reads completely and the first does not, if its cost has risen more than tenfold; None
    without one. A relation must have had rows before, too: the cost of an empty table rises with its rows."""
    if second.cost <= TENFOLD * first.cost:
        return None
    first_reads = {read.relation for read in first.full_reads}
    new: list[FullRead] = []
    for read in second.full_reads:
        former = _former_name(read.relation, before, after)
        if former is None or former in first_reads or read.relation in first_reads:
            continue
        if before.rows(former) >= MIN_ROWS:
            new.append(read)
    return max(new, key=lambda read: after.rows(read.relation), default=None)


def _former_name(relation: Name, before: PlannerState, after: PlannerState) -> Name | None:
    """Returns the name that a relation had before, or that another one had in its place; None if there was none."""
    table = after.tables.get(relation)
    same = next((name for name, each in before.tables.items() if table is not None and each.oid == table.oid), None)
    return same or (relation if relation in before.tables else None)


def _emptied(before: PlannerState, after: PlannerState) -> Iterable[Name]:
    """Yields the tables that had rows before and have none now."""
    by_oid = {table.oid: table for table in before.tables.values()}
    for name, table in after.tables.items():
        former = by_oid.get(table.oid)
        if table.is_empty and former is not None and former.rows >= MIN_ROWS:
            yield name


def _has_rows(name: Name, before: PlannerState, after: PlannerState) -> bool:
    former = _former_name(name, before, after)
    return after.rows(name) > 0 or (former is not None and before.rows(former) > 0)


def _tables_of(plan: Plan | Unexplained) -> Iterable[Name]:
    return plan.relations if isinstance(plan, Plan) else ()
