"""Statements whose transaction has not ended yet."""

from msgspec.structs import replace

from migsafe.prediction.effects.effect import Effect
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.records import MeasuredEffect, StatementRecord
from migsafe.replaying.refusals import Failure
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement

_NOTHING = Measurement(effects=())


class OpenStatement:
    """A statement that was sent: its effects are known, the time for which its locks are held is not known yet."""

    def __init__(self, statement: Statement, text: str, transaction: int | None, started: float, clock: float) -> None:
        self.statement = statement
        self.text = text
        self.transaction = transaction
        self.started = started
        self.clock = clock
        self.seconds = 0.0
        self.waited = 0.0
        self.outside_transaction = False
        self.measured = _NOTHING
        self.counts: dict[Name, tuple[int | None, int | None]] = {}
        self.seconds_held: dict[Name, float] = {}
        self.wal_bytes = 0
        self.temp_bytes: int | None = None
        self.failure: Failure | None = None
        self.skip_reason = ""
        self.stop_reason = ""
        """Why a time limit stopped it; empty if none did."""

    def finish(self, ended: float, clock: float, new: frozenset[Name]) -> StatementRecord:
        """Returns the record of the statement once its locks have been released."""
        return StatementRecord(
            statement=self.statement,
            sql=self.text,
            transaction=self.transaction,
            started=self.started,
            ended=ended,
            duration_ms=1000 * self.seconds,
            waited_ms=1000 * self.waited,
            outside_transaction=self.outside_transaction,
            measured_effects=tuple(self._touch(effect, clock, new) for effect in self.measured.effects),
            wal_bytes=self.wal_bytes,
            temp_bytes=self.temp_bytes,
            failure=self.failure,
            held_before=self.measured.held_before,
            skip_reason=self.skip_reason,
        )

    def _touch(self, effect: Effect, clock: float, new: frozenset[Name]) -> MeasuredEffect:
        read, rows = self.counts.get(effect.relation, (None, None))
        held = self.seconds_held.get(effect.relation, clock - self.clock)
        effect = replace(effect, new=effect.relation in new)
        return MeasuredEffect(effect=effect, held_ms=1000 * held, tuples_read=read, rows=rows)
