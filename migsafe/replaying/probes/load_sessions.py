"""Load: sessions that execute the application's SELECTs at a steady rate while a migration runs, and measure how long each takes."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from migsafe.linting.finding import NamedQuery
from migsafe.replaying.probes.load_queries import LoadChoice, LoadQuery
from migsafe.replaying.probes.response_times import noise_ms, summary
from migsafe.replaying.probes.serving import ServedSession, SessionThread
from migsafe.replaying.recording.load_times import LoadPhase, LoadTimes

if TYPE_CHECKING:
    from psycopg import Connection

_SECONDS_BEFORE = _SECONDS_AFTER = 1.0
_INTERVAL = 0.02
_UTILISATION = 0.25
"""How much of the time a session works before the migration, at most: slower queries are sent less often."""
_GRACE = 5.0
"""How many seconds the last answers may take, after the time that is measured."""
_TIMEOUT = 60.0
_CANCELED, _DEADLOCK = "57014", "40P01"
SETTINGS = f"SET default_transaction_read_only = on; SET client_min_messages = error; SET statement_timeout = '{_TIMEOUT:.0f}s'"


class _Sample(NamedTuple):
    """An answer: when the query was sent, by perf_counter, how many seconds it took, and the SQLSTATE of its error."""

    query: LoadQuery
    sent: float
    seconds: float
    sqlstate: str


class _Schedule:
    """Which query is sent next: each as often as its weight says, with its sets of values in turn."""

    def __init__(self, queries: Sequence[LoadQuery]) -> None:
        self._queries = queries
        self._total = sum(query.weight for query in queries)
        self._credit = [0.0] * len(queries)
        self._turns = [count() for _ in queries]

    def next(self) -> tuple[LoadQuery, Sequence[bytes | None]]:
        """Returns a query and its values."""
        for at, query in enumerate(self._queries):
            self._credit[at] += query.weight / self._total
        at = max(range(len(self._queries)), key=self._credit.__getitem__)
        self._credit[at] -= 1
        query = self._queries[at]
        return query, query.parameters[next(self._turns[at]) % len(query.parameters)]


class _LoadSession(ServedSession):
    def __init__(self, connection: "Connection[Any]", schedule: _Schedule, interval: float) -> None:
        super().__init__(connection)
        self.samples: list[_Sample] = []
        self._schedule = schedule
        self._interval = interval
        self._query: LoadQuery | None = None

    def send(self) -> None:
        """Sends the next query."""
        self._query, values = self._schedule.next()
        self.connection.pgconn.send_query_params(self._query.text, values, self._query.types)

    def take(self, results: Sequence[Any], now: float) -> None:
        """Notes how long the query took."""
        from psycopg.pq import DiagnosticField  # noqa: PLC0415  # start-up must not pay for it

        assert self._query is not None
        codes = [result.error_field(DiagnosticField.SQLSTATE) for result in results if result.error_message]
        sqlstate = (codes[0] or b"08006").decode() if codes else ""
        if sqlstate == _CANCELED and now - self.sent < _TIMEOUT:
            # The monitor of locks has cancelled it, before PostgreSQL would have resolved the deadlock.
            sqlstate = _DEADLOCK
        self.samples.append(_Sample(self._query, self.sent, now - self.sent, sqlstate))
        self.next_at = max(now, self.sent + self._interval)

    def give_up(self, now: float) -> None:
        """Notes that a query without an answer is cancelled."""
        if self.waiting and self._query is not None:
            self.samples.append(_Sample(self._query, self.sent, now - self.sent, _CANCELED))


class LoadSessions:
    """Load sessions, inside a `with` block. `connect` opens a connection in autocommit. The block begins with a second of load; `begin` sets
    the start of the migration, and `finish` its end, after which the load goes on for another second."""

    def __init__(self, connect: Callable[[], "Connection[Any]"], choice: LoadChoice, sessions: int) -> None:
        self._connect = connect
        self._choice = choice
        self._number = sessions
        total = sum(query.weight for query in choice.queries)
        mean = sum(query.weight * query.seconds for query in choice.queries) / total if total else 0.0
        self._interval = max(_INTERVAL, mean / _UTILISATION)
        self._sessions: list[_LoadSession] = []
        self._thread: SessionThread | None = None
        self._entered = self._start = self._end = self._stopped = 0.0

    def __enter__(self) -> "LoadSessions":
        schedule = _Schedule(self._choice.queries)
        try:
            for number in range(self._number if self._choice.queries else 0):
                connection = self._connect()
                session = _LoadSession(connection, schedule, self._interval)
                self._sessions.append(session)
                connection.execute(SETTINGS.encode())
                session.next_at = time.perf_counter() + self._interval * number / self._number
        finally:
            self._thread = SessionThread("migsafe-load", self._sessions, _GRACE)
        self._entered = time.perf_counter()
        if self._sessions:
            self._thread.start()
            time.sleep(_SECONDS_BEFORE)
        self._start = self._end = self._stopped = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop(at_once=kind is not None)
            for session in self._sessions:
                session.give_up(time.perf_counter())
            thread.close(lambda connection: connection.close())

    def begin(self, start: float) -> None:
        """Sets the start of the migration, by perf_counter."""
        self._start = start

    def finish(self) -> None:
        """Sets the end of the migration, and waits until the load after it is measured and the sessions have ended."""
        self._end = time.perf_counter()
        if self._sessions:
            time.sleep(_SECONDS_AFTER)
        self._stopped = time.perf_counter()
        self.__exit__(None)

    @property
    def pids(self) -> list[int]:
        """The pids of the sessions."""
        return [session.pid for session in self._sessions]

    def sent_at(self, pid: int, when: float) -> NamedQuery | None:
        """Returns the query that a session had sent at a moment, by perf_counter; None for other sessions."""
        sent = (
            sample.query.query
            for session in self._sessions
            for sample in session.samples
            if session.pid == pid and sample.sent <= when <= sample.sent + sample.seconds
        )
        return next(sent, None)

    def times(self, clock: Callable[[float], float]) -> LoadTimes:
        """Returns the response times. `clock` returns the time of the recording for one by perf_counter: the time that recording
        took between two statements is left out."""
        samples = sorted((sample for session in self._sessions for sample in session.samples), key=lambda sample: sample.sent)
        before = [sample for sample in samples if sample.sent + sample.seconds < self._start]
        after = [sample for sample in samples if sample.sent > self._end]
        during = [sample for sample in samples if sample.sent + sample.seconds >= self._start and sample.sent <= self._end]
        noise = noise_ms(1000 * sample.seconds for sample in before) / 1000

        def recorded(sample: _Sample) -> float:
            took = sample.seconds
            return max(clock(sample.sent + took) - clock(sample.sent), noise) if took > noise else took

        return LoadTimes(
            sessions=self._number,
            interval_ms=1000 * self._interval,
            queries=len(self._choice.queries),
            unused=self._choice.unused,
            before=self._phase(before, self._start - self._entered, lambda sample: sample.seconds),
            during=self._phase(during, clock(self._end) - clock(self._start), recorded),
            after=self._phase(after, self._stopped - self._end, lambda sample: sample.seconds),
        )

    def _phase(self, samples: Sequence[_Sample], seconds: float, took: Callable[[_Sample], float]) -> LoadPhase:
        answered = [(took(sample), sample) for sample in samples if not sample.sqlstate]
        slowest = max(answered, key=lambda each: each[0], default=None)
        times = summary(1000 * each for time, _ in answered for each in self._with_missed(time))
        return LoadPhase(
            seconds=seconds,
            queries=len(answered),
            p50=times.p50,
            p99=times.p99,
            slowest=times.slowest,
            slowest_query=slowest[1].query.query if slowest is not None else None,
            errors=dict(sorted(Counter(sample.sqlstate for sample in samples if sample.sqlstate).items())),
        )

    def _with_missed(self, seconds: float) -> Iterator[float]:
        """Yields the response time of a query, and those of the queries that would have been sent meanwhile, had the session not waited.
        Without them, the slow times would be those of few queries, however long all of them waited."""
        while seconds > 0:
            yield seconds
            seconds -= self._interval
