"""Statements whose transaction has not ended yet."""

from collections.abc import Collection, Iterator

from msgspec.structs import replace

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.records import LockPeriod, MeasuredEffect, StatementRecord
from migsafe.replaying.refusals import Failure
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement

_NOTHING = Measurement(effects=())


class OpenStatement:
    """A statement that was sent: its effects are known, the time for which its locks are held is not known yet."""

    def __init__(self, statement: Statement, text: str, transaction: int | None, started: float) -> None:
        self.statement = statement
        self.text = text
        self.transaction = transaction
        self.started = started
        self.seconds = 0.0
        self.waited = 0.0
        self.outside_transaction = False
        self.measured = _NOTHING
        self.counts: dict[Name, tuple[int | None, int | None]] = {}
        self.known_as: dict[Name, Name] = {}
        """The names by which other sessions know the relations, where they differ."""
        self.released: dict[Name, float] = {}
        """When locks were released before the end of the transaction."""
        self.periods: dict[Name, tuple[LockPeriod, ...]] | None = None
        """The times for which locks were held, if they are not held to the end of the transaction."""
        self.wal_bytes = 0
        self.temp_bytes: int | None = None
        self.failure: Failure | None = None
        self.skip_reason = ""
        self.stop_reason = ""
        """Why a time limit stopped it; empty if none did."""

    def finish(self, ended: float, existing: Collection[int]) -> StatementRecord:
        """Returns the record of the statement once its transaction has ended. `existing` are the oids of the relations that existed before the
        migration."""
        new = frozenset(name for name, oid in self.measured.oids.items() if oid not in existing)
        return StatementRecord(
            statement=self.statement,
            sql=self.text,
            transaction=self.transaction,
            started=self.started,
            ended=ended,
            duration_ms=1000 * self.seconds,
            waited_ms=1000 * self.waited,
            outside_transaction=self.outside_transaction,
            measured_effects=tuple(self._measured_effect(effect, ended, new) for effect in self._effects()),
            wal_bytes=self.wal_bytes,
            temp_bytes=self.temp_bytes,
            failure=self.failure,
            held_before=self.measured.held_before,
            skip_reason=self.skip_reason,
        )

    def _effects(self) -> Iterator[Effect]:
        """Yields the effects with the locks that the statement took, and with the lock held before if it took none."""
        weaker = dict(self.measured.weaker)
        for effect in self.measured.effects:
            lock = weaker.pop(effect.relation).lock if effect.relation in weaker else self.measured.held_before.get(effect.relation)
            yield replace(effect, lock=lock) if lock is not None and self._is_held_before(effect) else effect
        yield from weaker.values()

    def _is_held_before(self, effect: Effect) -> bool:
        """Whether the transaction held the lock of an effect, or a stronger one, before the statement."""
        held = self.measured.held_before.get(effect.relation)
        return held is not None and held >= effect.lock

    def _measured_effect(self, effect: Effect, ended: float, new: frozenset[Name]) -> MeasuredEffect:
        read, rows = self.counts.get(effect.relation, (None, None))
        periods = self._periods_of(effect, ended)
        held = max((period.ended - period.started for period in periods if period.lock is effect.lock), default=ended - self.started)
        effect = replace(effect, new=effect.relation in new)
        return MeasuredEffect(effect=effect, held_ms=1000 * held, tuples_read=read, rows=rows, periods=periods)

    def _periods_of(self, effect: Effect, ended: float) -> tuple[LockPeriod, ...]:
        """Returns the times for which the lock of an effect was held; none if the transaction held it before."""
        if self.periods is not None:
            # A lock that no look saw was held for less than the time between two looks.
            unseen = LockPeriod(relation=effect.relation, lock=effect.lock, index_lock=effect.index_lock, started=ended, ended=ended)
            seen = self.periods.get(effect.relation, ())
            return seen if any(_is_as_strong(period, effect) for period in seen) else (*seen, unseen)
        took = effect.relation in self.measured.weaker or not self._is_held_before(effect) or effect.index_lock is LockMode.ACCESS_EXCLUSIVE
        period = LockPeriod(
            relation=self.known_as.get(effect.relation, effect.relation),
            lock=effect.lock,
            index_lock=effect.index_lock,
            started=self.started,
            ended=self.released.get(effect.relation, ended),
        )
        return (period,) if took else ()


def _is_as_strong(period: LockPeriod, effect: Effect) -> bool:
    return period.lock >= effect.lock and len(period.blocks) >= len(effect.blocks)
