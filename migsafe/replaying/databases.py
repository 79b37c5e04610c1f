"""The databases of a replay."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.errors import MigsafeError
from migsafe.replaying.recording.contents import Contents
from migsafe.replaying.refusals import error_class
from migsafe.replaying.seeding import Seeder
from migsafe.replaying.sending import Refused, send
from migsafe.replaying.servers.host import Host
from migsafe.sources import Half

if TYPE_CHECKING:
    from psycopg import Connection


class Database(Struct):
    """The database of a source after the migrations so far; `contents` is what it contains, if known."""

    name: str
    seeder: Seeder | None
    contents: Contents | None = None


class Databases:
    """Creates and drops the databases of a run. `disconnect` closes the connections that the run keeps: a database is copied without any."""

    def __init__(self, host: Host, disconnect: Callable[[], None]) -> None:
        self._host = host
        self._disconnect = disconnect
        self._names = count(1)

    @property
    def can_be_copied(self) -> bool:
        """Whether the host can have a copy of a database."""
        return self._host.only_database is None

    def drop(self, database: str) -> None:
        """Drops a database, unless it is the only one of its host."""
        self._disconnect()
        if database != self._host.only_database:
            # If the server has stopped, that has been reported already.
            with suppress(error_class(), MigsafeError):
                self._host.drop_database(database)

    def create(self, template: str | None) -> str:
        """Creates a database, as a copy of `template` if it is given; returns its name."""
        self._disconnect()
        name = f"migsafe_{next(self._names)}"
        self._host.create_database(name, template)
        return name

    @contextmanager
    def copy(self, database: str, *, after: Sequence[Half] = ()) -> "Iterator[Connection[Any]]":
        """Connects to a copy of a database in which migrations have run, and which is dropped at the end of the `with` block."""
        copy = self.create(database)
        connection = self._host.connect_as_migrator(copy)
        try:
            for half in after:
                with suppress(Refused):  # this is reported when it is recorded
                    send(connection, half)
            yield connection
        finally:
            connection.close()
            self.drop(copy)
