"""The plans of the application's queries before and after a migration, and the queries that are planned worse after it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from migsafe.linting.finding import NamedQuery
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.replaying.queries.planner_state import PlannerState, planner_version, read_planner_state
from migsafe.replaying.queries.plans import FullRead, GenericPlans, Plan, Unexplained
from migsafe.sql.operations import Name
from migsafe.workload.query import Query

if TYPE_CHECKING:
    from psycopg import Connection

TENFOLD = 10.0
"""By how much the estimated cost of a query must rise or fall to be reported."""
MIN_ROWS = 1_000
"""A table with fewer rows is read completely at little cost."""


class PlannedQuery(Struct, frozen=True, kw_only=True):
    """A query with its plans before and after a migration, or why PostgreSQL has none."""

    query: NamedQuery
    text: str
    before: Plan | Unexplained
    after: Plan | Unexplained


class PlanRegression(Struct, frozen=True, kw_only=True):
    """A query that is planned worse after a migration: it reads all of a relation, and its estimated cost has risen more than tenfold.

    `lost` are the indexes that found the rows before and do not exist any more, `unused` those that still exist. `until_analyze` if the plan is
    as good as before once ANALYZE has read the tables: the migration removed their statistics. `statement` is the index of the statement that
    caused it; None if that is not known.
    """

    query: NamedQuery
    text: str
    relation: Name
    rows: int
    cost_before: float
    cost_after: float
    lost: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    until_analyze: bool = False
    statement: int | None = None


class PlanResults(Struct, frozen=True, kw_only=True):
    """The plans around one migration. `regressions` have no statement yet; `unexplained` are the queries that PostgreSQL cannot plan after it,
    although it could prepare them."""

    planned: tuple[PlannedQuery, ...] = ()
    regressions: tuple[PlanRegression, ...] = ()

    @property
    def unexplained(self) -> tuple[PlannedQuery, ...]:
        """The queries that PostgreSQL can plan neither before nor after the migration."""
        return tuple(each for each in self.planned if isinstance(each.before, Unexplained) and isinstance(each.after, Unexplained))


class _Snapshot(Struct):
    """The plans in one state of a database, by fingerprint."""

    version: str
    state: PlannerState
    plans: dict[str, Plan | Unexplained]


class PlanComparison:
    """Compares the plans of both releases' queries before and after each migration. The plans after a migration are those before the next one,
    unless the database has changed meanwhile."""

    def __init__(self, queries: ProjectQueries) -> None:
        self._queries = queries
        self._last: _Snapshot | None = None

    def before(self, connection: "Connection[Any]") -> None:
        """Plans the queries before a migration."""
        if self._last is None or planner_version(connection) != self._last.version:
            self._last = self._snapshot(connection)

    def after(self, connection: "Connection[Any]") -> PlanResults:
        """Plans the queries after the migration, and returns what has changed."""
        before = self._last
        after = self._last = self._snapshot(connection)
        if before is None:
            return PlanResults()
        planned = tuple(
            PlannedQuery(query=self._queries.named(query), text=query.text, before=before.plans[fingerprint], after=after.plans[fingerprint])
            for fingerprint, query in self._queries.all.items()
        )
        suspects = list(self._regressions(before, after))
        return PlanResults(planned=planned, regressions=tuple(self._with_statistics(connection, suspects, before, after)))

    def _snapshot(self, connection: "Connection[Any]") -> _Snapshot:
        plans = GenericPlans(connection)
        planned = {fingerprint: plans.explain(query) for fingerprint, query in self._queries.all.items()}
        return _Snapshot(planner_version(connection), read_planner_state(connection), planned)

    def _regressions(self, before: _Snapshot, after: _Snapshot) -> Iterable[PlanRegression]:
        for fingerprint, query in self._queries.all.items():
            first, second = before.plans[fingerprint], after.plans[fingerprint]
            if not isinstance(first, Plan) or not isinstance(second, Plan):
                continue
            read = worst_new_read(first, second, before.state, after.state)
            if read is not None:
                yield self._regression(query, (first, second), read, before.state, after.state)

    def _regression(self, query: Query, plans: tuple[Plan, Plan], read: FullRead, before: PlannerState, after: PlannerState) -> PlanRegression:
        first, second = plans
        former = _former_name(read.relation, before, after)
        used = first.indexes_of(former) if former is not None else frozenset()
        kept = set(after.indexes.values())
        return PlanRegression(
            query=self._queries.named(query),
            text=query.text,
            relation=after.root(read.relation),
            rows=int(after.rows(after.root(read.relation))),
            cost_before=first.cost,
            cost_after=second.cost,
            lost=tuple(sorted(used - kept)),
            unused=tuple(sorted(used & kept)),
        )

    def _with_statistics(
        self, connection: "Connection[Any]", suspects: list[PlanRegression], before: _Snapshot, after: _Snapshot
    ) -> Iterable[PlanRegression]:
        """Returns the regressions, with what ANALYZE changes about them: it is run in a transaction that is rolled back."""
        if not suspects:
            return
        read = {name for each in suspects for name in _tables_of(after.plans[each.query.fingerprint])}
        names = sorted(str(name) for name in read if name in after.state.tables)
        connection.execute("BEGIN")
        try:
            connection.execute(f"ANALYZE {', '.join(names)}".encode())
            plans = GenericPlans(connection)
            for each in suspects:
                fingerprint = each.query.fingerprint
                first, analyzed = before.plans[fingerprint], plans.explain(self._queries.all[fingerprint])
                assert isinstance(first, Plan)
                is_worse = isinstance(analyzed, Plan) and worst_new_read(first, analyzed, before.state, after.state) is not None
                yield replace(each, until_analyze=not is_worse)
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
        if before.rows(former) >= MIN_ROWS and after.rows(read.relation) >= MIN_ROWS:
            new.append(read)
    return max(new, key=lambda read: after.rows(read.relation), default=None)


def _former_name(relation: Name, before: PlannerState, after: PlannerState) -> Name | None:
    """Returns the name that a relation had before, or that another one had in its place; None if there was none."""
    table = after.tables.get(relation)
    same = next((name for name, each in before.tables.items() if table is not None and each.oid == table.oid), None)
    return same or (relation if relation in before.tables else None)


def _tables_of(plan: Plan | Unexplained) -> Iterable[Name]:
    return plan.relations if isinstance(plan, Plan) else ()
