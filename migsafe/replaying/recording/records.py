"""The record of a migration that ran: values for reports, budgets and comparisons."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from migsafe.linting.finding import NamedQuery
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect, blocked_by
from migsafe.replaying.recording.load_times import LoadTimes
from migsafe.replaying.refusals import Failure
from migsafe.sources import Migration
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement

Access = Literal["reads", "writes"]


class LockPeriod(Struct, frozen=True, kw_only=True):
    """A time for which a statement's lock on a relation was held, in seconds since the migration began.

    `relation` is the name by which other sessions know it meanwhile. `index_lock` is the strongest lock on one of its indexes. The two times
    are equal if the lock was held too briefly to be seen.
    """

    relation: Name
    lock: LockMode
    index_lock: LockMode | None = None
    started: float
    ended: float

    @property
    def blocks(self) -> tuple[str, ...]:
        """What waits meanwhile: `reads` and `writes`, `writes`, or nothing."""
        return blocked_by(self.lock, self.index_lock)


class MeasuredEffect(Struct, frozen=True, kw_only=True):
    """The effect of one statement on one relation.

    `tuples_read` is the number of rows that the statement read, of the `rows` that existed; None if it cannot be counted. `held_ms` is the
    time for which the statement's lock was held: from the start of the statement to the end of its transaction, or to the ROLLBACK TO that
    released it. `periods` are those times; without any, the statement took no lock: its transaction held `effect.lock` before.
    """

    effect: Effect
    held_ms: float
    tuples_read: int | None = None
    rows: int | None = None
    periods: tuple[LockPeriod, ...] = ()

    @property
    def takes_lock(self) -> bool:
        """Whether the statement took a lock that its transaction did not hold before."""
        return bool(self.periods)

    @property
    def grows_with_rows(self) -> bool:
        """Whether the statement's time grows with the relation's rows: derived from what it read and wrote, not from the clock."""
        return self.effect.scan or self.effect.rewrite or bool(self.effect.rebuilt)


class StatementRecord(Struct, frozen=True, kw_only=True):
    """The record of one statement.

    `started` is in seconds since the migration began, and `ended` is when its transaction ended; the time that recording takes between
    statements is left out. `duration_ms` is the statement's own time, including the COMMIT if it is a transaction by itself; `waited_ms` is
    the part of it spent waiting for locks.
    `outside_transaction` says that it cannot run in a transaction block. `temp_bytes` is None if the server does not report it.
    `held_before` are the locks that its transaction held when it began. `skip_reason` says why it was not sent; empty if it was.
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
    """A time during which a probe session waited; `started` is in seconds since the migration began. As for statements, the time that
    recording takes between them is left out.

    `query` is the application's query that waited, None if the session sent one of migsafe's own; `relation` is the one whose lock it waited
    for, of those that it uses. `statement` is the index of the statement whose lock it waited for; None if no statement is known to be the
    cause. `seen_waiting` says that pg_locks showed the session waiting for a lock.
    """

    relation: Name
    access: Access
    started: float
    ms: float
    statement: int | None = None
    seen_waiting: bool = False
    query: NamedQuery | None = None


class ResponseTimes(Struct, frozen=True):
    """The response times of probe sessions, in milliseconds."""

    p50: float = 0.0
    p99: float = 0.0
    slowest: float = 0.0
    probes: int = 0


class Recording(Struct, frozen=True, kw_only=True):
    """The record of a migration that ran, to its end or to the statement that failed.

    `times_before` are the response times of the probe sessions before it ran, `times_during` those while it ran. `waits` are the response
    times above the noise. `probe_errors` are the errors of migsafe's own probes after the migration, by relation. `deadlocks` are the relations
    on which queries and the migration waited for each other, `deadlocked_queries` the application's queries that did. `load` are the response
    times of executed queries; None without --load.
    """

    migration: Migration
    statements: tuple[StatementRecord, ...]
    duration_ms: float
    waits: tuple[Wait, ...] = ()
    times_before: ResponseTimes = ResponseTimes()
    times_during: ResponseTimes = ResponseTimes()
    probe_errors: dict[Name, str] = {}
    deadlocks: tuple[Name, ...] = ()
    deadlocked_queries: dict[Name, tuple[NamedQuery, ...]] = {}
    load: LoadTimes | None = None

    @property
    def failure(self) -> Failure | None:
        """The failure that ended the migration."""
        return self.statements[-1].failure if self.statements else None

    @property
    def longest_wait(self) -> float:
        """The longest wait of a probe session, in milliseconds."""
        return max((wait.ms for wait in self.waits), default=0.0)


def waiting_queries(waits: Iterable[Wait]) -> list[NamedQuery]:
    """Returns the application's queries that waited, the one that waited longest first."""
    return list(dict.fromkeys(wait.query for wait in sorted(waits, key=lambda wait: -wait.ms) if wait.query is not None))


def effects_growing_with_rows(statement: StatementRecord) -> list[MeasuredEffect]:
    """Returns the effects whose time grows with the rows of a table that existed before the migration."""
    return [measured for measured in statement.measured_effects if measured.grows_with_rows and not measured.effect.new]
