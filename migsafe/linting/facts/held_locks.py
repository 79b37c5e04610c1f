"""The locks that a transaction holds from its earlier statements."""

from collections.abc import Iterable, Iterator, Mapping

from migsafe.linting.facts.ownership import is_created_by_migration, is_created_here, is_name_created_here
from migsafe.linting.facts.transaction_block import line_of
from migsafe.linting.facts.wording import blocked_on, blocked_statements, command_name, locked_relations
from migsafe.linting.rule import Context
from migsafe.lock import LockMode
from migsafe.sql.operations import Do, Name

_SHOWN_TAKERS = 2
ALSO_HELD = "; the transaction also holds "
"""What begins the part of a message about the locks that earlier statements have left."""


def held_blocking_locks(at: Context) -> dict[Name, LockMode]:
    """Returns the locks on existing relations that the transaction held before the statement and that block reads or writes."""
    return at.fact(_held_blocking_locks)


def each_held_blocking_lock(at: Context) -> Iterator[tuple[Name, LockMode]]:
    """Yields the items of `held_blocking_locks`, oldest first. A transaction can hold thousands: who needs the first ones looks at no more."""
    # A DO block is one statement with several operations.
    held = at.session.locks if isinstance(at.statement.operations[0], Do) else at.held
    return ((name, lock) for name, lock in held.items() if lock.blocks and isinstance(name, Name) and not _is_own(at, name))


def _is_own(at: Context, name: Name) -> bool:
    """Whether no other session waits for a relation: older objects may use one that an earlier migration of the release created. One that was
    dropped again is known by its name only."""
    if at.catalog.relation(name) is None:
        return is_name_created_here(at, "table", name, created=True)
    return is_created_by_migration(at, name) or (at.is_new(name) and is_created_here(at, name))


def _held_blocking_locks(at: Context) -> dict[Name, LockMode]:
    return dict(each_held_blocking_lock(at))


def stronger_held_locks(at: Context) -> dict[Name, LockMode]:
    """Returns the held locks that block more than the operation itself."""
    return at.fact(_stronger_held_locks)


def _stronger_held_locks(at: Context) -> dict[Name, LockMode]:
    held = held_blocking_locks(at)
    own: dict[Name, int] = {}
    for effect in at.effects:
        if effect.relation in held:
            # The lock of the whole statement: ALTER TABLE takes the strongest one that any of its parts needs.
            blocked = len(at.predictor.strongest_lock(at.statement, effect).blocks)
            own[effect.relation] = max(blocked, own.get(effect.relation, 0))
    return {name: lock for name, lock in held.items() if len(lock.blocks) > own.get(name, 0)}


def where_taken(name: Name, at: Context) -> str:
    """Returns which statement took the lock that the transaction holds on a relation, as in `ALTER TABLE in line 4`; empty if unknown."""
    done = at.taker(name)
    if done is not None:
        return f"{command_name(at, done)} in line {line_of(at, done.operation.span)}"
    shared = at.shared_transaction
    holder = shared.holder(name) if shared is not None else None
    return f"migration {holder.id}" if holder is not None else ""


def first_takers(names: Iterable[Name], at: Context) -> str:
    """Returns which statements took the locks on relations, as in `CREATE INDEX in line 2 and ALTER TABLE in line 4`: the first two."""
    return _takers(names, at, _SHOWN_TAKERS)[0]


def _takers(names: Iterable[Name], at: Context, shown: int) -> tuple[str, bool]:
    """Returns the first statements that took the locks on relations, and whether these are all."""
    texts: list[str] = []
    takers: set[int] = set()
    for name in names:
        taker = at.taker(name)
        if taker is not None and id(taker) in takers:
            continue
        takers.add(id(taker))
        text = where_taken(name, at)
        if text and text not in texts:
            if len(texts) == shown:
                return " and ".join(texts), False
            texts.append(text)
    return " and ".join(texts), True


def while_held(at: Context) -> str:
    """Returns the end of a message about long work: the locks that the transaction already holds, what took them, and what waits for them.
    It is empty if none of them blocks more than the operation itself."""
    locks = stronger_held_locks(at)
    if not locks:
        return ""
    commands = {blocked_statements(lock.blocks) for lock in locks.values()}
    waiting = f"every {commands.pop()} on {'it' if len(locks) == 1 else 'them'} waits" if len(commands) == 1 else blocked_on(locks)
    return f"{ALSO_HELD}{_held_since(locks, at)} until it ends: {waiting}"


def _held_since(locks: Mapping[Name, LockMode], at: Context) -> str:
    """Returns locks, the strongest first, and which statements took them; which took each mode, if there are too many to name all."""
    takers, is_all = _takers(locks, at, _SHOWN_TAKERS)
    if is_all:
        return f"{locked_relations(locks)}{f' since {takers}' if takers else ''}"
    texts = []
    for mode in sorted(set(locks.values()), key=lambda mode: mode.strength, reverse=True):
        group = {name: held for name, held in locks.items() if held is mode}
        first, is_all = _takers(group, at, 1)
        since = f" since {first}{'' if is_all else ' and later statements'}" if first else ""
        texts.append(locked_relations(group) + since)
    return " and ".join(texts)
