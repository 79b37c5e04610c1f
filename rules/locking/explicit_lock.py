"""LOCK TABLE in a mode that blocks writes blocks them until the transaction ends.

SHARE and stronger modes make INSERT, UPDATE and DELETE wait; ACCESS EXCLUSIVE, the default of LOCK TABLE, makes SELECT wait too. The lock
is kept until the end of the transaction, whatever the transaction does; and while the request waits for running queries, later queries wait
behind it. NOWAIT avoids the wait, but the lock is held for the same time.

The alternative depends on the purpose of the lock. To prevent two runs of a migration at the same time, use an advisory lock, which does
not affect the table, or SHARE UPDATE EXCLUSIVE, which does not block reads or writes. A statement that needs a strong lock takes it itself.

Unsafe:
    BEGIN;
    LOCK TABLE orders IN EXCLUSIVE MODE;
    INSERT INTO audit_log (id, what) SELECT 100001, 'orders: ' || count(*) FROM orders WHERE id < 100;
    COMMIT;

Safe, because only other migrations wait:
    BEGIN;
    LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE;
    INSERT INTO audit_log (id, what) SELECT 100001, 'orders: ' || count(*) FROM orders WHERE id < 100;
    COMMIT;

Safe, because an advisory lock does not affect the table:
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
from migsafe.sources import Transaction
from migsafe.sql.operations import LockTable, Name


@rule(
    category="locking",
    severity=Severity.WARNING,
    harm="",
    one_per_migration=True,
    no_fix="only the author knows what the lock protects",
)
def explicit_lock(op: LockTable, at: Context) -> Finding | None:
    """Report tables whose writes LOCK TABLE blocks, unless an earlier lock of the transaction already blocks them."""
    mode = LockMode(op.mode)
    locked = [effect for effect in at.blocking_effects if not is_created_here(at, effect.relation) and not _holds(effect.relation, mode, at)]
    if not locked:
        return None
    names = [effect.relation for effect in locked]
    stops = next((effect.blocked_commands for effect in locked if effect.blocked_commands), "INSERT, UPDATE and DELETE")
    key = crc32(at.migration.id.encode())
    # Without the runner's transaction, the script needs its own: LOCK TABLE is refused outside one.
    begin, end = ("", "") if at.migration.up.transaction is Transaction.FILE else ("BEGIN;\n", "\n-- the work that needs the lock\nCOMMIT;")
    tables = ", ".join(f"{'ONLY ' if table.only else ''}{table.name}" for table in op.tables)
    return at.finding(
        op,
        f"LOCK TABLE takes {mode} on {' and '.join(map(str, names))} and keeps it until the transaction ends: every {stops} waits",
        help=(
            f"-- this mode blocks other migrations and VACUUM, but not reads or writes:\n"
            f"{begin}LOCK TABLE {tables} IN SHARE UPDATE EXCLUSIVE MODE;{end}\n"
            f"-- or, to keep only two runs of the same work apart, an advisory lock on any number that both use:\n"
            f"{begin}SELECT pg_advisory_xact_lock({key});{end}"
        ),
        relations=names,
        lock=mode,
    )


def _holds(relation: Name, mode: LockMode, at: Context) -> bool:
    """Whether the transaction already holds a lock that is at least as strong."""
    held = at.held.get(relation)
    return held is not None and held >= mode
