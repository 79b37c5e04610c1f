"""Runs the unsafe way of an example and the ways by its help on a server, and compares the schemas in which they end."""

from collections.abc import Callable
from typing import Any, Protocol

from psycopg import Connection

from migsafe.replaying.experiments.contents import Schema, read_schema, schema_differences
from migsafe.replaying.servers.server import Server
from tests.rules.example_runs import SCHEMA, fill_new
from tests.rules.followed_helps import Example, run_migrations
from tests.rules.runner_files import Kind, migrations_of

WITHOUT_ROWS = ("required-column-added", "type-narrowed")
"""Rules whose help has a place where the author mends the rows."""


class Way(Protocol):
    """A history, and what an author writes after it."""

    example: Example

    @property
    def text(self) -> str:
        """Returns what the author writes."""

    def prepare(self, connection: Connection[Any], /) -> None:
        """Runs the history."""

    def run(self, connection: Connection[Any], /) -> str:
        """Runs what the author writes; returns the error with which PostgreSQL refuses it."""


class HelpBench:
    """A server with the database that the examples expect, with rows in all tables."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._ends: dict[object, Schema | str] = {}
        self._prepared: dict[object, str] = {}
        server.create_database("usual")
        with server.connect("usual") as connection:
            connection.execute(SCHEMA.encode())
            fill_new(connection, set())
            for view in ("order_totals", "sales_by_day"):
                connection.execute(f"REFRESH MATERIALIZED VIEW {view}".encode())

    def compare(self, way: Way, key: object) -> list[str]:
        """Returns the differences between the schema in which a way ends and that of the unsafe way of its example, in SQL; none if PostgreSQL
        refuses the unsafe way. Ways with the same key are the same."""
        safe = self._end(way.example, (way.example, key), way.prepare, way.run)
        assert not isinstance(safe, str), f"{safe}\n{way.text}"
        unsafe = self._end(way.example, way.example, *_as_it_is(way.example))
        return [] if isinstance(unsafe, str) else schema_differences(unsafe, safe)

    def _end(
        self, example: Example, key: object, prepare: Callable[[Connection[Any]], None], run: Callable[[Connection[Any]], str]
    ) -> Schema | str:
        """Returns the schema in which a way ends, or the error with which PostgreSQL refuses it."""
        if key not in self._ends:
            self.server.create_database("copy", self._database(example))
            try:
                with self.server.connect("copy") as connection:
                    prepare(connection)
                    _fill(connection, example)
                    self._ends[key] = run(connection) or read_schema(connection)
            finally:
                self.server.drop_database("copy")
        return self._ends[key]

    def _database(self, example: Example) -> str:
        """Returns a database with the setup of an example."""
        if not example.setup:
            return "usual"
        if example.setup not in self._prepared:
            self._prepared[example.setup] = name = f"prepared_{len(self._prepared)}"
            self.server.create_database(name, "usual")
            with self.server.connect(name) as connection:
                error = run_migrations(connection, migrations_of(example.setup, Kind.PSQL))
                assert error == "", error
                fill_new(connection, set())
        return self._prepared[example.setup]


def _as_it_is(example: Example) -> tuple[Callable[[Connection[Any]], None], Callable[[Connection[Any]], str]]:
    history, unsafe = ([each for text in texts for each in migrations_of(text, Kind.PSQL)] for texts in (example.history, example.unsafe))

    def prepare(connection: Connection[Any]) -> None:
        run_migrations(connection, history)

    return prepare, lambda connection: run_migrations(connection, unsafe)


def _fill(connection: Connection[Any], example: Example) -> None:
    """Gives rows to the tables of the history, or takes all rows away."""
    if example.rule.name not in WITHOUT_ROWS:
        if example.history:
            fill_new(connection, set())
        return
    tables = connection.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384 AND relname <> 'alembic_version'"
    ).fetchall()
    connection.execute(f"TRUNCATE {', '.join(table for (table,) in tables)} CASCADE".encode())
