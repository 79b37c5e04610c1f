"""Interception of what this process does with files: the one place where migsafe changes its own process.

An audit hook hears of opened files, listed folders and started programs, whichever code does it. Checks whether a path exists raise no audit
event, so `os.stat`, `os.lstat` and `os.readlink`, which os.path and pathlib call for them, are replaced while a watch is on.
docs/architecture.md gives the reasons; tests/cache/test_canaries.py fails if a new Python breaks an assumption made here.
"""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from migsafe.cache.trace import target

_PROGRAMS = frozenset(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"))
_UNREPEATABLE = frozenset(("os.chdir", "socket.connect"))
"""Events after which a run may know something, or look at paths in a way, that no trace can contain."""

_HEARD = frozenset(("open", "os.scandir", "os.listdir")) | _PROGRAMS | _UNREPEATABLE

PathState = tuple[int, tuple[int, int] | None]
"""The type bits of a path's mode and what identifies the file (device, inode); or the error's number, negative, and None."""


def path_state(found: os.stat_result) -> PathState:
    """Returns what a look at a path saw."""
    return stat.S_IFMT(found.st_mode), (found.st_dev, found.st_ino)


def error_state(error: OSError) -> PathState:
    """Returns what a look at a path saw that raised an error."""
    return -(error.errno or 1), None


class Observer(Protocol):
    """The receiver of what was intercepted."""

    def file_opened(self, path: object, flags: int) -> None:
        """A file is about to be opened: by its path, or as a number."""

    def folder_listed(self, path: object) -> None:
        """A folder is about to be listed: by its path, as a number, or None for the current folder."""

    def path_checked(self, path: str, state: PathState, *, followed: bool) -> None:
        """A path was checked; `followed` says whether links were followed."""

    def link_read(self, path: str, leads_to: str | int) -> None:
        """The target of a link was read."""

    def program_started(self) -> None:
        """Another program is about to be started."""

    def note_unrepeatable(self) -> None:
        """Something happened that a later run cannot check."""


class Interception:
    """The audit hook and the replaced functions, which report to an observer between `install` and `remove`.

    `stat`, `lstat` and `readlink` are the original functions.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._installed = False
        self._paused = False
        self._checked_in_test: list[str] | None = None
        self.stat, self.lstat, self.readlink = os.stat, os.lstat, os.readlink

    def install(self) -> None:
        """Begin to report."""
        self._installed = True
        sys.addaudithook(self._hear)
        module: Any = os
        module.stat, module.lstat, module.readlink = self._reporting_stat, self._reporting_lstat, self._reporting_readlink

    def remove(self) -> None:
        """Stop reporting, and restore the functions. Python offers no way to remove the hook; it ignores everything from now on."""
        self._installed = False
        module: Any = os
        module.stat, module.lstat, module.readlink = self.stat, self.lstat, self.readlink

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Report nothing that the block does."""
        before, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = before

    def unnoticed_checks(self) -> list[str]:
        """Returns the standard functions that check a path of this Python without a report. To be called while it is installed."""
        path = os.__file__
        checks: dict[str, Callable[[], object]] = {
            "os.path.exists": lambda: os.path.exists(path),
            "os.path.isfile": lambda: os.path.isfile(path),
            "os.path.isdir": lambda: os.path.isdir(path),
            "os.path.islink": lambda: os.path.islink(path),
            "Path.exists": lambda: Path(path).exists(),
            "Path.is_file": lambda: Path(path).is_file(),
            "Path.is_dir": lambda: Path(path).is_dir(),
        }
        unnoticed = []
        for name, check in checks.items():
            self._checked_in_test = []
            check()
            if not self._checked_in_test:
                unnoticed.append(name)
        self._checked_in_test = None
        return unnoticed

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        # Python reports thousands of other events, such as each array that is made.
        if event not in _HEARD or not self._installed or self._paused:
            return
        self._paused = True
        try:
            if event == "open":
                path, _, flags = arguments
                self._observer.file_opened(path, flags)
            elif event in ("os.scandir", "os.listdir"):
                self._observer.folder_listed(arguments[0])
            elif event in _PROGRAMS:
                self._observer.program_started()
            elif event in _UNREPEATABLE:
                self._observer.note_unrepeatable()
        except Exception:  # an exception of a hook would reach the code that opens the file
            self._observer.note_unrepeatable()
        finally:
            self._paused = False

    # Otherwise Python suspends tracing for each event, which takes three times as long as an event that the hook ignores.
    _hear.__cantrace__ = True  # type: ignore[attr-defined]

    def _reporting_stat(self, path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        return self._check(path, dir_fd, follow_symlinks, lambda: self.stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks))

    def _reporting_lstat(self, path: Any, *, dir_fd: int | None = None) -> os.stat_result:
        return self._check(path, dir_fd, False, lambda: self.lstat(path, dir_fd=dir_fd))

    def _reporting_readlink(self, path: Any, *, dir_fd: int | None = None) -> Any:
        if dir_fd is not None:
            self._observer.note_unrepeatable()
        name = os.fsdecode(path)
        self._observer.link_read(name, target(name, self.readlink))
        return self.readlink(path, dir_fd=dir_fd)

    def _check(self, path: Any, dir_fd: int | None, followed: bool, ask: Callable[[], os.stat_result]) -> os.stat_result:
        if self._paused or isinstance(path, int):
            return ask()
        if dir_fd is not None:
            self._observer.note_unrepeatable()
        try:
            found = ask()
        except OSError as error:
            self._report(path, error_state(error), followed)
            raise
        self._report(path, path_state(found), followed)
        return found

    def _report(self, path: Any, state: PathState, followed: bool) -> None:
        name = os.fsdecode(path)
        if self._checked_in_test is not None:
            self._checked_in_test.append(name)
        else:
            self._observer.path_checked(name, state, followed=followed)
