"""An exchange with a server: SQL that is sent in one message, and its results.

A cursor of psycopg does more for each statement than a server needs to run a small one, and a migration consists of small ones. This module
uses only libpq's functions, which psycopg documents as `psycopg.pq`.
"""

import select
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from psycopg import Connection, Error
    from psycopg.pq.abc import PGresult

_CANCEL_TIMEOUT = 5.0


class Reply(NamedTuple):
    """The results of the statements in a message, up to the first one that failed, and its error."""

    results: "list[PGresult]"
    error: "Error | None"


def exchange(connection: "Connection[Any]", sql: str, meanwhile: Sequence[Callable[[], None]] = ()) -> Reply:
    """Sends SQL of one or more statements, and waits for all results. Like `psql -c`, the server runs several statements in one transaction
    unless they contain BEGIN and COMMIT. Ctrl-C cancels the statement. `meanwhile` is short work for the time until the server answers: what
    has not begun by then is left."""
    from psycopg import Error  # noqa: PLC0415  # start-up must not pay for it

    results: list[PGresult] = []
    try:
        connection.pgconn.send_query(sql.encode())
        return Reply(results, _receive(connection, results, meanwhile))
    except Error as error:
        return Reply(results, error)
    except KeyboardInterrupt:
        with suppress(Exception):  # the statement may have ended meanwhile
            connection.cancel_safe(timeout=_CANCEL_TIMEOUT)
        raise


def execute(connection: "Connection[Any]", sql: str) -> "list[PGresult]":
    """Sends SQL and returns the results of its statements. Raises psycopg.Error."""
    results, error = exchange(connection, sql)
    if error is not None:
        raise error
    return results


def rows_of(result: "PGresult", encoding: str = "utf-8") -> list[list[str | None]]:
    """Returns the rows of a result, as text."""
    columns = range(result.nfields)
    values = ([result.get_value(row, column) for column in columns] for row in range(result.ntuples))
    return [[value.decode(encoding) if value is not None else None for value in row] for row in values]


def _receive(connection: "Connection[Any]", results: "list[PGresult]", meanwhile: Sequence[Callable[[], None]]) -> "Error | None":
    """Appends the results as they arrive, and returns the first error."""
    from psycopg.errors import ProgrammingError, error_from_result  # noqa: PLC0415
    from psycopg.pq import ExecStatus  # noqa: PLC0415

    libpq = connection.pgconn
    socket = select.poll()
    socket.register(libpq.socket, select.POLLIN)
    while libpq.flush():
        # The server may send messages before it reads on, so they have to be read meanwhile.
        socket.modify(libpq.socket, select.POLLIN | select.POLLOUT)
        socket.poll()
        libpq.consume_input()
    socket.modify(libpq.socket, select.POLLIN)
    for work in meanwhile:
        if socket.poll(0):
            break
        work()
    failed: Error | None = None
    # Tuples, because to hash a status takes longer than to compare it.
    copying = (ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH)
    errors = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE, ExecStatus.NONFATAL_ERROR)
    while True:
        while libpq.is_busy():
            socket.poll()
            libpq.consume_input()
        result = libpq.get_result()
        if result is None:
            return failed
        status = result.status
        if status in copying:
            # The connection stays in this mode: libpq would return the same result again.
            return ProgrammingError("COPY from or to the client has no rows here")
        if status in errors:
            failed = failed or error_from_result(result, connection.info.encoding)
        elif failed is None:
            results.append(result)
