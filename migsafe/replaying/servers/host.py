"""The interface of servers that migrations are replayed on. Each kind of server has a module; `--server` and `--from` select one."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from psycopg import Connection


class Host(Protocol):
    """A server with databases that migsafe creates, fills and drops.

    If `only_database` is set, the host has this database alone: migrations run in it one after the other, and experiments, which need
    copies, are not possible. `start_database` is the database that a replay begins with a copy of; None means an empty database. `notes` tell
    the user, at the end, what was removed or remains of this run and of killed runs.
    """

    notes: list[str]

    def __enter__(self) -> Self:
        """Starts the server, or connects to it."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Drops everything that migsafe created, and stops or leaves the server."""

    @property
    def title(self) -> str:
        """A description of the server, for reports."""

    @property
    def origin(self) -> str:
        """The origin of the rows that a replay begins with, as a phrase for reports; empty if it begins with an empty database."""

    @property
    def major(self) -> int:
        """The server's major version."""

    @property
    def only_database(self) -> str | None:
        """The database in which everything runs, if the host has no other."""

    @property
    def start_database(self) -> str | None:
        """The database that a replay begins with."""

    def connect(self, database: str) -> "Connection[Any]":
        """Connects to a database as the role that observes, copies and counts, in autocommit."""

    def connect_as_migrator(self, database: str) -> "Connection[Any]":
        """Connects to a database as the role that migrations run as, in autocommit."""

    def create_database(self, database: str, template: str | None = None) -> None:
        """Creates a database, as a copy of `template` if it is given; no session may be connected to the template."""

    def drop_database(self, database: str) -> None:
        """Drops a database that migsafe created, and ends the sessions in it; does nothing if it does not exist."""

    def create_role(self, name: str) -> bool:
        """Creates a role that migrations expect to exist, and grants it to them. Returns whether that is possible: only on a server
        whose roles all belong to migsafe."""
