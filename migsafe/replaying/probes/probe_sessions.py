"""Probe sessions: they send queries like an application's while a migration runs, and measure how long each takes.

Each touched table has two: one plans a SELECT repeatedly, the other an UPDATE. They use EXPLAIN, which takes all locks, including those on
indexes, and reads and writes no rows. One thread serves all sessions and waits for the next answer.
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

_INTERVAL = 0.004
_BASELINE_SECONDS, _LATER_BASELINE_SECONDS = 0.25, 0.04
_ENOUGH_SAMPLES, _MAX_SAMPLES = 50, 5000
_CANCELED = b"57014"
_NOISE_MS = 5.0
"""Shorter response times are noise, whatever the baseline."""
_BASELINE_FACTOR = 5.0

_COLUMN = """
    SELECT a.attname FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = %s::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
    ORDER BY a.attnum LIMIT 1
"""


class _ProbeSession:
    """One session that sends the same query repeatedly."""

    def __init__(self, connection: "Connection[Any]", relation: Name, access: Access, probe: str) -> None:
        self.connection = connection
        self.pid = connection.info.backend_pid
        self.relation = relation
        self.access: Access = access
        self.probe = probe.encode()
        self.sent = 0.0
        self.waiting = False
        self.next_at = 0.0
        self.error = ""
        self.deadlocked = False
        self.samples: list[tuple[float, float]] = []
        """The start of each probe, by perf_counter, and its seconds."""

    def send(self, now: float) -> None:
        self.sent, self.waiting = now, True
        self.connection.pgconn.send_query(self.probe)

    def read_answer(self, now: float) -> bool:
        """Reads what has arrived; returns whether the answer is complete."""
        from psycopg.pq import DiagnosticField  # noqa: PLC0415  # start-up must not pay for it

        connection = self.connection.pgconn
        connection.consume_input()
        if connection.is_busy():
            return False
        failed = ""
        while (result := connection.get_result()) is not None:
            if result.error_field(DiagnosticField.SQLSTATE) == _CANCELED:
                self.deadlocked = True
            else:
                failed = failed or (result.error_message or b"").decode("utf-8", "replace").strip()
        self.waiting, self.next_at = False, now + _INTERVAL
        self.samples.append((self.sent, now - self.sent))
        self.error = failed
        return True


class ProbeSessions:
    """Probe sessions on tables, inside a `with` block.

    `connect` opens a connection in autocommit. A table that cannot be queried has no session. `mark` sets the start of the migration.
    `baseline` has the response times, in milliseconds, before earlier migrations; `remember` adds those of this one. With enough of them,
    the baseline is measured for a shorter time. `give_back` takes connections that are no longer needed.
    """

    def __init__(
        self,
        connect: Callable[[], "Connection[Any]"],
        tables: Iterable[Name],
        baseline: list[float] | None = None,
        give_back: "Callable[[Connection[Any]], None] | None" = None,
    ) -> None:
        self._give_back = give_back or (lambda connection: connection.close())
        self._baseline = baseline if baseline is not None else []
        self._connect = connect
        self._tables = list(tables)
        self._sessions: list[_ProbeSession] = []
        self._stopping = False
        self._start = 0.0
        self._thread = threading.Thread(target=self._serve, name="migsafe-probes", daemon=True)

    def __enter__(self) -> "ProbeSessions":
        for table in self._tables:
            for access, probe in self._possible_probes(table):
                self._sessions.append(_ProbeSession(self._connect(), table, access, probe))
        if self._sessions:
            self._thread.start()
            time.sleep(_BASELINE_SECONDS if len(self._baseline) < _ENOUGH_SAMPLES else _LATER_BASELINE_SECONDS)
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def mark(self, start: float) -> None:
        """Sets the start of the migration, by perf_counter; earlier response times are the baseline."""
        self._start = start

    def stop(self) -> None:
        """Waits for the last answer of every session and gives the connections back."""
        if self._stopping:
            return
        self._stopping = True
        if self._thread.is_alive():
            self._thread.join()
        for session in self._sessions:
            with suppress(Exception):
                session.connection.close() if session.error else self._give_back(session.connection)

    @property
    def times_before(self) -> ResponseTimes:
        """The response times before the migration."""
        return _summary([*self._baseline, *self._before()])

    def times_during(self, clock: Callable[[float], float]) -> ResponseTimes:
        """Returns the response times since the migration began; those above the noise by `clock`, as the waits."""
        noise = self._noise_ms() / 1000
        samples = [(sent, took) for session in self._sessions for sent, took in session.samples if sent + took >= self._start]
        return _summary([1000 * (max(clock(sent + took) - clock(sent), noise) if took > noise else took) for sent, took in samples])

    def _noise_ms(self) -> float:
        """The longest response time that the times before the migration explain."""
        before = self.times_before
        return max(_NOISE_MS, _BASELINE_FACTOR * before.p99, before.slowest)

    def waits(self, lock_waits: Mapping[int, Sequence[float]], clock: Callable[[float], float]) -> tuple[Wait, ...]:
        """Returns the response times since the migration began that exceed the baseline. `lock_waits` are the times at which the backends
        were seen waiting for a lock, by pid. `clock` returns the time of the recording for one by perf_counter."""
        noise_ms = self._noise_ms()
        waits = [
            Wait(
                relation=session.relation,
                access=session.access,
                started=clock(sent),
                ms=1000 * (clock(sent + took) - clock(sent)),
                seen_waiting=any(sent <= when <= sent + took for when in lock_waits.get(session.pid, ())),
            )
            for session in self._sessions
            for sent, took in session.samples
            if sent + took >= self._start and 1000 * took > noise_ms
        ]
        return tuple(sorted((wait for wait in waits if wait.ms > noise_ms), key=lambda wait: wait.started))

    @property
    def pids(self) -> list[int]:
        """The pids of the sessions."""
        return [session.pid for session in self._sessions]

    @property
    def deadlocks(self) -> tuple[Name, ...]:
        """The relations on which queries and the migration waited for each other."""
        return tuple(dict.fromkeys(session.relation for session in self._sessions if session.deadlocked))

    @property
    def errors(self) -> dict[Name, str]:
        """The error of the last probe, by table."""
        return {session.relation: session.error for session in reversed(self._sessions) if session.error}

    def remember(self) -> None:
        """Adds the response times before this migration to the baseline of later ones."""
        self._baseline += self._before()
        del self._baseline[:-_MAX_SAMPLES]

    def _before(self) -> list[float]:
        return [1000 * took for session in self._sessions for sent, took in session.samples if sent + took < self._start]

    def _possible_probes(self, table: Name) -> Sequence[tuple[Access, str]]:
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
            self._give_back(connection)
            return possible
        return ()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            for session in self._sessions:
                selector.register(session.connection.pgconn.socket, selectors.EVENT_READ, session)
            while not (self._stopping and not any(session.waiting for session in self._sessions)):
                now = time.perf_counter()
                for session in self._sessions:
                    if not session.waiting and now >= session.next_at and not self._stopping:
                        self._send(session, now)
                for key, _ in selector.select(_INTERVAL / 2):
                    self._receive(selector, key.data)

    def _send(self, session: _ProbeSession, now: float) -> None:
        try:
            session.send(now)
        except Exception as error:  # the other sessions continue
            self._give_up(session, error)

    def _receive(self, selector: selectors.BaseSelector, session: _ProbeSession) -> None:
        try:
            session.read_answer(time.perf_counter())
        except Exception as error:
            with suppress(KeyError):
                selector.unregister(session.connection.pgconn.socket)
            self._give_up(session, error)

    def _give_up(self, session: _ProbeSession, error: Exception) -> None:
        session.waiting, session.next_at = False, float("inf")
        session.error = str(error)


def _summary(samples: list[float]) -> ResponseTimes:
    if not samples:
        return ResponseTimes()
    samples.sort()
    return ResponseTimes(p50=_percentile(samples, 0.5), p99=_percentile(samples, 0.99), slowest=samples[-1], probes=len(samples))


def _percentile(samples: list[float], share: float) -> float:
    return samples[min(int(share * len(samples)), len(samples) - 1)]
