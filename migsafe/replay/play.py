"""Sending a migration to a server as its runner does, and writing down what each statement did."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from migsafe.effects.effect import Effect
from migsafe.replay.ledger import Ledger
from migsafe.replay.recorder import Measurement, Trace, judged
from migsafe.replay.recording import Failure, Played, Touch
from migsafe.replay.watch import Watch
from migsafe.session import sent
from migsafe.sources import Half, Transaction
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement

if TYPE_CHECKING:
    from psycopg import Connection

_STEERING = (
    *(sql.Begin, sql.Commit, sql.Rollback, sql.Savepoint, sql.RollbackTo, sql.Release, sql.TwoPhase),
    *(sql.SetVariable, sql.ResetVariable, sql.Discard),
)
_NOTHING = Measurement(effects=())

Progress = Callable[[Statement], None]


class Stopped(Exception):
    """A statement failed, and with it the migration."""


class _Sent:
    """A statement while its transaction goes on: what it did is known, how long its locks are held is not."""

    def __init__(self, statement: Statement, text: str, transaction: int | None, started: float, clock: float) -> None:
        self.statement = statement
        self.text = text
        self.transaction = transaction
        self.started = started
        self.clock = clock
        self.seconds = 0.0
        self.waited = 0.0
        self.outside = False
        self.measured = _NOTHING
        self.counts: dict[Name, tuple[int, int]] = {}
        self.held: dict[Name, float] = {}
        self.wal_bytes = 0
        self.temp_bytes: int | None = None
        self.failure: Failure | None = None

    def played(self, ended: float, clock: float, new: frozenset[Name]) -> Played:
        """What is known once its locks are gone."""
        return Played(
            statement=self.statement,
            sql=self.text,
            transaction=self.transaction,
            started=self.started,
            ended=ended,
            duration_ms=1000 * self.seconds,
            waited_ms=1000 * self.waited,
            outside=self.outside,
            touches=tuple(self._touch(effect, clock, new) for effect in self.measured.effects),
            wal_bytes=self.wal_bytes,
            temp_bytes=self.temp_bytes,
            failure=self.failure,
        )

    def _touch(self, effect: Effect, clock: float, new: frozenset[Name]) -> Touch:
        read, rows = self.counts.get(effect.relation, (None, None))
        held = self.held.get(effect.relation, clock - self.clock)
        effect = replace(effect, new=effect.relation in new)
        return Touch(effect=effect, held_ms=1000 * held, tuples_read=read, rows=rows)


class Player:
    """One migration on one connection. `played` fills up as transactions end; a failure is the last one's.

    The connection must be in autocommit, and its database's only one that changes anything. `watch` looks at its locks from outside,
    `counter` may read all of its tables.
    `zero` is when the migration began, by perf_counter.
    """

    def __init__(self, connection: "Connection[Any]", watch: Watch, counter: "Connection[Any]", progress: Progress | None = None) -> None:
        self.zero = perf_counter()
        self.played: list[Played] = []
        self._connection = connection
        self._watch = watch
        self._progress = progress or (lambda statement: None)
        self._ledger = Ledger(connection, counter)
        self._found = {relation.oid for relation in self._ledger.relations}
        self._open: list[_Sent] = []
        self._clock = 0.0
        self._number: int | None = None
        self._count = 0
        self._temporary: list[int] = []
        self._tells = connection.info.parameter_status("is_superuser") == "on"
        connection.add_notice_handler(self._notice)

    def play(self, half: Half, began: Callable[[float], None] | None = None) -> tuple[Played, ...]:
        """Send it all, or all up to the statement that fails. `began` is told when that begins, by perf_counter. Raises UnreadableError for the
        script."""
        self.zero = perf_counter()
        if began is not None:
            began(self.zero)
        wraps = half.transaction is Transaction.FILE
        try:
            if wraps:
                self._begin()
            for statement, first, last in sent(half):
                self._progress(statement)
                query = half.transaction is Transaction.QUERY and not (first and last)
                if query and first and not self._in_block:
                    self._begin()
                self._send(statement, half.script.text)
                if query and last and self._in_block:
                    self._commit()
            if self._in_block:
                # What the script itself has left open is lost with the connection.
                self._commit() if wraps else self._rollback()
        except Stopped:
            self._rollback()
        return tuple(self.played)

    @property
    def _in_block(self) -> bool:
        return self._number is not None

    def _send(self, statement: Statement, text: str) -> None:
        operation = statement.operations[0]
        if isinstance(operation, sql.PsqlCommand):
            return
        words = text[statement.span.start : statement.span.end]
        if isinstance(operation, _STEERING):
            self._steer(statement, words)
            return
        alone = not self._in_block
        if alone:
            self._begin()
        one = self._opened(statement, words)
        try:
            with self._timed(one):
                self._run(operation, words, text)
        except _refusals() as error:
            if alone and error.sqlstate == "25001":
                self._open.remove(one)
                self._rollback()
                self._outside(statement, words)
                return
            self._fail(one, error)
        one.measured = self._ledger.entry(words)
        one.wal_bytes = self._ledger.wal_bytes
        one.counts = self._ledger.read
        if alone:
            self._commit()

    def _run(self, operation: sql.Operation, words: str, text: str) -> None:
        if isinstance(operation, sql.Copy) and operation.data is not None:
            with self._connection.cursor().copy(words.encode()) as copy:
                copy.write(text[operation.data.start : operation.data.end])
        else:
            self._connection.execute(words.encode())

    def _steer(self, statement: Statement, words: str) -> None:
        """BEGIN, COMMIT, SET and their kin: they run as they stand, and what they did to the transaction is asked of the server."""
        before = self._in_block
        one = self._opened(statement, words)
        try:
            with self._timed(one):
                self._connection.execute(words.encode())
        except _refusals() as error:
            self._fail(one, error)
        match statement.operations[0]:
            case sql.RollbackTo():
                self._ledger.partly_undone()
            case sql.Rollback() | sql.Commit() | sql.TwoPhase() if before:
                self._ended(undone=isinstance(statement.operations[0], sql.Rollback))
        if self._is_open() and not self._in_block:
            self._opened_block(one)
        elif one in self._open and not self._in_block:
            self._close([one])

    def _outside(self, statement: Statement, words: str) -> None:
        """A statement that no transaction takes: its locks are seen from outside, while it runs."""
        one = self._opened(statement, words)
        one.outside = True
        try:
            counts = isinstance(statement.operations[0], sql.Do | sql.Call)
            with self._ledger.outside(counts=counts) as found, self._watch.closely() as seen, self._timed(one):
                self._connection.execute(words.encode())
        except _refusals() as error:
            self._fail(one, error)
        before, after = found
        one.wal_bytes = self._ledger.wal_bytes
        one.measured = judged(Trace(before=before, after=after, locks={oid: each.mode for oid, each in seen.items()}))
        one.held = {before.relations[oid].name: each.seconds for oid, each in seen.items() if oid in before.relations}
        self._close([one])

    def _opened(self, statement: Statement, words: str) -> _Sent:
        one = _Sent(statement, words, self._number, perf_counter() - self.zero, self._clock)
        self._open.append(one)
        return one

    @contextmanager
    def _timed(self, one: _Sent) -> Iterator[None]:
        self._temporary.clear()
        with self._watch.waits() as waits:
            started = perf_counter()
            try:
                yield
            finally:
                one.seconds = perf_counter() - started
                self._clock += one.seconds
                one.waited = waits.seconds
                one.temp_bytes = sum(self._temporary) if self._tells else None

    def _begin(self) -> None:
        self._connection.execute("BEGIN")
        self._opened_block(None)

    def _opened_block(self, one: _Sent | None) -> None:
        self._count += 1
        self._number = self._count
        if one is not None:
            one.transaction = self._number
        self._ledger.begin()

    def _commit(self) -> None:
        last = self._open[-1] if self._open else None
        started = perf_counter()
        try:
            self._connection.execute("COMMIT")
        except _refusals() as error:
            if last is not None:
                self._fail(last, error)
            raise Stopped from error
        seconds = perf_counter() - started
        self._clock += seconds
        if last is not None and len(self._open) == 1:
            last.seconds += seconds
        self._ended(undone=False)

    def _rollback(self) -> None:
        if not self._connection.closed:
            self._connection.execute("ROLLBACK")
        self._ended(undone=not self._connection.closed)

    def _ended(self, *, undone: bool) -> None:
        """The transaction is over."""
        self._number = None
        if undone:
            self._ledger.undone()
        else:
            self._ledger.end()
        self._close(self._open)

    def _close(self, ones: list[_Sent]) -> None:
        ended = perf_counter() - self.zero
        new = frozenset(relation.name for relation in self._ledger.relations if relation.oid not in self._found)
        self.played += [one.played(ended, self._clock, new) for one in ones]
        self._open = [one for one in self._open if one not in ones]

    def _fail(self, one: _Sent, error: "Any") -> None:
        one.failure = Failure(error.diag.message_primary or str(error).strip(), error.sqlstate or "", error.diag.message_hint or "")
        raise Stopped from error

    def _is_open(self) -> bool:
        from psycopg.pq import TransactionStatus  # noqa: PLC0415  # start-up must not pay for it

        return self._connection.info.transaction_status != TransactionStatus.IDLE

    def _notice(self, diagnostic: Any) -> None:
        """PostgreSQL says how large a temporary file was when it is done with it."""
        said = diagnostic.message_primary or ""
        if diagnostic.severity_nonlocalized == "LOG" and said.startswith("temporary file:"):
            self._temporary.append(int(said.rpartition(" ")[2]))


def _refusals() -> "tuple[type[Any], ...]":
    from psycopg import Error  # noqa: PLC0415  # start-up must not pay for it

    return (Error,)
