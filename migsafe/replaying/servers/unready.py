"""What stands for a server that was not ready when the user ended the run."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from migsafe.errors import MigsafeError

if TYPE_CHECKING:
    from psycopg import Connection


class UnreadyHost:
    """A server that never became ready, for the report of a run in which no migration ran. `major` is the version that was wanted."""

    title = "no server: the run was interrupted before it was ready"
    origin = ""
    only_database = None
    start_database = None

    def __init__(self, major: int) -> None:
        self.major = major
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        """Does nothing."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Does nothing."""

    def connect(self, database: str) -> "Connection[Any]":
        """Raises MigsafeError."""
        self._refuse()

    def connect_as_migrator(self, database: str) -> "Connection[Any]":
        """Raises MigsafeError."""
        self._refuse()

    def create_database(self, database: str, template: str | None = None) -> None:
        """Raises MigsafeError."""
        self._refuse()

    def drop_database(self, database: str) -> None:
        """Does nothing: it has no databases."""

    def create_role(self, name: str) -> bool:
        """Raises MigsafeError."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise MigsafeError(self.title)
