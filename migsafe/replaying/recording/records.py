"""What was recorded of a migration that ran: values, for reports, budgets and comparisons."""

from typing import Literal

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.replaying.refusals import Failure
from migsafe.sources import Migration
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement

Access = Literal["reads", "writes"]


class MeasuredEffect(Struct, frozen=True, kw_only=True):
    """What one statement did to one relation.

    `effect` is what was measured. `tuples_read` are the rows that it read of the `rows` that were there; None where that cannot be counted.
    `held_ms` goes from the start of the statement that took the lock to the end of its transaction; what the recording itself took is
    not in it.
    """

    effect: Effect
    held_ms: float
    tuples_read: int | None = None
    rows: int | None = None

    @property
    def grows_with_rows(self) -> bool:
        """Whether the time that the statement takes grows with the relation's rows: told from what it read and wrote, not from the clock."""
        return self.effect.scan or self.effect.rewrite or bool(self.effect.rebuilt)


class StatementRecord(Struct, frozen=True, kw_only=True):
    """A statement that was sent.

    `started` are seconds since the migration began, as the canaries count them. `duration_ms` is the statement's own time, with that of the
    COMMIT where it is a transaction by itself; `waited_ms` is the part of it spent waiting for locks. `outside` says that no transaction
    takes it. `temp_bytes` is None where the server does not tell. `ended` is when its locks were released. `held` are the locks that its
    transaction had when it began. `left_out` says why it was not sent, as the end of a sentence.
    """

    statement: Statement
    sql: str
    transaction: int | None
    started: float
    ended: float
    duration_ms: float
    waited_ms: float = 0.0
    outside_transaction: bool = False
    measured_effects: tuple[MeasuredEffect, ...] = ()
    wal_bytes: int = 0
    temp_bytes: int | None = None
    failure: Failure | None = None
    held_before: dict[Name, LockMode] = {}
    skip_reason: str = ""


class Wait(Struct, frozen=True, kw_only=True):
    """A time during which a canary got no answer: `started` in seconds since the migration began. `statement` is the number of the one
    whose lock it waited for, None where none is known to be the cause; `seen` says that it was seen to wait for a lock."""

    relation: Name
    access: Access
    started: float
    ms: float
    statement: int | None = None
    seen_waiting: bool = False


class ResponseTimes(Struct, frozen=True):
    """How long canaries take for an answer, in milliseconds."""

    p50: float = 0.0
    p99: float = 0.0
    slowest: float = 0.0
    probes: int = 0


class Recording(Struct, frozen=True, kw_only=True):
    """A migration that ran, to its end or to the statement that failed.

    `quiet` is what canaries saw before it ran, `disturbed` while it ran, `waits` the times that are no noise, `broken` what canaries could not
    do any more afterwards, by relation. `deadlocks` are the relations of which queries and the migration waited for each other.
    """

    migration: Migration
    statements: tuple[StatementRecord, ...]
    duration_ms: float
    waits: tuple[Wait, ...] = ()
    times_before: ResponseTimes = ResponseTimes()
    times_during: ResponseTimes = ResponseTimes()
    probe_errors: dict[Name, str] = {}
    deadlocks: tuple[Name, ...] = ()

    @property
    def failure(self) -> Failure | None:
        """Why it did not come to its end."""
        return self.statements[-1].failure if self.statements else None

    @property
    def longest_wait(self) -> float:
        """The longest time that a canary was stopped, in milliseconds."""
        return max((wait.ms for wait in self.waits), default=0.0)


def effects_growing_with_rows(played: StatementRecord) -> list[MeasuredEffect]:
    """What of a statement takes the longer the more rows a table has that was there before the migration."""
    return [touch for touch in played.measured_effects if touch.grows_with_rows and not touch.effect.new]
