"""Processes that a test has started: their descendants, and whether they still run. Needs /proc."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A process. The system uses its number again, but not with the same start time."""

    pid: int
    started: str

    @property
    def words(self) -> list[str]:
        """Its command line; empty if it has ended."""
        try:
            return [word.decode() for word in Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")[:-1]]
        except OSError:
            return []

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        fields = _fields(self.pid)
        return fields is not None and fields[19] == self.started and fields[0] != "Z"


def descendants(pid: int) -> list[Process]:
    """Returns the processes that a process has started, and those that they have started."""
    parents = {int(entry.name): _fields(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found, new = [], {pid}
    while new:
        children = {child: fields for child, fields in parents.items() if fields is not None and int(fields[1]) in new}
        found += [Process(child, fields[19]) for child, fields in children.items()]
        new = set(children)
    return found


def data_folders(pid: int) -> Iterator[Path]:
    """Yields the data folders of the servers that a process has started, once they accept connections."""
    for process in descendants(pid):
        words = process.words
        if words and words[0].endswith("/postgres") and "-D" in words:
            data = Path(words[words.index("-D") + 1])
            status = data / "postmaster.pid"
            if status.exists() and "ready" in status.read_text():
                yield data


def within(seconds: float, true: Callable[[], object]) -> bool:
    """Waits until a condition is true; returns whether it became true in this time."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def _fields(pid: int) -> list[str] | None:
    """Returns the fields of /proc/…/stat after the name, from the state on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
