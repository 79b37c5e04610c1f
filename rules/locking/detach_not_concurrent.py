"""DETACH PARTITION without CONCURRENTLY stops the whole partitioned table.

It takes ACCESS EXCLUSIVE on the parent: once it has the lock the work is short, but until then it waits for every query that is running on any
partition, and every new one waits behind it; inside a transaction the lock is kept until that ends. With CONCURRENTLY it takes SHARE UPDATE
EXCLUSIVE on the parent and waits for the queries that are there, and nobody waits for it.

PostgreSQL refuses that inside a transaction, and as long as there is a default partition: where one is known, nothing is reported. It leaves a
CHECK of the bounds on what was the partition; that spares a later ATTACH PARTITION its scan, or can go. If it is interrupted, DETACH PARTITION
… FINALIZE ends the work.

Unsafe:
    ALTER TABLE orders DETACH PARTITION orders_2023;

Safe, outside a transaction:
    ALTER TABLE orders DETACH PARTITION orders_2023 CONCURRENTLY;
    -- next migration
    ALTER TABLE orders_2023 DROP CONSTRAINT orders_2023_placed_at_check;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION
"""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import DetachPartition


@rule(category="locking", severity=Severity.WARNING)
def detach_not_concurrent(op: DetachPartition, at: Context) -> Finding | None:
    """Report a DETACH that stops the parent; where there is a default partition it cannot be done otherwise."""
    if op.concurrently or op.finalize:
        return None
    parent, table = at.resolve(op.target.name), at.catalog.relation(op.target.name)
    locked = [effect for effect in at.blocking_effects if effect.relation == parent and not is_created_here(at, parent)]
    if not locked or (table is not None and at.catalog.default_partition(table.oid) is not None):
        return None
    reading = [effect.relation for effect in at.slow(only=True)]
    work = f", while it reads {' and '.join(map(str, reading))} for rows that refer to it" if reading else ""
    return at.finding(
        op,
        f"DETACH PARTITION takes {locked[0].lock} on {parent}, all of it{work}, and waits for all who use it: "
        f"meanwhile every {locked[0].blocked_commands} waits",
        help=at.outside_transaction(
            f"ALTER TABLE {op.target.name} DETACH PARTITION {op.partition} CONCURRENTLY;\n"
            f"-- it leaves a CHECK of the bounds on {op.partition}, which may go later"
        ),
        relations=[effect.relation for effect in at.blocking_effects],
        lock=locked[0].lock,
    )
