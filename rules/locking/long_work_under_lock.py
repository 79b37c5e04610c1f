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

from collections.abc import Iterator
from typing import NamedTuple

from migsafe.linting.facts.held_locks import held_blocking_locks
from migsafe.linting.facts.validations import find_added_constraint
from migsafe.linting.facts.wording import blocked_statements, command_name, join_names
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.sql.operations import Delete, Merge, Name, Operation, Update, ValidateConstraint

_CHANGES = (Update, Delete, Merge)


class _Work(NamedTuple):
    """Work of an operation, by its place in the migration, and the locks that stop more than it does."""

    position: int
    relations: list[Name]
    harmed: dict[Name, LockMode]


@rule(category="locking", severity=Severity.ERROR)
def long_work_under_lock(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note work during which an earlier statement's lock stops more than the work itself does; report each transaction once."""
    if isinstance(op, MigrationEnd):
        yield from _reported(at)
        return
    if isinstance(op, ValidateConstraint) and find_added_constraint(at, op) is not None:
        return
    work = at.slow() or [one for one in at.effects if isinstance(op, _CHANGES) and not one.new and one.lock is LockMode.ROW_EXCLUSIVE]
    # What stops somebody by itself is another rule's, and what cures that cures this.
    if not work or any(effect.blocks for effect in work):
        return
    harmed = {name: lock for name, lock in held_blocking_locks(at).items() if _stops_more(lock, name, at.effects)}
    if harmed:
        at.notes.append(_Work(len(at.past), [effect.relation for effect in work], harmed))


def _reported(at: Context) -> Iterator[Finding]:
    by_transaction: dict[int | None, list[_Work]] = {}
    for work in at.notes:
        by_transaction.setdefault(at.past[work.position].transaction, []).append(work)
    for works in by_transaction.values():
        first, others = works[0], len({at.past[work.position].statement.index for work in works}) - 1
        done = at.past[first.position]
        blocks = max((lock.blocks for lock in first.harmed.values()), key=len)
        strongest = max(first.harmed.values(), key=lambda lock: lock.strength)
        more = f", and so long as {others} more such statement{'' if others == 1 else 's'} take{'s' if others == 1 else ''}" if others else ""
        yield at.finding(
            done,
            f"{command_name(at, done)} works through {join_names(first.relations)} while the transaction holds {strongest} on {join_names([*first.harmed])} "
            f"from an earlier statement: every {blocked_statements(blocks)} there waits until it is done{more}",
            help=_help(at),
            relations=[*first.relations, *first.harmed],
            lock=strongest,
        )


def _help(at: Context) -> str:
    shared = at.shared_transaction
    if shared is not None and shared.own_transaction_advice:
        return f"-- {shared.own_transaction_advice}, so that each migration has a transaction of its own"
    return "-- in a transaction, or a migration, of its own"


def _stops_more(lock: LockMode, name: Name, effects: tuple[Effect, ...]) -> bool:
    """Whether a lock that is held stops more than the statement itself would."""
    own = max((len(effect.blocks) for effect in effects if effect.relation == name), default=0)
    return len(lock.blocks) > own
