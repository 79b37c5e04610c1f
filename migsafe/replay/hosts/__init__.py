"""Servers on which migrations are played: one kind a file, chosen by `--server`."""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from psycopg import Connection


class Host(Protocol):
    """A server, and databases on it that are ours to make, fill and drop. `title` names it for people, `major` is its version."""

    @property
    def title(self) -> str:
        """What it is, for people."""

    @property
    def major(self) -> int:
        """Its major version."""

    def connect(self, database: str) -> "Connection[Any]":
        """Connect to one of our databases as who looks on, makes copies and counts, in autocommit."""

    def work(self, database: str) -> "Connection[Any]":
        """Connect to one of our databases as the role that migrations run as, in autocommit."""

    def create(self, database: str, template: str | None = None) -> None:
        """Make a database; as a copy of another of ours, to which nobody is connected, if that is given."""

    def drop(self, database: str) -> None:
        """Drop a database of ours, and whoever is connected to it; nothing if there is none."""
