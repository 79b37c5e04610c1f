"""Sending a migration to a server as its runner does, and writing down what each statement did."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from migsafe.replaying.recording.ledger import Ledger
from migsafe.replaying.recording.lock_monitor import LockMonitor
from migsafe.replaying.recording.measurement import Measurement, Trace, measurement_of
from migsafe.replaying.recording.open_statements import OpenStatement
from migsafe.replaying.recording.records import StatementRecord
from migsafe.replaying.recording.rehearsal import add_rehearsal
from migsafe.replaying.refusals import error_class, failure_of
from migsafe.replaying.sending import execute_statement, is_idle, skip_reason
from migsafe.replaying.servers.time_limits import Guard, unlimited
from migsafe.session import Command, SentStatement, runner_steps
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.statements import Statement

if TYPE_CHECKING:
    from psycopg import Connection

_NO_TRANSACTION = "25001"
_FORGETS = ("deallocate", "discard")

Progress = Callable[[Statement], None]


class MigrationFailed(Exception):
    """A statement failed, and with it the migration."""


class Player:
    """One migration on one connection. `played` fills up as transactions end; a failure is the last one's.

    The connection must be in autocommit, and its database's only one that changes anything. `watch` looks at its locks from outside,
    `counter` may read all of its tables. `rows` are those of each table, by number, where they are known already; `guard` limits what a
    statement may take. `rehearsed` has what statements outside transactions did on a copy, by their number: there all their locks were
    seen, not only those that were held for long enough. `zero` is when the migration began, by perf_counter.
    """

    def __init__(
        self,
        connection: "Connection[Any]",
        watch: LockMonitor,
        counter: "Connection[Any]",
        *,
        rows: Mapping[int, int] | None = None,
        guard: Guard = unlimited,
        rehearsed: Mapping[int, Measurement] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.zero = perf_counter()
        self.played: list[StatementRecord] = []
        self._connection = connection
        self._watch = watch
        self._guard = guard
        self._rehearsed = rehearsed or {}
        self._progress = progress or (lambda statement: None)
        self._ledger = Ledger(connection, counter, rows)
        self._found = {relation.oid for relation in self._ledger.relations}
        self._open: list[OpenStatement] = []
        self._clock = 0.0
        self._number: int | None = None
        self._count = 0
        self._temporary: list[int] = []
        self._tells = connection.info.parameter_status("is_superuser") == "on"
        connection.add_notice_handler(self._notice)

    @property
    def rows(self) -> Mapping[int, int]:
        """The rows of each table by now, by number."""
        return self._ledger.rows

    def play(self, half: Half, began: Callable[[float], None] | None = None) -> tuple[StatementRecord, ...]:
        """Send it all, or all up to the statement that fails. `began` is told when that begins, by perf_counter. Raises UnreadableError for the
        script."""
        self.zero = perf_counter()
        if began is not None:
            began(self.zero)
        try:
            for step in runner_steps(half, lambda: self._in_block):
                match step:
                    case Command.BEGIN:
                        self._begin()
                    case Command.COMMIT:
                        self._commit()
                    case Command.ROLLBACK:
                        self._rollback()
                    case SentStatement(statement=statement):
                        self._progress(statement)
                        self._send(statement, half)
        except MigrationFailed:
            self._rollback()
        return tuple(self.played)

    @property
    def _in_block(self) -> bool:
        return self._number is not None

    def _send(self, statement: Statement, half: Half) -> None:
        operation, text = statement.operations[0], half.script.text
        words = text[statement.span.start : statement.span.end]
        why = skip_reason(statement, half)
        if why:
            one = self._opened(statement, words)
            one.left_out = why
            if not self._in_block:
                self._close([one])
        elif isinstance(operation, sql.SessionControl):
            self._steer(statement, words)
        else:
            self._recorded(statement, words, text)

    def _recorded(self, statement: Statement, words: str, text: str) -> None:
        alone = not self._in_block
        if alone:
            self._count += 1
            self._number = self._count
            self._ledger.begin_transaction()
        opening = self._ledger.opening_sql() if alone and not isinstance(statement.operations[0], sql.Copy) else ""
        if not opening:
            self._ledger.prepare("BEGIN; " if alone else "")
        one = self._opened(statement, words)
        try:
            with self._timed(one):
                if opening:
                    cursor = self._connection.execute((opening + words).encode())
                else:
                    execute_statement(self._connection, statement, text)
            if opening:
                self._ledger.read_opening(cursor)
        except error_class() as error:
            self._ledger.discard_prepared()
            if alone and error.sqlstate == _NO_TRANSACTION and not self._connection.closed:
                self._open.remove(one)
                self._rollback()
                self._outside(statement, words)
                return
            self._fail(one, error)
        self._lose(words)
        try:
            one.measured = self._ledger.measure_statement(statement.operations)
        except error_class() as error:
            # A limit of the migration's own, such as a statement_timeout of a millisecond, or the connection's end.
            self._fail(one, error)
        one.wal_bytes = self._ledger.wal_bytes
        one.counts = self._ledger.read
        if alone:
            self._commit()

    def _lose(self, words: str) -> None:
        if any(word in words.lower() for word in _FORGETS):
            self._ledger.discard_prepared()

    def _steer(self, statement: Statement, words: str) -> None:
        """BEGIN, COMMIT, SET and their kin: they run as they stand, and what they did to the transaction is asked of the server."""
        before = self._in_block
        one = self._opened(statement, words)
        try:
            with self._timed(one):
                self._connection.execute(words.encode())
        except error_class() as error:
            self._fail(one, error)
        self._lose(words)
        match statement.operations[0]:
            case sql.RollbackTo():
                self._ledger.rolled_back_to_savepoint()
            case sql.Rollback() | sql.Commit() | sql.TwoPhase() if before:
                self._ended(undone=isinstance(statement.operations[0], sql.Rollback))
        if not is_idle(self._connection) and not self._in_block:
            self._opened_block(one)
        elif one in self._open and not self._in_block:
            self._close([one])

    def _outside(self, statement: Statement, words: str) -> None:
        """A statement that no transaction takes: its locks are seen from outside, while it runs, or were seen at its rehearsal."""
        one = self._opened(statement, words)
        one.outside = True
        try:
            counts = isinstance(statement.operations[0], sql.Do | sql.Call)
            with self._ledger.measure_nontransactional(counts=counts) as found, self._watch.record_locks() as seen, self._timed(one):
                self._connection.execute(words.encode())
        except error_class() as error:
            self._fail(one, error)
        before, after = found
        one.wal_bytes = self._ledger.wal_bytes
        measured = measurement_of(Trace(before=before, after=after, locks={oid: each.mode for oid, each in seen.items()}))
        rehearsed = self._rehearsed.get(statement.index)
        one.measured = add_rehearsal(measured, rehearsed) if rehearsed is not None else measured
        one.counts = {relation.name: (None, self._ledger.rows.get(oid)) for oid, relation in before.relations.items()}
        # What nobody saw while it ran was held for less than a look, unless nobody looked: then it may have been held all the time.
        one.seconds_held = {effect.relation: 0.0 for effect in one.measured.effects} if seen else {}
        one.seconds_held |= {before.relations[oid].name: each.seconds for oid, each in seen.items() if oid in before.relations}
        self._close([one])

    def _opened(self, statement: Statement, words: str) -> OpenStatement:
        one = OpenStatement(statement, words, self._number, perf_counter() - self.zero, self._clock)
        self._open.append(one)
        return one

    @contextmanager
    def _timed(self, one: OpenStatement) -> Iterator[None]:
        self._temporary.clear()
        with self._watch.measure_wait() as waits, self._guard(self._connection) as leash:
            started = perf_counter()
            try:
                yield
            finally:
                one.seconds = perf_counter() - started
                self._clock += one.seconds
                one.waited = waits.seconds
                one.cut = leash.stop_reason
                one.temp_bytes = sum(self._temporary) if self._tells else None

    def _begin(self) -> None:
        self._connection.execute("BEGIN")
        self._opened_block(None)

    def _opened_block(self, one: OpenStatement | None) -> None:
        self._count += 1
        self._number = self._count
        if one is not None:
            one.transaction = self._number
        self._ledger.begin_transaction()

    def _commit(self) -> None:
        last = self._open[-1] if self._open else None
        started = perf_counter()
        try:
            with self._guard(self._connection) as leash:
                self._connection.execute("COMMIT")
        except error_class() as error:
            if last is not None:
                last.cut = leash.stop_reason
                self._fail(last, error)
            raise MigrationFailed from error
        seconds = perf_counter() - started
        self._clock += seconds
        if last is not None and len(self._open) == 1:
            last.seconds += seconds
        self._ended(undone=False)

    def _rollback(self) -> None:
        if not self._connection.closed:
            try:
                self._connection.execute("ROLLBACK")
            except error_class():
                # Who ended the connection has ended the transaction.
                self._connection.close()
        self._ended(undone=True)

    def _ended(self, *, undone: bool) -> None:
        """The transaction is over."""
        self._number = None
        if undone:
            self._ledger.rolled_back()
        else:
            self._ledger.committed()
        self._close(self._open)

    def _close(self, ones: list[OpenStatement]) -> None:
        ended = perf_counter() - self.zero
        new = frozenset(relation.name for relation in self._ledger.relations if relation.oid not in self._found)
        self.played += [one.finish(ended, self._clock, new) for one in ones]
        self._open = [one for one in self._open if one not in ones]

    def _fail(self, one: OpenStatement, error: Any) -> None:
        one.failure = failure_of(error, one.cut)
        raise MigrationFailed from error

    def _notice(self, diagnostic: Any) -> None:
        """PostgreSQL says how large a temporary file was when it is done with it."""
        said = diagnostic.message_primary or ""
        if diagnostic.severity_nonlocalized == "LOG" and said.startswith("temporary file:"):
            self._temporary.append(int(said.rpartition(" ")[2]))
