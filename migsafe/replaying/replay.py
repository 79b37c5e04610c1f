"""A replay: applies the history, seeds rows, then runs and records each selected migration, and runs the experiments."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import MigsafeError
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
from migsafe.replaying.history import History
from migsafe.replaying.instruments import Instruments, MigrationTask
from migsafe.replaying.left_out import LeftOut
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.recording.rehearsal import rehearse
from migsafe.replaying.refusals import error_class, failure_of, hint_for
from migsafe.replaying.repairs import Repairs
from migsafe.replaying.row_failures import Emptying, RowCause, row_cause
from migsafe.replaying.scripts import Scripts
from migsafe.replaying.seeding import DEFAULT_LIMIT, Seeder
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import TimeLimits
from migsafe.replaying.touched import touched_relations
from migsafe.replaying.untried import not_tried, untried_reason
from migsafe.sources import Half, Migration, Plan, Source
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement
from migsafe.text import Script

if TYPE_CHECKING:
    from psycopg import Connection

_ON_COPIES: dict[str, Callable[[Subject], Outcome]] = {"rerun": rerun, "crash": crash, "round trip": round_trip}
EXPERIMENTS = (*_ON_COPIES, "agreement")
"""The names of all experiments."""

_MAX_TRIES = 20


class ReplayOptions(Struct, frozen=True, kw_only=True):
    """The options of a replay.

    `experiments` are names of EXPERIMENTS. `rows` returns the number of rows that an empty table gets; None leaves tables as they are. Only
    tables that the migrations touch get rows, unless `seed_all`; `seed_limit` is the most seconds for a table. For
    `reader_seconds`, a reader holds a lock on each table that the migration touches. `probes` says whether probe sessions run. `schema` is
    a dump to load first. `statement_limit` and `run_limit` are the most seconds that a statement and the whole replay may take.
    `production_rows` are the rows of production's tables, by relation, for estimates. `without_extensions` are not
    created, and the statements that need them are left out. `renderer` renders migrations that are programs;
    without it, the replay makes one.
    """

    experiments: tuple[str, ...] = EXPERIMENTS
    rows: Callable[[Name], int] | None = None
    seed_all: bool = False
    seed_limit: float | None = DEFAULT_LIMIT
    reader_seconds: float = 0.0
    probes: bool = True
    schema: Script | None = None
    statement_limit: float | None = None
    run_limit: float | None = None
    production_rows: Mapping[str, int] = {}
    without_extensions: Sequence[str] = ()
    renderer: Renderer | None = None


class ReplayedMigration(Struct, frozen=True, kw_only=True):
    """A migration that was replayed: its recording, its predictions and the outcomes of the experiments.

    `emptying` is set if the migration was run again with empty tables. `row_cause` says which rows made it fail, if the rows were generated.
    `untried` is why no statement could be sent; empty if one was. `likely_cause` is the end of a sentence about its failure. `estimates` are
    the estimated times with production's rows, by statement index.
    """

    recording: Recording
    predictions: tuple[StatementPrediction, ...]
    outcomes: tuple[Outcome, ...] = ()
    emptying: Emptying | None = None
    row_cause: RowCause | None = None
    untried: str = ""
    likely_cause: str = ""
    estimates: dict[int, Estimate] = {}

    @property
    def migration(self) -> Migration:
        """The migration."""
        return self.recording.migration


class _Database(Struct):
    """The database of a source after the migrations so far; `state` and `rows` are its contents and the rows of each table, if known."""

    name: str
    seeder: Seeder | None
    state: DatabaseState | None = None
    rows: dict[int, int] | None = None


ShowProgress = Callable[[str], None]


class ReplayRun:
    """The replay of a plan.

    `problems` are the errors so far; the replay continues where it can. `unfilled` are the tables without rows, with the reasons; `filled`
    are those with generated rows. `repairs` has the roles and schemas that migrations use but do not create; `notes` are sentences about
    what else was assumed. `not_run` are the selected migrations that did not run, because an earlier one failed.
    """

    def __init__(self, plan: Plan, host: Host, options: ReplayOptions, progress: ShowProgress) -> None:
        self._plan = plan
        self._host = host
        self._options = options
        self.problems: list[MigsafeError] = []
        self._progress = progress
        self._limits = TimeLimits(self._terminate, statement=options.statement_limit, run=options.run_limit)
        self._instruments = Instruments(host, self._limits.limit_statement)
        self._names = count(1)
        self.unfilled: dict[str, str] = {}
        self.filled: set[Name] = set()
        self.repairs = Repairs(host)
        self._left_out = LeftOut(options.without_extensions)
        self.not_run: list[str] = []
        self.notes: list[str] = []
        self._history: History | None = None

    def migrations(self) -> Iterator[ReplayedMigration]:
        """Yields each selected migration after it has run. A source whose history cannot be applied ends there, with a problem."""
        with self._limits, self._options.renderer or Renderer() as renderer:
            for source in self._plan.sources:
                yield from self._replay_source(source, renderer)
        self.problems += self._plan.problems
        self.notes += self._left_out.notes()

    def _replay_source(self, source: Source, renderer: Renderer) -> Iterator[ReplayedMigration]:
        database = _Database(self._host.only_database or self._create(self._host.start_database), self._new_seeder())
        copy = partial(self._connect_to_copy, database.name) if self._host.only_database is None else None
        scripts = Scripts(renderer, self._limits.limit_statement, partial(self.repairs.repair, databases=(database.name,)), copy)
        self.repairs.forget_schemas()
        self._history = history = History(
            self._plan,
            self._host,
            database.name,
            schema=self._options.schema,
            repairs=self.repairs,
            left_out=self._left_out,
            guard=self._limits.limit_statement,
            progress=self._progress,
        )
        ran: set[str] | None = None
        try:
            steps = list(source.steps())
            predictor = history.begin(steps, scripts.half)
            for number, step in enumerate(steps):
                if not step.selected:
                    history.apply(number, step.migration, predictor, scripts.half)
                    continue
                if ran is None:
                    predictor = history.end(predictor)
                # The migrations of a release run directly after each other; between those of a history, tables have been in use for a while.
                if ran is None or not source.release:
                    upcoming = source.selected() if source.release else (step.migration,)
                    touched = None if self._options.seed_all else touched_relations(upcoming, predictor, renderer)
                    self._seed(database, touched)
                replayed = self._replay_step(database, step.migration, predictor, scripts, renderer)
                ran = {*(ran or ()), step.migration.id}
                yield replayed
                if replayed.recording.failure is not None:
                    self._note_not_run(source, ran)
                    return
        except MigsafeError as error:
            self.problems.append(error)
            self._note_not_run(source, ran or set())
        except error_class() as error:
            failure = failure_of(error)
            self.problems.append(MigsafeError(f"{source.path}: {failure.message}", hint_for(failure, self._host.major)))
            self._note_not_run(source, ran or set())
        finally:
            self.notes += history.notes
            if database.seeder is not None:
                self.unfilled.update(database.seeder.unfilled)
                self.filled.update(database.seeder.made)
            self._drop(database.name)

    def _note_not_run(self, source: Source, ran: set[str]) -> None:
        """Notes the selected migrations of a source that ended early."""
        paths = [migration.up.file.path for migration in source.selected() if migration.id not in ran]
        self.not_run += dict.fromkeys(paths)

    def _replay_step(
        self, database: _Database, migration: Migration, predictor: Predictor, scripts: Scripts, renderer: Renderer
    ) -> ReplayedMigration:
        """Replays one migration; if it cannot be rendered, or nothing of it can be sent, returns that it was not tried."""
        predictions: tuple[StatementPrediction, ...] = ()
        try:
            migration = replace(migration, up=scripts.half(migration.up, predictor))
            migration = renderer.render_down(migration, predictor)
            if self._history is not None:
                migration = self._history.leave_out(migration, scripts.copy)
            reason = untried_reason(migration.up)
        except MigsafeError as error:
            self._limits.check()
            recording, reason = Recording(migration=migration, statements=(), duration_ms=0.0), error.message
        else:
            if not reason:
                return self._replay_migration(database, migration, predictor)
            predictions, _ = _predict(predictor, migration.up)
            recording = self._instruments.run(MigrationTask(database=database.name, migration=migration, predictions=predictions, probes=False))
        path = migration.up.file.path
        if self._history is not None:
            self._history.untried.append(f"{path} was not tried ({reason})")
        self.problems.append(MigsafeError(f"{path}: the migration was not tried: {reason}"))
        outcomes = not_tried(self._options.experiments, reason)
        return ReplayedMigration(recording=recording, predictions=predictions, outcomes=outcomes, untried=reason)

    def _drop(self, database: str) -> None:
        self._instruments.disconnect()
        if database != self._host.only_database:
            # If the server has stopped, that has been reported already.
            with suppress(error_class()):
                self._host.drop_database(database)

    def _create(self, template: str | None) -> str:
        self._instruments.disconnect()
        name = f"migsafe_{next(self._names)}"
        self._host.create_database(name, template)
        return name

    @contextmanager
    def _connect_to_copy(self, database: str) -> "Iterator[Connection[Any]]":
        """Connects to a copy of a database, which is dropped at the end of the `with` block."""
        copy = self._create(database)
        connection = self._host.connect_as_migrator(copy)
        try:
            yield connection
        finally:
            connection.close()
            self._drop(copy)

    def _new_seeder(self) -> Seeder | None:
        if self._options.rows is None or self._host.only_database is not None:
            return None
        return Seeder(self._options.rows, self._options.seed_limit)

    def _seed(self, database: _Database, touched: Collection[Name] | None) -> None:
        if database.seeder is None:
            return
        with self._host.connect(database.name) as connection, self._limits.limit_run(connection) as work:
            try:
                database.seeder.seed(connection, self._progress, touched)
            except error_class() as error:
                if work.stop_reason:
                    raise MigsafeError(work.stop_reason, "Set a longer limit with --run-limit.") from error
                raise
        if database.seeder.filled:
            database.state = database.rows = None

    def _replay_migration(self, database: _Database, migration: Migration, predictor: Predictor) -> ReplayedMigration:
        """Replays one migration in the database, which then has its changes."""
        half = migration.up
        self._progress(f"replaying {half.file.path}")
        predictions, nontransactional = _predict(predictor, half)
        is_whole = is_one_transaction(half, frozenset(nontransactional))
        copies = self._host.only_database is None
        before = self._create(database.name) if copies and not is_whole else None
        try:
            state = database.state or DatabaseState(lambda: self._host.connect(before or database.name))
            if copies and "round trip" in self._options.experiments and migration.down is not None:
                _ = state.schema, state.rows
            task = MigrationTask(
                database=database.name,
                migration=migration,
                predictions=predictions,
                rehearsed=rehearse(self._host, before, half, nontransactional.values()) if before is not None else {},
                rows=database.rows,
                reader_seconds=self._options.reader_seconds,
                probes=self._options.probes,
            )
            recording, emptying = self._record(database, task, before)
            database.state, database.rows = DatabaseState(lambda: self._host.connect(database.name)), self._instruments.rows
            subject = Subject(
                self._host,
                migration,
                before,
                database.name,
                (state, database.state),
                outside=frozenset(nontransactional),
                emptied=emptying.tables if emptying is not None else frozenset(),
                guard=self._limits.limit_statement,
            )
            outcomes = self._run_experiments(subject) if recording.failure is None else []
        finally:
            if before is not None:
                self._drop(before)
        if "agreement" in self._options.experiments:
            outcomes.append(compare_with_predictions(predictions, recording.statements))
        estimated = {record.statement.index: estimate_duration(record, self._options.production_rows) for record in recording.statements}
        estimates = {index: estimate for index, estimate in estimated.items() if estimate is not None}
        failure = recording.failure
        return ReplayedMigration(
            recording=recording,
            predictions=predictions,
            outcomes=tuple(outcomes),
            emptying=emptying,
            row_cause=row_cause(recording) if database.seeder is not None and database.seeder.made else None,
            likely_cause=self._history.likely_cause(failure) if failure is not None and self._history is not None else "",
            estimates=estimates,
        )

    def _record(self, database: _Database, task: MigrationTask, before: str | None) -> tuple[Recording, Emptying | None]:
        """Runs and records a migration; again if a missing role could be created, or with empty tables if only generated rows can have made it
        fail. Returns the recording, and what was emptied."""
        emptying: Emptying | None = None
        for _ in range(_MAX_TRIES):
            recording = self._instruments.run(task)
            failure = recording.failure
            if failure is None or self._host.only_database is not None:
                break
            databases = (database.name, before) if before is not None else (database.name,)
            if not self.repairs.repair(failure, task.migration.up, databases):
                seeder = database.seeder
                if emptying is not None or seeder is None or not seeder.made or row_cause(recording) is not RowCause.GENERATED:
                    break
                touched = {effect.relation for prediction in task.predictions for effect in prediction.effects}
                with self._host.connect(before or database.name) as connection:
                    emptied = seeder.empty(connection, touched)
                emptying = Emptying(failure.message, recording.statements[-1].statement.index, emptied)
            if before is not None:
                self._drop(database.name)
                self._host.create_database(database.name, before)
            task = replace(task, rows=None)
        return recording, emptying

    def _run_experiments(self, subject: Subject) -> list[Outcome]:
        wanted = [name for name in _ON_COPIES if name in self._options.experiments]
        if self._host.only_database is not None:
            return [Outcome(experiment=name, passed=None, summary="not possible: experiments need a copy of the database") for name in wanted]
        outcomes = []
        if wanted:
            self._instruments.disconnect()
        for name in wanted:
            self._progress(f"{subject.migration.up.file.path}: {name}")
            outcomes.append(_ON_COPIES[name](subject))
        return outcomes

    def _terminate(self, connection: "Connection[Any]") -> None:
        with self._host.connect(connection.info.dbname) as other:
            other.execute("SELECT pg_catalog.pg_terminate_backend(%s)", (connection.info.backend_pid,))


def _predict(predictor: Predictor, half: Half) -> tuple[tuple[StatementPrediction, ...], dict[int, Statement]]:
    """Predicts a migration; returns the predictions, and its statements that cannot run in a transaction, by index."""
    predictions, nontransactional = [], {}
    for prediction in predictor.predict_migration(half):
        predictions.append(prediction)
        if any(refused_in_transaction_block(operation, predictor.catalog) for operation in prediction.statement.operations):
            nontransactional[prediction.statement.index] = prediction.statement
    return tuple(predictions), nontransactional
