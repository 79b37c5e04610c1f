"""Servers on which migrations are played: one kind a file, chosen by `--server` and `--from`."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from psycopg import Connection


class Host(Protocol):
    """A server, and databases on it that are ours to make, fill and drop.

    A host that is a single database, `only`, has no others: migrations run in it, one after the other, and nothing can be tried on copies.
    `start` is the database of which replays begin with a copy, None for an empty one.
    """

    def __enter__(self) -> Self:
        """Start it, or connect to it."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Drop all that is ours, and leave it."""

    @property
    def title(self) -> str:
        """What it is, for people."""

    @property
    def major(self) -> int:
        """Its major version."""

    @property
    def only_database(self) -> str | None:
        """The one database in which everything runs, where there is no other."""

    @property
    def start_database(self) -> str | None:
        """The database with which to begin."""

    def connect(self, database: str) -> "Connection[Any]":
        """Connect to one of our databases as who looks on, makes copies and counts, in autocommit."""

    def connect_as_migrator(self, database: str) -> "Connection[Any]":
        """Connect to one of our databases as the role that migrations run as, in autocommit."""

    def create_database(self, database: str, template: str | None = None) -> None:
        """Make a database; as a copy of another of ours, to which nobody is connected, if that is given."""

    def drop_database(self, database: str) -> None:
        """Drop a database of ours, and whoever is connected to it; nothing if there is none."""

    def create_role(self, name: str) -> bool:
        """Make a role that migrations take for granted, and let them use it; whether that is possible here, which is only where all roles are
        ours."""
