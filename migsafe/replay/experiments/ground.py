"""What experiments start from."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from migsafe.replay.digest import Rows, Schema, rows_of, schema_of
from migsafe.replay.hosts import Host
from migsafe.sources import Migration
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_numbers = count(1)


class Ground:
    """A migration with the databases before and after it, to which nobody is connected, and what was in them."""

    def __init__(self, host: Host, migration: Migration, before: str, after: str) -> None:
        self.host = host
        self.migration = migration
        self.before = before
        self.after = after
        self.schema_before, self.rows_before = self._state(before)
        self.schema_after, self.rows_after = self._state(after)

    @contextmanager
    def copy(self, template: str) -> Iterator[str]:
        """A copy of a database, for as long as the block lasts."""
        name = f"{template}_copy_{next(_numbers)}"
        self.host.create(name, template)
        try:
            yield name
        finally:
            self.host.drop(name)

    @contextmanager
    def working(self, database: str) -> "Iterator[Connection[Any]]":
        """A connection as the role that migrations run as."""
        connection = self.host.work(database)
        try:
            yield connection
        finally:
            connection.close()

    def schema(self, database: str) -> Schema:
        """The schema of a database as it is now."""
        with self.host.connect(database) as connection:
            return schema_of(connection)

    def rows(self, database: str) -> dict[Name, Rows]:
        """The rows of a database as they are now."""
        with self.host.connect(database) as connection:
            return rows_of(connection)

    def _state(self, database: str) -> tuple[Schema, dict[Name, Rows]]:
        with self.host.connect(database) as connection:
            return schema_of(connection), rows_of(connection)
