"""Stopping a migration half-way, and running the whole of it again, as its runner would.

Only a migration that is not one transaction can stop half-way. The connection is cut behind every statement that leaves something behind,
and in the middle of every index that is built CONCURRENTLY, where it leaves an INVALID one.
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
from migsafe.replaying.sending import Refused, is_idle, send, send_statement
from migsafe.session import sent_statements, transaction_numbers
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement

if TYPE_CHECKING:
    from psycopg import Connection

NAME = "crash"
_MOST = 60
"""How many places are tried: each is a copy of the database."""
_PATIENCE = 20.0
_NOWHERE = "it could not be tried: on a copy the migration does not come so far, as where it makes roles, which all databases share"
_WAITING = "SELECT 1 FROM pg_catalog.pg_locks WHERE pid = %s AND NOT granted"


class _Place(NamedTuple):
    """Where the connection is cut: behind a statement, or in the middle of it."""

    statement: Statement
    inside: bool

    def __str__(self) -> str:
        return f"{'in the middle of' if self.inside else 'after'} statement {self.statement.index}"


def crash(ground: Subject) -> Outcome:
    """Cut the connection everywhere where it leaves something behind, run the whole again, and compare with an undisturbed run."""
    places = list(_places(ground.migration.up))
    if not places or ground.before is None:
        return Outcome(experiment=NAME, passed=True, summary="it is all or nothing: a crash leaves nothing behind")
    found = [_tried(ground, ground.before, place) for place in places[:_MOST]]
    steps = [step for one in found if one is not None for step in one]
    number = sum(one is not None for one in found)
    left_out = f"; {len(places) - number} more places were not tried" if len(places) > number else ""
    if steps:
        return Outcome(
            experiment=NAME, passed=False, summary=f"after a crash it does not run again as it is{left_out}", observations=tuple(steps)
        )
    if not number:
        return Outcome(experiment=NAME, passed=None, summary=_NOWHERE)
    tried = "the only place" if number == 1 else f"each of {number} places"
    return Outcome(experiment=NAME, passed=True, summary=f"after a crash at {tried} where it can stop half-way, the whole runs again{left_out}")


def _places(half: Half) -> Iterator[_Place]:
    """Where a crash leaves something behind: a transaction has ended, and more statements are to come."""
    statements = [one.statement for one in sent_statements(half)]
    numbers = list(transaction_numbers(half, statements))
    for place, (statement, number) in enumerate(zip(statements, numbers, strict=True)):
        if number is None:
            continue
        if _leaves_invalid(statement.operations[0]):
            yield _Place(statement, inside=True)
        others = [other for other in numbers[place + 1 :] if other is not None]
        if others and number not in others and not isinstance(statement.operations[0], sql.SetVariable):
            yield _Place(statement, inside=False)


def _leaves_invalid(operation: sql.Operation) -> bool:
    return isinstance(operation, sql.CreateIndex | sql.Reindex) and operation.concurrently


def _tried(ground: Subject, before: str, place: _Place) -> list[Observation] | None:
    """What a crash at a place leads to; None where the migration does not come so far on a copy."""
    half, number = ground.migration.up, place.statement.index
    with ground.copy(before) as database:
        try:
            if not place.inside:
                ground.run(database, half, upto=number)
            elif not _cut_inside(ground, database, place.statement):
                return None
        except Refused:
            # What a server has but once (a role, a replication slot) is there since the migration itself ran.
            return None
        try:
            ground.run(database, half)
        except Refused as refused:
            at = refused.statement.index
            return [Observation(f"a crash {place} leaves what it cannot run on: statement {at} fails: {refused.failure.message}", number)]
        differences = schema_differences(ground.state_after.schema, ground.state(database).schema)
        return [Observation(f"a crash {place}, and the whole again: {line}", number) for line in differences]


def _cut_inside(ground: Subject, database: str, statement: Statement) -> bool:
    """Come to a statement, and cut the connection while it waits for a transaction that writes to the table; whether that was possible.

    CREATE INDEX CONCURRENTLY waits twice for those who may not know of the index; by then it is there, and INVALID.
    """
    half, table = ground.migration.up, _table(statement.operations[0])
    if table is None:
        return False
    connect = ground.host.connect
    with ground.working(database) as connection, connect(database) as writer, connect(database) as watch:
        send(connection, half, upto=statement.index - 1)
        if not is_idle(connection):
            return False
        writer.execute("BEGIN")
        try:
            writer.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE".encode())
        except error_class():
            return False
        pid = connection.info.backend_pid
        runs = Thread(target=lambda: _quietly(connection, statement, half), daemon=True)
        runs.start()
        until = monotonic() + _PATIENCE
        while runs.is_alive() and monotonic() < until and watch.execute(_WAITING, (pid,)).fetchone() is None:
            sleep(0.002)
        watch.execute("SELECT pg_catalog.pg_terminate_backend(%s)", (pid,))
        runs.join(_PATIENCE)
    return True


def _quietly(connection: "Connection[Any]", statement: Statement, half: Half) -> None:
    with suppress(Exception):  # it is cut
        send_statement(connection, statement, half)


def _table(operation: sql.Operation) -> Name | None:
    if isinstance(operation, sql.CreateIndex):
        return operation.table
    if isinstance(operation, sql.Reindex) and operation.kind == "table":
        return operation.name
    return None
