"""An index is dropped before its replacement exists.

Until the new index is built, the queries that need it scan the whole table: a migration that should make them faster makes the application
unavailable. The same is true of the index of a UNIQUE constraint or a primary key, and in the gap rows with equal values can be written, which
the new unique index refuses. Build the new index first, under another name, then drop the old one. Inside one transaction other sessions do not
see the gap, and nothing is reported.

Unsafe:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint, placed_at timestamptz);
    CREATE INDEX orders_customer_id_idx ON orders (customer_id);
    -- next migration
    DROP INDEX CONCURRENTLY IF EXISTS orders_customer_id_idx;
    CREATE INDEX CONCURRENTLY orders_customer_id_placed_at_idx ON orders (customer_id, placed_at);

Safe:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint, placed_at timestamptz);
    CREATE INDEX orders_customer_id_idx ON orders (customer_id);
    -- next migration
    CREATE INDEX CONCURRENTLY orders_customer_id_placed_at_idx ON orders (customer_id, placed_at);
    -- next migration
    DROP INDEX CONCURRENTLY IF EXISTS orders_customer_id_idx;

See: https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
"""

from collections.abc import Iterator

from migsafe.linting.facts.replaced_indexes import DroppedIndex, DroppedIndexes, built_first, record_dropped, replaced_by
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CreateIndex, Drop, DropConstraint


@rule(category="indexes", severity=Severity.WARNING, fix="unsafe", unsafe_because="a failure between its statements leaves both indexes")
def index_replaced_too_early(op: Drop | DropConstraint | CreateIndex, at: Context) -> Iterator[Finding]:
    """Record the indexes that are dropped, and report each one that a later index replaces."""
    if not isinstance(op, CreateIndex):
        record_dropped(op, at)
        return
    for dropped in replaced_by(op, at, in_transaction=False):
        at.state(DroppedIndexes).dropped.remove(dropped)
        yield _finding(op, at, dropped)


def _finding(op: CreateIndex, at: Context, dropped: DroppedIndex) -> Finding:
    old, table, way = dropped.index, at.resolve(op.table), built_first(op, at, dropped)
    equal = ", and rows with equal values, which the new index refuses, can be written" if old.unique and op.unique else ""
    return at.finding(
        at.past[dropped.position],
        f"{old.name} is dropped before its replacement exists: until the new index is built, queries that need it scan {table}{equal}",
        help=way.help,
        fix=way.fix,
        replaces=way.replaces,
        relations=(table,),
    )
