"""The imports of scripts and of their project's modules: what is missing is replaced by a stand-in."""

import ast
import builtins
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType
from typing import Any

from migsafe.rendering.worker.guards import Forbidden, ImportTooLong
from migsafe.rendering.worker.inert import build_class
from migsafe.rendering.worker.module_execution import REFUSED, ModuleExecution, reason_for
from migsafe.rendering.worker.plugins import plugin_name
from migsafe.rendering.worker.project import ProjectCode, ProjectOwner
from migsafe.rendering.worker.script_file import optional_imports
from migsafe.rendering.worker.tolerant_operations import TolerantOperations
from migsafe.rendering.worker.unknown import Unknown

_OF_RUNNING_APPLICATION = {"flask": ("current_app", "g", "request", "session")}
"""Names of installed packages whose values exist only while an application runs."""


class StandIn(ModuleType):
    """A module that is missing, or lacks names: they are unknown."""

    def __init__(self, name: str, owner: ProjectOwner, reason: str, real: ModuleType | None = None) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self._migsafe = owner, reason, real

    def __getattr__(self, name: str) -> Any:
        owner, reason, real = self._migsafe
        if real is not None and hasattr(real, name):
            return getattr(real, name)
        if name.startswith("__"):
            raise AttributeError(name)
        known = plugin_name(self.__name__, name)
        if known is not None:
            return known
        return Unknown(owner, f"{self.__name__}.{name}", reason)


class Builtins(dict[str, Any]):
    """The built-in names of a script or module, with an `__import__` that returns a stand-in for a missing module."""

    def __init__(
        self, project: ProjectCode, path: str, execution: ModuleExecution | None = None, optional: Callable[[], frozenset[str]] | None = None
    ) -> None:
        super().__init__(vars(builtins))
        self._project = project
        self._path = path
        self._execution = execution
        self._optional = optional or self._read_optional
        self._stars: list[ModuleType] = execution.stars if execution is not None else []
        self["__import__"] = self._import
        self["__build_class__"] = build_class
        self.update(TolerantOperations(project.owner).names())

    def __missing__(self, name: str) -> Any:
        if name.startswith("__"):
            raise KeyError(name)
        if self._execution is not None and self._project.find(self._execution, name):
            return self._execution.value(name)
        for star in self._stars:
            if hasattr(star, name):
                return getattr(star, name)
        unknown = self._execution.unknown(name) if self._execution is not None else None
        if unknown is None:
            raise KeyError(name)
        return unknown

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        project = self._project
        absolute = _absolute(name, globals, level)
        loaded = sys.modules.get(absolute)
        if loaded is not None and all(imported == "*" or hasattr(loaded, imported) for imported in fromlist or ()):
            return self._checked(builtins.__import__(name, globals, locals, fromlist or (), level), name, fromlist)
        reason = project.failures.get(absolute) if loaded is None else None
        if project.is_missing(absolute):
            reason = REFUSED
        if reason is not None:
            if name in self._optional():
                raise ModuleNotFoundError(f"No module named {absolute!r}", name=absolute)
            return self._stand_in(absolute, fromlist, reason)
        try:
            with project.importing():
                module = builtins.__import__(name, globals, locals, fromlist or (), level)
            return self._checked(module, name, fromlist)
        except ImportError as error:
            if name in self._optional():
                raise
            reason = REFUSED
            if error.name is not None and (absolute == error.name or absolute.startswith(f"{error.name}.")):
                project.note_missing(absolute)
            else:
                project.failures[absolute] = reason
        except (Exception, SystemExit, ImportTooLong) as error:  # a library may raise anything when it is imported
            if isinstance(error, Exception) and not isinstance(error, Forbidden) and name in self._optional():
                raise
            reason = reason_for(error)
            if not (isinstance(error, ImportTooLong) and absolute in project.executions):  # the next time, it runs only what is needed
                project.failures[absolute] = reason
        return self._stand_in(absolute, fromlist, reason)

    def _checked(self, module: ModuleType, name: str, fromlist: Sequence[str] | None) -> Any:
        """Returns a module, with stand-ins for the imported names that it lacks."""
        project = self._project
        if module.__name__ in _OF_RUNNING_APPLICATION:
            module = self._without_application(module)
        execution = project.executions.get(module.__name__)
        if fromlist and "*" in fromlist and execution is not None and not execution.is_complete:
            self._stars.append(module)
        for imported in fromlist or ():
            if imported != "*" and not hasattr(module, imported):
                if name in self._optional():
                    return module
                reason = f"which {module.__name__} does not define"
                return StandIn(module.__name__, project.owner, reason, module)
        return module

    def _without_application(self, module: ModuleType) -> ModuleType:
        reason = "which only the running application has"
        stand_in = self._project.stand_ins.get((module.__name__, reason))
        if stand_in is None:
            stand_in = self._project.stand_ins[module.__name__, reason] = StandIn(module.__name__, self._project.owner, reason, module)
            for name in _OF_RUNNING_APPLICATION[module.__name__]:
                setattr(stand_in, name, Unknown(self._project.owner, f"{module.__name__}.{name}", reason))
        return stand_in

    def _stand_in(self, absolute: str, fromlist: Sequence[str] | None, reason: str) -> ModuleType:
        name = absolute if fromlist else absolute.partition(".")[0]
        stand_in = self._project.stand_ins.get((name, reason))
        if stand_in is None:
            real = sys.modules.get(name)
            stand_in = self._project.stand_ins[name, reason] = StandIn(name, self._project.owner, reason, real)
        if fromlist and "*" in fromlist:
            self._stars.append(stand_in)
        return stand_in

    def _read_optional(self) -> frozenset[str]:
        try:
            names = optional_imports(ast.walk(ast.parse(Path(self._path).read_bytes())))
        except (OSError, SyntaxError, ValueError, RecursionError):
            names = frozenset()
        self._optional = lambda: names
        return names


def _absolute(name: str, globals: Mapping[str, Any] | None, level: int) -> str:
    """Returns the full name of a module that is imported by a relative name."""
    if not level:
        return name
    package = (globals or {}).get("__package__") or ""
    try:
        return resolve_name("." * level + name, package)
    except ImportError:
        return name
