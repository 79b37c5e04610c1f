"""Runs one migration, records it, and makes the experiments."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from migsafe.prediction.predictor import Predictor
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.replaying.databases import Database, Databases
from migsafe.replaying.estimates import estimate_duration
from migsafe.replaying.experiments.agreement import compare_with_predictions
from migsafe.replaying.experiments.batches import BatchedChange, change_in_batches
from migsafe.replaying.experiments.contents import unchanged_tables
from migsafe.replaying.experiments.crash import crash
from migsafe.replaying.experiments.outcome import Outcome, tried_in_part
from migsafe.replaying.experiments.rerun import rerun
from migsafe.replaying.experiments.round_trip import round_trip
from migsafe.replaying.experiments.subject import DatabaseState, Subject, TooSlow, is_one_transaction
from migsafe.replaying.instruments import Instruments, LoadTask, MigrationTask
from migsafe.replaying.lock_timeouts import LockTimeout, SecondAttempt, is_lock_timeout, lock_timeout_of, try_again
from migsafe.replaying.prepared import Prepared, Render, prepared
from migsafe.replaying.probes.load_queries import columns_of_reads
from migsafe.replaying.queries.results import QueryResults
from migsafe.replaying.queries.trials import QueryTrials, other_path
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.recording.rehearsal import rehearse
from migsafe.replaying.refusals import UNDEFINED_TABLE, Failure, hint_for
from migsafe.replaying.repairs import MAX_TRIES, Repairs
from migsafe.replaying.replayed import ReplayedMigration, ReplayOptions
from migsafe.replaying.row_failures import Emptying, empties_more, merged, row_cause
from migsafe.replaying.row_repairs import RowRepairs
from migsafe.replaying.sending import Refused, send
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import Guard, RunStopped
from migsafe.replaying.untried import left_out_statements
from migsafe.replaying.upgrades import Upgrade, lock_timeout_in, rolled_back
from migsafe.schema.catalog import Catalog
from migsafe.sources import Half, Migration
from migsafe.sql.operations import Name

_EXPERIMENT_SECONDS = 60.0
_TIMES_LONGER = 10
"""A statement of an experiment may take this long, or so many times as long as the longest statement of the migration: a downgrade can delete
rows that a hundred thousand others reference without an index."""
_ON_COPIES: dict[str, Callable[[Subject], Outcome]] = {"rerun": rerun, "crash": crash, "round trip": round_trip}

ShowProgress = Callable[[str], None]
Result = TypeVar("Result")


class MigrationRunner:
    """Runs the migrations of one source on a host. `guard` limits the time of a statement; `likely_cause` explains a failure. In the block of
    `stoppable`, an interruption is a RunStopped."""

    def __init__(
        self,
        host: Host,
        options: ReplayOptions,
        *,
        databases: Databases,
        instruments: Instruments,
        repairs: Repairs,
        guard: Guard,
        guard_within: Callable[[float], Guard],
        likely_cause: Callable[[Failure], str],
        stoppable: Callable[[], AbstractContextManager[None]],
        progress: ShowProgress,
    ) -> None:
        self._host = host
        self._options = options
        self._databases = databases
        self._instruments = instruments
        self._repairs = repairs
        self._row_repairs = RowRepairs(host, repairs)
        self._guard = guard
        self._guard_within = guard_within
        self._likely_cause = likely_cause
        self._stoppable = stoppable
        self.stop: RunStopped | None = None
        """Why a part of a migration was not tried."""
        self._progress = progress
        self._trials = QueryTrials(host, options.queries, guard, keep_plans=options.keep_plans) if options.queries is not None else None

    def run(self, database: Database, migration: Migration, predictor: Predictor, render: Render | None) -> ReplayedMigration:
        """Replays one migration in the database, which then has its changes. `render` renders it again, if it depends on rows."""
        half = migration.up
        self._progress(f"replaying {half.file.path}")
        if self._trials is not None:
            self._trials.before(database.name, predictor)
        load = self._load_task(predictor)
        before: str | None = None
        try:
            with prepared(migration, predictor, render) as sent:
                before = self._copy_for_experiments(database.name, migration, frozenset(sent.nontransactional))
                start = self._start(database.name, migration)
                recording, emptying, lock_timeout = self._record(database, sent, before, predictor.catalog, load)
            migration, outside = sent.migration, frozenset(sent.nontransactional)
            database.contents = self._instruments.contents
            emptied = emptying.tables if emptying is not None else frozenset()
            subject = self._subject(migration, before, database.name, start, recording, outside, emptied)
            left_out = len(left_out_statements(recording))
            outcomes = [tried_in_part(outcome, left_out) for outcome in self._run_experiments(subject)] if recording.failure is None else []
            batched = self._change_in_batches(subject) if recording.failure is None else ()
            queries = self._try_queries(database.name, before, recording, predictor)
        finally:
            if before is not None:
                self._databases.drop(before)
        if "agreement" in self._options.experiments:
            outcomes.append(compare_with_predictions(sent.predictions, recording.statements))
        replayed = self._replayed(database, recording, sent.predictions, outcomes, emptying)
        return replace(replayed, lock_timeout=lock_timeout, queries=queries, batched=batched)

    def _in_time(self, work: Callable[[], Result]) -> Result | None:
        """Returns the result of work; None if the run is stopped, which is remembered, so that what was measured before is kept."""
        try:
            with self._stoppable():
                return work()
        except RunStopped as stop:
            self.stop = stop
            return None

    def forget_state(self, database: Database) -> None:
        """Forgets what is known of the database, because something else than a replayed migration has changed it."""
        database.contents = None
        if self._trials is not None:
            self._trials.forget_state()

    def try_queries_alone(self, database: str, migration: Migration, predictor: Predictor) -> QueryResults | None:
        """Returns what PostgreSQL says about the queries after the last `migration` of a history, if a release has none of its own."""
        if self._trials is None:
            return None
        self._trials.before(database, predictor)
        return self._trials.after(database, None, Recording(migration=migration, statements=(), duration_ms=0.0), predictor)

    def _try_queries(self, database: str, before: str | None, recording: Recording, predictor: Predictor) -> QueryResults | None:
        """Returns what the migration does to the application's queries, if there is time; `before` is a copy of the database as it was before
        it."""
        if self._trials is None or recording.failure is not None:
            return None
        return self._in_time(partial(self._trials.after, database, before, recording, predictor))

    def run_together(
        self, database: Database, upgrade: Upgrade, predictor: Predictor, render: Callable[[], Upgrade | None] | None
    ) -> Iterator[ReplayedMigration]:
        """Replays migrations in one transaction, and yields those that ran. The experiments are made with each by itself, because each can be
        the one that a runner begins with, or that a downgrade undoes. `render` renders them again for other rows, if they depend on
        them."""
        paths = ", ".join(part.migration.up.file.path for part in upgrade.parts)
        self._progress(f"replaying {paths}")
        if self._trials is not None:
            self._trials.before(database.name, predictor)
        load = self._load_task(predictor)

        def render_upgrade() -> Migration:
            nonlocal upgrade
            upgrade = (render() if render is not None else None) or upgrade
            return upgrade.migration

        before = self._databases.create(database.name) if self._databases.can_be_copied else None
        try:
            with prepared(upgrade.migration, predictor, render_upgrade if render is not None else None) as sent:
                recording, emptying, lock_timeout = self._record(database, sent, before, predictor.catalog, load)
            predictions, nontransactional = sent.predictions, sent.nontransactional
            database.contents = self._instruments.contents
            emptied = emptying.tables if emptying is not None else frozenset()
            queries = self._try_queries(database.name, before, recording, predictor)
            why = f"not tried: {_failed_path(upgrade, recording)}, and no migration of its upgrade is applied" if recording.failure else ""
            for part, its_recording in upgrade.split(recording):
                outside = frozenset(index - part.first for index in nontransactional if part.has(index))
                if its_recording.failure is not None:
                    outcomes = []
                elif why or before is None:
                    outcomes = [self._not_made(name, why) for name in self._wanted()]
                else:
                    left_out = len(left_out_statements(its_recording))
                    made = self._experiments_on(before, part.migration, its_recording, outside, emptied)
                    outcomes = [tried_in_part(outcome, left_out) for outcome in made]
                its_predictions = upgrade.predictions(part, predictions)
                if "agreement" in self._options.experiments:
                    outcomes.append(compare_with_predictions(its_predictions, its_recording.statements))
                its_emptying = (
                    replace(emptying, statement=emptying.statement - part.first) if emptying and part.has(emptying.statement) else None
                )
                replayed = self._replayed(database, its_recording, its_predictions, outcomes, its_emptying)
                replayed = replace(replayed, lock_timeout=lock_timeout_in(part, lock_timeout), queries=upgrade.queries(part, queries))
                if its_recording.failure is not None and part.first > 0:
                    left = rolled_back(recording, [earlier for earlier in upgrade.parts if earlier.first < part.first])
                    replayed = replace(replayed, likely_cause=replayed.likely_cause + left)
                yield replayed
        finally:
            if before is not None:
                self._databases.drop(before)

    def _experiments_on(
        self, database: str, migration: Migration, recording: Recording, outside: frozenset[int], emptied: frozenset[Name]
    ) -> list[Outcome]:
        """Runs a migration on a database that has those before it, and makes the experiments."""
        if not self._wanted():
            return []
        before = self._copy_for_experiments(database, migration, outside)
        try:
            start = self._start(database, migration)
            try:
                with self._stoppable():
                    self._send(database, migration.up)
            except Refused as refused:
                why = f"not possible: the migration fails in a transaction of its own: {refused.failure.message}"
                return [self._not_made(name, why) for name in self._wanted()]
            except RunStopped:
                pass  # the experiments are stopped, too
            return self._run_experiments(self._subject(migration, before, database, start, recording, outside, emptied))
        finally:
            if before is not None:
                self._databases.drop(before)

    def _task(self, database: Database, sent: Prepared, before: str | None, catalog: Catalog, load: LoadTask | None) -> MigrationTask:
        """Returns the task of recording a migration. On a copy of the database `before` it, its statements that cannot run in a transaction
        are tried out."""
        outside = sent.nontransactional.values()
        return MigrationTask(
            database=database.name,
            migration=sent.migration,
            predictions=sent.predictions,
            rehearsed=rehearse(self._host, before, sent.migration.up, outside) if before is not None else {},
            contents=database.contents,
            reader_seconds=self._options.reader_seconds,
            probes=self._options.probes,
            queries=self._options.queries,
            search_path=other_path(catalog),
            load=load,
        )

    def _load_task(self, predictor: Predictor) -> LoadTask | None:
        """Returns the load beside a migration; `predictor` knows the schema before it."""
        if not self._options.load or self._options.queries is None:
            return None
        return LoadTask(sessions=self._options.load, columns=columns_of_reads(self._options.queries, predictor.catalog))

    def _is_reversed(self, migration: Migration) -> bool:
        return "round trip" in self._options.experiments and migration.down is not None

    def _copy_for_experiments(self, database: str, migration: Migration, outside: frozenset[int]) -> str | None:
        """Copies a database if experiments need it as it is before a migration; returns the name of the copy."""
        is_needed = self._trials is not None or self._batched(migration) or self._is_reversed(migration)
        is_needed = is_needed or not is_one_transaction(migration.up, outside)
        return self._databases.create(database) if is_needed and self._databases.can_be_copied else None

    def _start(self, database: str, migration: Migration) -> DatabaseState:
        """Returns the state of a database before a migration. What was written to its tables is read now if it is needed later."""
        start = DatabaseState(lambda: self._host.connect(database))
        _ = start.tables if self._is_reversed(migration) else None
        return start

    def _subject(
        self,
        migration: Migration,
        before: str | None,
        database: str,
        start: DatabaseState,
        recording: Recording,
        outside: frozenset[int],
        emptied: frozenset[Name],
    ) -> Subject:
        """Returns a migration that has run in a database, for the experiments. `before` is a copy of the database as it was at the `start`."""
        longest = max((record.duration_ms / 1000 for record in recording.statements), default=0.0)
        after = DatabaseState(lambda: self._host.connect(database))
        return Subject(
            self._host,
            migration,
            before,
            database,
            (DatabaseState(lambda: self._host.connect(before or database)), after),
            outside=outside,
            emptied=emptied,
            unwritten=unchanged_tables(start.tables, after.tables) if self._is_reversed(migration) else (),
            guard=self._guard_within(max(_EXPERIMENT_SECONDS, _TIMES_LONGER * longest)),
        )

    def _send(self, database: str, half: Half) -> None:
        connection = self._host.connect_as_migrator(database)
        try:
            send(connection, half, guard=self._guard)
        finally:
            connection.close()

    def _replayed(
        self,
        database: Database,
        recording: Recording,
        predictions: tuple[StatementPrediction, ...],
        outcomes: list[Outcome],
        emptying: Emptying | None,
    ) -> ReplayedMigration:
        estimated = {record.statement.index: estimate_duration(record, self._options.production_rows) for record in recording.statements}
        estimates = {index: estimate for index, estimate in estimated.items() if estimate is not None}
        failure = recording.failure
        return ReplayedMigration(
            recording=recording,
            predictions=predictions,
            outcomes=tuple(outcomes),
            emptying=emptying,
            row_cause=row_cause(recording) if self._row_repairs.are_generated(database, recording) else None,
            likely_cause=self._cause(failure) if failure is not None else "",
            estimates=estimates,
        )

    def _cause(self, failure: Failure) -> str:
        """Returns the likely cause of a failure, or what the user can do about it, to be appended to the message."""
        hint = hint_for(failure, self._host.major).rstrip(".") if failure.sqlstate != UNDEFINED_TABLE else ""
        return self._likely_cause(failure) or (f". {hint}" if hint else "")

    def _record(
        self, database: Database, sent: Prepared, before: str | None, catalog: Catalog, load: LoadTask | None
    ) -> tuple[Recording, Emptying | None, LockTimeout | None]:
        """Runs and records a migration; again if a missing role could be created, with empty tables if generated rows made it fail and
        production's may not, or without readers if its lock_timeout struck. Returns the recording, what was emptied, and the lock_timeout."""
        emptying: Emptying | None = None
        lock_timeout: LockTimeout | None = None
        second = SecondAttempt()
        note = ""
        task = self._task(database, sent, before, catalog, load)
        for _ in range(MAX_TRIES):
            recording = self._instruments.run(task)
            failure = recording.failure
            are_rows_changed = False
            if failure is None or failure.is_interruption:
                break
            if task.reader_seconds and is_lock_timeout(failure):
                lock_timeout = lock_timeout_of(recording)
                task = replace(task, reader_seconds=0.0)
                second = try_again(self._host, database.name, task.migration.up, self._guard) if before is not None else second
            elif not self._databases.can_be_copied:
                break
            elif not self._repairs.repair(failure, task.migration.up, (database.name, before) if before is not None else (database.name,)):
                filled_plainly = "" if note else self._row_repairs.fill_plainly(database, before, recording, task, catalog)
                emptied = self._row_repairs.empty(database, before, recording, task, catalog) if not filled_plainly else None
                if not filled_plainly and not empties_more(emptying, emptied):
                    break
                note, emptying, are_rows_changed = note or filled_plainly, merged(emptying, emptied), True
            if before is not None:
                self._databases.drop(database.name)
                self._host.create_database(database.name, before)
            database.contents = None
            if are_rows_changed:
                sent.render_again()
                task = replace(self._task(database, sent, before, catalog, load), reader_seconds=task.reader_seconds)
                if emptying is not None and emptying.message == failure.message:
                    emptying = replace(emptying, statement=sent.index_of(recording.statements[-1]))
            task = replace(task, contents=None)
        if note and recording.failure is None and emptying is None and database.seeder is not None:
            database.seeder.notes.append(note)
        if lock_timeout is not None and recording.failure is None:
            lock_timeout = replace(lock_timeout, stuck=second.stuck(DatabaseState(lambda: self._host.connect(database.name))))
        return recording, emptying, lock_timeout

    def _run_experiments(self, subject: Subject) -> list[Outcome]:
        if not self._databases.can_be_copied:
            return [self._not_made(name, "") for name in self._wanted()]
        outcomes = []
        if self._wanted():
            self._instruments.disconnect()
        for name in self._wanted():
            outcome = self._in_time(partial(self._experiment, name, subject))
            outcomes.append(outcome or self._not_made(name, f"not tried: {self.stop.message if self.stop is not None else ''}"))
        return outcomes

    def _experiment(self, name: str, subject: Subject) -> Outcome:
        self._progress(f"{subject.migration.up.file.path}: {name}")
        try:
            return _ON_COPIES[name](subject)
        except TooSlow as error:
            return self._not_made(name, f"not finished: {error}")

    def _batched(self, migration: Migration) -> Mapping[int, str]:
        return self._options.batched.get((migration.up.file.path, migration.id), {})

    def _change_in_batches(self, subject: Subject) -> tuple[BatchedChange, ...]:
        batched = self._batched(subject.migration)
        if batched:
            self._progress(f"{subject.migration.up.file.path}: in batches")
        return (self._in_time(partial(change_in_batches, subject, batched)) or ()) if batched else ()

    def _wanted(self) -> list[str]:
        return [name for name in _ON_COPIES if name in self._options.experiments]

    @staticmethod
    def _not_made(experiment: str, why: str) -> Outcome:
        return Outcome(experiment=experiment, passed=None, summary=why or "not possible: experiments need a copy of the database")


def _failed_path(upgrade: Upgrade, recording: Recording) -> str:
    """Returns which migration of an upgrade failed, or was interrupted, as a clause."""
    index, failure = recording.statements[-1].statement.index, recording.failure
    path = next(part.migration.up.file.path for part in upgrade.parts if part.has(index))
    return f"{path} {'was interrupted' if failure is not None and failure.is_interruption else 'failed'}"
