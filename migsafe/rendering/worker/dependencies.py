"""The files, folders and paths that scripts depend on, so that a stored rendering can be checked later.

Python reports opened files, listed folders and executed code to an audit hook. `os.stat`, with which os.path and pathlib check for files, is
replaced. A finder after all others sees the imports that fail. See docs/architecture.md.
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
_VOLATILE = ("/proc/", "/sys/", "/dev/")


class DependencyTracker:
    """Records dependencies, and returns those that are new each time."""

    def __init__(self) -> None:
        self.incomplete = False
        """Whether there is a dependency that cannot be checked later."""
        self._on = False
        self._script = ""
        self._reported: set[str] = set()
        self._files: dict[str, None] = {}
        self._folders: dict[str, None] = {}
        self._paths: dict[str, None] = {}
        self._stat: Any = os.stat

    def install(self) -> None:
        """Starts recording for the rest of the process."""
        sys.addaudithook(self._audit)
        sys.meta_path.append(self)
        os_module: Any = os
        os_module.stat = self._recording_stat
        for entry in sys.path:
            if _is_installed(entry):
                self._folders[entry] = None  # a missing package may be installed later
        for module in list(sys.modules.values()):
            self._run(getattr(module, "__file__", None))

    @contextmanager
    def of_script(self, path: str) -> Iterator[None]:
        """Records what the script at a path depends on besides itself."""
        self.incomplete, self._on, self._script = False, True, path
        try:
            yield
        finally:
            self._on = False

    def take_new(self) -> Dependencies:
        """Returns the dependencies since the last call."""
        dependencies = Dependencies(
            *(self._unreported(kind, paths) for kind, paths in (("f", self._files), ("l", self._folders), ("p", self._paths)))
        )
        for paths in (self._files, self._folders, self._paths):
            paths.clear()
        return dependencies

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        """Records the places where a missing module was searched for."""
        last = name.rpartition(".")[2]
        for entry in sys.path if path is None else path:
            if not isinstance(entry, str) or _is_installed(entry) or not _is_not_standard(entry):
                continue
            for suffix in ("", *SOURCE_SUFFIXES, *EXTENSION_SUFFIXES):
                self._paths[f"{entry}{os.sep}{last}{suffix}"] = None

    def _unreported(self, kind: str, paths: Iterable[str]) -> tuple[str, ...]:
        new_paths = [path for path in paths if kind + path not in self._reported]
        self._reported.update(kind + path for path in new_paths)
        return tuple(new_paths)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        match event:
            case "open":
                self._open(*arguments)
            case "exec":
                self._run(getattr(arguments[0], "co_filename", None))
            case "import":
                self._run(arguments[1])  # the file of a library in C
            case "os.scandir" | "os.listdir":
                if not is_importlib(caller()):
                    self.incomplete = self.incomplete or isinstance(arguments[0], int)
                    self._folders[str(os.fsdecode(arguments[0])) if arguments[0] is not None else "."] = None
            case "os.chdir" | "socket.connect":
                self.incomplete = True

    def _open(self, file: object, _: object, flags: object) -> None:
        if isinstance(file, int) or (isinstance(flags, int) and flags & _WRITING):
            return
        path = str(os.fsdecode(file))  # type: ignore[arg-type]
        if path.startswith(_VOLATILE):
            self.incomplete = self.incomplete or path != os.devnull
        elif not path.endswith(".pyc"):
            self._run(path)

    def _run(self, path: object) -> None:
        if isinstance(path, str) and path != self._script and _is_not_standard(path):
            self._files[path] = None

    def _recording_stat(self, path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        if self._on and not isinstance(path, int):
            self.incomplete = self.incomplete or dir_fd is not None
            self._paths[str(os.fsdecode(path))] = None
        state: os.stat_result = self._stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        return state


def _is_installed(path: str) -> bool:
    return any(name in path for name in _INSTALLED)


def _is_not_standard(path: str) -> bool:
    """Whether a file is not part of Python's standard library."""
    return _is_installed(path) or not path.startswith((_STANDARD, "<"))
