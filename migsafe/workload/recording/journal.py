"""The file that a recording writes to while it lasts, and what becomes of it at the end.

Each process appends whole lines to the file that the user named: a new query or call site at once, changed counts from time to time. The file
can be read at any time, because equal queries are added up. So a run that is killed keeps what it saw, and the processes of pytest-xdist need
no agreement. The process that started the recording sorts the file at the end.
"""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from migsafe.errors import unwritable
from migsafe.workload.document import header, line, read_document, write_document
from migsafe.workload.query import Query

_SHORTEST_PAUSE = 1.0
_PAUSES_PER_RUN = 20


class Journal:
    """The lines that one process appends. They are kept in memory until the file is opened."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._kept: list[bytes] = []
        self._started = self._due_since = time.monotonic()

    def open(self, path: Path) -> None:
        """Opens the file. Raises MigsafeError if it cannot be written."""
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        except OSError as error:
            raise unwritable(path, error) from error
        kept, self._kept = self._kept, []
        os.write(self._file, b"".join(kept))

    def write(self, queries: Iterable[Query]) -> None:
        """Appends the lines of queries. One call of the system for all, so that the lines of other processes do not come between."""
        lines = b"".join(line(query) for query in queries)
        if self._file is None:
            self._kept.append(lines)
        elif lines:
            os.write(self._file, lines)

    def is_due(self) -> bool:
        """Whether counts should be written again: each second at first, then less often, so that a long run does not write a large file."""
        now = time.monotonic()
        if now - self._due_since <= max(_SHORTEST_PAUSE, (now - self._started) / _PAUSES_PER_RUN):
            return False
        self._due_since = now
        return True

    def close(self) -> None:
        """Closes the file. What is written later is not kept in it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Recording:
    """The file from the beginning of a recording to its end, in the process that started it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._earlier = path.read_bytes() if path.exists() else None
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(header())
        except OSError as error:
            raise unwritable(path, error) from error

    def finish(self) -> list[Query]:
        """Sorts the file and returns its queries. If there are none, the file is again what it was before. Raises MigsafeError."""
        queries = list(_rounded(read_document(str(self._path), unfinished=True)))
        try:
            if queries:
                write_document(str(self._path), queries)
            elif self._earlier is None:
                self._path.unlink(missing_ok=True)
            else:
                self._path.write_bytes(self._earlier)
        except OSError as error:
            raise unwritable(self._path, error) from error
        return queries


def _rounded(queries: Iterable[Query]) -> Iterator[Query]:
    """Yields queries whose numbers of calls are rounded down to one digit.

    A new test should not change the line of each query that it sends.
    """
    for query in queries:
        places = tuple(replace(place, calls=_round(place.calls)) for place in query.places)
        yield replace(query, calls=_round(query.calls), places=places)


def _round(calls: int) -> int:
    unit: int = 10 ** (len(str(calls)) - 1)
    return calls // unit * unit
