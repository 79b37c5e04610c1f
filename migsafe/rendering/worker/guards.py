"""Limits that keep the faults of one script from others, and actions that are forbidden while it runs.

This prevents accidents; a malicious script can get around it. See docs/architecture.md.
"""

import builtins
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import BuiltinFunctionType, FrameType, FunctionType, ModuleType
from typing import Any, NoReturn

from migsafe.rendering.worker.composed_sql import MODULES, replace_names
from migsafe.rendering.worker.frames import caller, is_importing

MEMORY = 2 << 30
_PARENT_DIED = 1
_BEAT = 0.2

_FORBIDDEN = {
    **dict.fromkeys(("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"), "the network"),
    **dict.fromkeys(("os.remove", "os.rmdir", "os.rename", "os.truncate", "os.link", "os.symlink", "os.mkdir", "os.chmod"), "file changes"),
    **dict.fromkeys(("shutil.rmtree", "shutil.move", "os.chown", "os.utime"), "file changes"),
    **dict.fromkeys(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty"), "other programs"),
    **dict.fromkeys(("os.kill", "os.killpg", "signal.pthread_kill"), "signals"),
}
_DRIVERS: dict[str, tuple[tuple[str, str], ...]] = {
    "psycopg2": (("", "connect"),),
    "psycopg": (("", "connect"), ("Connection", "connect"), ("AsyncConnection", "connect")),
    "asyncpg": (("", "connect"), ("", "create_pool")),
    "pg8000": (("", "connect"),),
    "pg8000.dbapi": (("", "connect"),),
    "psycopg2cffi": (("", "connect"),),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


_ALLOWED_IN_IMPORTS = ("other programs", "file changes")
"""Actions that libraries may need when they are imported: they search for system libraries and write caches."""
INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
STANDARD = f"{Path(os.__file__).parent}{os.sep}"
OWN = f"{Path(__file__).parents[2]}{os.sep}"


class Forbidden(Exception):
    """An action that a script must not do while it is rendered."""


class TimeUp(BaseException):
    """The script has exceeded its time limit."""


class ImportTooLong(BaseException):
    """An import has exceeded its time limit."""


class ProcessExit(BaseException):
    """The script has tried to end the process."""


class Guards:
    """The limits of the process, which apply while a script runs."""

    def __init__(self) -> None:
        self._on = False
        self._deadline = 0.0
        self._is_importing = False
        self._own = {thread.ident for thread in threading.enumerate()}

    def install(self) -> None:
        """Installs the limits for the rest of the process."""
        sys.dont_write_bytecode = True
        sys.addaudithook(self._audit)
        sys.meta_path.insert(0, self)
        time.sleep = self._sleep  # type: ignore[assignment]
        os._exit = os.abort = self._raise_exit  # type: ignore[assignment]
        _limit_memory()
        _die_with_parent()

    @contextmanager
    def __call__(self, seconds: float) -> Iterator[None]:
        """Applies the limits to the block."""
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, self._raise_time_up)
            signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)  # repeatedly, because a script may catch every exception
        self._on, self._deadline = True, time.monotonic() + seconds
        try:
            yield
        finally:
            self._on = False
            if hasattr(signal, "setitimer"):
                signal.setitimer(signal.ITIMER_REAL, 0)

    @contextmanager
    def importing(self, seconds: float) -> Iterator[None]:
        """Limits the time of the block, which imports modules, if the script may run for longer."""
        if not self._on or not hasattr(signal, "setitimer") or self._deadline - time.monotonic() <= seconds:
            yield
            return
        self._is_importing = True
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
        try:
            yield
        finally:
            self._is_importing = False
            signal.setitimer(signal.ITIMER_REAL, max(self._deadline - time.monotonic(), 0.001), 0.05)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Suspends the limits for migsafe's own work while a script runs."""
        was_on, self._on = self._on, False
        try:
            yield
        finally:
            self._on = was_on

    def has_extra_threads(self) -> bool:
        """Whether a script has left threads running."""
        return any(thread.ident not in self._own for thread in threading.enumerate())

    def adopt_all(self) -> None:
        """Counts all threads as the worker's own: imported modules may start some, which last."""
        self._own.update(thread.ident for thread in threading.enumerate())

    def adopt(self, thread: threading.Thread) -> None:
        """Counts a thread as one of the worker's own."""
        self._own.add(thread.ident)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Finds a driver, which may connect without Python's sockets, and disables its connect functions. Finds the module with which a driver
        composes SQL, and lets it work without a connection."""
        if name not in _DRIVERS and name not in MODULES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            if name in MODULES:
                replace_names(module)
            for holder, function in _DRIVERS.get(name, ()):
                owner = getattr(module, holder) if holder else module
                setattr(owner, function, staticmethod(self._connect) if holder else self._connect)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _connect(self, *_: object, **__: object) -> NoReturn:
        raise Forbidden("the network is not allowed here")

    def _sleep(self, seconds: float) -> None:
        """Waits, but not for a script: it waits for other sessions, between batches or attempts."""
        if not self._on or threading.current_thread() is not threading.main_thread() or is_importing(caller()):
            _SLEEP(seconds)

    def _raise_time_up(self, _: int, frame: FrameType | None) -> None:
        if self._on:
            raise ImportTooLong if self._is_importing and time.monotonic() < self._deadline else TimeUp

    def _raise_exit(self, *_: object) -> None:
        raise ProcessExit("it ends the process")

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        action = _FORBIDDEN.get(event)
        if event == "open" and len(arguments) > 2 and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            action = "file changes" if arguments[0] != os.devnull else None
        if event == "socket.__new__" and arguments[1] in (socket.AF_INET, socket.AF_INET6):
            action = "the network"
        if action is not None and not (action in _ALLOWED_IN_IMPORTS and _is_needed_by_import(action)):
            raise Forbidden(f"{action} ({event}) {'is' if action == 'the network' else 'are'} not allowed here")


def _is_needed_by_import(action: str) -> bool:
    """Whether a module is being imported, and it is not the project's code that changes files: an application makes its folders and logs."""
    frame: FrameType | None = caller(2)
    if not is_importing(frame):
        return False
    while action == "file changes" and frame is not None:
        name = frame.f_code.co_filename
        if any(part in name for part in INSTALLED):
            return True
        if not name.startswith((STANDARD, OWN, "<")):
            return False
        frame = frame.f_back
    return True


