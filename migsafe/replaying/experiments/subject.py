"""What experiments start from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any

from migsafe.replaying.experiments.contents import Rows, Schema, read_rows, read_schema
from migsafe.replaying.sending import send
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import Guard, unlimited
from migsafe.session import sent_statements, transaction_numbers
from migsafe.sources import Half, Migration
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_numbers = count(1)


class DatabaseState:
    """What is in a database, looked at when somebody asks, and kept."""

    def __init__(self, connect: "Callable[[], Connection[Any]]") -> None:
        self._connect = connect

    @cached_property
    def schema(self) -> Schema:
        """Its schema."""
        with self._connect() as connection:
            return read_schema(connection)

    @cached_property
    def rows(self) -> dict[Name, Rows]:
        """Its rows."""
        with self._connect() as connection:
            return read_rows(connection)


class Subject:
    """A migration that has run, with the databases before and after it, to which nobody is connected, and what is in them.

    `before` is there only where a migration can stop half-way. `outside` are the numbers of the statements that no transaction takes;
    `guard` limits what a statement may take.
    """

    def __init__(
        self,
        host: Host,
        migration: Migration,
        before: str | None,
        after: str,
        states: tuple[DatabaseState, DatabaseState],
        *,
        outside: frozenset[int] = frozenset(),
        guard: Guard = unlimited,
    ) -> None:
        self.host = host
        self.migration = migration
        self.before = before
        self.after = after
        self.state_before, self.state_after = states
        self.outside = outside
        self._guard = guard

    @property
    def is_one_transaction(self) -> bool:
        """Whether the migration is all or nothing: one transaction."""
        return is_one_transaction(self.migration.up, self.outside)

    @contextmanager
    def copy(self, template: str) -> Iterator[str]:
        """A copy of a database, for as long as the block lasts."""
        name = f"{template}_copy_{next(_numbers)}"
        self.host.create_database(name, template)
        try:
            yield name
        finally:
            self.host.drop_database(name)

    @contextmanager
    def working(self, database: str) -> "Iterator[Connection[Any]]":
        """A connection as the role that migrations run as."""
        connection = self.host.connect_as_migrator(database)
        try:
            yield connection
        finally:
            connection.close()

    def run(self, database: str, half: Half, upto: int | None = None) -> None:
        """Run a migration, as its runner would. Raises Refused."""
        with self.working(database) as connection:
            send(connection, half, upto, guard=self._guard)

    def state(self, database: str) -> DatabaseState:
        """What is in a database now."""
        return DatabaseState(lambda: self.host.connect(database))


def is_one_transaction(half: Half, outside: frozenset[int]) -> bool:
    """Whether what a runner sends is one transaction. Reads the script; raises UnreadableError."""
    if outside:
        return False
    numbers = transaction_numbers(half, [one.statement for one in sent_statements(half)])
    return len({number for number in numbers if number is not None}) <= 1
