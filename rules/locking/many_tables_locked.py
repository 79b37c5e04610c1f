"""One transaction locks several tables, one after the other.

Each lock is kept until the transaction ends. While the transaction waits for the lock on the second table, the first table stays locked,
however quick its own change was: the wait for one table blocks the others too. Together with a transaction of the application that uses the
same tables in another order this causes a deadlock, which PostgreSQL resolves by aborting one of the two. With one transaction per table,
only one lock is held at a time.

Unsafe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN note_2 text;
    ALTER TABLE customers ADD COLUMN note_2 text;
    COMMIT;

Safe, in two transactions:
    ALTER TABLE orders ADD COLUMN note_2 text;
    -- next migration
    ALTER TABLE customers ADD COLUMN note_2 text;

See: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.held_locks import held_blocking_locks
from migsafe.linting.facts.wording import blocked_on, command_name, join_names
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.lock import LockMode
from migsafe.sql.operations import Name, Operation


class _State(Struct):
    waits: list[tuple[int, dict[Name, LockMode]]] = []
    """The positions of statements that wait for another table, each with the locks held at that point."""


@rule(category="locking", severity=Severity.WARNING, harm="", once=True)
def many_tables_locked(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record statements that lock a table while their transaction holds locks on other tables, and report each transaction once."""
    if isinstance(op, MigrationEnd):
        seen = set()
        for position, held in at.state(_State).waits:
            done = at.past[position]
            if done.transaction not in seen:
                seen.add(done.transaction)
                yield _reported(at, done, held)
        return
    # A foreign key always locks two tables at once.
    new = {effect.relation for effect in at.blocking_effects if effect.relation not in at.held}
    held = {name: lock for name, lock in held_blocking_locks(at).items() if name not in new}
    if new and not held.keys() <= {effect.relation for effect in at.effects}:
        at.state(_State).waits.append((at.position, held))


def _reported(at: Context, done: PastOperation, held: dict[Name, LockMode]) -> Finding:
    first = next(effect for effect in done.effects if effect.blocks and not effect.new and effect.relation not in done.held)
    also = [
        effect.relation
        for position, _ in at.state(_State).waits
        if at.past[position].transaction == done.transaction and at.past[position] is not done
        for effect in at.past[position].effects
        if effect.blocks and not effect.new and effect.relation not in held and effect.relation != first.relation
    ]
    next_tables = f" (and then for {join_names(also)})" if also else ""
    shared = at.shared_transaction
    help = "-- use a separate transaction or migration for each table"
    if shared is not None and shared.own_transaction_advice:
        help = f"-- {shared.own_transaction_advice}, so that each migration runs in its own transaction"
    return at.finding(
        done,
        f"{command_name(at, done)} waits for {first.lock} on {first.relation}{next_tables} while the transaction holds locks on "
        f"{join_names([*held])}: {blocked_on(held)} until the transaction ends",
        help=help,
        relations=[first.relation, *held],
        lock=first.lock,
    )
