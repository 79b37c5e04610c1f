"""A recording in this process, with pytest or without."""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from migsafe.workload.query import Query
from migsafe.workload.recording.journal import Journal, Recording
from migsafe.workload.recording.listeners import Listeners
from migsafe.workload.recording.recorder import Recorder


class Heard(Struct, kw_only=True):
    """What a session has heard: the number of statements, the drivers that sent them, those that were not imported, and those not supported.

    `others` are the databases other than PostgreSQL that got statements.
    """

    seen: int = 0
    drivers: list[str] = []
    unused: list[str] = []
    unsupported: list[str] = []
    others: list[str] = []

    def merge(self, other: "Heard") -> None:
        """Adds what the session of another process has heard."""
        self.seen += other.seen
        self.drivers = sorted({*self.drivers, *other.drivers})
        self.unsupported = sorted({*self.unsupported, *other.unsupported})
        self.unused = [name for name in self.unused if name in other.unused]
        self.others = sorted({*self.others, *other.others})


class Session:
    """Records in this process until `close()`, to the file that `open` names."""

    def __init__(self, folder: Path) -> None:
        self._journal = Journal()
        self.recorder = Recorder(folder, self._journal)
        self.listeners = Listeners(self.recorder)
        atexit.register(self.close)

    def open(self, path: Path) -> None:
        """Begins to write to a file that exists. Raises MigsafeError if it cannot be written."""
        self._journal.open(path)

    def close(self) -> None:
        """Restores the packages, and writes the last counts."""
        atexit.unregister(self.close)
        self.listeners.close()
        self.recorder.report()
        self._journal.close()

    def heard(self) -> Heard:
        """Returns what the session has heard."""
        listeners = self.listeners
        return Heard(
            seen=self.recorder.seen,
            drivers=listeners.heard,
            unused=listeners.unused,
            unsupported=listeners.unsupported,
            others=sorted(self.recorder.others),
        )


@contextmanager
def record(path: str | Path, folder: str | Path = ".") -> Iterator[None]:
    """Records the queries that the code in the `with` block sends, to a file of queries as `pytest --migsafe-record` writes it.

    Connections should be opened within the block. Call sites are relative to `folder`, the project's. What is sent outside a request is not
    counted as repeated. Raises MigsafeError if the file cannot be written.
    """
    recording = Recording(Path(path).absolute())
    session = Session(Path(folder))
    try:
        session.open(Path(path).absolute())
        yield
    finally:
        session.close()
        recording.finish()


def summary(queries: list[Query], path: str, heard: Heard) -> list[str]:
    """Returns what a recording came to, as lines for people."""
    most = max((query.per_request for query in queries), default=0)
    if queries:
        lines = [f"{len(queries):,} {'query' if len(queries) == 1 else 'queries'} recorded in {path}; most often in one request: {most}"]
    else:
        lines = [f"no queries were recorded, so {path} was not written", *_reasons(heard)]
    if heard.others and queries:
        lines.append(f"the tests used {', '.join(heard.others)}: some statements differ from those that PostgreSQL gets")
    return [*lines, *(f"not recorded: {reason}" for reason in heard.unsupported)]


def _reasons(heard: Heard) -> Iterator[str]:
    """Yields why there may be no queries."""
    unused = f"; not imported by the tests: {', '.join(heard.unused)}" if heard.unused else ""
    yield f"listened to: {', '.join(heard.drivers) or 'no driver'}{unused}"
    if heard.seen:
        yield (
            f"{heard.seen:,} {'statement was' if heard.seen == 1 else 'statements were'} sent, but no query by code of the application: "
            "tests, migrations, definitions and transaction control are not recorded"
        )
