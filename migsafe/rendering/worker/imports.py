"""The imports of a script: the project's own code if it is installed, otherwise a stand-in."""

import builtins
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar

from migsafe.rendering.worker.script_file import LIBRARIES
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.tolerant_operations import TolerantOperations
from migsafe.rendering.worker.unknown import Unknown

_REFUSED = "which cannot be imported here"


class StandIn(ModuleType):
    """A module that is not installed: all its attributes are unknown."""

    def __init__(self, name: str, run: Run, reason: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self._migsafe = run, reason

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        run, reason = self._migsafe
        return Unknown(run, f"{self.__name__}.{name}", reason)


class Builtins(dict[str, Any]):
    """The built-in names of one script, with an `__import__` that returns a stand-in for a missing module."""

    failed: ClassVar[dict[str, str]] = {}
    """Modules of projects that could not be imported, and why. Each is tried only once, because it may take long."""

    def __init__(self, run: Run) -> None:
        super().__init__(vars(builtins))
        self._run = run
        self._all_from: tuple[str, str] | None = None
        self["__import__"] = self._import
        self.update(TolerantOperations(run).names())

    def __missing__(self, name: str) -> Any:
        if self._all_from is None:
            raise KeyError(name)
        module, reason = self._all_from
        return Unknown(self._run, f"{module}.{name}", reason)

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        before = set(sys.modules)
        try:
            if name in self.failed and name not in self._run.file.optional_imports:
                return self._stand_in(name, fromlist, self.failed[name])
            module_found = builtins.__import__(name, globals, locals, fromlist or (), level)
            for imported_name in fromlist or ():
                if (
                    imported_name != "*"
                    and not hasattr(module_found, imported_name)
                    and module_found.__name__.partition(".")[0] not in LIBRARIES
                ):
                    return self._with(module_found, fromlist or (), f"which {module_found.__name__} does not define")
            return module_found
        except ImportError as error:
            if name in self._run.file.optional_imports or (error.name or name).partition(".")[0] in LIBRARIES:
                raise
            reason = _REFUSED
        except (Exception, SystemExit) as error:  # the application's code may raise anything when it is imported
            reason = self.failed[name] = f"{_REFUSED} ({type(error).__name__}: {error})"
        for module in set(sys.modules) - before:
            if self._run.is_project_file(getattr(sys.modules[module], "__file__", None)):
                del sys.modules[module]  # it is only partly initialised
        return self._stand_in(name, fromlist, reason)

    def _stand_in(self, name: str, fromlist: Sequence[str] | None, reason: str) -> StandIn:
        if fromlist and "*" in fromlist:
            self._all_from = name, reason
        return StandIn(name if fromlist else name.partition(".")[0], self._run, reason)

    def _with(self, module: Any, names: Sequence[str], reason: str) -> Any:
        combined = StandIn(module.__name__, self._run, reason)
        for name in names:
            if hasattr(module, name):
                setattr(combined, name, getattr(module, name))
        return combined
