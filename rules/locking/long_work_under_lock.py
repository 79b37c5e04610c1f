"""A long statement runs in a transaction that already holds a blocking lock.

A lock is kept until the end of its transaction, not of its statement. A quick ALTER TABLE followed by an UPDATE of every row keeps ACCESS
EXCLUSIVE during the whole UPDATE, and even SELECT waits. Run the quick change and the long statement in separate transactions.

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

from msgspec import Struct

from migsafe.linting.facts.held_locks import held_blocking_locks
from migsafe.linting.facts.validations import find_added_constraint
from migsafe.linting.facts.wording import blocked_on, command_name, join_names, locked_relations
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.sql.operations import Delete, Merge, Name, Operation, Update, ValidateConstraint

_CHANGES = (Update, Delete, Merge)


class _LongWork(NamedTuple):
    """A long operation, by its position in the migration, and the held locks that block more than the operation itself."""

    position: int
    relations: list[Name]
    locks: dict[Name, LockMode]


class _State(Struct):
    works: list[_LongWork] = []


@rule(category="locking", severity=Severity.ERROR, once=True)
def long_work_under_lock(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record long operations during which an earlier statement's lock blocks more than they do, and report each transaction once."""
    if isinstance(op, MigrationEnd):
        yield from _reported(at)
        return
    if isinstance(op, ValidateConstraint) and find_added_constraint(at, op) is not None:
        return
    work = at.slow_effects(filled=True) or [
        effect
        for effect in at.effects
        if isinstance(op, _CHANGES) and (effect.filled or not effect.new) and effect.lock is LockMode.ROW_EXCLUSIVE
    ]
    # Other rules report work that blocks by itself, and the fix for those fixes this too.
    if not work or any(effect.blocks and not effect.new for effect in work):
        return
    locks = {name: lock for name, lock in held_blocking_locks(at).items() if _blocks_more(lock, name, at.effects)}
    if locks:
        at.state(_State).works.append(_LongWork(at.position, [effect.relation for effect in work], locks))


def _reported(at: Context) -> Iterator[Finding]:
    by_transaction: dict[int | None, list[_LongWork]] = {}
    for work in at.state(_State).works:
        by_transaction.setdefault(at.past[work.position].transaction, []).append(work)
    for works in by_transaction.values():
        first, others = works[0], len({at.past[work.position].statement.index for work in works}) - 1
        done = at.past[first.position]
        strongest = max(first.locks.values(), key=lambda lock: lock.strength)
        further = f"; {others} more such statement{' follows' if others == 1 else 's follow'}" if others else ""
        yield at.finding(
            done,
            f"{command_name(at, done)} runs for a time that grows with {join_names(first.relations)} while the transaction holds "
            f"{locked_relations(first.locks)} from an earlier statement: {blocked_on(first.locks)} until the transaction ends{further}",
            help=_help(at),
            relations=[*first.relations, *first.locks],
            lock=strongest,
        )


def _help(at: Context) -> str:
    shared = at.shared_transaction
    if shared is not None and shared.own_transaction_advice:
        return f"-- {shared.own_transaction_advice}, so that each migration runs in its own transaction"
    return "-- run it in a separate transaction or migration"


def _blocks_more(lock: LockMode, name: Name, effects: tuple[Effect, ...]) -> bool:
    """Whether a held lock blocks more than the operation itself."""
    own = max((len(effect.blocks) for effect in effects if effect.relation == name), default=0)
    return len(lock.blocks) > own
