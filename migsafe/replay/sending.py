"""Sending a migration to a server as its runner does, with nothing recorded."""

from typing import TYPE_CHECKING, Any

from migsafe.replay.recording import Failure
from migsafe.session import sent
from migsafe.sources import Half, Transaction
from migsafe.sql import operations as sql
from migsafe.sql.statements import Statement

if TYPE_CHECKING:
    from psycopg import Connection


class Refused(Exception):
    """PostgreSQL refused a statement: which, and what it said."""

    def __init__(self, statement: Statement, failure: Failure) -> None:
        super().__init__(failure.message)
        self.statement = statement
        self.failure = failure


def send(connection: "Connection[Any]", half: Half, upto: int | None = None) -> None:
    """Send a migration; only its statements `upto` a number if that is given, and then leave the transaction open that is open.

    The connection must be in autocommit. Raises Refused; what was open then is rolled back, as the runner would.
    """
    statement: Statement | None = None
    try:
        if half.transaction is Transaction.FILE:
            connection.execute("BEGIN")
        for statement, first, last in sent(half):
            if upto is not None and statement.index > upto:
                return
            query = half.transaction is Transaction.QUERY and not (first and last)
            if query and first and is_idle(connection):
                connection.execute("BEGIN")
            execute(connection, statement, half.script.text)
            if query and last and not is_idle(connection):
                connection.execute("COMMIT")
        if upto is None and not is_idle(connection):
            connection.execute("COMMIT" if half.transaction is Transaction.FILE else "ROLLBACK")
    except refusals() as error:
        if not connection.closed:
            connection.execute("ROLLBACK")
        if statement is None:
            raise
        raise Refused(statement, failure_of(error)) from error


def execute(connection: "Connection[Any]", statement: Statement, text: str) -> None:
    """Send one statement of a script, with the rows of a COPY; what is psql's own is left out. Raises psycopg.Error."""
    operation = statement.operations[0]
    if isinstance(operation, sql.PsqlCommand):
        return
    words = text[statement.span.start : statement.span.end].encode()
    if isinstance(operation, sql.Copy) and operation.data is not None:
        with connection.cursor().copy(words) as copy:
            copy.write(text[operation.data.start : operation.data.end])
    else:
        connection.execute(words)


def is_idle(connection: "Connection[Any]") -> bool:
    """Whether no transaction is open."""
    from psycopg.pq import TransactionStatus  # noqa: PLC0415  # start-up must not pay for it

    return connection.info.transaction_status == TransactionStatus.IDLE


def refusals() -> "type[Any]":
    """What psycopg raises, for who catches it."""
    from psycopg import Error  # noqa: PLC0415  # start-up must not pay for it

    return Error


def failure_of(error: Any) -> Failure:
    """What PostgreSQL said, or the connection's end."""
    return Failure(error.diag.message_primary or str(error).strip(), error.sqlstate or "", error.diag.message_hint or "")
