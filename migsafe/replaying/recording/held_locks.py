"""Which locks a migration held when: the model that findings and every report of a replay read.

A transaction keeps each lock until it ends, or until ROLLBACK TO undoes the part that took it, whatever weaker locks its later statements
take (manual, 13.3). So at each moment the strongest of the locks that it holds on a relation decides what other sessions can do.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import blocked_by
from migsafe.replaying.recording.records import LockPeriod, MeasuredEffect, StatementRecord
from migsafe.sql.operations import Name


class HeldLock(Struct, frozen=True, kw_only=True):
    """The strongest lock on a relation from one moment to another, in seconds since the migration began.

    `statement` is the index of the statement that took it. `index_lock` is the strongest lock on one of the relation's indexes.
    """

    relation: Name
    lock: LockMode
    index_lock: LockMode | None
    statement: int
    started: float
    ended: float

    @property
    def blocks(self) -> tuple[str, ...]:
        """What waits meanwhile: `reads` and `writes`, `writes`, or nothing."""
        return blocked_by(self.lock, self.index_lock)


def held_locks(statements: Iterable[StatementRecord]) -> dict[Name, tuple[HeldLock, ...]]:
    """Returns for each relation that existed before the migration the locks that were held, in the order of time and without overlaps."""
    periods: dict[Name, list[tuple[int, LockPeriod]]] = {}
    for record in statements:
        for measured in record.measured_effects:
            for period in measured.periods:
                if not measured.effect.new:
                    periods.setdefault(period.relation, []).append((record.statement.index, period))
    return {relation: tuple(_strongest(relation, held)) for relation, held in periods.items()}


def stronger_lock(measured: MeasuredEffect, record: StatementRecord, held: Mapping[Name, Sequence[HeldLock]]) -> HeldLock | None:
    """Returns the lock of an earlier statement that decides what is blocked while a statement works on a relation; None if the statement's own
    lock does. `held` is the result of `held_locks`."""
    relation = next((period.relation for period in measured.periods), measured.effect.relation)
    ended = record.started + record.duration_ms / 1000
    during = [
        lock
        for lock in held.get(relation, ())
        if lock.statement < record.statement.index and lock.started <= record.started and lock.ended >= ended and lock.ended > lock.started
    ]
    strongest = max(during, key=lambda lock: (len(lock.blocks), lock.lock.strength), default=None)
    if strongest is None or not measured.takes_lock:
        return strongest
    own = (len(measured.effect.blocks), measured.effect.lock.strength)
    return strongest if (len(strongest.blocks), strongest.lock.strength) > own else None


_Taken = tuple[int, LockPeriod]
"""The index of a statement, and a time for which it held a lock."""


def _strongest(relation: Name, taken: Iterable[_Taken]) -> list[HeldLock]:
    """Returns the strongest lock at each moment. A lock that was held too briefly to be seen is a moment of its own if it blocks more."""
    later = sorted(taken, key=lambda item: item[1].started, reverse=True)
    moments = sorted({moment for _, period in later for moment in (period.started, period.ended)})
    held: list[HeldLock] = []
    active: list[_Taken] = []
    for started, ended in zip_longest(moments, moments[1:], fillvalue=moments[-1]):
        active = [(statement, period) for statement, period in active if period.ended > started]
        brief: list[_Taken] = []
        while later and later[-1][1].started == started:
            statement, period = later.pop()
            (active if period.ended > started else brief).append((statement, period))
        if brief and max(map(_strength, brief)) > max(map(_strength, active), default=(0, 0)):
            held.append(_combined(relation, brief, started, started))
        if active:
            held.append(_combined(relation, active, started, ended))
    return _merged(held)


def _combined(relation: Name, during: Sequence[_Taken], started: float, ended: float) -> HeldLock:
    statement, _ = max(during, key=lambda item: (_strength(item), -item[0]))
    index_locks = [period.index_lock for _, period in during if period.index_lock is not None]
    return HeldLock(
        relation=relation,
        lock=max(period.lock for _, period in during),
        index_lock=max(index_locks, default=None),
        statement=statement,
        started=started,
        ended=ended,
    )


def _strength(taken: _Taken) -> tuple[int, int]:
    _, period = taken
    return len(period.blocks), period.lock.strength


def _merged(held: Iterable[HeldLock]) -> list[HeldLock]:
    """Returns the locks, with consecutive ones that are the same as one."""
    merged: list[HeldLock] = []
    for lock in held:
        last = merged[-1] if merged else None
        if last is not None and last.ended == lock.started and _key(last) == _key(lock):
            merged[-1] = HeldLock(
                relation=lock.relation,
                lock=lock.lock,
                index_lock=max((mode for mode in (last.index_lock, lock.index_lock) if mode is not None), default=None),
                statement=lock.statement,
                started=last.started,
                ended=lock.ended,
            )
        else:
            merged.append(lock)
    return merged


def _key(lock: HeldLock) -> tuple[object, ...]:
    return lock.lock, lock.blocks, lock.statement
