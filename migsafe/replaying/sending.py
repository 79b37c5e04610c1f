"""Sends a migration to a server as its runner does, without recording."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from migsafe.patterns import lazy_pattern
from migsafe.replaying.exchange import execute
from migsafe.replaying.refusals import Failure, error_class, failure_of
from migsafe.replaying.servers.time_limits import Guard, unlimited
from migsafe.script_environment import UNKNOWN_SETTING
from migsafe.session import Command, SentStatement, runner_steps, sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.statements import Statement
from migsafe.text import MARK_START

if TYPE_CHECKING:
    from psycopg import Connection

_MAX_REPAIRS = 500
_LOCAL = lazy_pattern(r"SET\s+LOCAL\s", re.IGNORECASE)


Repair = Callable[[Half, Statement, Failure], Half | None]
"""What to send after a refusal."""


def line_of(statement: Statement, half: Half) -> int:
    """Returns the line of a migration's file where a statement begins."""
    return half.file.position(half.file_span(statement.span).start).line


class Refused(Exception):
    """PostgreSQL refused a statement of a migration, with this failure. `line` is where the statement begins in the file. `half` is the
    migration with the repairs before it."""

    def __init__(self, statement: Statement, failure: Failure, half: Half) -> None:
        super().__init__(failure.message)
        self.half = half
        self.statement = statement
        self.line = line_of(statement, half)
        self.failure = failure


def send(
    connection: "Connection[Any]",
    half: Half,
    upto: int | None = None,
    *,
    guard: Guard = unlimited,
    repair: Repair = lambda half, statement, failure: None,
) -> Half:
    """Sends a migration. With `upto`, sends its statements up to this index, and leaves an open transaction open.

    The connection must be in autocommit. `guard` limits the time of a statement. `repair` can remove the cause of a refusal, or leave out a
    statement: it returns the migration whose refused transaction is sent again, or None. Returns the migration that was sent. Raises Refused,
    after rolling back the open transaction as the runner would.
    """
    set_up(connection, half)
    sending = _Sending(connection, half, [step for step in sent_statements(half) if upto is None or step.statement.index <= upto], guard)
    repairs = 0
    while True:
        try:
            sending.send_rest(ends=upto is None)
            return sending.half
        except error_class() as error:
            failure = failure_of(error, sending.stop_reason)
            _roll_back(connection)
            if sending.statement is None:
                raise
            repaired = repair(sending.half, sending.statement, failure) if not connection.closed and repairs < _MAX_REPAIRS else None
            if repaired is None:
                raise Refused(sending.statement, failure, sending.half) from error
            repairs += 1
            sending.restart_transaction(repaired)


class _Sending:
    """A migration while it is sent."""

    def __init__(self, connection: "Connection[Any]", half: Half, statements: list[SentStatement], guard: Guard) -> None:
        self._connection = connection
        self.half = half
        self._statements = statements
        self._guard = guard
        self._position = self._transaction_start = 0
        self.statement: Statement | None = None
        self.stop_reason = ""

    def send_rest(self, *, ends: bool) -> None:
        """Sends the statements that have not been sent yet; with `ends`, also ends the transaction that is open after the last one."""
        remaining = self._statements[self._position :]
        steps = runner_steps(self.half, lambda: not is_idle(self._connection), remaining, started=self._position > 0, ends=ends)
        for step in steps:
            if is_idle(self._connection):
                self._transaction_start = self._position
            if isinstance(step, Command):
                execute(self._connection, step.value)
                continue
            self.statement = step.statement
            with self._guard(self._connection) as work:
                try:
                    send_statement(self._connection, step.statement, self.half)
                finally:
                    self.stop_reason = work.stop_reason
            self._position += 1

    def restart_transaction(self, half: Half) -> None:
        """Continues with the first statement of the refused transaction, which has been rolled back."""
        self.half = half
        self._position = self._transaction_start


def _roll_back(connection: "Connection[Any]") -> None:
    if not connection.closed:
        try:
            execute(connection, "ROLLBACK")
        except error_class():
            connection.close()


def send_statement(connection: "Connection[Any]", statement: Statement, half: Half) -> None:
    """Sends one statement of a migration, unless it cannot be sent. Raises psycopg.Error."""
    if skip_reason(statement, half):
        return
    division = half.division(statement.span)
    if division is not None:
        execute(connection, half.script.text[statement.span.start : division.end])
        return
    execute_statement(connection, statement, half.script.text)


def execute_statement(connection: "Connection[Any]", statement: Statement, text: str) -> None:
    """Sends one statement of a script, with the rows of a COPY. Raises psycopg.Error."""
    operation = statement.operations[0]
    command = text[statement.span.start : statement.span.end]
    if isinstance(operation, sql.Copy) and operation.data is not None:
        with connection.cursor().copy(command.encode()) as copy:
            copy.write(text[operation.data.start : operation.data.end])
    else:
        execute(connection, command)


def skip_reason(statement: Statement, half: Half) -> str:
    """Returns why a statement cannot be sent to a server; empty if it can. Of a program, only what is known without running it is sent."""
    if statement.index in half.left_out:
        return half.left_out[statement.index]
    if half.program is not None and not statement.operations[0].certain:
        return "whether it is executed is known only when the migration runs"
    if half.program is not None and MARK_START in half.script.text[statement.span.start : statement.span.end]:
        return "its text depends on something that is not known here, such as a setting or a package that is not installed"
    match statement.operations[0]:
        case sql.PsqlCommand(command=command):
            return f"\\{command.lstrip(chr(92))} is a psql command"
        case sql.OpaqueCode(reason=reason):
            return reason
    return ""


def is_idle(connection: "Connection[Any]") -> bool:
    """Whether no transaction is open."""
    from psycopg.pq import TransactionStatus  # noqa: PLC0415  # start-up must not pay for it

    return connection.info.transaction_status == TransactionStatus.IDLE


def set_up(connection: "Connection[Any]", half: Half) -> None:
    """Sends what the runner's environment sends before a migration. Settings that this server refuses, or that are unknown, are left out; SET
    LOCAL, which lasts until the end of the environment's transaction, lasts as long as the connection."""
    for text in half.setup:
        if UNKNOWN_SETTING not in text:
            with suppress(error_class()):
                connection.execute(_LOCAL.sub("SET ", text).encode())
