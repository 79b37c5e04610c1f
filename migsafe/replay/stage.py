"""Running one migration in a database, with all who look on."""

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.forecast import Foreseen
from migsafe.lock import LockMode
from migsafe.replay.attribution import attributed
from migsafe.replay.canaries import Canaries
from migsafe.replay.hosts import Host
from migsafe.replay.limits import Guard
from migsafe.replay.play import Player
from migsafe.replay.queue import Readers
from migsafe.replay.recorder import Measurement
from migsafe.replay.recording import Recording
from migsafe.replay.watch import Watch
from migsafe.sources import Migration
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_MOST_CANARIES = 30


class Task(Struct, frozen=True, kw_only=True):
    """A migration to run in a database: what was foreseen of it, and what was seen of some of its statements on copies.

    `rows` are those of each table, by number, where they are known; `queue` is for how many seconds a reader holds each table.
    """

    database: str
    migration: Migration
    foreseen: tuple[Foreseen, ...]
    rehearsed: dict[int, Measurement] = {}
    rows: dict[int, int] | None = None
    queue: float = 0.0
    canaries: bool = True


class Stage:
    """Where migrations run one after the other. `guard` limits what a statement may take. `rows` are those of each table after the last
    migration, by number."""

    def __init__(self, host: Host, guard: Guard) -> None:
        self._host = host
        self._guard = guard
        self._quiet: list[float] = []
        self.rows: dict[int, int] = {}

    def run(self, task: Task) -> Recording:
        """Run a migration, and record it."""
        touched = self._touched(task)
        asked = touched[:_MOST_CANARIES] if task.canaries else []
        worker, observer, counter = self._connected(task.database)
        try:
            with Canaries(lambda: self._host.connect(task.database), asked, self._quiet) as canaries:
                readers = Readers(lambda: self._host.connect(task.database), touched, task.queue)
                with readers, Watch(observer, worker.info.backend_pid, canaries.pids) as watch:
                    player = Player(worker, watch, counter, rows=task.rows, guard=self._guard, rehearsed=task.rehearsed)
                    played = player.play(task.migration.up, began=canaries.mark)
                canaries.stop()
        finally:
            for connection in (worker, observer, counter):
                connection.close()
        self.rows = dict(player.rows)
        recording = Recording(
            migration=task.migration,
            statements=played,
            duration_ms=1000 * max((one.ended for one in played), default=0.0),
            # What no lock explains is a machine that is busy.
            waits=tuple(wait for wait in attributed(canaries.waits(watch.stopped), played) if wait.statement is not None or wait.seen),
            quiet=canaries.quiet,
            disturbed=canaries.disturbed,
            broken=canaries.broken,
            deadlocks=canaries.deadlocks,
        )
        canaries.remember()
        return recording

    def _connected(self, database: str) -> "tuple[Connection[Any], Connection[Any], Connection[Any]]":
        return self._host.work(database), self._host.connect(database), self._host.connect(database)

    def _touched(self, task: Task) -> list[Name]:
        """The relations that the migration is going to lock so that somebody may wait, and that are there."""
        found = dict.fromkeys(
            effect.relation
            for one in task.foreseen
            for effect in one.effects
            if effect.lock >= LockMode.SHARE_UPDATE_EXCLUSIVE and not effect.new and effect.relation.schema != "pg_temp"
        )
        if not found:
            return []
        names = [str(name) for name in found]
        there = "SELECT pg_catalog.to_regclass(name) IS NOT NULL FROM pg_catalog.unnest(%s::text[]) WITH ORDINALITY AS n (name, k) ORDER BY k"
        with self._host.connect(task.database) as connection:
            present = [is_there for (is_there,) in connection.execute(there, (names,)).fetchall()]
        return [name for name, is_there in zip(found, present, strict=True) if is_there]
