"""A migration takes away the index that serves a query of the application.

The query found its rows with an index. After the migration no other index serves it, and each execution reads the whole table: a query
that took a millisecond takes seconds on a large table, and many of them at once use up all connections. This can be a DROP INDEX, a DROP
CONSTRAINT or DROP COLUMN that takes its index along, or a change of type or collation after which the index no longer fits. Nothing is
reported for a table that is known to be small, or if the migration creates an index that serves the query. A condition that a value switches
off (`$1 IS NULL OR customer_id = $1`) is judged as it is with that value: PostgreSQL plans such a query for its values.

Unsafe:
    DROP INDEX CONCURRENTLY orders_customer_id_idx;
    -- queries: db/queries/orders.sql
    -- name: OrdersOfCustomer :many
    SELECT id, total FROM orders WHERE customer_id = $1;

Safe, because another index serves the query:
    CREATE INDEX CONCURRENTLY orders_customer_id_placed_at_idx ON orders (customer_id, placed_at);
    DROP INDEX CONCURRENTLY orders_customer_id_idx;
    -- queries: db/queries/orders.sql
    -- name: OrdersOfCustomer :many
    SELECT id, total FROM orders WHERE customer_id = $1;

See: https://www.postgresql.org/docs/current/indexes-intro.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.queries import (
    how_often,
    index_help,
    is_known_small,
    lacks_index,
    missing_index,
    operation_words,
    optional_words,
    shown_name,
    size_words,
)
from migsafe.linting.finding import Harm
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import Drop


@rule(category="queries", severity=Severity.ERROR, needs="queries", no_fix="another index changes the final schema")
def query_loses_index(op: MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report each query that an index serves before the migration and none after it, at the operation that makes the difference."""
    for change in at.query_changes:
        access = change.access
        if (
            change.harm is not Harm.LOSES_INDEX
            or access is None
            or not lacks_index(at, access, with_values=True)
            or is_known_small(at, access.name)
        ):
            continue
        done = at.past[change.position]
        index = shown_name(change.former_index) if change.former_index is not None else "the index"
        drops_it = isinstance(done.operation, Drop) and done.operation.kind == "index"
        operation = "DROP INDEX" if drops_it else operation_words(at, done)
        advice = f"-- keep {index}, or first create another index that serves the query"
        yield at.finding(
            done,
            f"{operation} takes away {index}, which serves the query {change.named}{how_often(change.named)}: each "
            f"execution{optional_words(access)} reads all of {access.name}{size_words(at, access.name)}, because {missing_index(access)}",
            help=advice if drops_it else f"-- in a migration of its own:\n{index_help(at, access.name, access.candidates)}",
            relations=(access.name,),
            subject=str(change.named),
            queries=(change.named,),
            query_problem=change.problem,
        )
