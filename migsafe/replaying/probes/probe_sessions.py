"""Sessions that do what an application does all day, beside a migration, and note when they get no answer.

Each touched table has two: one plans a SELECT over and over, the other an UPDATE (EXPLAIN, so that nothing is read or written, and all locks
are taken, those on indexes too). All of them are served by one thread, which only waits for whatever answers next.
"""

import selectors
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from migsafe.replaying.recording.records import Access, ResponseTimes, Wait
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted

if TYPE_CHECKING:
    from psycopg import Connection

_PAUSE = 0.004
_QUIET, _QUIET_AGAIN = 0.25, 0.04
_ENOUGH_QUIET, _MOST_KEPT = 50, 5000
_CANCELED = b"57014"
_NOISE_MS = 5.0
"""What takes no longer is noise, whatever the quiet baseline says."""
_TIMES_QUIET = 5.0

_COLUMN = """
    SELECT a.attname FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = %s::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
    ORDER BY a.attnum LIMIT 1
"""


class _Canary:
    """One session that asks the same again and again."""

    def __init__(self, connection: "Connection[Any]", relation: Name, access: Access, probe: str) -> None:
        self.connection = connection
        self.pid = connection.info.backend_pid
        self.relation = relation
        self.access: Access = access
        self.probe = probe.encode()
        self.asked = 0.0
        self.waiting = False
        self.rest = 0.0
        self.broken = ""
        self.deadlocked = False
        self.samples: list[tuple[float, float]] = []
        """When each probe began, by perf_counter, and how many seconds it took."""

    def ask(self, now: float) -> None:
        self.asked, self.waiting = now, True
        self.connection.pgconn.send_query(self.probe)

    def answered(self, now: float) -> bool:
        """Take in what has come; whether that is the whole answer."""
        from psycopg.pq import DiagnosticField  # noqa: PLC0415  # start-up must not pay for it

        asked = self.connection.pgconn
        asked.consume_input()
        if asked.is_busy():
            return False
        failed = ""
        while (result := asked.get_result()) is not None:
            if result.error_field(DiagnosticField.SQLSTATE) == _CANCELED:
                self.deadlocked = True
            else:
                failed = failed or (result.error_message or b"").decode("utf-8", "replace").strip()
        self.waiting, self.rest = False, now + _PAUSE
        self.samples.append((self.asked, now - self.asked))
        self.broken = failed
        return True


