"""What was measured of the plans of queries around one migration."""

from msgspec import Struct

from migsafe.linting.finding import NamedQuery
from migsafe.replaying.queries.plan_trees import Plan, Unexplained
from migsafe.sql.operations import Name


class PlannedQuery(Struct, frozen=True, kw_only=True):
    """A query with its plans before and after a migration, or why PostgreSQL has none."""

    query: NamedQuery
    text: str
    before: Plan | Unexplained
    after: Plan | Unexplained


class PlanRegression(Struct, frozen=True, kw_only=True):
    """A query that is planned worse after a migration: it reads all of a relation, and its estimated cost has risen more than tenfold.

    `lost` are the indexes that found the rows before and do not exist any more, `unused` those that still exist. `to_analyze` are the tables
    whose statistics the migration removed, if the plan is as good as before once ANALYZE has read them. `statement` is the index of the
    statement that caused it; None if that is not known.
    """

    query: NamedQuery
    text: str
    relation: Name
    rows: int
    cost_before: float
    cost_after: float
    lost: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    to_analyze: tuple[Name, ...] = ()
    statement: int | None = None


class PlanGain(Struct, frozen=True, kw_only=True):
    """A query that reads all of a relation before a migration and finds its rows with indexes after it that the migration creates, more than
    ten times cheaper."""

    query: NamedQuery
    relation: Name
    rows: int
    cost_before: float
    cost_after: float
    indexes: tuple[str, ...]


class UnplannedQuery(Struct, frozen=True):
    """A query that PostgreSQL accepts and cannot plan without values for its parameters, and its error."""

    query: NamedQuery
    reason: str


class PlanResults(Struct, frozen=True, kw_only=True):
    """The plans around one migration: how many queries of both releases were planned before and after it, and which
    cannot be planned after it.

    `plans` are those of all queries, if they were to be kept. `gains` are the queries that a new index serves. `emptied` are the tables that
    had rows before and have none after it, so that the plans of their queries say nothing. `recovered` are queries that an earlier
    migration made worse, and that are as cheap as before it again.
    `plan_ms` is the time of planning all queries once.
    """

    planned: int = 0
    plans: tuple[PlannedQuery, ...] = ()
    regressions: tuple[PlanRegression, ...] = ()
    gains: tuple[PlanGain, ...] = ()
    unplanned: tuple[UnplannedQuery, ...] = ()
    emptied: tuple[Name, ...] = ()
    recovered: frozenset[str] = frozenset()
    plan_ms: float = 0.0
