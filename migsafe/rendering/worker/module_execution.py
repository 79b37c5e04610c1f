"""The execution of the project's modules, statement by statement if it must be.

A module runs as a whole. If a statement fails, the names that it defines are unknown, and the next statement runs. Statements that there is no
time for run when one of the names that they define is used: Python asks the module's built-in names for each global name that is not defined.
"""

import ast
import warnings
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from migsafe.rendering.worker.guards import ImportTooLong, ProcessExit
from migsafe.rendering.worker.transformation import transform_handlers
from migsafe.rendering.worker.unknown import Unknown

REFUSED = "which cannot be imported here"
_FUTURE = 0x1FE0000
"""The flags of `from __future__ import …` (Include/cpython/code.h)."""
FAILURES = (Exception, SystemExit, ProcessExit, ImportTooLong)
"""What the code of a module may raise, besides the limits of the script."""


def reason_for(error: BaseException) -> str:
    """Returns why names are unknown after an error, as the end of a sentence."""
    if isinstance(error, ImportTooLong):
        return f"{REFUSED} within the time limit"
    if isinstance(error, ImportError):
        return REFUSED
    message = " ".join(str(error).split())[:200]
    return f"{REFUSED} ({type(error).__name__}{': ' if message else ''}{message})"


class ModuleExecution:
    """One module: what has run, what is still to run, and what failed. `owner` owns its unknown values."""

    def __init__(self, module: ModuleType, loader: SourceFileLoader, owner: Any) -> None:
        self.reason = ""
        """Why names that the module does not define are unknown; nothing if they are not."""
        self.stars: list[ModuleType] = []
        """Modules of which all names are imported, and which are not loaded completely."""
        self._module = module
        self._loader = loader
        self._owner = owner
        self._flags = 0
        self._pending: dict[str, list[ast.stmt]] = {}
        self._pending_stars: list[ast.stmt] = []

    @property
    def is_complete(self) -> bool:
        """Whether all names of the module are defined."""
        return not (self.reason or self.stars or self._pending or self._pending_stars)

    def run(self, is_over: Callable[[], bool]) -> None:
        """Runs the module; when the time `is_over`, the other statements are deferred."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                code = self._loader.get_code(self._module.__name__)
        except (SyntaxError, ValueError, RecursionError, OSError) as error:
            self.reason = reason_for(error)
            return
        if code is None:
            return
        try:
            exec(code, self._module.__dict__)  # noqa: S102  # this is what the process is for
        except FAILURES as error:
            self._continue(code, error, is_over)

    def defer(self) -> None:
        """Runs nothing of the module before it is used."""
        statements = self._statements()
        for statement in statements:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                code = compile(ast.Module([statement], []), self._loader.path, "exec", dont_inherit=True)
                self._flags |= code.co_flags & _FUTURE
        self._defer(statements)

    def find(self, name: str) -> bool:
        """Whether the module defines a name; what was deferred runs if it defines the name."""
        for statement in self._pending.pop(name, ()):
            self.run_statement(statement)
        while name not in self._module.__dict__ and self._pending_stars:
            self.run_statement(self._pending_stars.pop(0))
        if name not in self._module.__dict__:
            for star in self.stars:
                if not name.startswith("_") and hasattr(star, name):
                    self._module.__dict__[name] = getattr(star, name)
                    break
        return name in self._module.__dict__

    def value(self, name: str) -> Any:
        """Returns the value of a name that the module defines."""
        return self._module.__dict__[name]

    def unknown(self, name: str) -> Unknown | None:
        """Returns an unknown value for a name that the module may define; None if it does not define the name."""
        return Unknown(self._owner, f"{self._module.__name__}.{name}", self.reason) if self.reason else None

    def _statements(self) -> list[ast.stmt]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self._loader.get_data(self._loader.path), self._loader.path).body
        except (SyntaxError, ValueError, RecursionError, OSError) as error:
            self.reason = reason_for(error)
            return []

    def _continue(self, code: CodeType, error: BaseException, is_over: Callable[[], bool]) -> None:
        """Runs the statements after the one that failed."""
        self._flags = code.co_flags & _FUTURE
        line = _line_of(error, code)
        statements = [statement for statement in self._statements() if (statement.end_lineno or statement.lineno) >= line]
        for number, statement in enumerate(statements):
            if is_over() or isinstance(error, ImportTooLong):
                self._defer(statements[number:])
                return
            if statement.lineno <= line:
                self._fail(statement, error)
            else:
                self.run_statement(statement)

    def _defer(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, ast.ImportFrom) and any(alias.name == "*" for alias in statement.names):
                self._pending_stars.append(statement)
            for name in {*_defined(statement), *_changed(statement)}:
                self._pending.setdefault(name, []).append(statement)

    def run_statement(self, statement: ast.stmt) -> None:
        """Runs a statement; if it fails, the names that it defines are unknown."""
        try:
            tree = transform_handlers(ast.Module([statement], []))
            code = compile(tree, self._loader.path, "exec", flags=self._flags, dont_inherit=True)
            exec(code, self._module.__dict__)  # noqa: S102
        except FAILURES as error:
            self._fail(statement, error)

    def _fail(self, statement: ast.stmt, error: BaseException) -> None:
        """Defines the names of a statement that failed, as unknown values; what a block has defined before it failed remains."""
        reason = reason_for(error)
        self.reason = self.reason or reason
        is_block = isinstance(statement, ast.If | ast.Try | ast.With | ast.For | ast.While)
        for name in _defined(statement):
            if not is_block or name not in self._module.__dict__:
                self._module.__dict__[name] = Unknown(self._owner, f"{self._module.__name__}.{name}", reason)


def _line_of(error: BaseException, code: CodeType) -> int:
    """Returns the line of a module in which an error has occurred."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code is code:
            return traceback.tb_lineno
        traceback = traceback.tb_next
    return 0


def _defined(statement: ast.stmt) -> Iterator[str]:
    """Yields the names that a statement of a module defines."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
            return
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases if alias.name != "*")
            return
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            yield from _defined(child)
        elif isinstance(child, ast.ExceptHandler):
            for inner in child.body:
                yield from _defined(inner)
        else:
            yield from (node.id for node in ast.walk(child) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def _changed(statement: ast.stmt) -> Iterator[str]:
    """Yields the names whose values a statement changes: `settings.debug = True`, `names["a"] = 1`, `names.append("a")`."""
    match statement:
        case ast.Assign(targets=targets):
            changed: list[ast.expr] = targets
        case ast.Expr(value=ast.Call(func=ast.Attribute() as function)):
            changed = [function]
        case _:
            changed = []
    for target in changed:
        inner = target
        while isinstance(inner, ast.Attribute | ast.Subscript):
            inner = inner.value
        if inner is not target and isinstance(inner, ast.Name):
            yield inner.id
