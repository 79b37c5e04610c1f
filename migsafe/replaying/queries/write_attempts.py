"""Trying a write with chosen values, on the schema before a migration and on the one after it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.replaying.exchange import execute
from migsafe.replaying.queries.comparison import is_transient
from migsafe.replaying.queries.results import QueryFailure
from migsafe.replaying.queries.write_execution import Executed, Trial, Write, WriteSession
from migsafe.replaying.queries.write_values import WriteValues
from migsafe.replaying.servers.host import Host

if TYPE_CHECKING:
    from psycopg import Connection

TIME_LIMIT = 20.0
"""The seconds for the writes of a migration."""


_NOT_NULL = "23502"
_OF_THE_TEXT = "42"
"""The class of syntax errors and access rule violations."""


class WriteResult(Struct):
    """What is known of a write: how it succeeded before the migration, and how it fails after it. `refused` is an error that no other values
    avoid."""

    write: Write
    trial: Trial | None = None
    rows: int = 0
    after: Executed | None = None
    untried: str = ""
    refused: QueryFailure | None = None


@contextmanager
def write_session(host: Host, database: str, search_path: tuple[str, ...]) -> "Iterator[tuple[Connection[Any], WriteSession]]":
    """Connects as the role that migrations run as, and opens a transaction that is rolled back at the end."""
    connection = host.connect_as_migrator(database)
    try:
        execute(connection, "BEGIN")
        yield connection, WriteSession(connection, search_path)
    finally:
        connection.close()


def tried_before(write: Write, session: WriteSession, values: WriteValues, attempts: Iterable[int], deadline: float) -> WriteResult:
    """Returns how a write succeeds before the migration: with a row if possible, and with triggers if possible."""
    result = WriteResult(write)
    for attempt in attempts:
        if monotonic() > deadline:
            result.untried = result.untried or f"the {TIME_LIMIT:g} s for executing writes were over"
            return result
        arguments = values.arguments(write.targets, write.types, attempt)
        for trial in (Trial(arguments, suspended=False), Trial(arguments, suspended=True)):
            executed = session.execute(write, trial)
            if executed.failure is None:
                result.trial, result.rows = trial, executed.rows
                result.untried = "" if executed.rows else "no row satisfies its conditions, with the values that were tried"
                break
            if result.trial is None and not result.untried:
                result.untried = str(executed.query_failure)
            if not trial.suspended and _is_certain(write, session, executed):
                result.refused = executed.query_failure
        if result.rows:
            return result
    return result


def tried_after(result: WriteResult, session: WriteSession, *, is_last: bool) -> WriteResult:
    """Executes a write after the migration as it succeeded before it."""
    if result.trial is None:
        return result
    executed = session.execute(result.write, result.trial)
    if executed.failure is None:
        return result
    result.untried = ""
    result.after = executed
    if is_transient(executed.query_failure) or session.depends_on_values(result.write, executed.failure):
        result.untried = f"after the migration it fails with generated values, and may succeed with others: {executed.query_failure}"
        result.after = None if is_last else executed
    return result


def _is_certain(write: Write, session: WriteSession, executed: Executed) -> bool:
    """Whether a write fails with all values: with a column that it leaves out, or with an error of its text."""
    assert executed.failure is not None
    sqlstate = executed.failure.sqlstate
    return (sqlstate == _NOT_NULL or sqlstate[:2] == _OF_THE_TEXT) and not session.depends_on_values(write, executed.failure)
