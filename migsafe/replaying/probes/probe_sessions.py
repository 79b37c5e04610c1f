"""Probe sessions: they send queries like an application's while a migration runs, and measure how long each takes.

Each touched table has at least two: one plans queries that read it repeatedly, the other queries that write it. They use EXPLAIN, which takes
all locks, including those on indexes, and reads and writes no rows. One thread serves all sessions and waits for the next answer.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from migsafe.linting.finding import NamedQuery
from migsafe.replaying.probes.attribution import ProbeWait
from migsafe.replaying.probes.choice import Probe, ProbeChoice, ProbedAccess
from migsafe.replaying.probes.response_times import noise_ms, summary
from migsafe.replaying.probes.serving import ServedSession, SessionThread
from migsafe.replaying.recording.records import ResponseTimes, Wait
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_INTERVAL, _LONGEST_INTERVAL = 0.004, 0.25
_MOST_CORES = 0.5
"""How much of a processor core all sessions use at most, by their fastest answers: the migration's own time is measured beside them."""
_BASELINE_SECONDS, _LATER_BASELINE_SECONDS = 0.25, 0.04
_ENOUGH_SAMPLES, _MAX_SAMPLES = 20, 500
_FEW_SAMPLES = 5
_SESSIONS_OF_ACCESS, _SESSIONS_OF_SEVERAL = 3, 20
"""Up to how many sessions send the queries of one access to a table, while all together are not more than the second number."""
_CANCELED = b"57014"
"""The probe and the migration waited for each other."""

Baseline = dict[str, deque[float]]
"""The response times of each probe before migrations, in milliseconds, by its text."""


class _Sample(NamedTuple):
    """An answer to a probe: when it was sent, by perf_counter, and how many seconds it took. `is_first` if the session had not sent the probe
    before, so that PostgreSQL read what it needs of the catalogue."""

    probe: Probe
    sent: float
    seconds: float
    is_first: bool


class _Rotation:
    """The probes of one access to a table: each is sent as often as its weight says, the first few times in turn."""

    def __init__(self, access: ProbedAccess, sessions: int) -> None:
        self.relation = access.relation
        self.access = access.access
        self.sessions = sessions
        self._times = {probe.sql: 0 for probe in access.probes}
        self._credit = {probe.sql: 0.0 for probe in access.probes}
        self.probes = list(access.probes)

    def next(self) -> Probe:
        """Returns the probe that is due."""
        new = min(self.probes, key=lambda probe: self._times[probe.sql])
        if self._times[new.sql] >= _FEW_SAMPLES:
            total = sum(probe.weight for probe in self.probes)
            for probe in self.probes:
                self._credit[probe.sql] += probe.weight / total
            new = max(self.probes, key=lambda probe: self._credit[probe.sql])
            self._credit[new.sql] -= 1
        self._times[new.sql] += 1
        return new

    def drop(self, probe: Probe) -> None:
        """Removes a probe that fails."""
        self.probes = [other for other in self.probes if other is not probe]


class _ProbeSession(ServedSession):
    """One session of an access to a table. `sessions` is the number of all sessions."""

    def __init__(self, connection: "Connection[Any]", rotation: _Rotation, sessions: int) -> None:
        super().__init__(connection)
        self.rotation = rotation
        self.failure = ""
        """The error of a generated probe."""
        self.samples: list[_Sample] = []
        self._share = _MOST_CORES / sessions
        self._probe: Probe | None = None
        self._fastest: dict[str, float] = {}

    def send(self) -> None:
        """Sends the next probe."""
        if not self.rotation.probes:
            self.waiting, self.next_at = False, float("inf")
            return
        self._probe = self.rotation.next()
        self.connection.pgconn.send_query(self._probe.sql.encode())

    def take(self, results: Sequence[Any], now: float) -> None:
        """Notes how long the probe took. A query of the application that fails is not sent again: that it fails is measured elsewhere."""
        from psycopg.pq import DiagnosticField  # noqa: PLC0415  # start-up must not pay for it

        probe, failure = self._probe, ""
        assert probe is not None
        for result in results:
            if not failure and result.error_field(DiagnosticField.SQLSTATE) != _CANCELED:
                failure = (result.error_message or b"").decode("utf-8", "replace").strip()
        self.samples.append(_Sample(probe, self.sent, now - self.sent, probe.sql not in self._fastest))
        if probe.query is None:
            self.failure = failure
        elif failure:
            self.rotation.drop(probe)
        fastest = self._fastest[probe.sql] = min(self._fastest.get(probe.sql, float("inf")), now - self.sent)
        self.next_at = now + min(max(_INTERVAL * self.rotation.sessions, fastest / self._share), _LONGEST_INTERVAL)


