"""Running one migration in a database, with all who look on."""

from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.prediction.predictor import StatementPrediction
from migsafe.replaying.probes.attribution import attribute_waits
from migsafe.replaying.probes.probe_sessions import ProbeSessions
from migsafe.replaying.probes.readers import LongRunningReaders
from migsafe.replaying.recording.lock_monitor import LockMonitor
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.player import Player
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.sending import is_idle
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import Guard
from migsafe.sources import Migration
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_MOST_CANARIES = 30


class MigrationTask(Struct, frozen=True, kw_only=True):
    """A migration to run in a database: what was foreseen of it, and what was seen of some of its statements on copies.

    `rows` are those of each table, by number, where they are known; `queue` is for how many seconds a reader holds each table.
    """

    database: str
    migration: Migration
    predictions: tuple[StatementPrediction, ...]
    rehearsed: dict[int, Measurement] = {}
    rows: dict[int, int] | None = None
    reader_seconds: float = 0.0
    probes: bool = True


class Instruments:
    """Where migrations run one after the other. `guard` limits what a statement may take. `rows` are those of each table after the last
    migration, by number.

    Those who look on stay connected from one migration to the next, until `leave`.
    """

    def __init__(self, host: Host, guard: Guard) -> None:
        self._host = host
        self._guard = guard
        self._quiet: list[float] = []
        self._idle: dict[str, list[Connection[Any]]] = {}
        self.rows: dict[int, int] = {}

    def run(self, task: MigrationTask) -> Recording:
        """Run a migration, and record it."""
        touched = self._touched(task)
        asked = touched[:_MOST_CANARIES] if task.probes else []
        worker, observer, counter = self._host.connect_as_migrator(task.database), self._connect(task.database), self._connect(task.database)
        try:
            back = partial(self._back, task.database)
            with ProbeSessions(lambda: self._connect(task.database), asked, self._quiet, back) as canaries:
                readers = LongRunningReaders(lambda: self._host.connect(task.database), touched, task.reader_seconds)
                with readers, LockMonitor(observer, worker.info.backend_pid, canaries.pids) as watch:
                    player = Player(worker, watch, counter, rows=task.rows, guard=self._guard, rehearsed=task.rehearsed)
                    played = player.play(task.migration.up, began=canaries.mark)
                canaries.stop()
        finally:
            worker.close()
            self._back(task.database, observer)
            self._back(task.database, counter)
        self.rows = dict(player.rows)
        recording = Recording(
            migration=task.migration,
            statements=played,
            duration_ms=1000 * max((one.ended for one in played), default=0.0),
            # What no lock explains is a machine that is busy.
            waits=tuple(
                wait for wait in attribute_waits(canaries.waits(watch.lock_waits), played) if wait.statement is not None or wait.seen_waiting
            ),
            times_before=canaries.quiet,
            times_during=canaries.disturbed,
            probe_errors=canaries.broken,
            deadlocks=canaries.deadlocks,
        )
        canaries.remember()
        return recording

    def disconnect(self) -> None:
        """Hang up, so that databases can be copied and dropped."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _connect(self, database: str) -> "Connection[Any]":
        idle = self._idle.get(database)
        return idle.pop() if idle else self._host.connect(database)

    def _back(self, database: str, connection: "Connection[Any]") -> None:
        """Keep a connection for the next time, if it is as good as new."""
        if connection.closed or not is_idle(connection):
            connection.close()
        else:
            self._idle.setdefault(database, []).append(connection)

    def _touched(self, task: MigrationTask) -> list[Name]:
        """The relations that the migration is going to lock so that somebody may wait, and that are there."""
        found = dict.fromkeys(
            effect.relation
            for one in task.predictions
            for effect in one.effects
            if effect.lock >= LockMode.SHARE_UPDATE_EXCLUSIVE and not effect.new and effect.relation.schema != "pg_temp"
        )
        if not found:
            return []
        names = [str(name) for name in found]
        there = "SELECT pg_catalog.to_regclass(name) IS NOT NULL FROM pg_catalog.unnest(%s::text[]) WITH ORDINALITY AS n (name, k) ORDER BY k"
        connection = self._connect(task.database)
        present = [is_there for (is_there,) in connection.execute(there, (names,)).fetchall()]
        self._back(task.database, connection)
        return [name for name, is_there in zip(found, present, strict=True) if is_there]
