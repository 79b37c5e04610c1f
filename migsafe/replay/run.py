"""Replaying: the history, the rows, then each migration in turn, recorded, with the experiments that are asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.forecast import Forecast, Foreseen
from migsafe.lock import LockMode
from migsafe.replay.canaries import Canaries
from migsafe.replay.experiments import Outcome
from migsafe.replay.experiments.agreement import agreement
from migsafe.replay.experiments.crash import crash
from migsafe.replay.experiments.ground import Ground
from migsafe.replay.experiments.rerun import rerun
from migsafe.replay.experiments.round_trip import round_trip
from migsafe.replay.hosts import Host
from migsafe.replay.play import Player
from migsafe.replay.queue import Readers
from migsafe.replay.recording import Played, Recording, Wait
from migsafe.replay.sending import Refused, failure_of, refusals, send
from migsafe.replay.watch import Watch
from migsafe.sources import Half, Migration, Plan, Source, Step
from migsafe.sql.operations import Name
from migsafe.text import Script, Span

if TYPE_CHECKING:
    from psycopg import Connection

_ON_COPIES: dict[str, Callable[[Ground], Outcome]] = {"rerun": rerun, "crash": crash, "round trip": round_trip}
EXPERIMENTS = (*_ON_COPIES, "agreement")
"""The names of all experiments."""

_MOST_CANARIES = 30


class Options(Struct, frozen=True, kw_only=True):
    """How to replay. `checks` are the experiments, `fill` puts rows into a database's tables, and says
    which stayed empty and why, `queue` is for how many seconds a reader holds
    each table that the migration touches. `schema` is a dump to load first."""

    checks: tuple[str, ...] = EXPERIMENTS
    fill: "Callable[[Connection[Any]], dict[str, str]] | None" = None
    queue: float = 0.0
    canaries: bool = True
    schema: Script | None = None


class Replayed(Struct, frozen=True, kw_only=True):
    """A migration that was replayed: what was recorded, what was foreseen, what the experiments showed."""

    recording: Recording
    foreseen: tuple[Foreseen, ...]
    outcomes: tuple[Outcome, ...] = ()

    @property
    def migration(self) -> Migration:
        """The migration."""
        return self.recording.migration


Progress = Callable[[str], None]


class Replay:
    """A replay of what a plan asks for. `problems` gets what could not be done; what could be goes on. `unfilled` are the tables without rows,
    with the reasons."""

    def __init__(self, plan: Plan, host: Host, options: Options, problems: list[MigsafeError], progress: Progress) -> None:
        self._plan = plan
        self._host = host
        self._options = options
        self._problems = problems
        self._progress = progress
        self.unfilled: dict[str, str] = {}
        self._names = count(1)

    def migrations(self) -> Iterator[Replayed]:
        """Each judged migration, when its turn comes. A history that cannot be applied ends there, and is a problem."""
        for source in self._plan.sources:
            yield from self._source(source)
        self._problems += self._plan.problems

    def _source(self, source: Source) -> Iterator[Replayed]:
        forecast = Forecast(self._host.major)
        base = self._host.only or self._fresh(self._host.start)
        filled = False
        try:
            if self._options.schema is not None:
                self._load(base, self._options.schema, forecast)
            else:
                forecast.catalog.complete = self._host.start is None
            for step in source.steps():
                if step.judged and not filled:
                    filled = True
                    self._fill(base)
                if not step.judged:
                    self._history(base, step, forecast)
                    continue
                replayed, base = self._judged(base, step.migration, forecast)
                yield replayed
                if replayed.recording.failure is not None:
                    return
        except MigsafeError as error:
            self._problems.append(error)
        except refusals() as error:
            said = failure_of(error)
            self._problems.append(MigsafeError(f"{source.path}: {said.message}", hint_for(said.message)))
        finally:
            self._leave(base)

    def _leave(self, database: str) -> None:
        if database != self._host.only:
            self._host.drop(database)

    def _fresh(self, template: str | None) -> str:
        name = f"migsafe_{next(self._names)}"
        self._host.create(name, template)
        return name

    def _load(self, base: str, schema: Script, forecast: Forecast) -> None:
        from migsafe.sources import Transaction  # noqa: PLC0415

        self._progress(f"loading {schema.path}")
        forecast.load(schema)
        half = Half(schema, (Span(0, len(schema.text)),), Transaction.STATEMENT)
        self._apply(base, half, f"{schema.path}: the schema cannot be loaded")

    def _history(self, base: str, step: Step, forecast: Forecast) -> None:
        half = step.migration.up
        if self._host.start is None:
            self._progress(f"history: {half.file.path}")
            self._apply(base, half, f"{half.file.path}: this migration of the history fails")
        with suppress(UnreadableError):
            forecast.apply(half)

    def _apply(self, base: str, half: Half, what: str) -> None:
        connection = self._host.work(base)
        try:
            send(connection, half)
        except Refused as refused:
            place = half.file.position(half.place(refused.statement.span).start)
            raise MigsafeError(f"{what} at line {place.line}: {refused.failure.message}", hint_for(refused.failure.message)) from refused
        finally:
            connection.close()

    def _fill(self, base: str) -> None:
        if self._options.fill is None or self._host.only is not None:
            return
        self._progress("filling the tables")
        with self._host.connect(base) as connection:
            self.unfilled.update(self._options.fill(connection))

    def _judged(self, base: str, migration: Migration, forecast: Forecast) -> tuple[Replayed, str]:
        """Replay one migration on a copy of the base; the copy is the next base."""
        path = migration.up.file.path
        self._progress(f"replaying {path}")
        foreseen = tuple(forecast.steps(migration.up))
        stage = self._host.only or self._fresh(base)
        try:
            recording = self._record(stage, migration, foreseen)
            outcomes = self._experiments(migration, base, stage) if recording.failure is None else []
        except BaseException:
            self._leave(stage)
            raise
        if "agreement" in self._options.checks:
            outcomes.append(agreement(foreseen, recording.statements))
        if base != stage:
            self._host.drop(base)
        return Replayed(recording=recording, foreseen=foreseen, outcomes=tuple(outcomes)), stage

    def _record(self, stage: str, migration: Migration, foreseen: tuple[Foreseen, ...]) -> Recording:
        tables = self._touched(stage, foreseen)
        asked = tables[:_MOST_CANARIES] if self._options.canaries else []
        worker, observer, counter = self._host.work(stage), self._host.connect(stage), self._host.connect(stage)
        try:
            with Canaries(lambda: self._host.connect(stage), asked) as canaries:
                readers = Readers(lambda: self._host.connect(stage), tables, self._options.queue)
                with readers, Watch(observer, worker.info.backend_pid) as watch:
                    played = Player(worker, watch, counter).play(migration.up, began=canaries.mark)
                canaries.stop()
        finally:
            worker.close()
            observer.close()
            counter.close()
        ended = max((one.ended for one in played), default=0.0)
        return Recording(
            migration=migration,
            statements=played,
            duration_ms=1000 * ended,
            waits=attributed(canaries.waits, played),
            quiet=canaries.quiet,
            disturbed=canaries.disturbed,
            broken=canaries.broken,
        )

    def _touched(self, stage: str, foreseen: tuple[Foreseen, ...]) -> list[Name]:
        """The relations that the migration is going to lock so that somebody may wait, and that are there."""
        found = dict.fromkeys(
            effect.relation
            for one in foreseen
            for effect in one.effects
            if effect.lock >= LockMode.SHARE_UPDATE_EXCLUSIVE and not effect.new and effect.relation.schema != "pg_temp"
        )
        with self._host.connect(stage) as connection:
            there = "SELECT pg_catalog.to_regclass(%s) IS NOT NULL"
            return [name for name in found if connection.execute(there, (str(name),)).fetchall() == [(True,)]]

    def _experiments(self, migration: Migration, before: str, after: str) -> list[Outcome]:
        wanted = [name for name in _ON_COPIES if name in self._options.checks]
        if not wanted:
            return []
        if before == after:
            return [Outcome(experiment=name, passed=None, summary="there is no copy of the database to try it on") for name in wanted]
        ground = Ground(self._host, migration, before, after)
        outcomes = []
        for name in wanted:
            self._progress(f"{migration.up.file.path}: {name}")
            outcomes.append(_ON_COPIES[name](ground))
        return outcomes


def attributed(waits: tuple[Wait, ...], played: tuple[Played, ...]) -> tuple[Wait, ...]:
    """The waits, each with the number of the statement whose lock it waited for: the first one on that relation that stops the access while
    the wait lasts."""
    blocking: dict[tuple[Name, str], list[Played]] = {}
    for one in played:
        for touch in one.touches:
            for access in touch.effect.blocks:
                blocking.setdefault((touch.effect.relation, access), []).append(one)
    return tuple(replace(wait, statement=_cause(wait, blocking)) for wait in waits)


def _cause(wait: Wait, blocking: Mapping[tuple[Name, str], list[Played]]) -> int | None:
    until = wait.started + wait.ms / 1000
    for one in blocking.get((wait.relation, wait.access), ()):
        if one.started < until and one.ended > wait.started:
            return one.statement.index
    return None


def hint_for(message: str) -> str:
    """What to do about something that PostgreSQL misses."""
    if "extension" in message and ("not available" in message or "control file" in message):
        return "Install the extension's package beside this PostgreSQL, or name another one with --pg-bin or --server."
    if "permission denied" in message or "must be superuser" in message:
        return "Migrations run as the database's owner, who is no superuser; --superuser lets them do what they like."
    if message.startswith("role ") and "does not exist" in message:
        return "The migrations take a role for granted that no migration makes."
    return ""
