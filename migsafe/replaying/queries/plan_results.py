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
    """The plans around one migration. `planned` are all queries of both releases."""

    planned: tuple[PlannedQuery, ...] = ()
    regressions: tuple[PlanRegression, ...] = ()

    @property
    def unexplained(self) -> tuple[PlannedQuery, ...]:
        """The queries that PostgreSQL can plan neither before nor after the migration."""
        return tuple(each for each in self.planned if isinstance(each.before, Unexplained) and isinstance(each.after, Unexplained))
