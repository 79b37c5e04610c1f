"""CREATE INDEX without CONCURRENTLY blocks writes until the index is built.

The build holds SHARE on the table: SELECT continues, INSERT, UPDATE and DELETE wait, and the wait grows with the table. With CONCURRENTLY
the build holds SHARE UPDATE EXCLUSIVE, which does not block reads or writes; it reads the table twice, and PostgreSQL refuses it inside a
transaction. A failed build leaves an INVALID index, which must be dropped before the next attempt.

On a materialized view the build blocks REFRESH. On a partitioned table it reads every partition, and PostgreSQL refuses CONCURRENTLY:
create the index ON ONLY the parent, build the index of each partition CONCURRENTLY, and attach these indexes to the parent's index.

If the same transaction drops an index, or a UNIQUE constraint, that the new index replaces, build the new one first: without the transaction,
other sessions see the gap between the two.

Unsafe:
    CREATE INDEX orders_qty_idx ON orders (qty);

Safe, outside a transaction:
    CREATE INDEX CONCURRENTLY orders_qty_idx ON orders (qty);

Safe, because the table is new:
    CREATE TABLE orders (id bigint PRIMARY KEY, qty integer NOT NULL);
    CREATE INDEX orders_qty_idx ON orders (qty);

Safe, for a partitioned table, each partition's index outside a transaction:
    CREATE INDEX orders_qty_idx ON ONLY orders (qty);
    -- next migration
    CREATE INDEX CONCURRENTLY orders_2025_qty_idx ON orders_2025 (qty);
    -- next migration
    ALTER INDEX orders_qty_idx ATTACH PARTITION orders_2025_qty_idx;

See: https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.facts.index_builds import (
    fix_by_partition,
    index_by_partition,
    partitioned_index_name,
    repeatable_index_build,
)
from migsafe.linting.facts.partitions import partitioned_table
from migsafe.linting.facts.replaced_indexes import DroppedIndexes, built_first, record_dropped, replaced_by
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_index_name
from migsafe.schema.objects import Relation
from migsafe.sql.generation import create_index
from migsafe.sql.operations import CreateIndex, Drop, DropConstraint, Name
from migsafe.sql.statements import Statement


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked", "drop-index-not-concurrent"),
    fix="unsafe",
    unsafe_because="a failed build leaves an INVALID index",
)
def index_not_concurrent(op: CreateIndex | Drop | DropConstraint, at: Context) -> Finding | None:
    """Report an index built on a relation that other sessions may write to."""
    if not isinstance(op, CreateIndex):
        record_dropped(op, at)
        return None
    slow = [] if op.concurrently else at.slow_effects(only=op.only)
    if not slow:
        return None
    command = "CREATE UNIQUE INDEX" if op.unique else "CREATE INDEX"
    partitioned = partitioned_table(at, op.table)
    parts = " and its partitions" if partitioned is not None else ""
    help, fix, replaces = _safe_way(op, at, partitioned)
    return at.finding(
        op,
        f"{command} takes {slow[0].lock} on {at.resolve(op.table)}{parts} until it is built: every {slow[0].blocked_commands} waits"
        f"{while_held(at)}",
        help=help,
        fix=fix,
        replaces=replaces,
        relations=[op.table, *(effect.relation for effect in slow)],
        lock=slow[0].lock,
    )


def _safe_way(op: CreateIndex, at: Context, partitioned: Relation | None) -> tuple[str, str | None, tuple[Statement, ...]]:
    """Returns the help, the fix if that is not the help, and the statements in whose place it is if these are several."""
    if partitioned is not None:
        return *_by_partition(op, partitioned, at), ()
    replaced = replaced_by(op, at, in_transaction=True)
    if not replaced:
        return _concurrently(op, at), None, ()
    # One index takes the place of a dropped one: the safe way of the next one cannot drop it again.
    at.state(DroppedIndexes).dropped.remove(replaced[-1])
    # The transaction hides the gap between DROP and CREATE, which would be visible without it.
    way = built_first(op, at, replaced[-1])
    return way.help, way.fix if len(replaced) == 1 else "", way.replaces


def _concurrently(op: CreateIndex, at: Context) -> str:
    name = op.name or default_index_name(op, at.catalog)
    created = create_index(op, name, concurrently=True)
    # IF NOT EXISTS would accept an INVALID index.
    if name is not None and (op.unique or op.if_not_exists):
        return repeatable_index_build(at, Name(name, op.table.schema), created)
    return at.outside_transaction(f"{created};")


def _by_partition(op: CreateIndex, parent: Relation, at: Context) -> tuple[str, str]:
    """Returns the help, which shows some of the partitions, and the fix."""
    name = partitioned_index_name(at, op)
    return index_by_partition(at, op, name, parent), fix_by_partition(at, op, name, parent)