def watch_parent(parent: int, beat: Callable[[], None]) -> threading.Thread:
    """Ends the process when its parent has ended, and calls `beat` regularly."""

    def watch() -> None:
        while os.getppid() == parent:
            _SLEEP(_BEAT)
            beat()
        _EXIT(0)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


_EXIT = os._exit
_SLEEP = time.sleep


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415  # not everywhere
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (OSError, ValueError):  # macOS does not support it
        return


def _die_with_parent() -> None:
    if not sys.platform.startswith("linux"):
        return
    try:
        import ctypes  # noqa: PLC0415

        ctypes.CDLL(None, use_errno=True).prctl(_PARENT_DIED, signal.SIGKILL)
    except (OSError, AttributeError):  # watch_parent() remains
        return


class Snapshot:
    """The functions and classes of Alembic, SQLAlchemy and Python before the first script, to detect changes."""

    def __init__(self) -> None:
        self._seen = _names_of_libraries()

    def is_changed(self) -> bool:
        """Whether something has changed."""
        return not all(before.items() <= vars(thing).items() for thing, before in self._seen)

    def accept(self) -> None:
        """Regards the current state as unchanged: that of modules which change libraries when they are imported, once for all scripts."""
        if self.is_changed():
            self._seen = _names_of_libraries()


def _names_of_libraries() -> list[tuple[Any, dict[str, Any]]]:
    seen: list[tuple[Any, dict[str, Any]]] = [(builtins, dict(vars(builtins)))]
    classes: dict[type, None] = {}
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and name.partition(".")[0] in ("sqlalchemy", "alembic"):
            seen.append((module, _lasting(vars(module))))
            classes.update((cls, None) for cls in vars(module).values() if isinstance(cls, type) and cls.__module__.startswith(_WATCHED))
    seen += [(cls, _lasting(vars(cls))) for cls in classes]
    return seen + [(module, _lasting(vars(module))) for module in (os, socket, threading, time)]


_WATCHED = ("sqlalchemy.", "alembic.")
_LASTING = (BuiltinFunctionType, FunctionType, type, classmethod, staticmethod, property)


def _lasting(names: Any) -> dict[str, Any]:
    """Returns the functions and classes of a module or class: other values are counters and caches, which may change."""
    return {name: value for name, value in dict(names).items() if isinstance(value, _LASTING) and name != "__getattr__"}
