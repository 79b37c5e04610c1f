"""A replay: applies the history, seeds rows, then runs and records each selected migration, and runs the experiments."""

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from migsafe.errors import MigsafeError
from migsafe.prediction.predictor import Predictor
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.rendering.renderer import Renderer
from migsafe.replaying.databases import Database, Databases
from migsafe.replaying.end_state import EndState, RowsByTable, read_end, rows_of
from migsafe.replaying.history import History
from migsafe.replaying.instruments import Instruments, MigrationTask
from migsafe.replaying.known_schema import predict
from migsafe.replaying.left_out import LeftOut
from migsafe.replaying.queries.index_results import IndexResults
from migsafe.replaying.queries.index_run import AffectedQueries, IndexRun, tables_beside
from migsafe.replaying.queries.results import QueryResults
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.refusals import error_class, failure_of, hint_for
from migsafe.replaying.repairs import Repairs
from migsafe.replaying.replayed import EXPERIMENTS, ReplayedMigration, ReplayOptions
from migsafe.replaying.running import MigrationRunner, ShowProgress
from migsafe.replaying.scripts import Scripts
from migsafe.replaying.seeding import Seeder
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import Interruption, RunStopped, TimeLimits
from migsafe.replaying.touched import measure_touched, predict_touched, required_rows
from migsafe.replaying.untried import not_tried, untried_reason
from migsafe.replaying.upgrades import Upgrade, following
from migsafe.schema.statistics import Statistics
from migsafe.sources import Half, Migration, Plan, Source
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["EXPERIMENTS", "ReplayOptions", "ReplayRun", "ReplayedMigration"]

_LOST = "The replay is incomplete. The server's log says why it ended the connection; run the replay again when the server is up."


