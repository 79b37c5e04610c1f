"""Looking at another connection's locks while it works.

What runs in a transaction leaves all its locks to be read afterwards, and needs no looking. What runs outside takes and releases them on its
way: those that it holds for as long as a look takes are seen. And only from outside is it seen how long a statement waits.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

from migsafe.lock import LockMode
from migsafe.replaying.recording.snapshot import mode_from_pg_locks

if TYPE_CHECKING:
    from psycopg import Connection

_LOCKS = "SELECT relation::int8, mode FROM pg_catalog.pg_locks WHERE pid = %s AND granted AND locktype = 'relation'"
_STUCK = "SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(%s)) AS pid WHERE pid = ANY (%s)"
_WAITING = "SELECT DISTINCT pid FROM pg_catalog.pg_locks WHERE pid = ANY (%s) AND NOT granted"
_CLOSE, _FAR = 0.0005, 0.005
_PATIENCE = 0.2
"""How long who only looks on may be in the way: then each waits for the other. PostgreSQL would end one of the two after a second."""


class ObservedLock:
    """A lock that was seen to be held: its strongest mode, and for how long."""

    def __init__(self, mode: LockMode, now: float) -> None:
        self.mode = mode
        self.first = self.last = now

    @property
    def seconds(self) -> float:
        """From when it was first seen to when it was last."""
        return self.last - self.first


class LockWait:
    """How long a statement was seen to wait for locks."""

    def __init__(self) -> None:
        self.seconds = 0.0


class LockMonitor:
    """Looks at the locks of the backend `pid`, on a connection of its own, from `with` to the end of the block.

    `beside` are backends that only look on: where one of them and ours wait for each other, its query is cancelled. `stopped` is when they
    were seen to wait for a lock, by number.
    """

    def __init__(self, connection: "Connection[Any]", pid: int, beside: Sequence[int] = ()) -> None:
        self._connection = connection
        self._pid = pid
        self._beside = list(beside)
        self._stuck = 0.0
        self.lock_waits: dict[int, list[float]] = {}
        self._lock = threading.Lock()
        self._seen: dict[int, ObservedLock] | None = None
        self._waited: LockWait | None = None
        self._working = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=self._look, name="migsafe-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._working.set()
        self._thread.join()

    @contextmanager
    def measure_wait(self) -> Iterator[LockWait]:
        """How long the backend waits for locks while the block runs, to some milliseconds."""
        waited = self._waited = LockWait()
        self._working.set()
        try:
            yield waited
        finally:
            self._working.clear()
            with self._lock:
                self._waited = None

    @contextmanager
    def record_locks(self) -> Iterator[dict[int, ObservedLock]]:
        """The locks that the backend holds while the block runs, by number."""
        seen: dict[int, ObservedLock] = {}
        self._seen = seen
        try:
            yield seen
        finally:
            with self._lock:
                self._seen = None

    def _look(self) -> None:
        with suppress(Exception):  # the server may be gone, and who works on it says so
            before = time.perf_counter()
            waiting = False
            while not self._over:
                self._working.wait()
                waited = self._waited
                time.sleep(_CLOSE if self._seen is not None else _FAR)
                now = time.perf_counter()
                if self._waited is not waited:
                    # What is over by now has waited for nobody.
                    before, waiting = now, False
                    continue
                with self._lock:
                    is_waiting = self._note(now)
                    if waiting and is_waiting and self._waited is not None:
                        self._waited.seconds += now - before
                        self._free(now - before)
                    else:
                        self._stuck = 0.0
                before, waiting = now, is_waiting

    def _free(self, seconds: float) -> None:
        """It has waited for so much longer."""
        self._stuck += seconds
        if self._stuck > _PATIENCE and self._beside:
            self._stuck = 0.0
            self._connection.execute(_STUCK, (self._pid, self._beside))

    def _note(self, now: float) -> bool:
        """Look once; returns whether it waits."""
        if self._waited is None:
            return False
        waiting = {pid for (pid,) in self._connection.execute(_WAITING, ([self._pid, *self._beside],)).fetchall()}
        for pid in waiting - {self._pid}:
            self.lock_waits.setdefault(pid, []).append(now)
        if self._seen is not None:
            for oid, mode in self._connection.execute(_LOCKS, (self._pid,)).fetchall():
                seen = self._seen.setdefault(oid, ObservedLock(mode_from_pg_locks(mode), now))
                seen.mode, seen.last = max(seen.mode, mode_from_pg_locks(mode)), now
        return self._pid in waiting
