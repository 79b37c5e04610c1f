"""The stored queries of files, so that a file that is unchanged is not read again.

All queries of a project are in one entry. A file's queries are found by its content, and are valid for the code that read them.
"""

import marshal
import os
import sys
from contextlib import nullcontext
from hashlib import blake2b

from migsafe.cache.store import Store, usual_store
from migsafe.cache.watch import Watch

_FORMAT = 1
_CODE = ("workload", "sql", "text.py")
"""What reads queries, below the package's folder."""


class ReadQueries:
    """The queries of a project's files that an earlier run has read. `store` is called for what this run has read, and `keep` at the end."""

    def __init__(self, store: Store, folder: str, watch: Watch | None = None) -> None:
        self._store = store
        self._watch = watch
        self._key = repr((_FORMAT, sys.version, os.path.realpath(folder), _code()))
        name = repr((sys.version, os.path.realpath(folder)))
        self._name = f"queries-{blake2b(name.encode(errors='surrogatepass'), digest_size=8).hexdigest()}"
        self._known: dict[bytes, bytes] = {}
        self._used: dict[bytes, bytes] = {}
        data = store.read(self._name)
        if data is not None:
            try:
                key, known = marshal.loads(data)  # noqa: S302  # only the user can write to the folder
                if key == self._key:
                    self._known = known
            except (ValueError, TypeError, EOFError):
                return

    def look_up(self, digest: bytes) -> bytes | None:
        """Returns what was stored for a content."""
        found = self._known.get(digest)
        if found is not None:
            self._used[digest] = found
        return found

    def store(self, digest: bytes, data: bytes) -> None:
        """Store what was read of a content."""
        self._used[digest] = data

    def keep(self) -> None:
        """Write the entry, if it changes. What was not used by this run is left out."""
        if self._used.keys() == self._known.keys():
            return
        with self._watch.paused() if self._watch is not None else nullcontext():
            self._store.write(self._name, marshal.dumps((self._key, self._used)))


def stored_queries(store: Store, folder: str, watch: Watch) -> ReadQueries:
    """Returns the stored queries of a project, for a run with a watch."""
    with watch.paused():
        return ReadQueries(store, folder, watch)


def usual_queries(folder: str) -> ReadQueries | None:
    """Returns the stored queries of a project in the user's cache, for a run without a watch; None if there is no cache folder."""
    store = usual_store()
    return ReadQueries(store, folder) if store is not None else None


def _code() -> list[tuple[str, int, int]]:
    """Returns the files of the code that reads queries, with their sizes and times."""
    package = os.path.dirname(os.path.dirname(__file__))
    found = []
    for name in _CODE:
        path = os.path.join(package, name)
        files = [path] if name.endswith(".py") else [os.path.join(folder, file) for folder, _, each in os.walk(path) for file in each]
        for file in files:
            if file.endswith(".py"):
                state = os.stat(file)
                found.append((file, state.st_size, state.st_mtime_ns))
    return sorted(found)
