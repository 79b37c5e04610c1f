"""What env.py passes to the functions of scripts: `context.run_migrations(tables=tables, tester=get_tester())`, and what it adds to libraries.

env.py itself does not run. An argument is evaluated by itself, with the statements of env.py that define the names in it.
"""

import ast
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from migsafe.rendering.worker.imports import Builtins
from migsafe.rendering.worker.module_execution import FAILURES, ModuleExecution
from migsafe.rendering.worker.project import ProjectCode
from migsafe.rendering.worker.project_finder import ProjectLoader
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.unknown import Unknown

_MODULE = "migsafe_env"
_PLAIN = (Unknown, bool, str, bytes, int, float, list, tuple, dict, set)


class EnvArgument:
    """An object that env.py passes to scripts. It is made here, without the packages that are not installed, so what it lacks is unknown."""

    def __init__(self, value: Any, unknown: Callable[[str], Any]) -> None:
        self._migsafe = value, unknown

    def __getattr__(self, name: str) -> Any:
        value, unknown = self._migsafe
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return getattr(value, name)
        except (AttributeError, LookupError):
            return unknown(f".{name}")

    def __getitem__(self, key: Any) -> Any:
        value, unknown = self._migsafe
        try:
            return value[key]
        except (TypeError, LookupError):
            return unknown(f"[{key}]")

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Calls the object."""
        return self._migsafe[0](*arguments, **named)


def evaluated_argument(run: Run, name: str, reason: str) -> Any:
    """Returns the value that env.py passes for a parameter; one that is unknown for a `reason` if env.py passes none, or if it cannot be
    evaluated without running env.py."""
    project, env_file = run.project, run.environment.env_file
    key = (env_file, name)
    if key not in project.env_arguments:
        project.env_arguments[key] = _evaluate(project, env_file, name) if env_file else None
    value = project.env_arguments[key]
    if value is None:
        return Unknown(run, name, reason)
    if type(value) in _PLAIN:
        return value
    return EnvArgument(value, lambda attribute: Unknown(run, f"{name}{attribute}", reason))


class EnvModule:
    """env.py as a module whose statements run when the names that they define are used."""

    def __init__(self, project: ProjectCode, env_file: str) -> None:
        loader = ProjectLoader(_MODULE, env_file, project)
        self._module = ModuleType(_MODULE)
        self._module.__file__ = env_file
        self._execution = ModuleExecution(self._module, loader, project.owner)
        project.executions[_MODULE] = self._execution
        self._module.__dict__["__builtins__"] = Builtins(project, env_file, self._execution)
        self._execution.defer()

    def value(self, expression: ast.expr) -> Any:
        """Returns the value of an expression. Raises what it raises."""
        return eval(compile(ast.Expression(expression), str(self._module.__file__), "eval"), self._module.__dict__)  # noqa: S307  # this is what the process is for

    def run(self, statement: ast.stmt) -> None:
        """Runs a statement; what it defines is unknown if it fails."""
        self._execution.run_statement(statement)


def _evaluate(project: ProjectCode, env_file: str, name: str) -> Any:
    try:
        with project.importing():
            expression = _passed(ast.parse(Path(env_file).read_bytes(), env_file), name)
            return EnvModule(project, env_file).value(expression) if expression is not None else None
    except (*FAILURES, OSError):
        return None


def added_name(run: Run, library: str, name: str) -> Any:
    """Returns what env.py adds to a library under a name (`sa.GUID = GUID`); None if it adds nothing, or it cannot be evaluated."""
    project, env_file = run.project, run.environment.env_file
    key = (env_file, f"{library}.{name}")
    if key not in project.env_arguments:
        project.env_arguments[key] = None  # what env.py imports may ask for the name itself
        project.env_arguments[key] = _evaluate_added(project, env_file, library, name) if env_file else None
    return project.env_arguments[key]


def _evaluate_added(project: ProjectCode, env_file: str, library: str, name: str) -> Any:
    try:
        tree = ast.parse(Path(env_file).read_bytes(), env_file)
        imports = (alias for node in tree.body if isinstance(node, ast.Import) for alias in node.names)
        aliases = {alias.asname or alias.name for alias in imports if alias.name == library}
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=alias), attr=attribute)], value=value) if (
                    alias in aliases and attribute == name
                ):
                    with project.importing():
                        return EnvModule(project, env_file).value(value)
    except (*FAILURES, OSError):
        return None
    return None


def _passed(tree: ast.Module, name: str) -> ast.expr | None:
    """Returns the expression that is passed to `run_migrations()` under a name."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="run_migrations") | ast.Name(id="run_migrations"), keywords=keywords):
                for keyword in keywords:
                    if keyword.arg == name:
                        return keyword.value
    return None
