"""One request sends the same query many times.

The recorded tests send a SELECT five times or more in one request, from one place in the application: usually a loop that reads one row
for each element of a list. Each execution waits for the network and the server; the number grows with the list. Read the rows of all
elements in one query, or join them. Without an index each of these executions reads the whole table, and the finding is a warning.

Unsafe:
    ALTER TABLE products ALTER COLUMN name SET STATISTICS 500;
    -- queries: db/queries/products.sql
    -- name: ProductName :one
    -- recorded: 12 times in one request
    SELECT name FROM products WHERE id = $1;

Safe:
    ALTER TABLE products ALTER COLUMN name SET STATISTICS 500;
    -- queries: db/queries/products.sql
    -- name: ProductNames :many
    -- recorded: 1 time in one request
    SELECT id, name FROM products WHERE id = ANY ($1);

See: https://www.postgresql.org/docs/current/functions-comparisons.html#FUNCTIONS-COMPARISONS-ANY-SOME
"""

from migsafe.linting.facts.queries import is_known_small, lacks_index, this_query
from migsafe.linting.rule import Context, Finding, Severity, WorkloadQuery, rule

_MANY = 5
_SELECT = "select"


@rule(category="queries", severity=Severity.INFO, needs="queries", no_fix="the application repeats the query, so the application must change")
def query_repeats(op: WorkloadQuery, at: Context) -> Finding | None:
    """Report a SELECT that one request sends many times."""
    number = op.named.per_request
    if number < _MANY or op.before >= _MANY or op.assessment.kind != _SELECT:
        return None
    unindexed = [access.name for access in op.assessment.accesses if lacks_index(at, access) and not is_known_small(at, access.name)]
    reads = f", and each reads all of {unindexed[0]}" if unindexed else ""
    return at.finding(
        op,
        f"one request sends {this_query(op.named)} up to {number} times{reads}: each waits for the network and the server",
        help="-- read the rows of all elements in one query, with `= ANY (…)` and an array of their keys, or with a join",
        relations=[access.name for access in op.assessment.accesses],
        severity=Severity.WARNING if unindexed else None,
        queries=(op.named,),
    )
