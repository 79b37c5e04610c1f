"""One transaction stops several tables, one after the other.

Each lock is kept until the transaction ends. While it waits for the second table, the first stays locked, however quick its own change was: the
wait for one table stops the others too. And a transaction of the application that uses the same tables in another order is waited for
while it waits in turn: a deadlock, which PostgreSQL ends by failing one of the two. A transaction for each table holds one at a time.

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

from migsafe.linting.facts.held_locks import held_blocking_locks
from migsafe.linting.facts.wording import blocked_statements, command_name, join_names
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.lock import LockMode
from migsafe.sql.operations import Name, Operation


@rule(category="locking", severity=Severity.WARNING, harm="")
def many_tables_locked(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note every statement that locks another table than its transaction holds already; report each transaction once."""
    if isinstance(op, MigrationEnd):
        seen = set()
        for position, held in at.notes:
            done = at.past[position]
            if done.transaction not in seen:
                seen.add(done.transaction)
                yield _reported(at, done, held)
        return
    # A foreign key locks two tables at once, whatever one does.
    new = [effect for effect in at.blocking_effects if effect.relation not in at.held]
    held = {name: lock for name, lock in held_blocking_locks(at).items() if name not in {effect.relation for effect in at.effects}}
    if new and held:
        at.notes.append((len(at.past), held))


def _reported(at: Context, done: PastOperation, held: dict[Name, LockMode]) -> Finding:
    first = next(effect for effect in done.effects if effect.blocks and not effect.new)
    blocks = max((lock.blocks for lock in held.values()), key=len)
    also = [
        effect.relation
        for place, _ in at.notes
        if at.past[place].transaction == done.transaction and at.past[place] is not done
        for effect in at.past[place].effects
        if effect.blocks and not effect.new and effect.relation not in held and effect.relation != first.relation
    ]
    more = f" (and then for {join_names(also)})" if also else ""
    shared = at.shared_transaction
    help = "-- a transaction, or a migration, for each table"
    if shared is not None and shared.own_transaction_advice:
        help = f"-- {shared.own_transaction_advice}, so that each migration has a transaction of its own"
    return at.finding(
        done,
        f"{command_name(at, done)} waits for {first.lock} on {first.relation}{more} while the same transaction holds locks on {join_names([*held])}: "
        f"until it ends every {blocked_statements(blocks)} on {'that' if len(held) == 1 else 'those'} waits too",
        help=help,
        relations=[first.relation, *held],
        lock=first.lock,
    )
