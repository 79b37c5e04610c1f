"""Sending a migration to a server as its runner does, with nothing recorded."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from migsafe.rendering.halves import MARK_START
from migsafe.replaying.refusals import Failure, error_class, failure_of
from migsafe.replaying.servers.time_limits import Guard, unlimited
from migsafe.session import Command, SentStatement, runner_steps, sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.statements import Statement

if TYPE_CHECKING:
    from psycopg import Connection

_MOST_ROLES = 50


class Refused(Exception):
    """PostgreSQL refused a statement: which, and what it said."""

    def __init__(self, statement: Statement, failure: Failure) -> None:
        super().__init__(failure.message)
        self.statement = statement
        self.failure = failure


def send(
    connection: "Connection[Any]",
    half: Half,
    upto: int | None = None,
    *,
    guard: Guard = unlimited,
    mend: Callable[[Failure], bool] = lambda failure: False,
) -> None:
    """Send a migration; only its statements `upto` a number if that is given, and then leave the transaction open that is open.

    The connection must be in autocommit. `guard` limits what a statement may take. `mend` may do something about a refusal, and says
    whether it did: then the transaction that was refused is sent again. Raises Refused; what was open then is rolled back, as the runner
    would.
    """
    sending = _Sending(connection, half, [one for one in sent_statements(half) if upto is None or one.statement.index <= upto], guard)
    tries = 0
    while True:
        try:
            sending.go(ends=upto is None)
            return
        except error_class() as error:
            failure = failure_of(error, sending.cut)
            _undo(connection)
            if sending.statement is None:
                raise
            if connection.closed or tries == _MOST_ROLES or not mend(failure):
                raise Refused(sending.statement, failure) from error
            tries += 1
            sending.go_back()


class _Sending:
    """A migration on its way."""

    def __init__(self, connection: "Connection[Any]", half: Half, statements: list[SentStatement], guard: Guard) -> None:
        self._connection = connection
        self._half = half
        self._statements = statements
        self._guard = guard
        self._place = self._begun = 0
        self.statement: Statement | None = None
        self.cut = ""

    def go(self, *, ends: bool) -> None:
        """Send the remaining statements; `ends`: end the transaction that is open after the last one, too."""
        remaining = self._statements[self._place :]
        steps = runner_steps(self._half, lambda: not is_idle(self._connection), remaining, started=self._place > 0, ends=ends)
        for step in steps:
            if is_idle(self._connection):
                self._begun = self._place
            if isinstance(step, Command):
                self._connection.execute(step.value)
                continue
            self.statement = step.statement
            with self._guard(self._connection) as leash:
                try:
                    send_statement(self._connection, step.statement, self._half)
                finally:
                    self.cut = leash.stop_reason
            self._place += 1

    def go_back(self) -> None:
        """Begin again with the transaction that was refused, which has been rolled back."""
        self._place = self._begun


def _undo(connection: "Connection[Any]") -> None:
    if not connection.closed:
        try:
            connection.execute("ROLLBACK")
        except error_class():
            connection.close()


def send_statement(connection: "Connection[Any]", statement: Statement, half: Half) -> None:
    """Send one statement of a migration; what no server takes is left out. Raises psycopg.Error."""
    if not skip_reason(statement, half):
        execute_statement(connection, statement, half.script.text)


def execute_statement(connection: "Connection[Any]", statement: Statement, text: str) -> None:
    """Send one statement of a script, with the rows of a COPY. Raises psycopg.Error."""
    operation = statement.operations[0]
    words = text[statement.span.start : statement.span.end].encode()
    if isinstance(operation, sql.Copy) and operation.data is not None:
        with connection.cursor().copy(words) as copy:
            copy.write(text[operation.data.start : operation.data.end])
    else:
        connection.execute(words)


def skip_reason(statement: Statement, half: Half) -> str:
    """Why a statement is not for a server, or cannot be sent, as the end of a sentence; empty where it can. Of a program only what is known
    without running it is sent."""
    if half.program is not None and not statement.operations[0].certain:
        return "whether it runs is known only where it runs"
    if half.program is not None and MARK_START in half.script.text[statement.span.start : statement.span.end]:
        return "it sends what is not known here, such as a setting, or what is not installed"
    match statement.operations[0]:
        case sql.PsqlCommand(command=command):
            return f"\\{command.lstrip(chr(92))} is a command of psql's own"
        case sql.OpaqueCode(reason=reason):
            return reason
    return ""


def is_idle(connection: "Connection[Any]") -> bool:
    """Whether no transaction is open."""
    from psycopg.pq import TransactionStatus  # noqa: PLC0415  # start-up must not pay for it

    return connection.info.transaction_status == TransactionStatus.IDLE
