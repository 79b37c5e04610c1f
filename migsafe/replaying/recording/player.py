"""The player: sends a migration to a server as its runner does, and records what each statement does."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from migsafe.lock import LockMode
from migsafe.replaying.exchange import Reply, exchange, execute
from migsafe.replaying.recording.contents import Contents
from migsafe.replaying.recording.ledger import Ledger, Message, read_contents
from migsafe.replaying.recording.lock_monitor import LockMonitor, ObservedLock
from migsafe.replaying.recording.measurement import Measurement, Trace, measurement_of
from migsafe.replaying.recording.open_statements import OpenStatement
from migsafe.replaying.recording.read_ahead import ReadAhead
from migsafe.replaying.recording.records import LockPeriod, StatementRecord
from migsafe.replaying.recording.rehearsal import add_rehearsal
from migsafe.replaying.recording.snapshot import Snapshot
from migsafe.replaying.refusals import error_class, failure_of
from migsafe.replaying.sending import execute_statement, is_idle, set_up, skip_reason
from migsafe.replaying.servers.time_limits import Guard, unlimited
from migsafe.session import Command, SentStatement, runner_steps, sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGresult

_NO_TRANSACTION = ("25001", "2D000")
"""The errors of a statement that PostgreSQL refuses in a transaction block, and of a COMMIT of a DO block or a procedure in one."""

_DEALLOCATE = ("deallocate", "discard")


class MigrationFailed(Exception):
    """A statement failed, which ends the migration."""


class Player:
    """Plays record migration on record connection. `records` grows as transactions end; a failure is in the last record.

    The connection must be in autocommit, and no other connection may change its database. `monitor` watches its locks, `counter` can read
    all tables. `contents` is what the database contains, if that is known; the player updates it. `ledger` is that of the player before, which
    is used again if it is of this connection: preparing a new one takes longer than a small statement. `guard` limits the time of a statement.
    `rehearsed` has the measurements of statements outside transactions on a copy, by statement index: they contain all locks, not only
    those that were held long enough to be seen. `start` is when the migration began, by perf_counter.
    """

    def __init__(
        self,
        connection: "Connection[Any]",
        monitor: LockMonitor,
        counter: "Connection[Any]",
        *,
        contents: Contents | None = None,
        ledger: Ledger | None = None,
        guard: Guard = unlimited,
        rehearsed: Mapping[int, Measurement] | None = None,
    ) -> None:
        self.start = perf_counter()
        self.records: list[StatementRecord] = []
        self._connection = connection
        self._monitor = monitor
        self._guard = guard
        self._rehearsed = rehearsed or {}
        self._counter = counter
        self.contents = contents or read_contents(connection, counter)
        self.contents.begin_session()
        self._existing = frozenset(self.contents.relations)
        if ledger is not None and ledger.is_of(connection):
            ledger.begin_migration(self.contents)
            self.ledger = ledger
        else:
            self.ledger = Ledger(connection, self.contents)
        self._open: list[OpenStatement] = []
        self._busy: list[tuple[float, float]] = []
        self._busy_seconds = 0.0
        self._unmeasured: Callable[[], None] | None = None
        self._statements = ReadAhead(())
        self._transaction: int | None = None
        self._transactions = 0
        self._temporary_bytes: list[int] = []
        self._reports_temporary_files = connection.info.parameter_status("is_superuser") == "on"

    def play(self, half: Half, began: Callable[[float], None] | None = None) -> tuple[StatementRecord, ...]:
        """Sends the statements up to the end or to the record that fails; calls `began` with the start time, by perf_counter.

        Raises UnreadableError for the script.
        """
        self.start = perf_counter()
        if began is not None:
            began(self.start)
        self._connection.add_notice_handler(self._notice)
        try:
            self._play(half)
        finally:
            self._connection.remove_notice_handler(self._notice)
        return tuple(self.records)

    def _play(self, half: Half) -> None:
        set_up(self._connection, half)
        self._statements = ReadAhead(sent_statements(half))
        try:
            for step in runner_steps(half, lambda: self._in_block, self._statements):
                match step:
                    case Command.BEGIN:
                        self._begin()
                    case Command.COMMIT:
                        self._commit()
                    case Command.ROLLBACK:
                        self._rollback()
                    case SentStatement(statement=statement):
                        self._send(statement, half)
        except MigrationFailed:
            self._rollback()
        self._settle()

    @property
    def _in_block(self) -> bool:
        return self._transaction is not None

    def _send(self, statement: Statement, half: Half) -> None:
        operation, text = statement.operations[0], half.script.text
        command = text[statement.span.start : statement.span.end]
        reason = skip_reason(statement, half)
        # LOCK TABLE outside a transaction block fails, and would not in the transaction that recording adds.
        runs_unchanged = isinstance(operation, sql.SessionControl) or (isinstance(operation, sql.LockTable) and not self._in_block)
        if reason or runs_unchanged:
            self._settle()
        if reason:
            record = self._open_statement(statement, command)
            record.skip_reason = reason
            if not self._in_block:
                self._close([record], self._busy_seconds)
        elif runs_unchanged:
            self._control_session(statement, command)
        else:
            self._record(statement, command, text)

    def _record(self, statement: Statement, command: str, text: str) -> None:
        """Runs a statement and records it. It is measured while the server runs the next one, or by `_settle`."""
        standalone = not self._in_block
        message = self.ledger.message(begins=standalone, commits=standalone, forgets=_may_deallocate(command))
        if standalone:
            self._transactions += 1
            self._transaction = self._transactions
        record = self._open_statement(statement, command)
        with self._timed(record):
            results, error = self._exchange(message, statement, text)
        self._settle()
        if standalone:
            self.ledger.begin_transaction()
        if error is None:
            measured = results[:-1] if standalone else results
            self._leave_out(record, self.ledger.recording_seconds(measured))
            self._unmeasured = partial(self._measure, record, message, measured, ended=self._busy_seconds if standalone else None)
            self._transaction = None if standalone else self._transaction
            return
        if len(results) > message.before + message.recorded:
            self._leave_out(record, self.ledger.recording_seconds(results))
            self._measure(record, message, results)
        self.ledger.discard_prepared()
        refused = len(results) <= message.before
        if standalone and refused and error.sqlstate in _NO_TRANSACTION and not self._connection.closed:
            self._open.remove(record)
            self._rollback()
            self._record_nontransactional(statement, command)
            return
        self._fail(record, error)

    def _settle(self) -> None:
        """Measures the last statement, if that has not been done yet."""
        measure, self._unmeasured = self._unmeasured, None
        if measure is not None:
            measure()

    def _exchange(self, message: Message, statement: Statement, text: str) -> Reply:
        """Sends a statement with what the ledger adds; the rows of a COPY need an exchange of their own."""
        if not isinstance(statement.operations[0], sql.Copy):
            meanwhile = (self._settle, self._statements.read)
            return exchange(self._connection, message.around(text[statement.span.start : statement.span.end]), meanwhile)
        results: list[Any] = []
        try:
            results += execute(self._connection, message.opening)
            execute_statement(self._connection, statement, text)
            results.append(None)
        except error_class() as error:
            return Reply(results, error)
        rest = exchange(self._connection, message.closing)
        return Reply([*results, *rest.results], rest.error)

    def _measure(self, record: OpenStatement, message: Message, results: "list[PGresult]", ended: float | None = None) -> None:
        """Measures a statement from the results of its message; `ended` is when it was committed, if it was a transaction of its own."""
        record.measured = self.ledger.measure(message, results, record.statement.operations)
        record.wal_bytes = self.ledger.wal_bytes
        record.counts = self.ledger.read
        names = ((name, self.contents.name_before(oid)) for name, oid in record.measured.oids.items())
        record.known_as = {name: known for name, known in names if known is not None}
        if ended is not None:
            self.ledger.committed()
            self._close([record], ended)

    def _leave_out(self, record: OpenStatement, seconds: float) -> None:
        """Leaves the time that recording took out of the time of the last statement."""
        started, ended = self._busy[-1]
        seconds = min(seconds, ended - started)
        self._busy[-1] = (started, ended - seconds)
        self._busy_seconds -= seconds
        record.seconds -= seconds

    def _control_session(self, statement: Statement, command: str) -> None:
        """Runs BEGIN, COMMIT, SET and similar statements unchanged, and asks the server what they did to the transaction."""
        before = self._in_block
        record = self._open_statement(statement, command)
        try:
            with self._timed(record):
                execute(self._connection, command)
        except error_class() as error:
            self._fail(record, error)
        if _may_deallocate(command):
            self.ledger.discard_prepared()
        match statement.operations[0]:
            case sql.RollbackTo():
                self.ledger.rolled_back_to_savepoint()
                self._note_releases(record)
            case sql.Rollback() | sql.Commit() | sql.TwoPhase() if before:
                self._end_transaction(rolled_back=isinstance(statement.operations[0], sql.Rollback))
        if not is_idle(self._connection) and not self._in_block:
            self._open_transaction(record)
        elif record in self._open and not self._in_block:
            self._close([record], self._busy_seconds)

    def _record_nontransactional(self, statement: Statement, command: str) -> None:
        """Records a statement that cannot run in a transaction: its locks are watched while it runs, or were measured by the rehearsal."""
        record = self._open_statement(statement, command)
        record.outside_transaction = True
        try:
            counter = self._counter if isinstance(statement.operations[0], sql.Do | sql.Call) else None
            with self.ledger.measure_nontransactional(counter) as snapshots, self._monitor.record_locks() as seen, self._timed(record):
                execute(self._connection, command)
        except error_class() as error:
            self._fail(record, error)
        before, after = snapshots
        record.wal_bytes = self.ledger.wal_bytes
        measured = measurement_of(Trace(before=before, after=after, locks={oid: lock.mode for oid, lock in seen.items()}))
        rehearsed = self._rehearsed.get(statement.index)
        record.measured = add_rehearsal(measured, rehearsed) if rehearsed is not None else measured
        record.counts = {relation.name: (None, self.contents.rows.get(oid)) for oid, relation in before.relations.items()}
        # Without any look, locks may have been held all the time.
        record.periods = self._observed_periods(before, seen) if seen else None
        self._close([record], self._busy_seconds)

    def _observed_periods(self, before: Snapshot, seen: Mapping[int, ObservedLock]) -> dict[Name, tuple[LockPeriod, ...]]:
        """Returns the times for which the locks that were seen were held, by relation."""
        periods: dict[Name, tuple[LockPeriod, ...]] = {}
        for oid, lock in seen.items():
            index = before.indexes.get(oid)
            relation = before.relations.get(index.table if index is not None else oid)
            if relation is not None:
                periods[relation.name] = periods.get(relation.name, ()) + tuple(
                    LockPeriod(
                        relation=relation.name,
                        lock=mode if index is None else LockMode.ACCESS_SHARE,
                        index_lock=mode if index is not None else None,
                        started=self.clock(first),
                        ended=self.clock(last),
                    )
                    for mode, (first, last) in lock.modes.items()
                )
        return periods

    def _note_releases(self, rollback: OpenStatement) -> None:
        """Notes which locks of the open statements a ROLLBACK TO has released."""
        for record in self._open:
            for effect in (*record.measured.effects, *record.measured.weaker.values()):
                oid = record.measured.oids.get(effect.relation)
                lock = record.measured.weaker.get(effect.relation, effect).lock
                if oid is not None and effect.relation not in record.released and not self.ledger.is_held(oid, lock):
                    record.released[effect.relation] = rollback.started + rollback.seconds

    def clock(self, moment: float) -> float:
        """Returns the seconds from the migration's start to a moment, given by perf_counter, without the time that recording took between
        statements."""
        if not self._busy or moment <= self.start:
            return moment - self.start
        if moment >= self._busy[-1][1]:
            return self._busy_seconds + moment - self._busy[-1][1]
        busy = 0.0
        for started, ended in self._busy:
            if moment <= started:
                break
            busy += min(moment, ended) - started
        return busy

    def _open_statement(self, statement: Statement, command: str) -> OpenStatement:
        record = OpenStatement(statement, command, self._transaction, self._busy_seconds)
        self._open.append(record)
        return record

    @contextmanager
    def _timed(self, record: OpenStatement) -> Iterator[None]:
        self._temporary_bytes.clear()
        with self._monitor.measure_wait() as waits, self._guard(self._connection) as work:
            started = perf_counter()
            try:
                yield
            finally:
                record.seconds = self._note_busy(started)
                record.waited = waits.seconds
                record.stop_reason = work.stop_reason
                record.temp_bytes = sum(self._temporary_bytes) if self._reports_temporary_files else None

    def _note_busy(self, started: float) -> float:
        """Notes that the migration's session worked from a moment, by perf_counter, until now; returns the seconds."""
        now = perf_counter()
        self._busy.append((started, now))
        self._busy_seconds += now - started
        return now - started

    def _begin(self) -> None:
        self._settle()
        execute(self._connection, "BEGIN")
        self._open_transaction(None)

    def _open_transaction(self, record: OpenStatement | None) -> None:
        self._transactions += 1
        self._transaction = self._transactions
        if record is not None:
            record.transaction = self._transaction
        self.ledger.begin_transaction()

    def _commit(self) -> None:
        self._settle()
        last = self._open[-1] if self._open else None
        started = perf_counter()
        try:
            with self._guard(self._connection) as work:
                execute(self._connection, "COMMIT")
        except error_class() as error:
            if last is not None:
                last.stop_reason = work.stop_reason
                self._fail(last, error)
            raise MigrationFailed from error
        seconds = self._note_busy(started)
        if last is not None and len(self._open) == 1:
            last.seconds += seconds
        self._end_transaction(rolled_back=False)

    def _rollback(self) -> None:
        self._settle()
        if not self._connection.closed:
            try:
                execute(self._connection, "ROLLBACK")
            except error_class():
                # The connection is lost, and with it the transaction.
                self._connection.close()
        self._end_transaction(rolled_back=True)

    def _end_transaction(self, *, rolled_back: bool) -> None:
        """Notes that the transaction has ended, and finishes its records."""
        self._transaction = None
        if rolled_back:
            self.ledger.rolled_back()
        else:
            self.ledger.committed()
        self._close(self._open, self._busy_seconds)

    def _close(self, records: list[OpenStatement], ended: float) -> None:
        """Finishes the records of a transaction that has `ended`."""
        self.records += [record.finish(ended, self._existing) for record in records]
        self._open = [record for record in self._open if record not in records]

    def _fail(self, record: OpenStatement, error: Any) -> None:
        record.failure = failure_of(error, record.stop_reason)
        raise MigrationFailed from error

    def _notice(self, diagnostic: Any) -> None:
        """Notes the size of a temporary file, which PostgreSQL reports when it deletes the file."""
        message = diagnostic.message_primary or ""
        if diagnostic.severity_nonlocalized == "LOG" and message.startswith("temporary file:"):
            self._temporary_bytes.append(int(message.rpartition(" ")[2]))


def _may_deallocate(command: str) -> bool:
    """Whether a statement may deallocate prepared statements. The words may be in a comment, or in code that is not executed."""
    command = command.lower()
    return any(word in command for word in _DEALLOCATE)
