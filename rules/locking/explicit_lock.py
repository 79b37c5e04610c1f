"""LOCK TABLE in a mode that stops writes stops them until the transaction ends.

SHARE and every mode above it makes INSERT, UPDATE and DELETE wait, ACCESS EXCLUSIVE, which LOCK TABLE takes where no mode is named, SELECT
too. The lock is kept until the transaction ends, whatever that does meanwhile; and while the request waits for running queries, all that come
after it wait behind it. NOWAIT spares the waiting, not the holding.

What the lock is for decides what does instead. Two runs of a migration are kept apart by an advisory lock, which has nothing to do with the
table, or by SHARE UPDATE EXCLUSIVE, which lets reads and writes go on. A statement that needs a strong lock takes it itself, and no sooner.

Unsafe:
    BEGIN;
    LOCK TABLE orders IN EXCLUSIVE MODE;
    INSERT INTO audit_log (id, what) SELECT 100001, 'orders: ' || count(*) FROM orders WHERE id < 100;
    COMMIT;

Safe, because other migrations alone have to wait:
    BEGIN;
    LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE;
    INSERT INTO audit_log (id, what) SELECT 100001, 'orders: ' || count(*) FROM orders WHERE id < 100;
    COMMIT;

Safe, because the lock is on the work and not on the table:
    BEGIN;
    SELECT pg_advisory_xact_lock(20250601);
    INSERT INTO audit_log (id, what) SELECT 100001, 'orders: ' || count(*) FROM orders WHERE id < 100;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-lock.html
    https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from zlib import crc32

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.sql.operations import LockTable, Name


@rule(category="locking", severity=Severity.WARNING, harm="")
def explicit_lock(op: LockTable, at: Context) -> Finding | None:
    """Report tables whose writes are stopped by hand, unless the transaction stops them already."""
    mode = LockMode(op.mode)
    locked = [effect for effect in at.blocking_effects if not is_created_here(at, effect.relation) and not _holds(effect.relation, mode, at)]
    if not locked:
        return None
    names = [effect.relation for effect in locked]
    stops = next((effect.blocked_commands for effect in locked if effect.blocked_commands), "INSERT, UPDATE and DELETE")
    work = crc32(at.migration.id.encode())
    tables = ", ".join(f"{'ONLY ' if one.only else ''}{one.name}" for one in op.tables)
    return at.finding(
        op,
        f"LOCK TABLE takes {mode} on {' and '.join(map(str, names))} and keeps it until the transaction ends: every {stops} waits",
        help=(
            f"-- this mode keeps other migrations, and VACUUM, away while reads and writes go on:\n"
            f"LOCK TABLE {tables} IN SHARE UPDATE EXCLUSIVE MODE;\n"
            f"-- or, if only two runs of the same work must not meet, any number that both know:\n"
            f"SELECT pg_advisory_xact_lock({work});"
        ),
        relations=names,
        lock=mode,
    )


def _holds(relation: Name, mode: LockMode, at: Context) -> bool:
    """Whether the transaction stops as much already."""
    held = at.held.get(relation)
    return held is not None and held >= mode
