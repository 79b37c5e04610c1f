"""The line of the application that sends a statement.

A file is classified once by its path; the walk from the driver up to the application then costs one dictionary look-up for each frame.
"""

import contextlib
import dis
import inspect
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

from migsafe.workload.recording.scopes import Scope

(
    LIBRARY,
    DRIVER,
    GENERATED,
    APPLICATION,
    TEST,
    UPPER_DRIVER,
    BOUNDARY,
    INTERNAL,
    REPEATING,
    RUNNER,
) = range(10)
"""Kinds of file; the walk passes over those before APPLICATION. A DRIVER is a library that sends statements for others; an UPPER_DRIVER reports
its statements itself, so a driver below it does not report them again. A BOUNDARY calls the application for each request: its callers
do not send the statement. INTERNAL files send statements of their own when they connect, and reflect tables. REPEATING files call a test many
times. RUNNER is pytest."""

_TOP = frozenset({BOUNDARY, RUNNER})

_BY_PATH = {
    "sqlalchemy/engine/create.py": INTERNAL,
    "sqlalchemy/engine/reflection.py": INTERNAL,
    "sqlalchemy/sql/ddl.py": INTERNAL,
    "sqlalchemy/": UPPER_DRIVER,
    "django/db/backends/utils.py": UPPER_DRIVER,
    "django/core/handlers/": BOUNDARY,
    "flask/app.py": BOUNDARY,
    "starlette/routing.py": BOUNDARY,
    "fastapi/routing.py": BOUNDARY,
    "hypothesis/": REPEATING,
    "_pytest/": RUNNER,
    "django/db/": DRIVER,
    "psycopg/": DRIVER,
    "psycopg_pool/": DRIVER,
    "psycopg2/": DRIVER,
    "asyncpg/": DRIVER,
    "greenlet/": DRIVER,
}
"""The kinds of libraries' files, by their path in site-packages or the beginning of it."""

_PLUMBING = ("starlette/", "fastapi/", "pydantic/", "anyio/", "uvicorn/", "asgiref/")
"""Libraries that evaluate what a handler returned. A statement that they send is the handler's."""

_TEST_NAMES = frozenset({"tests", "test", "testing", "conftest.py", "tests.py"})

_NAMELESS = re.compile(r"(?:\.<locals>)?\.<\w+>")
"""Functions without a name in the name of a function: comprehensions, which newer releases of Python do not have, and lambdas."""

_GENERATORS = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_CONTEXT_MANAGER = str(Path(contextlib.__file__))

# `await` jumps back, too, without interrupt.
_JUMPS_BACK = frozenset(code for name, code in dis.opmap.items() if "JUMP_BACKWARD" in name and "NO_INTERRUPT" not in name)

Loop = tuple[int, int]
"""The first and the last bytecode offset of a loop."""


class Site:
    """A place that sends statements: path relative to the project, line, function. There is one object for each place."""

    __slots__ = ("line", "name", "path")

    def __init__(self, path: str, line: int, name: str) -> None:
        self.path = path
        self.line = line
        self.name = name


