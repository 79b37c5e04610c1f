"""DETACH PARTITION without CONCURRENTLY blocks the whole partitioned table.

It takes ACCESS EXCLUSIVE on the parent. The work itself is short, but first the statement waits for every running query of any partition,
and every new query waits behind it. Inside a transaction the lock is kept until the transaction ends. With CONCURRENTLY it takes SHARE
UPDATE EXCLUSIVE on the parent and waits for the running queries without blocking new ones.

PostgreSQL refuses CONCURRENTLY inside a transaction, and if the table has a default partition; if one is known, nothing is reported.
Before 19 CONCURRENTLY leaves a CHECK with the bounds on the detached table: keep it to save a later ATTACH PARTITION its scan, or drop it. If
DETACH PARTITION is interrupted, DETACH PARTITION … FINALIZE completes it.

Unsafe:
    ALTER TABLE orders DETACH PARTITION orders_2023;

Safe, outside a transaction:
    ALTER TABLE orders DETACH PARTITION orders_2023 CONCURRENTLY;
    -- next migration
    ALTER TABLE orders_2023 DROP CONSTRAINT IF EXISTS orders_2023_placed_at_check;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION
"""

from migsafe import versions
from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_name
from migsafe.sql.generation import join_migrations
from migsafe.sql.operations import ConstraintKind, DetachPartition
from migsafe.sql.operations.values import quoted


@rule(category="locking", severity=Severity.WARNING, fix="unsafe", unsafe_because="a failure leaves the partition pending detach")
def detach_not_concurrent(op: DetachPartition, at: Context) -> Finding | None:
    """Report a DETACH that blocks the parent. With a default partition PostgreSQL offers no other way."""
    if op.concurrently or op.finalize:
        return None
    parent, table = at.resolve(op.target.name), at.catalog.relation(op.target.name)
    locked = [effect for effect in at.blocking_effects if effect.relation == parent and not is_created_here(at, parent)]
    if not locked or (table is not None and at.catalog.default_partition(table.oid) is not None):
        return None
    scanned = [effect.relation for effect in at.slow_effects(only=True)]
    work = f" while it checks {' and '.join(map(str, scanned))} for rows that reference the partition" if scanned else ""
    keeps_bounds = at.catalog.pg_version < versions.DETACH_ADDS_NO_CHECK
    left = f"\n-- it leaves a CHECK with the bounds on {op.partition}, which can be dropped later" if keeps_bounds else ""
    return at.finding(
        op,
        f"DETACH PARTITION takes {locked[0].lock} on the whole partitioned table {parent}{work}, and first waits for every transaction that "
        f"uses it: meanwhile every {locked[0].blocked_commands} waits",
        help=at.outside_transaction(
            f"ALTER TABLE {op.target.name} DETACH PARTITION {op.partition} CONCURRENTLY;\n"
            f"-- without a lock_timeout, which would leave the partition pending detach; then only DETACH PARTITION\n"
            f"-- {op.partition} FINALIZE completes it{left}"
        ),
        fix=_fix(op, at),
        relations=[effect.relation for effect in at.blocking_effects],
        lock=locked[0].lock,
    )


def _fix(op: DetachPartition, at: Context) -> str:
    """Returns the statements that also drop the CHECK that CONCURRENTLY leaves; empty if its name is not known.

    PostgreSQL names it like an unnamed CHECK, and adds none if another one implies it (DetachAddConstraintIfNeeded in its
    src/backend/commands/tablecmds.c).
    """
    parent, partition = at.catalog.relation(op.target.name), at.catalog.relation(op.partition)
    if parent is None or partition is None or parent.partition_key is None or parent.parents or not partition.complete:
        return ""
    detach = at.outside_transaction(f"ALTER TABLE {op.target.name} DETACH PARTITION {op.partition} CONCURRENTLY;")
    if at.catalog.pg_version >= versions.DETACH_ADDS_NO_CHECK:
        return detach
    keys = {element.column for element in parent.partition_key.elements}
    checks = [each for each in at.catalog.constraints(partition.oid) if each.kind is ConstraintKind.CHECK]
    if None in keys or checks:
        return ""
    name = default_name(partition.name.name, tuple(str(key) for key in keys) if len(keys) == 1 else (), "check")
    return join_migrations(detach, f"ALTER TABLE {op.partition} DROP CONSTRAINT IF EXISTS {quoted(name)};")