class ReplayRun:
    """The replay of a plan.

    `problems` are the errors so far; the replay continues where it can. `unfilled` are the tables without rows, with the reasons; `filled`
    are those with generated rows. `repairs` has what migrations use but do not create; `notes` are sentences about
    what else was assumed. `indexes` are the results of the index trials, one for each source. `without_migrations` are the results for the
    queries, if no migration is selected and the new release has new queries. `has_shared_transactions`: some migrations ran in one
    transaction. `not_run` are the selected migrations that did not run, because an earlier one failed. `ends` are the states at the end
    of the sources whose migrations all ran, if the options ask for them.
    """

    def __init__(
        self, plan: Plan, host: Host, options: ReplayOptions, progress: ShowProgress, interruption: Interruption | None = None
    ) -> None:
        self._plan = plan
        self._host = host
        self._options = options
        self.problems: list[MigsafeError] = []
        self._progress = progress
        self._limits = TimeLimits(self._terminate, statement=options.statement_limit, run=options.run_limit, interruption=interruption)
        self._instruments = Instruments(host, self._limits.limit_statement)
        self._databases = Databases(host, self._disconnect)
        self.unfilled: dict[str, str] = {}
        self.filled: set[Name] = set()
        self.repairs = Repairs(host, options.without_extensions)
        self._left_out = LeftOut(options.without_extensions)
        self.not_run: list[str] = []
        self.notes: list[str] = []
        self.has_shared_transactions = False
        self.indexes: list[IndexResults] = []
        self.ends: list[EndState] = []
        self._start: RowsByTable = {}
        self.without_migrations: QueryResults | None = None
        self._history: History | None = None

    def migrations(self) -> Iterator[ReplayedMigration]:
        """Yields each selected migration after it has run. A source whose history cannot be applied ends there, with a problem."""
        with self._limits, self._options.renderer or Renderer() as renderer:
            for source in self._plan.sources:
                yield from self._replay_source(source, renderer)
            if self._limits.is_interrupted:
                self.problems.append(self._limits.stopped())
        self.problems += self._plan.problems
        self.notes += self._left_out.notes()

    def _replay_source(self, source: Source, renderer: Renderer) -> Iterator[ReplayedMigration]:
        """Replays the migrations of a source. A run that is stopped before it begins only notes them."""
        ran: set[str] = set()
        try:
            with self._limits.stoppable():
                for replayed in self._replay_steps(source, renderer):
                    ran.add(replayed.migration.id)
                    yield replayed
        except RunStopped as stop:
            self.problems += [] if self._limits.is_interrupted else [stop]
        finally:
            self._note_not_run(source, ran)

    def _replay_steps(self, source: Source, renderer: Renderer) -> Iterator[ReplayedMigration]:
        database = Database(self._host.only_database or self._databases.create(self._host.start_database), self._new_seeder())
        copy = partial(self._databases.copy, database.name) if self._host.only_database is None else None
        scripts = Scripts(renderer, self._limits.limit_statement, partial(self.repairs.repair, databases=(database.name,)), copy)
        self._history = history = self._new_history(database.name)
        runner = self._new_runner(history)
        ran: set[str] | None = None
        affected = AffectedQueries()
        is_emptied = False
        try:
            steps = list(source.steps())
            self.repairs.begin_history(step.migration.up.script.text for step in steps)
            predictor = history.begin(steps, scripts.half)
            for number, step in enumerate(steps):
                if not step.selected:
                    history.apply(number, step.migration, predictor, scripts.half, is_between=ran is not None)
                    runner.forget_state(database)
                    continue
                if number > 0 and steps[number - 1].transaction_continues:
                    continue  # it has run with the step before it
                if ran is None:
                    predictor = history.end(predictor)
                    if database.seeder is not None:
                        database.seeder.requirements = required_rows(source.selected(), predictor, renderer)
                # The migrations of a release run directly after each other; between those of a history, tables have been in use for a while.
                if ran is None or is_emptied or not self._seeds_once(source):
                    self._seed_for(source, step.migration, database, predictor, renderer, is_first=ran is None)
                is_emptied, together = False, [step.migration, *following(steps, number)]
                is_end = source.reaches_end and number + len(together) == len(steps) and not self._options.without_extensions
                for each in self._replay_together(runner, database, together, predictor, scripts, renderer):
                    replayed = _placed(each, at_end=is_end and each.migration.id == together[-1].id, is_release=source.release)
                    ran = {*(ran or ()), replayed.migration.id}
                    is_emptied = is_emptied or replayed.emptying is not None
                    affected.add(replayed.predictions, replayed.queries, predictor.catalog)
                    yield replayed
                    if self._has_failed(replayed, runner):
                        return
            if ran is not None:
                self._try_indexes(source, database, predictor, affected, list(source.selected())[-1])
            elif steps:
                self._try_without_migrations(source, database, history.end(predictor), steps[-1].migration, runner)
        except RunStopped:
            raise
        except MigsafeError as error:
            self.problems.append(error)
        except error_class() as error:
            self._limits.check()
            failure = failure_of(error)
            self.problems.append(MigsafeError(f"{source.path}: {failure.message}", hint_for(failure, self._host.major)))
        finally:
            self.notes += history.notes
            self._note_rows(database.seeder)
            self._databases.drop(database.name)

    def _read_end(self, database: Database) -> None:
        self._disconnect()
        with self._host.connect(database.name) as connection:
            for statement in self._options.afterwards:
                connection.execute(statement.encode())
            self.ends.append(read_end(connection, self._start))

    def _has_failed(self, replayed: ReplayedMigration, runner: MigrationRunner) -> bool:
        """Whether a migration failed, so that the ones after it do not run. Raises RunStopped if a part of it was not tried."""
        if runner.stop is not None:
            raise runner.stop
        failure = replayed.recording.failure
        if failure is not None and (failure.lost or failure.is_disk_full):
            hint = hint_for(failure, self._host.major) or _LOST
            self.problems.append(MigsafeError(f"{replayed.migration.up.file.path}: {failure.message}", hint))
        return failure is not None

    def _note_rows(self, seeder: Seeder | None) -> None:
        """Notes which tables were filled, and which could not be."""
        if seeder is not None:
            self.unfilled.update(seeder.unfilled)
            self.filled.update(seeder.made)
            self.notes += seeder.notes

    def _new_history(self, database: str) -> History:
        return History(
            self._plan,
            self._host,
            database,
            schema=self._options.schema,
            repairs=self.repairs,
            left_out=self._left_out,
            guard=self._limits.limit_statement,
            progress=self._progress,
        )

    def _new_runner(self, history: History) -> MigrationRunner:
        return MigrationRunner(
            self._host,
            self._options,
            databases=self._databases,
            instruments=self._instruments,
            repairs=self.repairs,
            guard=self._limits.limit_statement,
            guard_within=self._limits.within,
            likely_cause=history.likely_cause,
            stoppable=self._limits.stoppable,
            progress=self._progress,
        )

    def _note_not_run(self, source: Source, ran: set[str]) -> None:
        """Notes the selected migrations of a source that did not run."""
        paths = [migration.up.file.path for migration in source.selected() if migration.id not in ran]
        self.not_run += dict.fromkeys(paths)

    def _replay_together(
        self,
        runner: MigrationRunner,
        database: Database,
        migrations: list[Migration],
        predictor: Predictor,
        scripts: Scripts,
        renderer: Renderer,
    ) -> Iterator[ReplayedMigration]:
        """Replays migrations that share a transaction, or a single one; what cannot be rendered, or sends nothing, was not tried."""
        prepared = list(self._prepare(database, migrations, predictor, scripts, renderer))

        def render() -> list[Migration]:
            return [migration for migration, reason in self._prepare(database, migrations, predictor, scripts, renderer) if not reason]

        def render_one() -> Migration | None:
            return next(iter(render()), None)

        def render_upgrade() -> Upgrade | None:
            again = render()
            return Upgrade(again) if len(again) == len(sent) else None

        sent = [migration for migration, reason in prepared if not reason]
        depends_on_rows = bool(self._left_out) or any(migration.up.program is not None for migration in sent)
        if self._history is not None:
            self._history.untried += [f"{migration.up.file.path} was not tried ({reason})" for migration, reason in prepared if reason]
        if len(sent) > 1:
            replayed = {
                each.migration.id: each
                for each in runner.run_together(database, Upgrade(sent), predictor, render_upgrade if depends_on_rows else None)
            }
            self._note_shared_transaction([migration for migration in sent if migration.id in replayed])
        for migration, reason in prepared:
            if reason:
                yield self._untried(database, migration, reason, predictor)
                runner.forget_state(database)
            elif len(sent) == 1:
                yield runner.run(database, migration, predictor, render_one if depends_on_rows else None)
            elif migration.id in replayed:
                yield replayed[migration.id]

    def _prepare(
        self, database: Database, migrations: list[Migration], predictor: Predictor, scripts: Scripts, renderer: Renderer
    ) -> Iterator[tuple[Migration, str]]:
        """Yields migrations as they will be sent, with the reason if one cannot be tried. Each is rendered after the ones before it."""
        earlier: list[Half] = []
        with predictor.trial():
            for number, migration in enumerate(migrations):
                copy = partial(self._databases.copy, database.name, after=tuple(earlier)) if self._databases.can_be_copied else None
                try:
                    migration = replace(migration, up=scripts.with_copy(copy).half(migration.up, predictor, is_judged=True))  # noqa: PLW2901
                    migration = renderer.render_down(migration, predictor)  # noqa: PLW2901
                    if self._history is not None:
                        migration = self._history.leave_out(migration, copy)  # noqa: PLW2901
                    reason = untried_reason(migration.up)
                except MigsafeError as error:
                    self._limits.check()
                    yield migration, error.message
                    continue
                if number + 1 < len(migrations):
                    list(predictor.predict_migration(migration.up, transaction_continues=True))
                    earlier.append(migration.up)
                yield migration, reason

    def _note_shared_transaction(self, migrations: list[Migration]) -> None:
        self.has_shared_transactions = True
        if len(migrations) == 1:
            return  # it failed, so the others did not run
        first, last = migrations[0].up.file.path, migrations[-1].up.file.path
        what, run = ("revisions", "`alembic upgrade`") if migrations[0].up.program is not None else ("migrations", "run of the runner")
        self.notes.append(
            f"{len(migrations)} {what}, {first} to {last}, ran in one transaction, as in one {run}: "
            "each holds its locks until the end of the last one."
        )

    def _untried(self, database: Database, migration: Migration, reason: str, predictor: Predictor) -> ReplayedMigration:
        """Returns that nothing of a migration was tried."""
        predictions: tuple[StatementPrediction, ...] = ()
        recording = Recording(migration=migration, statements=(), duration_ms=0.0)
        if migration.up.chunks:
            predictions, _ = predict(predictor, migration.up)
            recording = self._instruments.run(MigrationTask(database=database.name, migration=migration, predictions=predictions, probes=False))
        path = migration.up.file.path
        self.problems.append(MigsafeError(f"{path}: the migration was not tried: {reason}"))
        outcomes = not_tried(self._options.experiments, reason)
        return ReplayedMigration(recording=recording, predictions=predictions, outcomes=outcomes, untried=reason)

    def _new_seeder(self) -> Seeder | None:
        if self._options.rows is None or self._host.only_database is not None:
            return None
        statistics = Statistics(self._options.production_rows, self._options.production_columns)
        # The rows of a copy are those of the user.
        return Seeder(self._options.rows, self._options.seed_limit, statistics, fills_up=not self._host.origin)

    def _seeds_once(self, source: Source) -> bool:
        """Whether rows are generated only before the first migration, for all of them."""
        return source.release or self._options.reads_end

    def _seed_for(
        self, source: Source, migration: Migration, database: Database, predictor: Predictor, renderer: Renderer, *, is_first: bool
    ) -> None:
        """Fills the tables that the next migration touches, or all of them, and those that queries read together with them. The first time,
        reads the rows that there are then, if the options ask for the end state."""
        upcoming = source.selected() if self._seeds_once(source) else (migration,)
        touched = None if self._options.seed_all or database.seeder is None else self._touched(upcoming, database.name, predictor, renderer)
        if touched is not None and self._options.queries is not None:
            touched = tables_beside(touched, self._options.queries, predictor.catalog)
        self._seed(database, touched)
        if is_first and self._options.reads_end:
            with self._host.connect(database.name) as connection:
                self._start = rows_of(connection)

    def _touched(self, upcoming: Iterable[Migration], database: str, predictor: Predictor, renderer: Renderer) -> frozenset[Name] | None:
        """Returns the relations that migrations touch: as predicted, and where that is not complete, as measured on a copy; None if even
        that is not possible."""
        touched = predict_touched(upcoming, predictor, renderer)
        if touched is None or touched.complete:
            return touched.names if touched is not None else None
        if not self._databases.can_be_copied:
            return None
        self._progress("looking for the tables that the migrations touch")
        instruments = Instruments(self._host, self._limits.limit_statement)

        def record(copy: str, migration: Migration) -> Recording:
            if self._history is not None:
                migration = self._history.leave_out(migration, partial(self._databases.copy, copy))
            try:
                return instruments.run(MigrationTask(database=copy, migration=migration, predictions=(), probes=False))
            finally:
                instruments.disconnect()

        return measure_touched(touched, self._databases, database, record)

    def _seed(self, database: Database, touched: Collection[Name] | None) -> None:
        if database.seeder is None:
            return
        with self._host.connect(database.name) as connection, self._limits.limit_run(connection):
            database.seeder.seed(connection, self._progress, touched)
        if database.seeder.filled:
            database.contents = None

    def _try_without_migrations(
        self, source: Source, database: Database, predictor: Predictor, last: Migration, runner: MigrationRunner
    ) -> None:
        """Tries the new queries of a release that has no migrations, after the `last` migration of the history."""
        queries, affected = self._options.queries, AffectedQueries()
        if queries is None or not queries.workload.new_queries():
            return
        predictor.begin(last.up.transaction)  # of a further migration: the tables of the last one have been in use
        self._seed(database, IndexRun(queries, predictor, last, source.runner, affected).tables)
        results = runner.try_queries_alone(database.name, last, predictor)
        self.without_migrations = replace(results, at_end=source.reaches_end) if results is not None else None
        self._try_indexes(source, database, predictor, affected, last)

    def _try_indexes(self, source: Source, database: Database, predictor: Predictor, affected: AffectedQueries, last: Migration) -> None:
        """Tries indexes for the queries that the migrations affect, on the database after the `last` one; before that, reads its end state if
        the options ask for it."""
        if self._options.reads_end:
            self._read_end(database)
        if self._options.queries is None:
            return
        run = IndexRun(self._options.queries, predictor, last, source.runner, affected)
        if not run.judged:
            return
        if not source.reaches_end:
            # A later migration may create the index: the queries belong to the release of the last one.
            self.indexes.append(run.skipped("the history has later migrations, which may create indexes"))
            return
        self._seed(database, run.tables)
        self._disconnect()
        with self._host.connect(database.name) as connection, self._limits.limit_run(connection):
            limit = self._options.statement_limit
            results = run.run(connection, self._options.production_rows, limit, partial(self._has_real_rows, database), self._progress)
        self.indexes.append(results)

    def _has_real_rows(self, database: Database, table: Name) -> bool:
        """Whether the rows of a table are those of the database that the replay began with."""
        return bool(self._host.origin) and (database.seeder is None or table not in database.seeder.made)

    def _disconnect(self) -> None:
        self._instruments.disconnect()
        if self._history is not None:
            self._history.disconnect()

    def _terminate(self, connection: "Connection[Any]") -> None:
        with self._host.connect(connection.info.dbname) as other:
            other.execute("SELECT pg_catalog.pg_terminate_backend(%s)", (connection.info.backend_pid,))


def _placed(replayed: ReplayedMigration, *, at_end: bool, is_release: bool) -> ReplayedMigration:
    """Returns a migration with its place in the history, for what is said about queries."""
    if replayed.queries is None:
        return replayed
    return replace(replayed, queries=replace(replayed.queries, at_end=at_end, is_release=is_release))
