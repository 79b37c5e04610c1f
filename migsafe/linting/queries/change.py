"""A change that a migration makes for a query of the application."""

from msgspec import Struct

from migsafe.linting.finding import Harm, NamedQuery, QueryProblem
from migsafe.sql.operations import Name
from migsafe.workload import Query
from migsafe.workload.assessment import InsertProblem, QueryAssessment, TableAccess


class QueryChange(Struct, frozen=True, kw_only=True):
    """A query that a migration changes, and the position of the operation that does it in `Context.past`.

    `after` is its assessment at the end of the migration. `access` is the table access that has no index, `former_index` the one it lost,
    `insert` the reason why an INSERT fails. `problem` is what must still be true at the end of the history: None if the running release has
    the query, which meets this migration before a later one.
    """

    query: Query
    named: NamedQuery
    harm: Harm
    position: int
    before: QueryAssessment
    after: QueryAssessment
    access: TableAccess | None = None
    former_index: Name | None = None
    insert: InsertProblem | None = None
    problem: QueryProblem | None = None
