"""Operations that env.py, or a module that it imports, adds to `op` with `Operations.register_operation`.

env.py itself does not run. Only the classes and functions with these decorators are defined, with the statements that they use.
"""

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from alembic.operations import Operations

from migsafe.rendering.worker.env_arguments import EnvModule
from migsafe.rendering.worker.module_execution import FAILURES
from migsafe.rendering.worker.project import ProjectCode
from migsafe.rendering.worker.script_run import Run

_REGISTERS = b"register_operation"


def env_operation(run: Run, name: str, operations: Operations) -> Callable[..., Any] | None:
    """Returns the operation that env.py registers under a name; None if it registers none."""
    env_file = run.environment.env_file
    if env_file and env_file not in run.project.env_operations:
        run.project.env_operations.add(env_file)
        with suppress(*FAILURES):
            _register(run.project, env_file)
    return getattr(operations, name, None) if hasattr(Operations, name) else None


def _register(project: ProjectCode, env_file: str) -> None:
    """Registers the operations of env.py."""
    source = Path(env_file).read_bytes()
    tree = ast.parse(source, env_file)
    with project.importing():
        env = EnvModule(project, env_file)
        registers = _REGISTERS in source
        for statement in tree.body:
            if (registers and _is_decorated(statement)) or any(_registers(project, name) for name in _imported(statement)):
                env.run(statement)


def _is_decorated(statement: ast.stmt) -> bool:
    """Whether a class or function registers itself as an operation, or as what an operation does."""
    if not isinstance(statement, ast.ClassDef | ast.FunctionDef):
        return False
    return any(re.search(r"\b(?:register_operation|implementation_for)\(", ast.unparse(each)) for each in statement.decorator_list)


def _imported(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            yield module
            yield from (f"{module}.{alias.name}" for alias in names)


def _registers(project: ProjectCode, name: str) -> bool:
    """Whether a name is a module of the project that registers operations."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return False
    origin = spec.origin if spec is not None else None
    return origin is not None and project.is_project_file(origin) and origin.endswith(".py") and _REGISTERS in Path(origin).read_bytes()
