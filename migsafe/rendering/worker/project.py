"""The code of the project that scripts belong to: where its modules are, and how they are loaded.

A module of the project is loaded once for all scripts of the worker, with stand-ins for what it imports and is missing. If one of its
statements fails, the names that it defines are unknown, and the next statement runs. See docs/architecture.md.
"""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Protocol

from migsafe.rendering.messages import RenderRequest
from migsafe.rendering.worker.guards import INSTALLED, OWN, STANDARD, Guards, ImportTooLong, Snapshot
from migsafe.rendering.worker.module_execution import REFUSED, ModuleExecution, reason_for

_ENVIRONMENT = os.environ
_SHARE = 0.3
"""The share of a script's time limit that all imports together may take before statements run only when they are needed."""
_SHORTEST = 0.5
"""The seconds that an import has after that."""
_MAX_DECISIONS = 50
_OF_REPOSITORIES = (".git", "pyproject.toml", "setup.cfg", "setup.py", "requirements.txt", "requirements", "Pipfile")
_MAY_SEND = re.compile(r"sql|alembic|pg|postgres|database|db|orm|flask|django|peewee", re.IGNORECASE)
"""Packages that send SQL, or give access to what does."""


class RunOfScript(Protocol):
    """A run of a script, as the modules of the project need it."""

    reasons: dict[str, str]
    active: bool

    def note_mark(self, mark: str, reason: str) -> None:
        """Records why a value is unknown."""

    def decide(self, frame: FrameType, name: str = "", reason: str = "", *, about_rows: bool = False) -> bool:
        """Returns the decision at a fork."""


class ProjectOwner:
    """The owner of unknown values in the modules of the project: the run that currently uses the modules."""

    def __init__(self) -> None:
        self.run: RunOfScript | None = None
        self.is_importing = False
        self.marks: dict[str, str] = {}
        self._decisions: dict[tuple[object, int], int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.run, name)

    def note_mark(self, mark: str, reason: str) -> None:
        """Records why a value is unknown, for all runs."""
        self.marks[mark] = reason
        if self.run is not None:
            self.run.note_mark(mark, reason)

    def decide(self, frame: FrameType, *arguments: Any, **named: Any) -> bool:
        """Returns the decision of the run. Code that runs while a module is loaded runs only once, so there is no choice."""
        if not self.is_importing and self.run is not None:
            return self.run.decide(frame, *arguments, **named)
        place = (frame.f_code, frame.f_lasti)
        self._decisions[place] = self._decisions.get(place, 0) + 1
        return self._decisions[place] <= _MAX_DECISIONS


