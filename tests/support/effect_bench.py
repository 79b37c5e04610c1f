"""The server on which cases are measured, with the database of schema.sql and copies of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg

from migsafe.replaying.recording.ledger import Ledger, read_contents
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.nontransactional import measure_nontransactional
from migsafe.replaying.servers.server import Server
from migsafe.sql.operations import Operation
from migsafe.sql.statements import read
from tests.prediction.effects.cases import SCHEMA, Case, sql_of
from tests.support.statement_meter import measure

MODEL, COPY, SHARED = "model", "copy", "shared"


class Refusal(NamedTuple):
    """The message with which PostgreSQL refused the statement."""

    message: str


class Measured(NamedTuple):
    """The measured effects; `in_block` says whether the statement ran in a transaction block. Every statement that can run in one does."""

    measurement: Measurement
    in_block: bool


class Bench:
    """A server with the database in which every case begins. It measures as `migsafe replay` does: with the ledger of a connection, or, for
    a statement that cannot run in a transaction block, with `measure_nontransactional`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        server.create_database(MODEL)
        with server.connect(MODEL) as connection:
            for statement in read(SCHEMA):
                connection.execute(sql_of(statement, SCHEMA).encode())
        server.create_database(SHARED, template=MODEL)
        self._admin = server.connect()
        self._shared = server.connect(SHARED)
        self._ledger = _ledger(self._shared)

    def close(self) -> None:
        """Closes the connections."""
        self._shared.close()
        self._admin.close()

    def measure(self, case: Case) -> Measured | Refusal:
        """Returns the effects of the last statement of a case."""
        try:
            try:
                return Measured(self._measure_in_transaction(case), in_block=True)
            except psycopg.errors.ActiveSqlTransaction:
                return Measured(self._measure_outside_transaction(case), in_block=False)
        except psycopg.Error as error:
            return Refusal(str(error).partition("\n")[0])

    def _measure_in_transaction(self, case: Case) -> Measurement:
        """Measures in the shared database and rolls back. A case with a preparation runs in a copy, so that the preparation is not measured."""
        if not case.preparation:
            return measure_and_roll_back(self._shared, self._ledger, case.sql, case.statements[-1].operations)
        with self._copied(), self.server.connect(COPY) as connection:
            _prepare(connection, case)
            return measure_and_roll_back(connection, _ledger(connection), case.sql, case.statements[-1].operations)

    def _measure_outside_transaction(self, case: Case) -> Measurement:
        with self._copied():
            if case.preparation:
                with self.server.connect(COPY) as connection:
                    _prepare(connection, case)
            return measure_nontransactional(self.server, COPY, case.sql)

    @contextmanager
    def _copied(self) -> Iterator[None]:
        # file_copy is faster. Before 15 it is the only strategy, and the option does not exist.
        strategy = " STRATEGY file_copy" if self.server.installation.major >= 15 else ""
        self._admin.execute(f"CREATE DATABASE {COPY} TEMPLATE {MODEL}{strategy}".encode())
        try:
            yield
        finally:
            self._admin.execute(f"DROP DATABASE {COPY} WITH (FORCE)".encode())


def measure_and_roll_back(connection: "psycopg.Connection[Any]", ledger: Ledger, sql: str, operations: tuple[Operation, ...]) -> Measurement:
    """Runs a statement in a separate transaction, as the player of `migsafe replay` does, rolls it back, and returns its effects."""
    ledger.begin_transaction()
    try:
        return measure(connection, ledger, sql, operations, begins=True)
    finally:
        connection.execute("ROLLBACK")
        ledger.rolled_back()


def _ledger(connection: "psycopg.Connection[Any]") -> Ledger:
    return Ledger(connection, read_contents(connection, connection))


def _prepare(connection: "psycopg.Connection[Any]", case: Case) -> None:
    for sql in case.preparation:
        try:
            connection.execute(sql.encode())
        except psycopg.Error as error:
            raise AssertionError(f"{case}: its preparation fails: {error}") from error
