"""The locks that a transaction holds from its earlier statements."""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.transaction_block import line_of
from migsafe.linting.facts.wording import blocked_on, command_name, locked_relations
from migsafe.linting.rule import Context
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.sql.operations import Do, Name


def held_blocking_locks(at: Context) -> dict[Name, LockMode]:
    """Returns the locks on existing relations that the transaction held before the statement and that block reads or writes."""
    # A DO block is one statement with several operations.
    held = at.session.locks if isinstance(at.statement.operations[0], Do) else at.held
    return {name: lock for name, lock in held.items() if isinstance(name, Name) and lock.blocks and not is_created_here(at, name)}


def stronger_held_locks(at: Context) -> dict[Name, LockMode]:
    """Returns the held locks that block more than the operation itself."""
    return {name: lock for name, lock in held_blocking_locks(at).items() if _blocks_more(lock, name, at)}


def _blocks_more(lock: LockMode, name: Name, at: Context) -> bool:
    own = max((len(_own_lock(effect, at).blocks) for effect in at.effects if effect.relation == name), default=0)
    return len(lock.blocks) > own


def _own_lock(effect: Effect, at: Context) -> LockMode:
    """Returns the lock of the whole statement: ALTER TABLE takes the strongest one that any of its parts needs."""
    return at.predictor.strongest_lock(at.statement, effect)


def where_taken(name: Name, at: Context) -> str:
    """Returns which statement took the lock that the transaction holds on a relation, as in `ALTER TABLE in line 4`; empty if unknown."""
    strongest, taker = None, ""
    for done in at.past:
        if done.transaction != at.session.transaction or done.transaction is None:
            continue
        for effect in done.effects:
            if effect.relation == name and effect.lock.blocks and (strongest is None or effect.lock > strongest):
                strongest, taker = effect.lock, f"{command_name(at, done)} in line {line_of(at, done.operation.span)}"
    shared = at.shared_transaction
    holder = shared.holder(name) if shared is not None else None
    if holder is not None and not taker:
        return f"migration {holder.id}"
    return taker


def while_held(at: Context) -> str:
    """Returns the end of a message about long work: the locks that the transaction already holds, what took them, and what waits for them.
    It is empty if none of them blocks more than the operation itself."""
    locks = stronger_held_locks(at)
    if not locks:
        return ""
    takers = list(dict.fromkeys(filter(None, (where_taken(name, at) for name in locks))))
    source = f" since {' and '.join(takers[:2])}" if takers else ""
    return f"; the transaction also holds {locked_relations(locks)}{source} until it ends: {blocked_on(locks)}"