class ProbeSessions:
    """Canaries on tables, from `with` to the end of the block.

    `connect` makes a connection in autocommit. A table that cannot be asked has none. `mark` says when the migration begins. `earlier` has how
    many milliseconds answers took in quiet times before, and gets those of this one; where there are enough of them it is a short one.
    `back` takes a connection that is not needed any more.
    """

    def __init__(
        self,
        connect: Callable[[], "Connection[Any]"],
        tables: Iterable[Name],
        earlier: list[float] | None = None,
        back: "Callable[[Connection[Any]], None] | None" = None,
    ) -> None:
        self._back = back or (lambda connection: connection.close())
        self._earlier = earlier if earlier is not None else []
        self._connect = connect
        self._tables = list(tables)
        self._canaries: list[_Canary] = []
        self._over = False
        self._zero = 0.0
        self._thread = threading.Thread(target=self._serve, name="migsafe-canaries", daemon=True)

    def __enter__(self) -> "ProbeSessions":
        for table in self._tables:
            for access, probe in self._probes(table):
                self._canaries.append(_Canary(self._connect(), table, access, probe))
        if self._canaries:
            self._thread.start()
            time.sleep(_QUIET if len(self._earlier) < _ENOUGH_QUIET else _QUIET_AGAIN)
        self._zero = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def mark(self, zero: float) -> None:
        """The migration begins now, by perf_counter; what came before was the quiet."""
        self._zero = zero

    def stop(self) -> None:
        """Let every canary come to its end, and go."""
        if self._over:
            return
        self._over = True
        if self._thread.is_alive():
            self._thread.join()
        for canary in self._canaries:
            with suppress(Exception):
                canary.connection.close() if canary.broken else self._back(canary.connection)

    @property
    def quiet(self) -> ResponseTimes:
        """What they saw before the migration began."""
        return _summary([*self._earlier, *self._before()])

    @property
    def disturbed(self) -> ResponseTimes:
        """What they have seen since."""
        return _summary([1000 * took for one in self._canaries for asked, took in one.samples if asked + took >= self._zero])

    def waits(self, stopped: Mapping[int, Sequence[float]]) -> tuple[Wait, ...]:
        """The times since the migration began when one got no answer for longer than it ever had before. `stopped` is when their backends
        were seen to wait for a lock."""
        least = max(_NOISE_MS, _TIMES_QUIET * self.quiet.p99, self.quiet.slowest)
        found = [
            Wait(
                relation=one.relation,
                access=one.access,
                started=asked - self._zero,
                ms=1000 * took,
                seen_waiting=any(asked <= when <= asked + took for when in stopped.get(one.pid, ())),
            )
            for one in self._canaries
            for asked, took in one.samples
            if asked + took >= self._zero and 1000 * took > least
        ]
        return tuple(sorted(found, key=lambda wait: wait.started))

    @property
    def pids(self) -> list[int]:
        """Their backends."""
        return [one.pid for one in self._canaries]

    @property
    def deadlocks(self) -> tuple[Name, ...]:
        """The relations of which queries waited for the migration while it waited for them."""
        return tuple(dict.fromkeys(one.relation for one in self._canaries if one.deadlocked))

    @property
    def broken(self) -> dict[Name, str]:
        """What the last probe of a table failed with, by table."""
        return {one.relation: one.broken for one in reversed(self._canaries) if one.broken}

    def remember(self) -> None:
        """Keep what quiet times were like, for the canaries after these."""
        self._earlier += self._before()
        del self._earlier[:-_MOST_KEPT]

    def _before(self) -> list[float]:
        return [1000 * took for one in self._canaries for asked, took in one.samples if asked + took < self._zero]

    def _probes(self, table: Name) -> Sequence[tuple[Access, str]]:
        with suppress(Exception):
            connection = self._connect()
            column = connection.execute(_COLUMN, (str(table),)).fetchone()
            change = f"UPDATE {table} SET {quoted(column[0])} = {quoted(column[0])}" if column else f"DELETE FROM {table}"  # noqa: S608  # quoted
            probes: list[tuple[Access, str]] = [("reads", f"EXPLAIN SELECT FROM {table}"), ("writes", f"EXPLAIN {change}")]
            possible = []
            for access, probe in probes:
                with suppress(Exception):
                    connection.execute(probe.encode())
                    possible.append((access, probe))
            self._back(connection)
            return possible
        return ()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            for one in self._canaries:
                selector.register(one.connection.pgconn.socket, selectors.EVENT_READ, one)
            while not (self._over and not any(one.waiting for one in self._canaries)):
                now = time.perf_counter()
                for one in self._canaries:
                    if not one.waiting and now >= one.rest and not self._over:
                        self._ask(one, now)
                for key, _ in selector.select(_PAUSE / 2):
                    self._hear(selector, key.data)

    def _ask(self, one: _Canary, now: float) -> None:
        try:
            one.ask(now)
        except Exception as error:  # whatever becomes of one canary, the others go on
            self._give_up(one, error)

    def _hear(self, selector: selectors.BaseSelector, one: _Canary) -> None:
        try:
            one.answered(time.perf_counter())
        except Exception as error:
            with suppress(KeyError):
                selector.unregister(one.connection.pgconn.socket)
            self._give_up(one, error)

    def _give_up(self, one: _Canary, error: Exception) -> None:
        one.waiting, one.rest = False, float("inf")
        one.broken = str(error)


def _summary(samples: list[float]) -> ResponseTimes:
    if not samples:
        return ResponseTimes()
    samples.sort()
    return ResponseTimes(p50=_at(samples, 0.5), p99=_at(samples, 0.99), slowest=samples[-1], probes=len(samples))


def _at(samples: list[float], share: float) -> float:
    return samples[min(int(share * len(samples)), len(samples) - 1)]
