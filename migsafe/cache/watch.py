"""Observing what a run looks at.

Python tells an audit hook of every file that is opened and every folder that is listed, whoever does it. Of asking whether a path is there
it tells nobody, so `os.stat`, `os.lstat` and `os.readlink`, by which os.path and pathlib ask, are stood in for while the watch is on.
"""

import os
import stat
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from migsafe.cache.trace import COMPILED, Listing, Seen, Signature, Trace, digest, is_settled, kind, listing, numbered, signature, target

_PROGRAMS = frozenset(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"))
_UNSEEN = frozenset(("os.chdir", "socket.connect"))
"""Events after which a run may know something, or look at things in a way, that no trace can hold."""

_STANDARD = f"{os.path.dirname(os.__file__)}{os.sep}"
_INSTALLED = tuple(f"{_STANDARD}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_WRITING = os.O_WRONLY | os.O_RDWR
_IN = 0

_Look = tuple[int, tuple[int, int] | None]


class Watch:
    """What is looked at in its block.

    It hashes a file before the run reads it, and asks at the end whether the file is still the same one: what was written in between makes
    no trace.
    """

    def __init__(self) -> None:
        self._began = time.time_ns()
        self._on = False
        self._busy = False
        self._blind = False
        self._programs = False
        self._files: dict[str, tuple[Seen, Signature, int]] = {}
        self._folders: dict[str, Listing] = {}
        self._looks: dict[tuple[str, bool], _Look] = {}
        self._links: dict[str, str | int] = {}
        self._asked: list[tuple[str | None, list[str], list[str]]] = []
        self._order: list[str] = []
        self._stat, self._lstat, self._readlink = os.stat, os.lstat, os.readlink

    def __enter__(self) -> "Watch":
        self._on = True
        sys.addaudithook(self._hear)
        stand_in: Any = os
        stand_in.stat, stand_in.lstat, stand_in.readlink = self._stat_seen, self._lstat_seen, self._readlink_seen
        self._blind = not self._sees()
        return self

    def __exit__(self, *_: object) -> None:
        # Python keeps the hook, but it hears nothing any more.
        self._on = False
        stand_in: Any = os
        stand_in.stat, stand_in.lstat, stand_in.readlink = self._stat, self._lstat, self._readlink

    @contextmanager
    def away(self) -> Iterator[None]:
        """Look away from what the block looks at."""
        before, self._busy = self._busy, True
        try:
            yield
        finally:
            self._busy = before

    @property
    def place(self) -> int:
        """How much has been looked at so far, for `trace`."""
        return len(self._order)

    def git_said(self, revision: str | None, folders: list[str], files: Collection[str]) -> None:
        """Take note of what the programs have answered that were run so far: they were git's, asked what differs from a revision."""
        self._asked.append((revision, folders, sorted(files)))
        self._programs = False

    def cannot_see(self) -> None:
        """Something was looked at that nobody can look at again."""
        self._blind = True

    def trace(self, after: int = 0, but: Collection[str] = ()) -> Trace | None:
        """What has been looked at (`after` a place, if one is given, and `but` some files) and the code that was run; None where that cannot
        be said, or something changed under the run. To be called when it is over."""
        wanted = set(self._order[after:]).difference(but)
        code = self._code() if not (self._blind or self._programs) and self._is_unchanged() else None
        if code is None:
            return None
        files = {
            path: (seen, known if is_settled(known, when) else None) for path, (seen, known, when) in self._files.items() if path in wanted
        }
        return (
            [(path, seen, known) for path, (seen, known) in {**code, **files}.items()],
            [(path, found) for path, found in self._folders.items() if path in wanted],
            numbered((path, followed, *look) for (path, followed), look in self._looks.items() if path in wanted),
            [(path, found) for path, found in self._links.items() if path in wanted],
            self._asked if not after else [],
        )

    def looks_again(self, trace: Trace) -> bool:
        """Look at all that another run had looked at, because this one goes on from there; returns whether all of it is as it was."""
        files, folders, looks, links, asked = trace
        with self.away():
            return (
                not asked
                and all(self._reads_again(*one) for one in files)
                and all(self._lists_again(*one) for one in folders)
                and all(self._follows_again(*one) for one in links)
                and numbered(self._looks_again(path, followed) for path, followed, _, _ in looks) == looks
            )

    def _reads_again(self, path: str, seen: Seen, known: Signature | None) -> bool:
        if known is not None and path not in self._files and self._signature(path) == known:
            self._files[path] = (seen, known, time.time_ns())
        self._opened(path, None, os.O_RDONLY)
        return path in self._files and self._files[path][0] == seen

    def _lists_again(self, path: str, found: Listing) -> bool:
        self._listed(path)
        return self._folders[path] == found

    def _follows_again(self, path: str, found: str | int) -> bool:
        self._order.append(path)
        return self._links.setdefault(path, target(path, self._readlink)) == found

    def _looks_again(self, path: str, followed: bool) -> tuple[str, bool, int, tuple[int, int] | None]:
        found = kind(path, followed=followed)
        self._looked(path, found, followed=followed)
        return path, followed, *found

    # What it hears

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on or self._busy:
            return
        self._busy = True
        try:
            if event == "open":
                self._opened(*arguments)
            elif event in ("os.scandir", "os.listdir"):
                self._listed(arguments[0])
            elif event in _PROGRAMS:
                self._programs = True
            elif event in _UNSEEN:
                self._blind = True
        except Exception:  # what is raised here would be raised by whoever opened the file
            self._blind = True
        finally:
            self._busy = False

    def _opened(self, what: object, mode: str | None, flags: int) -> None:
        if isinstance(what, int):
            # A file that was opened before, whose name nobody says; standard input, or the end of a pipe.
            self._blind = self._blind or what == _IN
            return
        path = os.fsdecode(what)  # type: ignore[arg-type]
        if flags & _WRITING or path.endswith(".pyc") or (path.startswith(_STANDARD) and not path.startswith(_INSTALLED)):
            return
        self._order.append(path)
        if path in self._files:
            return
        try:
            found = self._stat(path)
        except OSError as error:
            self._looked(path, (-(error.errno or 1), None), followed=True)
            return
        if not stat.S_ISREG(found.st_mode):
            # A pipe is read but once, and not by us.
            self._blind = self._blind or not stat.S_ISDIR(found.st_mode)
            self._looked(path, (stat.S_IFMT(found.st_mode), (found.st_dev, found.st_ino)), followed=True)
            return
        when = time.time_ns()
        self._files[path] = (digest(path), signature(found), when)

    def _listed(self, what: object) -> None:
        if isinstance(what, int):
            self._blind = True
            return
        path = os.fsdecode(what) if what is not None else "."  # type: ignore[arg-type]
        if COMPILED in path:
            return
        self._order.append(path)
        if path not in self._folders:
            self._folders[path] = listing(path)

    # What it stands in for

    def _stat_seen(self, path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        return self._look(path, dir_fd, follow_symlinks, lambda: self._stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks))

    def _lstat_seen(self, path: Any, *, dir_fd: int | None = None) -> os.stat_result:
        return self._look(path, dir_fd, False, lambda: self._lstat(path, dir_fd=dir_fd))

    def _readlink_seen(self, path: Any, *, dir_fd: int | None = None) -> Any:
        self._blind = self._blind or dir_fd is not None
        name = os.fsdecode(path)
        self._order.append(name)
        self._links[name] = target(name, self._readlink)
        return self._readlink(path, dir_fd=dir_fd)

    def _look(self, path: Any, dir_fd: int | None, followed: bool, ask: Callable[[], os.stat_result]) -> os.stat_result:
        if self._busy or isinstance(path, int):
            return ask()
        self._blind = self._blind or dir_fd is not None
        try:
            found = ask()
        except OSError as error:
            self._looked(os.fsdecode(path), (-(error.errno or 1), None), followed=followed)
            raise
        self._looked(os.fsdecode(path), (stat.S_IFMT(found.st_mode), (found.st_dev, found.st_ino)), followed=followed)
        return found

    def _looked(self, path: str, found: _Look, *, followed: bool) -> None:
        self._order.append(path)
        if self._looks.setdefault((path, followed), found) != found:
            self._blind = True

    def _sees(self) -> bool:
        """Whether this Python's ways of asking for a path come by here."""
        path = os.path.join(_STANDARD, "os.py")
        asked: list[Callable[[], object]] = [
            lambda: os.path.exists(path),
            lambda: os.path.isfile(path),
            lambda: os.path.isdir(path),
            lambda: os.path.islink(path),
            lambda: Path(path).exists(),
            lambda: Path(path).is_file(),
            lambda: Path(path).is_dir(),
        ]
        for ask in asked:
            self._looks.clear()
            ask()
            if not self._looks:
                return False
        self._looks.clear()
        self._order.clear()
        return True

    # What it asks in the end

    def _signature(self, path: str) -> Signature | None:
        try:
            return signature(self._stat(path))
        except OSError:
            return None

    def _is_unchanged(self) -> bool:
        """Whether nothing has changed since it was looked at first."""
        return all(listing(path) == found for path, found in self._folders.items()) and all(
            self._signature(path) == known and (is_settled(known, when) or digest(path) == seen)
            for path, (seen, known, when) in self._files.items()
        )

    def _code(self) -> dict[str, tuple[Seen, Signature | None]] | None:
        """The files of all modules but Python's own; None where one may have changed since it was loaded."""
        found: dict[str, tuple[Seen, Signature | None]] = {}
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if not isinstance(path, str) or (path.startswith(_STANDARD) and not path.startswith(_INSTALLED)) or path in found:
                continue
            known = self._signature(path)
            if known is None or not is_settled(known, self._began):
                return None
            found[path] = (digest(path), known)
        return found
