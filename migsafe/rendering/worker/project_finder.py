"""How Python finds and loads the modules of the project. See docs/architecture.md."""

import ast
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import decode_source, find_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, TypeVar

import alembic
import sqlalchemy

from migsafe.newer_syntax import OlderSource, as_older_python
from migsafe.rendering.worker.guards import ImportTooLong
from migsafe.rendering.worker.imports import Builtins
from migsafe.rendering.worker.module_execution import ModuleExecution, reason_for
from migsafe.rendering.worker.project import ProjectCode
from migsafe.rendering.worker.transformation import transform, transform_handlers, uses_other_classes

_USUAL = ("", "src", "lib", "python")
_MAX_FOLDERS = 50
_OF_PACKAGES = ("pyproject.toml", "setup.py", "setup.cfg")


class ProjectFinder:
    """A finder on `sys.meta_path` that gives modules of the project a loader of ours."""

    def __init__(self, project: ProjectCode) -> None:
        self._project = project

    def install(self) -> None:
        """Lets Python find modules of the project through this object, for the rest of the process."""
        position = next((number for number, finder in enumerate(sys.meta_path) if finder is PathFinder), len(sys.meta_path))
        sys.meta_path.insert(position, self)
        for library in (sqlalchemy, alembic):
            library.__getattr__ = missing_attribute(library, self._project)  # type: ignore[method-assign]

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Finds a module; one of the project gets a loader that continues after errors."""
        spec = self._mapped(name) if path is None and name in self._project.packages else PathFinder.find_spec(name, path, target)
        if path is None and (spec is None or _is_empty_namespace(spec)):
            spec = self._near_script(name)
        spec = _inner_package(name, spec) or spec
        if spec is None or type(spec.loader) is not SourceFileLoader or not self._project.is_project_file(spec.origin):
            return spec
        spec.loader = ProjectLoader(spec.loader.name, spec.loader.path, self._project)
        return spec

    def _mapped(self, name: str) -> ModuleSpec | None:
        folder = self._project.packages[name]
        file = Path(folder, "__init__.py")
        return spec_from_file_location(name, str(file), submodule_search_locations=[folder]) if file.is_file() else None

    def _near_script(self, name: str) -> ModuleSpec | None:
        """Finds a package or module in the folders around the script, of which any may be the current folder of Alembic."""
        for ancestor in self._project.ancestors:
            for inner in _USUAL:
                folder = ancestor / inner
                if (folder / name).is_dir() or (folder / f"{name}.py").is_file():
                    spec = PathFinder.find_spec(name, [str(folder)])
                    if spec is not None and not _is_empty_namespace(spec):
                        return spec
        return None


class ProjectLoader(SourceFileLoader):
    """Loads a module of the project."""

    def __init__(self, name: str, path: str, project: ProjectCode) -> None:
        super().__init__(name, path)
        self._project = project
        self._older: OlderSource | None = None
        self._module_names: dict[str, Any] = {}

    def get_data(self, path: str) -> bytes:
        """Returns the source of the module, rewritten if only a newer Python accepts it as it is."""
        return self._older.text.encode() if self._older is not None and path == self.path else super().get_data(path)

    def get_code(self, fullname: str) -> CodeType | None:
        """Returns the code of the module. That of a helper of migrations is tolerant of unknown values, like a script; other code may name,
        in `except` and `case`, classes of packages that are not installed. Raises SyntaxError."""
        try:
            source = super().get_data(self.path)
            if self._project.is_helper(self.path, source):
                return compile(transform(ast.parse(source, self.path)), self.path, "exec", dont_inherit=True)
            if uses_other_classes(source):
                return compile(transform_handlers(ast.parse(source, self.path)), self.path, "exec", dont_inherit=True)
            return super().get_code(fullname)
        except SyntaxError:
            older = self._older = as_older_python(decode_source(super().get_data(self.path)))
            code = compile(older.text, self.path, "exec", dont_inherit=True)
            self._module_names.update({name: TypeVar(name) for name in older.type_parameters})
            return code

    def exec_module(self, module: ModuleType) -> None:
        """Runs the code of the module, or defers it if the time for imports is used up."""
        project = self._project
        self._module_names = module.__dict__
        execution = ModuleExecution(module, self, project.owner)
        project.executions[module.__name__] = execution
        module.__dict__["__builtins__"] = Builtins(project, self.path, execution)
        try:
            with project.importing():
                if project.is_lazy:
                    execution.defer()
                else:
                    execution.run(lambda: project.is_late)
        except ImportTooLong as error:
            execution.reason = reason_for(error)
        if "__getattr__" not in module.__dict__ and (hasattr(module, "__path__") or not execution.is_complete):
            module.__dict__["__getattr__"] = missing_attribute(module, project, execution)


def missing_attribute(module: ModuleType, project: ProjectCode, execution: ModuleExecution | None = None) -> Callable[[str], Any]:
    """Returns a `__getattr__` for a module: what has not run yet; a module in the package, because the application has imported all that it
    uses; or an unknown value, if the module is loaded only in part."""

    def get(name: str) -> Any:
        if not name.startswith("__"):
            if execution is not None and project.find(execution, name):
                return module.__dict__[name]
            full = f"{module.__name__}.{name}"
            if hasattr(module, "__path__") and find_spec(full) is not None:
                return import_module(full)
            unknown = execution.unknown(name) if execution is not None else project.added_name(module.__name__, name)
            if unknown is not None:
                return unknown
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)

    return get


def _inner_package(name: str, spec: ModuleSpec | None) -> ModuleSpec | None:
    """Returns the package in a folder of its name, if that folder is only the project of the package: `common/setup.py`,
    `common/common/__init__.py`."""
    if spec is None or spec.origin is not None or spec.submodule_search_locations is None or "." in name:
        return None
    for folder in spec.submodule_search_locations:
        if Path(folder, name, "__init__.py").is_file() and any(Path(folder, file).is_file() for file in _OF_PACKAGES):
            return PathFinder.find_spec(name, [folder])
    return None


def _is_empty_namespace(spec: ModuleSpec) -> bool:
    """Whether a folder that could be a namespace package contains no modules: it only has the name of a missing package."""
    if spec.origin is not None or spec.submodule_search_locations is None:
        return False
    for folder in spec.submodule_search_locations:
        for _, folders, files in os.walk(folder):
            if any(name.endswith((".py", ".so", ".pyd")) for name in files):
                return False
            folders[:] = [name for name in folders if not name.startswith(".")][:_MAX_FOLDERS]
    return True
