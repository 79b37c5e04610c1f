"""The statements of a migration, read while the server runs the one before."""

from collections.abc import Iterable, Iterator
from itertools import islice

from migsafe.session import SentStatement


class ReadAhead(Iterator[SentStatement]):
    """The statements of a migration. `read` reads the next one before it is asked for."""

    def __init__(self, statements: Iterable[SentStatement]) -> None:
        self._statements = iter(statements)
        self._read: list[SentStatement] = []

    def __next__(self) -> SentStatement:
        return self._read.pop() if self._read else next(self._statements)

    def read(self) -> None:
        """Reads the next statement."""
        self._read = self._read or list(islice(self._statements, 1))
