"""A reader of scripts that must not be run: it makes their calls of `op.` with the literal values in the syntax tree.

It evaluates plain values, SQLAlchemy's types, columns, constraints and statements, and nothing else that a script can name. Other values are
unknown; a call that may send SQL and is not understood is reported at its line.
"""

import ast
import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from alembic.operations import Operations
from sqlalchemy import Connection

from migsafe.rendering.messages import DATABASE_ONLY
from migsafe.rendering.worker.database import Database
from migsafe.rendering.worker.literal_evaluator import MODULES, LiteralEvaluator, Session, is_construct
from migsafe.rendering.worker.literal_values import NOT_RUN, NotLiteral, is_plain
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.unknown import Unknown, name_of, reason_of, unknown_like

_HARMLESS = frozenset(("print", "isinstance", "hasattr", "getattr", "type", "id", "map", "filter", "iter", "next", "callable"))
_LOGGING = frozenset(("debug", "info", "warning", "warn", "error", "exception", "critical", "log"))
_DEEPEST = 8
_MAX_STATEMENTS = 20_000


class _Returned(Exception):
    """A function has returned."""

    def __init__(self, value: Any) -> None:
        self.value = value


class LiteralReader(LiteralEvaluator):
    """Reads one script."""

    def __init__(self, run: Run, operations: Operations, database: Database) -> None:
        super().__init__(run, operations, database)
        self._functions: dict[str, ast.FunctionDef] = {}
        self._depth = 0
        self._uncertain = 0
        self._statements = 0

    def read_function(self, name: str) -> None:
        """Reads a function of the script."""
        for statement in self._run.file.tree.body:
            self._declare(statement)
        self._run.active = True
        if name in self._functions:
            try:
                self._body(self._functions[name].body, {})
            except _Returned:
                return
        elif any(name in (alias.asname or alias.name, "*") for alias in self._imported()):
            self._run.send_opaque(NOT_RUN, self._run.file.first_line_of(name))

    def _imported(self) -> Iterator[ast.alias]:
        return (alias for node in ast.walk(self._run.file.tree) if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names)

    # Statements

    def _declare(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef(name=name):
                self._functions[name] = statement
            case ast.Import(names=names):
                for alias in names:
                    known = alias.name in MODULES and (alias.asname or "." not in alias.name)
                    name = alias.asname or alias.name.partition(".")[0]
                    if known or name not in self._outer:
                        self._outer[name] = importlib.import_module(alias.name) if known else self._unknown(name)
            case ast.ImportFrom(module=module, names=names):
                for alias in names:
                    self._outer[alias.asname or alias.name] = self._import(str(module), alias.name)
            case ast.Assign() | ast.AnnAssign():
                try:
                    self._statement(statement, self._outer)
                except NotLiteral:
                    self._forget(statement, self._outer)

    def _import(self, module: str, name: str) -> Any:
        if (module, name) == ("alembic", "op"):
            return self._operations
        if (module, name) in (("sqlalchemy.orm", "Session"), ("sqlalchemy.orm.session", "Session")):
            return Session
        if module in MODULES or module.startswith("sqlalchemy.dialects.postgresql"):
            imported = getattr(importlib.import_module(module), name, None)
            if is_construct(imported):
                return imported
        return self._unknown(f"{module}.{name}")

    def _body(self, statements: Sequence[ast.stmt], names: dict[str, Any]) -> None:
        for statement in statements:
            self._statements += 1
            if self._statements > _MAX_STATEMENTS:
                raise RecursionError
            try:
                self._statement(statement, names)
            except NotLiteral as error:
                self._forget(statement, names)
                self._run.send_opaque(NOT_RUN, self._run.file.node_range(statement if isinstance(statement, ast.Expr) else error.node))

    def _statement(self, statement: ast.stmt, names: dict[str, Any]) -> None:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.FunctionDef():
                self._declare(statement)
            case ast.Assign(targets=targets, value=value):
                evaluated = self._value(value, names)
                for target in targets:
                    self._assign(target, evaluated, names)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, self._value(value, names), names)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=how, value=value):
                loaded = ast.copy_location(ast.Name(name, ast.Load()), target)
                self._assign(target, self._operation(statement, how, self._value(loaded, names), self._value(value, names)), names)
            case ast.Expr(value=value):
                self._expression(value, names)
            case ast.Return(value=value):
                returned = self._value(value, names) if value is not None else None
                if not self._uncertain:
                    raise _Returned(returned)
            case ast.With() | ast.For() | ast.While() | ast.If() | ast.Try():
                self._compound(statement, names)
            case ast.Delete() | ast.ClassDef():
                self._forget(statement, names)
            case ast.AsyncFor() | ast.AsyncWith() | ast.Match():
                raise NotLiteral(statement)

    def _compound(self, statement: ast.stmt, names: dict[str, Any]) -> None:
        match statement:
            case ast.With(items=items, body=body):
                self._with(items, body, names)
            case ast.For(target=target, iter=items, body=body, orelse=others):
                values = self._value(items, names)
                if isinstance(values, Unknown):
                    self._assign(target, unknown_like(values, f"{name_of(values)}[…]"), names)
                    self._perhaps(body, names)
                else:
                    for item in self._items(items, values):
                        self._assign(target, item, names)
                        self._body(body, names)
                self._body(others, names)
            case ast.While(test=test, body=body):
                self._test(test, names)
                self._perhaps(body, names)
            case ast.If(test=test, body=body, orelse=others):
                chosen = self._test(test, names)
                if chosen is None:
                    self._perhaps(body, names)
                    self._perhaps(others, names)
                else:
                    self._body(body if chosen else others, names)
            case ast.Try(body=body, handlers=handlers, orelse=others, finalbody=last):
                self._body(body, names)
                for handler in handlers:
                    self._perhaps(handler.body, names)
                self._body([*others, *last], names)

    def _perhaps(self, statements: Sequence[ast.stmt], names: dict[str, Any]) -> None:
        """Reads statements that may not run, or may run several times."""
        self._run.add_uncertainty(1)
        self._uncertain += 1
        self._body(statements, names)
        self._uncertain -= 1
        self._run.add_uncertainty(-1)

    def _test(self, node: ast.expr, names: dict[str, Any]) -> bool | None:
        """Returns the truth of a condition; None if it is unknown."""
        try:
            value = self._value(node, names)
        except NotLiteral:
            return None
        return bool(value) if is_plain(value) else None

    def _expression(self, node: ast.expr, names: dict[str, Any]) -> None:
        value = self._value(node, names)
        called = node.value if isinstance(node, ast.Await) else node
        if not isinstance(called, ast.Call) or not isinstance(value, Unknown) or reason_of(value) == DATABASE_ONLY:
            return
        function = called.func.id if isinstance(called.func, ast.Name) else ""
        is_harmless = function in _HARMLESS or self._is_local(function, names)
        if not is_harmless and name_of(value).removesuffix("()").rpartition(".")[2] not in _LOGGING:
            raise NotLiteral(node)

    def _forget(self, statement: ast.stmt, names: dict[str, Any]) -> None:
        """Makes the names that a statement assigns unknown."""
        for node in ast.walk(statement):
            match node:
                case ast.Name(id=name, ctx=ast.Store()) | ast.ClassDef(name=name):
                    names[name] = self._unknown(name)

    def _call_local(self, node: ast.Call, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Reads a function of the script that the script itself calls, and returns what it returns."""
        assert isinstance(node.func, ast.Name)
        function = self._functions[node.func.id]
        parts = function.args
        parameters = [part.arg for part in (*parts.posonlyargs, *parts.args)]
        defaults = dict(zip(parameters[len(parameters) - len(parts.defaults) :], parts.defaults, strict=True))
        defaults |= {part.arg: default for part, default in zip(parts.kwonlyargs, parts.kw_defaults, strict=True) if default is not None}
        given = {
            **{name: self._value(default, {}) for name, default in defaults.items()},
            **dict(zip(parameters, arguments, strict=False)),
            **named,
        }
        expected = {*parameters, *(part.arg for part in parts.kwonlyargs)}
        if self._depth >= _DEEPEST or set(given) != expected or parts.vararg or parts.kwarg or function.decorator_list:
            raise NotLiteral(node)
        self._depth += 1
        uncertain, self._uncertain = self._uncertain, 0
        try:
            self._body(function.body, given)
        except _Returned as returned:
            return returned.value
        finally:
            self._depth -= 1
            self._uncertain = uncertain
        return None

    def _is_local(self, name: str, names: Mapping[str, Any]) -> bool:
        return name in self._functions and name not in names

    def _with(self, items: Sequence[ast.withitem], body: Sequence[ast.stmt], names: dict[str, Any]) -> None:
        if not items:
            self._body(body, names)
            return
        first, *others = items
        with self._block(first.context_expr, names) as entered:
            if first.optional_vars is not None:
                self._assign(first.optional_vars, entered, names)
            self._with(others, body, names)

    @contextmanager
    def _block(self, node: ast.expr, names: dict[str, Any]) -> Iterator[Any]:
        match node:
            case ast.Call(func=ast.Attribute(value=context, attr="autocommit_block")):
                if self._value(context, names) is not self._operations.get_context():
                    raise NotLiteral(node)
                block: Any = self._at(node, self._operations.get_context().autocommit_block)
            case ast.Call(func=ast.Attribute(attr="batch_alter_table")):
                block = self._value(node, names)
            case _:
                entered = self._value(node, names)
                if not isinstance(entered, Unknown | Session | Connection):
                    raise NotLiteral(node)
                yield entered
                return
        entered = self._at(node, block.__enter__)
        try:
            yield entered
        finally:
            self._at(node, lambda: block.__exit__(None, None, None))
