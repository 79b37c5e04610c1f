"""The monitor of another connection's locks while it works.

A statement in a transaction holds all its locks until the end, so they can be read afterwards. A statement outside transactions takes and
releases them while it runs: the monitor sees those that are held for longer than one look takes. How long a statement waits for locks can
be seen only from another connection.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from migsafe.lock import LockMode
from migsafe.replaying.recording.snapshot import mode_from_pg_locks

if TYPE_CHECKING:
    from psycopg import Connection

_LOCKS = "SELECT relation::int8, mode FROM pg_catalog.pg_locks WHERE pid = %s AND granted AND locktype = 'relation'"
_STUCK = """
    SELECT pid, pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(%(worker)s)) AS pid
    WHERE pid = ANY (%(probes)s) AND %(worker)s = ANY (pg_catalog.pg_blocking_pids(pid))
"""
_WAITING = "SELECT pid, relation::int8 FROM pg_catalog.pg_locks WHERE pid = ANY (%s) AND NOT granted"
_CLOSE, _FAR = 0.0005, 0.005
_DEADLOCK_SECONDS = 0.2
"""The seconds after which a deadlock of the migration and a probe session is resolved. PostgreSQL would abort one of the two after a second."""


class ObservedLock:
    """The lock on a relation that was seen: `modes` are the times, by perf_counter, of the first and the last look that saw each mode."""

    def __init__(self) -> None:
        self.modes: dict[LockMode, tuple[float, float]] = {}

    def note(self, mode: LockMode, now: float) -> None:
        """Notes that a look saw this mode."""
        self.modes[mode] = (self.modes.get(mode, (now, now))[0], now)

    @property
    def mode(self) -> LockMode:
        """The strongest mode."""
        return max(self.modes)


class Deadlock(NamedTuple):
    """A deadlock of the backend with a probe session, which was resolved at a moment, by perf_counter. `relation` is the oid of what the
    backend waited for, and the session had locked; None if that is not a relation."""

    pid: int
    when: float
    relation: int | None


class LockWait:
    """The time for which a statement was seen waiting for locks."""

    def __init__(self) -> None:
        self.seconds = 0.0


class LockMonitor:
    """Watches the locks of the backend `pid` on a connection of its own, inside a `with` block.

    `probe_pids` are the backends of probe and load sessions: if one of them and `pid` wait for each other, its query is cancelled.
    `lock_waits` are the times at which they were seen waiting for a lock, by pid, each with the oid of the relation or index; None for other
    locks. `deadlocks` are those that were resolved.
    """

    def __init__(self, connection: "Connection[Any]", pid: int, probe_pids: Sequence[int] = ()) -> None:
        self._connection = connection
        self._pid = pid
        self._probe_pids = list(probe_pids)
        self._stuck = 0.0
        self.lock_waits: dict[int, list[tuple[float, int | None]]] = {}
        self.deadlocks: list[Deadlock] = []
        self._awaited: int | None = None
        self._lock = threading.Lock()
        self._seen: dict[int, ObservedLock] | None = None
        self._waited: LockWait | None = None
        self._hurry = threading.Event()
        """Set while the thread must look often, and at its end."""
        self._over = False
        self._thread = threading.Thread(target=self._watch, name="migsafe-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._hurry.set()
        self._thread.join()

    @contextmanager
    def measure_wait(self) -> Iterator[LockWait]:
        """Measures how long the backend waits for locks in the `with` block, to a few milliseconds."""
        # Most statements end before the thread's next look: nothing wakes the thread for them, and none waits for the end of a look.
        waited = self._waited = LockWait()
        try:
            yield waited
        finally:
            self._waited = None

    @contextmanager
    def record_locks(self) -> Iterator[dict[int, ObservedLock]]:
        """Records the locks that the backend holds in the `with` block, by oid."""
        seen: dict[int, ObservedLock] = {}
        self._seen = seen
        self._hurry.set()
        try:
            yield seen
        finally:
            self._hurry.clear()
            with self._lock:
                self._seen = None

    def _watch(self) -> None:
        with suppress(Exception):  # if the server has stopped, the other connections report it
            before = time.perf_counter()
            waiting = False
            while not self._over:
                waited = self._waited
                if self._hurry.is_set():
                    time.sleep(_CLOSE)
                else:
                    self._hurry.wait(_FAR)
                now = time.perf_counter()
                if self._waited is not waited:
                    # The statement has ended meanwhile; this look does not belong to it.
                    before, waiting = now, False
                    continue
                with self._lock:
                    is_waiting = self._look(now)
                    if waiting and is_waiting and waited is not None and self._waited is waited:
                        waited.seconds += now - before
                        self._resolve_deadlock(now - before)
                    else:
                        self._stuck = 0.0
                before, waiting = now, is_waiting

    def _resolve_deadlock(self, seconds: float) -> None:
        """Notes that the backend has waited for longer; cancels probe sessions that it waits for, if a deadlock has lasted too long."""
        self._stuck += seconds
        if self._stuck > _DEADLOCK_SECONDS and self._probe_pids:
            self._stuck = 0.0
            when = time.perf_counter()
            stuck = self._connection.execute(_STUCK, {"worker": self._pid, "probes": self._probe_pids}).fetchall()
            self.deadlocks += [Deadlock(pid, when, self._awaited) for pid, _ in stuck]

    def _look(self, now: float) -> bool:
        """Looks once; returns whether the backend waits for a lock."""
        if self._waited is None:
            return False
        waiting = dict(self._connection.execute(_WAITING, ([self._pid, *self._probe_pids],)).fetchall())
        self._awaited = waiting.get(self._pid)
        for pid, relation in waiting.items():
            if pid != self._pid:
                self.lock_waits.setdefault(pid, []).append((now, relation))
        if self._seen is not None:
            for oid, mode in self._connection.execute(_LOCKS, (self._pid,)).fetchall():
                self._seen.setdefault(oid, ObservedLock()).note(mode_from_pg_locks(mode), now)
        return self._pid in waiting
