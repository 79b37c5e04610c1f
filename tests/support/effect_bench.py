"""Where cases are measured: a server, the database of schema.sql, and copies of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg

from migsafe.replaying.recording.measurement import Measurement, count_rows, measure
from migsafe.replaying.recording.nontransactional import measure_nontransactional
from migsafe.replaying.recording.snapshot import take_snapshot
from migsafe.replaying.servers.server import Server
from migsafe.sql.statements import read
from tests.prediction.effects.cases import SCHEMA, Case, sql_of

MODEL, COPY, SHARED = "model", "copy", "shared"


class Refusal(NamedTuple):
    """PostgreSQL refused the statement, and said why."""

    why: str


class Measured(NamedTuple):
    """What PostgreSQL did; `in_block` says whether the statement ran in a transaction block, as all do that can."""

    found: Measurement
    in_block: bool


class Bench:
    """A server with the database in which every case begins."""

    def __init__(self, server: Server) -> None:
        self.server = server
        server.create_database(MODEL)
        with server.connect(MODEL) as connection:
            for statement in read(SCHEMA):
                connection.execute(sql_of(statement, SCHEMA).encode())
        server.create_database(SHARED, template=MODEL)
        self._admin = server.connect()
        self._shared = server.connect(SHARED)
        self._shared.execute("BEGIN")
        self._rows = count_rows(self._shared, take_snapshot(self._shared))
        self._shared.execute("COMMIT")

    def close(self) -> None:
        """Hang up."""
        self._shared.close()
        self._admin.close()

    def measured(self, case: Case) -> Measured | Refusal:
        """What the last statement of a case does."""
        try:
            try:
                return Measured(self._in_transaction(case), in_block=True)
            except psycopg.errors.ActiveSqlTransaction:
                return Measured(self._outside(case), in_block=False)
        except psycopg.Error as error:
            return Refusal(str(error).partition("\n")[0])

    def _in_transaction(self, case: Case) -> Measurement:
        """Rolled back in the shared database; after a preparation, which must not be measured with it, in one of its own."""
        if not case.preparation:
            self._shared.execute("BEGIN")
            try:
                return measure(self._shared, case.sql, rows=self._rows)
            finally:
                self._shared.execute("ROLLBACK")
        with self._copied(case), self.server.connect(COPY) as connection:
            _prepare(connection, case)
            return measure(connection, case.sql)

    def _outside(self, case: Case) -> Measurement:
        with self._copied(case):
            with self.server.connect(COPY) as connection:
                _prepare(connection, case)
            return measure_nontransactional(self.server, COPY, case.sql)

    @contextmanager
    def _copied(self, case: Case) -> Iterator[None]:
        # Copying files is the quicker way where it is not the only one.
        how = " STRATEGY file_copy" if self.server.installation.major >= 15 else ""
        self._admin.execute(f"CREATE DATABASE {COPY} TEMPLATE {MODEL}{how}".encode())
        try:
            yield
        finally:
            self._admin.execute(f"DROP DATABASE {COPY} WITH (FORCE)".encode())


def _prepare(connection: "psycopg.Connection[Any]", case: Case) -> None:
    for sql in case.preparation:
        try:
            connection.execute(sql.encode())
        except psycopg.Error as error:
            raise AssertionError(f"{case}: its preparation fails: {error}") from error
