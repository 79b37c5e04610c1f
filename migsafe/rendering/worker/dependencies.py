"""What scripts look at besides what they are asked for: whoever wants to know later whether one would come to the same looks there again.

Python tells an audit hook of files that are opened, folders that are listed and code that is run; `os.stat`, by which os.path and pathlib ask
whether something is there, is stood in for. What is imported in vain passes a finder behind all others.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Any

from migsafe.rendering.messages import Dependencies
from migsafe.rendering.worker.frames import caller, is_importlib

_STANDARD = f"{Path(os.__file__).parent}{os.sep}"
_INSTALLED = ("site-packages", "dist-packages")
_WRITING = os.O_WRONLY | os.O_RDWR
_LIVE = ("/proc/", "/sys/", "/dev/")


class DependencyTracker:
    """What is looked at from now on. It is said piece by piece: each time what is new."""

    def __init__(self) -> None:
        self.incomplete = False
        """Whether something was looked at that nobody can look at again."""
        self._on = False
        self._script = ""
        self._said: set[str] = set()
        self._files: dict[str, None] = {}
        self._folders: dict[str, None] = {}
        self._paths: dict[str, None] = {}
        self._stat: Any = os.stat

    def install(self) -> None:
        """Begin to look, for good."""
        sys.addaudithook(self._hear)
        sys.meta_path.append(self)
        stand_in: Any = os
        stand_in.stat = self._stat_seen
        for entry in sys.path:
            if _is_installed(entry):
                self._folders[entry] = None  # what is not there may be installed one day
        for module in list(sys.modules.values()):
            self._run(getattr(module, "__file__", None))

    @contextmanager
    def of_script(self, path: str) -> Iterator[None]:
        """Note what the script at a path looks at besides itself."""
        self.incomplete, self._on, self._script = False, True, path
        try:
            yield
        finally:
            self._on = False

    def take_new(self) -> Dependencies:
        """What was looked at since this was asked last."""
        said = Dependencies(*(self._fresh(kind, found) for kind, found in (("f", self._files), ("l", self._folders), ("p", self._paths))))
        for found in (self._files, self._folders, self._paths):
            found.clear()
        return said

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        """Note where a module would be that nobody has found."""
        last = name.rpartition(".")[2]
        for entry in sys.path if path is None else path:
            if not isinstance(entry, str) or _is_installed(entry) or not _is_others(entry):
                continue
            for suffix in ("", *SOURCE_SUFFIXES, *EXTENSION_SUFFIXES):
                self._paths[f"{entry}{os.sep}{last}{suffix}"] = None

    def _fresh(self, kind: str, found: Iterable[str]) -> tuple[str, ...]:
        fresh = [path for path in found if kind + path not in self._said]
        self._said.update(kind + path for path in fresh)
        return tuple(fresh)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        match event:
            case "open":
                self._open(*arguments)
            case "exec":
                self._run(getattr(arguments[0], "co_filename", None))
            case "import":
                self._run(arguments[1])  # what it is loaded from, where that is a library in C
            case "os.scandir" | "os.listdir":
                if not is_importlib(caller()):
                    self.incomplete = self.incomplete or isinstance(arguments[0], int)
                    self._folders[os.fsdecode(arguments[0]) if arguments[0] is not None else "."] = None
            case "os.chdir" | "socket.connect":
                self.incomplete = True

    def _open(self, what: object, _: object, flags: object) -> None:
        if isinstance(what, int) or (isinstance(flags, int) and flags & _WRITING):
            return
        path = os.fsdecode(what)  # type: ignore[arg-type]
        if path.startswith(_LIVE):
            self.incomplete = self.incomplete or path != os.devnull
        elif not path.endswith(".pyc"):
            self._run(path)

    def _run(self, path: object) -> None:
        if isinstance(path, str) and path != self._script and _is_others(path):
            self._files[path] = None

    def _stat_seen(self, path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        if self._on and not isinstance(path, int):
            self.incomplete = self.incomplete or dir_fd is not None
            self._paths[os.fsdecode(path)] = None
        found: os.stat_result = self._stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        return found


def _is_installed(path: str) -> bool:
    return any(name in path for name in _INSTALLED)


def _is_others(path: str) -> bool:
    """Whether a file is not Python's own."""
    return _is_installed(path) or not path.startswith((_STANDARD, "<"))
