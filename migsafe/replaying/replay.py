"""Replaying: the history, the rows, then each migration in turn, recorded, with the experiments that are asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block
from migsafe.prediction.predictor import Predictor, StatementPrediction
from migsafe.rendering.renderer import Renderer
from migsafe.replaying.estimates import Estimate, estimate_duration
from migsafe.replaying.experiments.agreement import compare_with_predictions
from migsafe.replaying.experiments.crash import crash
from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.experiments.rerun import rerun
from migsafe.replaying.experiments.round_trip import round_trip
from migsafe.replaying.experiments.subject import DatabaseState, Subject, is_one_transaction
from migsafe.replaying.instruments import Instruments, MigrationTask
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.recording.rehearsal import rehearse
from migsafe.replaying.refusals import Failure, denied_schema, error_class, failure_of, hint_for, is_about_rows, missing_role
from migsafe.replaying.scripts import Scripts
from migsafe.replaying.seeding import Seeder
from migsafe.replaying.sending import Refused, send
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import TimeLimits
from migsafe.sources import Half, Migration, Plan, Source, Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement
from migsafe.text import Script, Span

if TYPE_CHECKING:
    from psycopg import Connection

_ON_COPIES: dict[str, Callable[[Subject], Outcome]] = {"rerun": rerun, "crash": crash, "round trip": round_trip}
EXPERIMENTS = (*_ON_COPIES, "agreement")
"""The names of all experiments."""

_MOST_TRIES = 20


class ReplayOptions(Struct, frozen=True, kw_only=True):
    """How to replay.

    `checks` are the experiments. `rows` says how many rows each table gets; None leaves them as they are. `queue` is for how many seconds a
    reader holds each table that the migration touches. `schema` is a dump to load first. `statement_limit` and `run_limit` are the seconds
    that a statement and the whole may take. `production` are the rows that tables have there, by relation, for estimates. `renderer` renders
    migrations that are programs, in place of a usual one.
    """

    experiments: tuple[str, ...] = EXPERIMENTS
    rows: Callable[[Name], int] | None = None
    reader_seconds: float = 0.0
    probes: bool = True
    schema: Script | None = None
    statement_limit: float | None = None
    run_limit: float | None = None
    production_rows: Mapping[str, int] = {}
    renderer: Renderer | None = None


class ReplayedMigration(Struct, frozen=True, kw_only=True):
    """A migration that was replayed: what was recorded, what was foreseen, what the experiments showed. `emptied` says why it was run with
    its tables empty, if it was: what PostgreSQL said of rows that we had made up. `estimates` are for production's rows, by the number of the
    statement."""

    recording: Recording
    predictions: tuple[StatementPrediction, ...]
    outcomes: tuple[Outcome, ...] = ()
    emptied_because: str = ""
    estimates: dict[int, Estimate] = {}

    @property
    def migration(self) -> Migration:
        """The migration."""
        return self.recording.migration


class _Base(Struct):
    """The database of a history as it is by now; `state` is what is in it, `rows` those of each table, as far as they are still known."""

    name: str
    filler: Seeder | None
    state: DatabaseState | None = None
    rows: dict[int, int] | None = None


Progress = Callable[[str], None]


class ReplayRun:
    """A replay of what a plan asks for.

    `problems` are the errors met so far; what is possible goes on. `unfilled` are the tables without rows, with the reasons, `roles` those
    that migrations took for granted, and that were made.
    """

    def __init__(self, plan: Plan, host: Host, options: ReplayOptions, progress: Progress) -> None:
        self._plan = plan
        self._host = host
        self._options = options
        self.problems: list[MigsafeError] = []
        self._progress = progress
        self._limits = TimeLimits(self._terminate, statement=options.statement_limit, run=options.run_limit)
        self._stage = Instruments(host, self._limits.limit_statement)
        self._names = count(1)
        self.unfilled: dict[str, str] = {}
        self.created_roles: list[str] = []
        self._opened: set[str] = set()

    def migrations(self) -> Iterator[ReplayedMigration]:
        """Each judged migration, when its turn comes. A history that cannot be applied ends there, and is a problem."""
        with self._limits, self._options.renderer or Renderer() as renderer:
            for source in self._plan.sources:
                yield from self._source(source, renderer)
        self.problems += self._plan.problems

    def _source(self, source: Source, renderer: Renderer) -> Iterator[ReplayedMigration]:
        forecast = Predictor(self._host.major)
        scripts = Scripts(renderer, self._limits.limit_statement, self._mended)
        base = _Base(self._host.only_database or self._fresh(self._host.start_database), self._filler())
        begun = False
        try:
            if self._options.schema is not None:
                self._load(base.name, self._options.schema, forecast)
            else:
                forecast.catalog.complete = self._host.start_database is None
            for step in source.steps():
                copy = partial(self._copied, base.name) if self._host.only_database is None else None
                if not step.selected:
                    self._history(base.name, scripts.half(step.migration.up, forecast, copy), forecast)
                    continue
                # The tables of a release are as they were before it; those of a history have been in use for a while.
                if not begun or not source.release:
                    self._fill(base)
                begun = True
                migration = replace(step.migration, up=scripts.half(step.migration.up, forecast, copy))
                replayed = self._judged(base, renderer.render_down(migration, forecast), forecast)
                yield replayed
                if replayed.recording.failure is not None:
                    return
        except MigsafeError as error:
            self.problems.append(error)
        except error_class() as error:
            said = failure_of(error)
            self.problems.append(MigsafeError(f"{source.path}: {said.message}", hint_for(said.message)))
        finally:
            self.unfilled.update(base.filler.unfilled if base.filler is not None else {})
            self._leave(base.name)

    def _leave(self, database: str) -> None:
        self._stage.disconnect()
        if database != self._host.only_database:
            # A server that is gone has said so already.
            with suppress(error_class()):
                self._host.drop_database(database)

    def _fresh(self, template: str | None) -> str:
        self._stage.disconnect()
        name = f"migsafe_{next(self._names)}"
        self._host.create_database(name, template)
        return name

    @contextmanager
    def _copied(self, database: str) -> "Iterator[Connection[Any]]":
        """A connection to a copy of a database, which goes when that ends."""
        copy = self._fresh(database)
        connection = self._host.connect_as_migrator(copy)
        try:
            yield connection
        finally:
            connection.close()
            self._leave(copy)

    def _filler(self) -> Seeder | None:
        return Seeder(self._options.rows) if self._options.rows is not None and self._host.only_database is None else None

    def _load(self, base: str, schema: Script, forecast: Predictor) -> None:
        self._progress(f"loading {schema.path}")
        forecast.load(schema)
        half = Half(schema, (Span(0, len(schema.text)),), Transaction.STATEMENT)
        self._apply(base, half, f"{schema.path}: the schema cannot be loaded")

    def _history(self, base: str, half: Half, forecast: Predictor) -> None:
        if self._host.start_database is None:
            self._progress(f"history: {half.file.path}")
            self._apply(base, half, f"{half.file.path}: this migration of the history fails")
        with suppress(UnreadableError):
            forecast.apply(half)

    def _apply(self, base: str, half: Half, what: str) -> None:
        connection = self._host.connect_as_migrator(base)
        try:
            send(connection, half, guard=self._limits.limit_statement, repair=lambda failure: self._mended(failure, base))
        except Refused as refused:
            place = half.file.position(half.file_span(refused.statement.span).start)
            raise MigsafeError(f"{what} at line {place.line}: {refused.failure.message}", hint_for(refused.failure.message)) from refused
        finally:
            connection.close()

    def _fill(self, base: _Base) -> None:
        if base.filler is None:
            return
        with self._host.connect(base.name) as connection, self._limits.limit_run(connection):
            base.filler.seed(connection, self._progress)
        if base.filler.filled:
            base.state = base.rows = None

    def _mended(self, failure: Failure, *databases: str) -> bool:
        """Make a role that is taken for granted, or let those that we made into a schema; whether that is possible, and new."""
        role, schema = missing_role(failure), denied_schema(failure)
        if role is not None and role not in self.created_roles and self._host.create_role(role):
            self.created_roles.append(role)
            return True
        if schema is None or not self.created_roles or schema in self._opened:
            return False
        self._opened.add(schema)
        for database in databases:
            with self._host.connect(database) as connection:
                connection.execute(
                    f"GRANT ALL ON SCHEMA {Name(schema)} TO {', '.join(str(Name(role)) for role in self.created_roles)}".encode()
                )
        return True

    def _judged(self, base: _Base, migration: Migration, forecast: Predictor) -> ReplayedMigration:
        """Replay one migration in the base, which then is as the migration leaves it."""
        half = migration.up
        self._progress(f"replaying {half.file.path}")
        foreseen, outside = _stepped(forecast, half)
        whole = is_one_transaction(half, frozenset(outside))
        copies = self._host.only_database is None
        before = self._fresh(base.name) if copies and not whole else None
        try:
            state = base.state or DatabaseState(lambda: self._host.connect(before or base.name))
            if copies and "round trip" in self._options.experiments and migration.down is not None:
                _ = state.schema, state.rows
            task = MigrationTask(
                database=base.name,
                migration=migration,
                predictions=foreseen,
                rehearsed=rehearse(self._host, before, half, outside.values()) if before is not None else {},
                rows=base.rows,
                reader_seconds=self._options.reader_seconds,
                probes=self._options.probes,
            )
            recording, emptied = self._recorded(base, task, before)
            base.state, base.rows = DatabaseState(lambda: self._host.connect(base.name)), self._stage.rows
            ground = Subject(
                self._host, migration, before, base.name, (state, base.state), outside=frozenset(outside), guard=self._limits.limit_statement
            )
            outcomes = self._experiments(ground) if recording.failure is None else []
        finally:
            if before is not None:
                self._leave(before)
        if "agreement" in self._options.experiments:
            outcomes.append(compare_with_predictions(foreseen, recording.statements))
        found = {one.statement.index: estimate_duration(one, self._options.production_rows) for one in recording.statements}
        estimates = {index: one for index, one in found.items() if one is not None}
        return ReplayedMigration(
            recording=recording, predictions=foreseen, outcomes=tuple(outcomes), emptied_because=emptied, estimates=estimates
        )

    def _recorded(self, base: _Base, task: MigrationTask, before: str | None) -> tuple[Recording, str]:
        """Run it, again where it lacked a role that we could make, or failed for rows that we had made up; and why it then ran without them."""
        emptied = ""
        for _ in range(_MOST_TRIES):
            recording = self._stage.run(task)
            failure = recording.failure
            if failure is None or self._host.only_database is not None:
                break
            if not self._mended(failure, *filter(None, (base.name, before))):
                if emptied or base.filler is None or not base.filler.made or not is_about_rows(failure):
                    break
                emptied = failure.message
            if before is not None:
                self._leave(base.name)
                self._host.create_database(base.name, before)
            if emptied and base.filler is not None:
                with self._host.connect(base.name) as connection:
                    base.filler.empty(connection, {effect.relation for one in task.predictions for effect in one.effects})
            task = replace(task, rows=None)
        return recording, emptied

    def _experiments(self, ground: Subject) -> list[Outcome]:
        wanted = [name for name in _ON_COPIES if name in self._options.experiments]
        if self._host.only_database is not None:
            return [Outcome(experiment=name, passed=None, summary="there is no copy of the database to try it on") for name in wanted]
        outcomes = []
        if wanted:
            self._stage.disconnect()
        for name in wanted:
            self._progress(f"{ground.migration.up.file.path}: {name}")
            outcomes.append(_ON_COPIES[name](ground))
        return outcomes

    def _terminate(self, connection: "Connection[Any]") -> None:
        with self._host.connect(connection.info.dbname) as other:
            other.execute("SELECT pg_catalog.pg_terminate_backend(%s)", (connection.info.backend_pid,))


def _stepped(forecast: Predictor, half: Half) -> tuple[tuple[StatementPrediction, ...], dict[int, Statement]]:
    """What is foreseen of a migration, and those of its statements that no transaction takes, by number."""
    foreseen, outside = [], {}
    for one in forecast.predict_migration(half):
        foreseen.append(one)
        if any(refused_in_transaction_block(operation, forecast.catalog) for operation in one.statement.operations):
            outside[one.statement.index] = one.statement
    return tuple(foreseen), outside
