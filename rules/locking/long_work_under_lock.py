"""Work that grows with a table, in a transaction that stops somebody already.

A lock is kept until its transaction ends, not until its statement does. A quick ALTER TABLE followed by an UPDATE of every row keeps ACCESS
EXCLUSIVE through the whole UPDATE, and nobody can even read the table meanwhile. The quick change and the long work belong in transactions
of their own.

Unsafe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN total_2 numeric;
    UPDATE orders SET total_2 = total WHERE total_2 IS NULL AND id % 2 = 0;
    COMMIT;

Safe, in two transactions:
    ALTER TABLE orders ADD COLUMN total_2 numeric;
    -- next migration
    UPDATE orders SET total_2 = total WHERE total_2 IS NULL AND id BETWEEN 1 AND 10000;

See: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from migsafe.effects.effect import Effect
from migsafe.held import stopping
from migsafe.lock import LockMode
from migsafe.rule import Context, Finding, Severity, rule
from migsafe.spoken import listed, stopped, verb
from migsafe.sql.operations import Delete, Merge, Name, Operation, Update, ValidateConstraint
from migsafe.validations import added_before

_CHANGES = (Update, Delete, Merge)


@rule(category="locking", severity=Severity.ERROR)
def long_work_under_lock(op: Operation, at: Context) -> Finding | None:
    """Report work during which an earlier statement's lock stops more than the work itself does."""
    if isinstance(op, ValidateConstraint) and added_before(at, op) is not None:
        return None
    held = stopping(at)
    work = at.slow() or [
        effect for effect in at.effects if isinstance(op, _CHANGES) and not effect.new and effect.lock is LockMode.ROW_EXCLUSIVE
    ]
    # What stops somebody by itself is another rule's, and what cures that cures this.
    if not held or not work or any(effect.blocks for effect in work):
        return None
    harmed = {name: lock for name, lock in held.items() if _stops_more(lock, name, at.effects)}
    if not harmed:
        return None
    blocks = max((lock.blocks for lock in harmed.values()), key=len)
    strongest = max(harmed.values(), key=lambda lock: lock.strength)
    return at.finding(
        op,
        f"{verb(at, op)} works through {listed([effect.relation for effect in work])} while the transaction holds {strongest} on "
        f"{listed([*harmed])} from an earlier statement: every {stopped(blocks)} there waits until it is done",
        help=_help(at),
        relations=[*(effect.relation for effect in work), *harmed],
        lock=strongest,
    )


def _help(at: Context) -> str:
    shared = at.shared_transaction
    if shared is not None and shared.apart:
        return f"-- {shared.apart}, so that each migration has a transaction of its own"
    return "-- in a transaction, or a migration, of its own"


def _stops_more(lock: LockMode, name: Name, effects: tuple[Effect, ...]) -> bool:
    """Whether a lock that is held stops more than the statement itself would."""
    own = max((len(effect.blocks) for effect in effects if effect.relation == name), default=0)
    return len(lock.blocks) > own