class ProjectCode:
    """The project whose scripts the worker renders."""

    def __init__(self, guards: Guards, pristine: Snapshot) -> None:
        self.database: Any = None
        """The simulated database of the run."""
        self.owner: Any = ProjectOwner()
        """The owner of unknown values; its type is Any because it delegates to the run."""
        self.failures: dict[str, str] = {}
        """Why modules could not be loaded."""
        self.executions: dict[str, ModuleExecution] = {}
        self.env_arguments: dict[tuple[str, str], Any] = {}
        """What env.py passes to scripts, by its path and the name of the parameter."""
        self.added_name: Callable[[str, str], Any] = lambda library, name: None
        """Returns what the env.py of the current script adds to a library under a name; None if it adds nothing."""
        self.env_operations: set[str] = set()
        """The paths of env.py whose operations are registered."""
        self.stand_ins: dict[tuple[str, str], ModuleType] = {}
        self._seconds = 10.0
        self._guards = guards
        self._pristine = pristine
        self._base_path = list(sys.path)
        self._own_path: list[str] = []
        self._environment: dict[str, str] = {}
        self._settings: tuple[object, ...] = ()
        self.packages: dict[str, str] = {}
        self.ancestors: list[Path] = []
        self._prefixes: tuple[str, ...] = ()
        self._is_own: dict[str, bool] = {}
        self._missing: set[str] = set()
        self._missing_in: list[str] = []
        self._deadline = 0.0
        self._spent = 0.0
        self._script = ""
        self._is_whole = False

    def configure(self, request: RenderRequest) -> None:
        """Prepares for a script; modules of another project are forgotten."""
        self._seconds = request.seconds
        self._script = request.path
        settings = (request.folders, request.last_folders, request.packages, request.root)
        if settings == self._settings:
            return
        # A namespace package computes its folders from its parent's, so that all are found before any is forgotten.
        for name in [name for name, module in list(sys.modules.items()) if any(map(self.is_project_file, _places(module)))]:
            del sys.modules[name]
        self._settings = settings
        self.packages = dict(request.packages)
        self._is_whole = bool(request.root) and any((Path(request.root) / name).exists() for name in _OF_REPOSITORIES)
        roots = (request.root, *request.folders, *request.last_folders, *self.packages.values())
        self._prefixes = tuple({os.path.realpath(folder).rstrip(os.sep) + os.sep for folder in roots if folder})
        self.ancestors = _ancestors(Path(request.path).absolute().parent, request.root)
        for state in (
            self._is_own,
            self.failures,
            self.executions,
            self.stand_ins,
            self.env_arguments,
            self._missing,
            self._environment,
            self.env_operations,
        ):
            state.clear()
        self._own_path.clear()
        self._spent = 0.0
        sys.path[:] = list(dict.fromkeys((*request.folders, *self._base_path, *request.last_folders)))

    def begin(self, run: RunOfScript, database: Any) -> None:
        """Connects the modules of the project with a run, and restores what they have changed when they were loaded."""
        self.owner.run, self.database = run, database
        run.reasons.update(self.owner.marks)
        os.environ.update(self._environment)
        sys.path += [folder for folder in self._own_path if folder not in sys.path]

    def is_project_file(self, name: str | None) -> bool:
        """Whether a file is the script or code of its project."""
        if name is None:
            return False
        is_own = self._is_own.get(name)
        if is_own is None:
            is_own = self._is_own[name] = name == self._script or (
                not name.startswith("<")
                and os.path.realpath(name).startswith(self._prefixes)
                and not name.startswith((STANDARD, OWN))
                and not any(part in name for part in INSTALLED)
            )
        return is_own or name == self._script

    def find(self, execution: ModuleExecution, name: str) -> bool:
        """Whether a module defines a name; what was deferred runs if it defines the name. One that takes too long remains unknown."""
        if execution.is_complete:
            return False
        try:
            with self.importing():
                return execution.find(name)
        except ImportTooLong as error:
            execution.reason = execution.reason or reason_for(error)
            return False

    def is_helper(self, path: str, source: bytes) -> bool:
        """Whether a module helps migrations: it uses Alembic, or is near the scripts."""
        near = Path(self._script).absolute().parents[:2]
        return b"alembic" in source or any(folder in near for folder in Path(path).absolute().parents)

    def is_foreign(self, name: str, reason: str) -> bool:
        """Whether an unknown value comes from a package that is not installed, and that neither is part of the project nor has to do with
        databases: such a package has no connection to send anything on. Where the project ends is known only if all of it is there."""
        package = name.partition(".")[0]
        if not self._is_whole or reason != REFUSED or _MAY_SEND.search(package):
            return False
        return not any((ancestor / inner / package).exists() for ancestor in self.ancestors for inner in ("", "src", "lib"))

    def is_missing(self, module: str) -> bool:
        """Whether a module has been searched for in vain in the same folders."""
        return module in self._missing and self._missing_in == sys.path

    def note_missing(self, module: str) -> None:
        """Records that a module does not exist."""
        if self._missing_in != sys.path:
            self._missing.clear()
            self._missing_in = list(sys.path)
        self._missing.add(module)

    # Loading modules

    @property
    def is_lazy(self) -> bool:
        """Whether the time for whole modules is used up: statements run when they are needed."""
        return self._spent >= self._seconds * _SHARE or self.is_late

    @property
    def is_late(self) -> bool:
        """Whether the current import has exceeded its time limit."""
        return bool(self.owner.is_importing) and time.monotonic() >= self._deadline

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Applies the limits of imports to the block, in which modules are loaded. What they change lasts."""
        run = self.owner.run
        if self.owner.is_importing or run is None:
            try:
                yield
            finally:
                keep_environment()
            return
        limit = max(self._seconds * _SHARE - self._spent, _SHORTEST)
        began = time.monotonic()
        active, run.active = run.active, False
        path, environment = list(sys.path), dict(os.environ)
        self.owner.is_importing, self._deadline = True, began + limit
        try:
            with self._guards.importing(limit):
                yield
        finally:
            self.owner.is_importing = False
            run.active = active
            self._spent += time.monotonic() - began
            self._own_path += [folder for folder in sys.path if folder not in path]
            self._environment.update({name: value for name, value in os.environ.items() if environment.get(name) != value})
            keep_environment()
            self._guards.adopt_all()
            self._pristine.accept()


def keep_environment() -> None:
    """Puts Python's own `os.environ` back if code has replaced it, by a dict for example, with the variables that the code has added."""
    if os.environ is not _ENVIRONMENT:
        added = {name: value for name, value in os.environ.items() if type(name) is type(value) is str}
        os.environ = _ENVIRONMENT  # noqa: B003  # it is the object itself
        os.environ.update(added)


def _places(module: ModuleType) -> list[str]:
    """Returns the file of a module; the folders of a namespace package, which has no file."""
    file = getattr(module, "__file__", None)
    return [file] if file else [os.path.join(folder, "") for folder in getattr(module, "__path__", ()) if isinstance(folder, str)]  # noqa: PTH118


def _ancestors(folder: Path, root: str) -> list[Path]:
    """Returns a folder and its parents up to the root; only the folder itself if it is outside of the root."""
    folders = [folder, *folder.parents]
    return folders[: folders.index(Path(root)) + 1] if root and Path(root) in folders else folders[:1]