class ProbeSessions:
    """Probe sessions on tables, inside a `with` block.

    `connect` opens a connection in autocommit. `mark` sets the start of the migration, `mark_end` its end. `baseline` has the response times
    before earlier migrations; `remember` adds those of this one. With enough of them, the baseline is measured for a shorter time.
    `give_back` takes connections that are no longer needed.
    """

    def __init__(
        self,
        connect: Callable[[], "Connection[Any]"],
        choice: ProbeChoice,
        baseline: Baseline | None = None,
        give_back: "Callable[[Connection[Any]], None] | None" = None,
    ) -> None:
        self._connect = connect
        self._choice = choice
        self._baseline = baseline if baseline is not None else {}
        self._give_back = give_back or (lambda connection: connection.close())
        self._sessions: list[_ProbeSession] = []
        self._thread: SessionThread | None = None
        self._start, self._end = 0.0, float("inf")

    def __enter__(self) -> "ProbeSessions":
        rotations = list(_rotations(self._choice.accesses))
        number = sum(rotation.sessions for rotation in rotations)
        try:
            for rotation in rotations:
                self._sessions += [_ProbeSession(self._connect(), rotation, number) for _ in range(rotation.sessions)]
        finally:
            self._thread = SessionThread("migsafe-probes", self._sessions)
        if self._sessions:
            self._thread.start()
            probes = (probe for rotation in rotations for probe in rotation.probes)
            known = all(len(self._baseline.get(probe.sql, ())) >= _ENOUGH_SAMPLES for probe in probes)
            time.sleep(_LATER_BASELINE_SECONDS if known else _BASELINE_SECONDS)
        self._start = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop(at_once=kind is not None)

    def mark(self, start: float) -> None:
        """Sets the start of the migration, by perf_counter; earlier response times are the baseline."""
        self._start = start

    def mark_end(self) -> None:
        """Notes that the migration has ended; what is sent later is not measured."""
        self._end = time.perf_counter()

    def stop(self, *, at_once: bool = False) -> None:
        """Waits for the last answer of every session, unless `at_once`, and gives the connections back."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop(at_once=at_once)
            thread.close(self._give_back)

    @property
    def times_before(self) -> ResponseTimes:
        """The response times before the migration."""
        return summary(time for times in self._times_by_probe().values() for time in times)

    def times_during(self, clock: Callable[[float], float]) -> ResponseTimes:
        """Returns the response times since the migration began; those above the noise by `clock`, as the waits."""
        noise = self._noise()
        samples = []
        for _, sample in self._samples_since_start():
            least = noise[sample.probe.sql] / 1000
            took = sample.seconds
            samples.append(1000 * (max(clock(sample.sent + took) - clock(sample.sent), least) if took > least else took))
        return summary(samples)

    def waits(self, lock_waits: Mapping[int, Sequence[tuple[float, int | None]]], clock: Callable[[float], float]) -> list[ProbeWait]:
        """Returns the response times since the migration began that exceed the baseline. `lock_waits` are the times at which the backends
        were seen waiting for a lock, by pid, with the oid of what is locked. `clock` returns the time of the recording for one by
        perf_counter."""
        noise = self._noise()
        waits = []
        for session, sample in self._samples_since_start():
            ended = sample.sent + sample.seconds
            wait = Wait(
                relation=session.rotation.relation,
                access=session.rotation.access,
                started=clock(sample.sent),
                ms=1000 * (clock(ended) - clock(sample.sent)),
                query=sample.probe.query,
            )
            if 1000 * sample.seconds > noise[sample.probe.sql] and wait.ms > noise[sample.probe.sql]:
                seen = [oid for when, oid in lock_waits.get(session.pid, ()) if sample.sent <= when <= ended]
                relations = tuple(self._choice.relations.get(oid or 0) for oid in seen)
                waits.append(ProbeWait(wait=wait, uses=sample.probe.uses, seen=relations))
        return sorted(waits, key=lambda each: each.wait.started)

    @property
    def pids(self) -> list[int]:
        """The pids of the sessions."""
        return [session.pid for session in self._sessions]

    def sent_at(self, pid: int, when: float) -> tuple[Name, NamedQuery | None] | None:
        """Returns the table of a session, and the application's query that it had sent at a moment, by perf_counter; None for another pid."""
        for session in self._sessions:
            if session.pid == pid:
                sent = (sample.probe.query for sample in session.samples if sample.sent <= when <= sample.sent + sample.seconds)
                return session.rotation.relation, next(sent, None)
        return None

    @property
    def errors(self) -> dict[Name, str]:
        """The error of the last generated probe, by table. For a table of which the application has queries, their own trials say more."""
        errors = {session.rotation.relation: session.failure or session.error for session in reversed(self._sessions)}
        known = {access.relation for access in self._choice.accesses for probe in access.probes if probe.query is not None}
        return {relation: error for relation, error in errors.items() if error and relation not in known}

    def remember(self) -> None:
        """Adds the response times before this migration to the baseline of later ones."""
        for sql, times in self._times_by_probe(is_first=False).items():
            self._baseline[sql] = deque(times, _MAX_SAMPLES)

    def _times_by_probe(self, *, is_first: bool | None = None) -> dict[str, list[float]]:
        """Returns the response times of each probe before the migration, and before earlier ones: all, only the first ones, or the others."""
        times: dict[str, list[float]] = {}
        for access in self._choice.accesses:
            for probe in access.probes:
                times[probe.sql] = list(self._baseline.get(probe.sql, ())) if not is_first else []
        for session in self._sessions:
            for sample in session.samples:
                if sample.sent + sample.seconds < self._start and is_first in (None, sample.is_first):
                    times[sample.probe.sql].append(1000 * sample.seconds)
        return times

    def _samples_since_start(self) -> Iterator[tuple[_ProbeSession, _Sample]]:
        for session in self._sessions:
            for sample in session.samples:
                if sample.sent + sample.seconds >= self._start and sample.sent <= self._end:
                    yield session, sample

    def _noise(self) -> dict[str, float]:
        """Returns the longest response time of each probe that the times before the migration explain, in milliseconds. A probe that was
        answered only a few times has the noise of all."""
        by_probe = self._times_by_probe(is_first=False)
        general = noise_ms(time for times in by_probe.values() for time in times)
        noise = {sql: noise_ms(times) if len(times) >= _FEW_SAMPLES else general for sql, times in by_probe.items()}
        return {sql: max(noise[sql], *times) if times else noise[sql] for sql, times in self._times_by_probe(is_first=True).items()}


def _rotations(accesses: Sequence[ProbedAccess]) -> Iterator[_Rotation]:
    """Yields the accesses, each with the number of its sessions: one, and more where there are several queries and few tables."""
    spare = max(_SESSIONS_OF_SEVERAL - len(accesses), 0)
    for access in accesses:
        more = min(len(access.probes), _SESSIONS_OF_ACCESS) - 1
        more = min(more, spare)
        spare -= more
        yield _Rotation(access, 1 + more)