class CallSites:
    """Finds call sites below the project's folder.

    `folder` is the project's folder, to which paths are relative. Code of the repository that contains it is the application's, too, except
    tests, virtual environments and what was installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._root = next((parent for parent in (self._folder, *self._folder.parents) if (parent / ".git").exists()), self._folder)
        # One string for each installation folder: files below a virtual environment are not the application's, even inside the project.
        paths = {*sysconfig.get_paths().values(), sys.prefix, str(Path(__file__).parents[2])}
        self._installed = tuple(
            f"{path}/" for path in {str(Path(path).resolve()) for path in paths} | paths if path not in (str(self._root), str(self._folder))
        )
        self._kinds: dict[str, int] = {}
        self._sites: dict[tuple[str, int], Site] = {}
        self._loops: dict[tuple[str, int], list[Loop]] = {}

    def in_request(self, frame: FrameType | None, scope: Scope, *, driver: bool) -> Site | None:
        """Returns the site of a statement that is sent while a request is handled, None if the application did not send it.

        `frame` is the frame that called the driver. With `driver`, statements that a library above the driver reports are left out.
        """
        kinds = self._kinds
        manager: Site | None = None
        for top in _stacks(frame):
            caller: FrameType | None = top
            while caller is not None:
                filename = caller.f_code.co_filename
                kind = kinds.get(filename)
                if kind is None:
                    kind = self._kind(filename, caller.f_globals)
                if kind >= APPLICATION:
                    if kind == APPLICATION:
                        if not _is_context_manager(caller):
                            return self._site(caller.f_code, caller.f_lineno)
                        manager = manager or self._site(caller.f_code, caller.f_lineno)
                    elif kind in _TOP:
                        return manager or self._of_library(frame, scope)
                    elif kind == TEST or (manager is None and (kind == INTERNAL or (kind == UPPER_DRIVER and driver))):
                        return None
                caller = caller.f_back
        return manager or self._of_library(frame, scope)

    def outside(self, frame: FrameType | None, *, driver: bool) -> tuple[Site, tuple[int, ...] | None] | None:
        """Returns the site of a statement that is sent outside a request, None if the application did not send it.

        With it, the instructions in the test's functions that lead to the application: they tell one call of the application from the next.
        None instead of them if a loop repeats them, or no test is among the callers.
        """
        site: Site | None = None
        path: list[int] = []
        repeated = is_manager = False
        kinds = self._kinds
        for top in _stacks(frame):
            caller: FrameType | None = top
            while caller is not None:
                code = caller.f_code
                kind = kinds.get(code.co_filename)
                if kind is None:
                    kind = self._kind(code.co_filename, caller.f_globals)
                if kind < APPLICATION:
                    pass
                elif kind == APPLICATION:
                    if site is None or (is_manager and not _is_context_manager(caller)):
                        site, is_manager = self._site(code, caller.f_lineno), _is_context_manager(caller)
                elif kind == TEST:
                    if site is None or is_manager:
                        return None  # the test itself sends it
                    path.append(caller.f_lasti)
                    repeated = repeated or self._in_loop(code, caller.f_lasti)
                elif kind == RUNNER:
                    break
                elif kind == INTERNAL or (kind == UPPER_DRIVER and driver and site is None):
                    return None
                repeated = repeated or kind == REPEATING
                caller = caller.f_back
        if site is None:
            return None
        return site, None if repeated or not path else tuple(path)

    def _kind(self, filename: str, names: Mapping[str, Any]) -> int:
        kind = self._kinds.get(filename)
        if kind is None:
            kind = self._kinds[filename] = self._classify(filename, names)
        return kind

    def _classify(self, filename: str, names: Mapping[str, Any]) -> int:
        if not filename.endswith(".py") or filename.startswith("<"):  # <string>, <attrs generated …>, a compiled template
            return GENERATED
        path = Path(filename).resolve()
        installed = _installed_path(path)
        if installed is None and not str(path).startswith(self._installed) and path.is_relative_to(self._root):
            relative = path.relative_to(self._root)
            return TEST if _is_test(relative, names) else APPLICATION
        if installed is None:
            return LIBRARY
        return next((kind for start, kind in _BY_PATH.items() if installed.startswith(start)), LIBRARY)

    def _site(self, code: CodeType, line: int) -> Site:
        key = code.co_filename, line
        site = self._sites.get(key)
        if site is None:
            path = Path(code.co_filename).resolve()
            name = _NAMELESS.sub("", code.co_qualname)
            site = self._sites[key] = Site(_installed_path(path) or _relative(path, self._folder), line, name)
        return site

    def _of_library(self, frame: FrameType | None, scope: Scope) -> Site | None:
        """Returns the site of a statement that no function of the application is waiting for: the handler's, or that of the library."""
        for caller in _frames(frame):
            filename = caller.f_code.co_filename
            if self._kind(filename, caller.f_globals) not in (LIBRARY, BOUNDARY) or (path := _installed_path(Path(filename))) is None:
                continue
            if path.startswith(_PLUMBING):
                code = scope.endpoint() if scope.endpoint else None
                if code is not None and self._kind(code.co_filename, {}) == APPLICATION:
                    return self._site(code, code.co_firstlineno)
            return self._site(caller.f_code, caller.f_lineno)
        return None

    def _in_loop(self, code: CodeType, instruction: int) -> bool:
        key = code.co_filename, code.co_firstlineno
        loops = self._loops.get(key)
        if loops is None:
            loops = self._loops[key] = _loops(code)
        return any(first <= instruction <= last for first, last in loops)


def _stacks(frame: FrameType | None) -> tuple[FrameType | None, ...]:
    """Returns a frame, and the frames in which the parents of its greenlet are suspended.

    SQLAlchemy calls an asyncio driver in a greenlet, whose parent waits in a coroutine of the application.
    """
    greenlet = sys.modules.get("greenlet")
    parent: Any = greenlet.getcurrent().parent if greenlet is not None else None
    if parent is None:
        return (frame,)
    stacks = [frame]
    while parent is not None:
        stacks.append(parent.gr_frame)
        parent = parent.parent
    return tuple(stacks)


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    """Yields a frame and its callers."""
    for top in _stacks(frame):
        caller = top
        while caller is not None:
            yield caller
            caller = caller.f_back


def _is_test(path: Path, names: Mapping[str, Any]) -> bool:
    """Whether a file of the project belongs to its tests: by its path, or because it uses pytest or has a class of tests."""
    if path.name.startswith("test_") or path.name.endswith("_test.py") or not _TEST_NAMES.isdisjoint(path.parts):
        return True
    frameworks = [sys.modules[name] for name in ("pytest", "unittest") if name in sys.modules]
    case = getattr(sys.modules.get("unittest"), "TestCase", ())
    return any(
        value in frameworks if isinstance(value, ModuleType) else isinstance(value, type) and issubclass(value, case)
        for value in names.values()
    )


def _is_context_manager(frame: FrameType) -> bool:
    """Whether a frame is a context manager written as a generator, such as one that commits: the `with` block sends the statement."""
    return bool(frame.f_code.co_flags & _GENERATORS) and frame.f_back is not None and frame.f_back.f_code.co_filename == _CONTEXT_MANAGER


def _loops(code: CodeType) -> list[Loop]:
    """Returns the loops of a function, from the jumps that lead back. Most tests have none, which the operation codes tell at once."""
    if _JUMPS_BACK.isdisjoint(code.co_code[::2]):
        return []
    return [(step.argval, step.offset) for step in dis.get_instructions(code) if step.opcode in _JUMPS_BACK]


def _installed_path(path: Path) -> str | None:
    """Returns a file's path below site-packages, None if it is not installed."""
    parts = path.parts
    for folder in ("site-packages", "dist-packages"):
        if folder in parts:
            return "/".join(parts[len(parts) - parts[::-1].index(folder) :])
    return None


def _relative(path: Path, folder: Path) -> str:
    """Returns the path relative to the folder, with `..` for a file beside it."""
    shared = next(parent for parent in (folder, *folder.parents) if path.is_relative_to(parent))
    return "/".join((*[".."] * len(folder.relative_to(shared).parts), *path.relative_to(shared).parts))
