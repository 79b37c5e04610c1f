"""A crash: the migration stops half-way, and its runner runs it again from the start.

Only a migration that is not one transaction can stop half-way. The connection is terminated after every statement with committed changes,
and during every CREATE INDEX or REINDEX CONCURRENTLY, which leaves an INVALID index.
"""

from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NamedTuple

from migsafe.replaying.experiments.contents import schema_differences
from migsafe.replaying.experiments.outcome import Observation, Outcome
from migsafe.replaying.experiments.subject import Subject
from migsafe.replaying.refusals import error_class
from migsafe.replaying.sending import Refused, is_idle, line_of, send, send_statement
from migsafe.session import sent_statements, transaction_numbers
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement

if TYPE_CHECKING:
    from psycopg import Connection

NAME = "crash"
_MAX_PLACES = 60
"""How many places are tried: each needs a copy of the database."""
_WAIT_TIMEOUT = 20.0
_NOT_POSSIBLE = "not possible: the migration fails on a copy of the database, for example because it creates roles, which all databases share"
_WAITING = "SELECT 1 FROM pg_catalog.pg_locks WHERE pid = %s AND NOT granted"


class _Place(NamedTuple):
    """Where the connection is terminated: after a statement, or during it."""

    statement: Statement
    inside: bool
    line: int

    def __str__(self) -> str:
        return f"{'during' if self.inside else 'after'} line {self.line}"


def crash(subject: Subject) -> Outcome:
    """Terminates the connection at every place that leaves changes behind, runs the migration again, and compares with a normal run."""
    places = list(_places(subject.migration.up))
    if not places or subject.before is None:
        return Outcome(experiment=NAME, passed=True, summary="the migration is one transaction: a crash leaves nothing behind")
    results = [_try_place(subject, subject.before, place) for place in places[:_MAX_PLACES]]
    observations = [observation for result in results if result is not None for observation in result]
    tried = sum(result is not None for result in results)
    left_out = f"; {len(places) - tried} more places were not tried" if len(places) > tried else ""
    if observations:
        return Outcome(
            experiment=NAME,
            passed=False,
            summary=f"after a crash the migration cannot be run again unchanged{left_out}",
            observations=tuple(observations),
        )
    if not tried:
        return Outcome(experiment=NAME, passed=None, summary=_NOT_POSSIBLE)
    where = "the only place" if tried == 1 else f"each of {tried} places"
    return subject.passed(NAME, f"after a crash at {where} where the migration can stop half-way, it can be run again{left_out}")


def _places(half: Half) -> Iterator[_Place]:
    """Yields the places where a crash leaves changes behind: a transaction has ended, and more statements follow."""
    statements = [sent.statement for sent in sent_statements(half)]
    numbers = list(transaction_numbers(half, statements))
    for index, (statement, number) in enumerate(zip(statements, numbers, strict=True)):
        if number is None or statement.index in half.left_out:
            continue
        if _leaves_invalid(statement.operations[0]):
            yield _Place(statement, inside=True, line=line_of(statement, half))
        later = [later_number for later_number in numbers[index + 1 :] if later_number is not None]
        if later and number not in later and not isinstance(statement.operations[0], sql.SetVariable):
            yield _Place(statement, inside=False, line=line_of(statement, half))


def _leaves_invalid(operation: sql.Operation) -> bool:
    return isinstance(operation, sql.CreateIndex | sql.Reindex) and operation.concurrently


def _try_place(subject: Subject, before: str, place: _Place) -> list[Observation] | None:
    """Returns the problems after a crash at a place; None if the migration fails on a copy before it."""
    half, number = subject.migration.up, place.statement.index
    with subject.copy(before) as database:
        try:
            if not place.inside:
                subject.run(database, half, upto=number)
            elif not _terminate_during(subject, database, place.statement):
                return None
        except Refused:
            # Objects of the whole server (a role, a replication slot) exist since the migration itself ran.
            return None
        try:
            subject.run(database, half)
        except Refused as refused:
            return [Observation(f"after a crash {place}, the second run fails at line {refused.line}: {refused.failure.message}", number)]
        differences = schema_differences(subject.state_after.schema, subject.state(database).schema)
        return [Observation(f"after a crash {place} and a second run, {line}", number) for line in differences]


def _terminate_during(subject: Subject, database: str, statement: Statement) -> bool:
    """Runs the migration up to a statement, and terminates it while it waits for a transaction that writes to the table; returns whether
    that was possible.

    CREATE INDEX CONCURRENTLY waits twice for transactions that may not know of the index; at that time the index exists and is INVALID.
    """
    half, table = subject.migration.up, _table(statement.operations[0])
    if table is None:
        return False
    connect = subject.host.connect
    with subject.working(database) as connection, connect(database) as writer, connect(database) as observer:
        send(connection, half, upto=statement.index - 1)
        if not is_idle(connection):
            return False
        writer.execute("BEGIN")
        try:
            writer.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE".encode())
        except error_class():
            return False
        pid = connection.info.backend_pid
        runner = Thread(target=lambda: _send_ignoring_errors(connection, statement, half), daemon=True)
        runner.start()
        deadline = monotonic() + _WAIT_TIMEOUT
        while runner.is_alive() and monotonic() < deadline and observer.execute(_WAITING, (pid,)).fetchone() is None:
            sleep(0.002)
        observer.execute("SELECT pg_catalog.pg_terminate_backend(%s)", (pid,))
        runner.join(_WAIT_TIMEOUT)
    return True


def _send_ignoring_errors(connection: "Connection[Any]", statement: Statement, half: Half) -> None:
    with suppress(Exception):  # the connection is terminated
        send_statement(connection, statement, half)


def _table(operation: sql.Operation) -> Name | None:
    if isinstance(operation, sql.CreateIndex):
        return operation.table
    if isinstance(operation, sql.Reindex) and operation.kind == "table":
        return operation.name
    return None
