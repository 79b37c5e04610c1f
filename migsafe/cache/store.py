"""Cache entries on disk: each complete or absent, and limited in number and size.

Errors are not reported: an entry that cannot be read counts as absent, and an entry that cannot be written is not stored.
"""

import os
import sys
import time
import zlib

MOST_BYTES = 64 << 20
MOST_ENTRIES = 2000
"""The limits for all entries together. If they are exceeded, the oldest entries are removed until a quarter is free."""

_LARGEST = MOST_BYTES // 4
_SUM = 4
_STALE = 86_400.0
"""The age in seconds after which reading an entry renews its time."""


def usual_folder() -> str | None:
    """Returns the folder of the user's entries; None if there is none. (XDG Base Directory Specification: a relative path is ignored.)"""
    caches = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(caches):
        caches = os.path.join(os.path.expanduser("~"), *(("Library", "Caches") if sys.platform == "darwin" else (".cache",)))
    return os.path.join(caches, "migsafe") if os.path.isabs(caches) else None


def usual_store() -> "Store | None":
    """Returns the user's entries; None if there is no folder for them, or the system has no file owners to trust."""
    folder = usual_folder() if os.name == "posix" else None
    return Store(folder) if folder else None


class Store:
    """The entries in a folder to which only the user has access, because entries are trusted."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def read(self, name: str) -> bytes | None:
        """Returns an entry; None if it does not exist or is damaged."""
        path = os.path.join(self.folder, name)
        try:
            if not self._is_private():
                return None
            with open(path, "rb") as file:
                data = file.read()
                age = os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        if len(data) < _SUM or zlib.crc32(memoryview(data)[_SUM:]) != int.from_bytes(data[:_SUM], "big"):
            return None
        self._mark_used(path, age)
        return data[_SUM:]

    def write(self, name: str, data: bytes) -> None:
        """Write an entry, replacing one of the same name, if possible."""
        if len(data) > _LARGEST:
            return
        path = os.path.join(self.folder, name)
        # Another run may be writing the same entry; the last one to finish wins.
        unready = f"{path}.{os.urandom(8).hex()}"
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            if not self._is_private():
                return
            try:
                with open(os.open(unready, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(zlib.crc32(data).to_bytes(_SUM, "big"))
                    file.write(data)
                os.replace(unready, path)
            except BaseException:
                _remove(unready)
                raise
            self._trim()
        except OSError:
            return

    def names(self) -> set[str]:
        """Returns the names of all entries."""
        try:
            return set(os.listdir(self.folder))
        except OSError:
            return set()

    def _is_private(self) -> bool:
        found = os.stat(self.folder)
        return found.st_uid == os.geteuid() and not found.st_mode & 0o077

    def _mark_used(self, path: str, age: float) -> None:
        if time.time() - age > _STALE:
            try:
                os.utime(path)
            except OSError:
                return

    def _trim(self) -> None:
        entries = []
        with os.scandir(self.folder) as found:
            for entry in found:
                try:
                    state = entry.stat(follow_symlinks=False)
                except OSError:  # another run has removed it
                    continue
                entries.append((state.st_mtime_ns, state.st_size, entry.path))
        number, size = len(entries), sum(size for _, size, _ in entries)
        if number <= MOST_ENTRIES and size <= MOST_BYTES:
            return
        for _, its_size, path in sorted(entries):
            if number <= MOST_ENTRIES * 3 // 4 and size <= MOST_BYTES * 3 // 4:
                return
            number, size = number - 1, size - its_size
            _remove(path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:  # another run has removed it, or it does not exist
        return
