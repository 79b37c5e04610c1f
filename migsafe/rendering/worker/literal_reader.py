"""A reader of scripts that must not be run: it makes their calls of `op.` with the literal values in the syntax tree.

It evaluates constants, and SQLAlchemy's types, columns, constraints and statements, and nothing else that a script can name. Everything else
is unknown, and is reported at its line.
"""

import ast
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from alembic.operations import BatchOperations, Operations

from migsafe.rendering.worker.script_run import Run

_MODULES = frozenset(
    (
        *("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression", "sqlalchemy.types", "sqlalchemy.schema", "sqlalchemy.dialects"),
        *("sqlalchemy.dialects.postgresql",),
    )
)
_ALLOWED_MODULES = ("sqlalchemy.sql.", "sqlalchemy.types", "sqlalchemy.dialects.postgresql.", "sqlalchemy.schema")
_DIRECTIVES = ("add_", "alter_", "create_", "drop_", "rename_", "execute", "bulk_insert", "batch_alter_table", "inline_literal", "f")
_STRING_METHODS = frozenset(("strip", "lstrip", "rstrip", "join", "lower", "upper", "replace", "split", "splitlines"))
_CONSTANTS = (str, bytes, int, float, bool, type(None))
_DEEPEST = 8
_NOT_RUN = "the script is not run, and this depends on more than literal values"


class NotLiteral(Exception):
    """An expression is not a literal value."""

    def __init__(self, node: ast.AST) -> None:
        self.node = node


class LiteralReader:
    """Reads one script."""

    def __init__(self, run: Run, operations: Operations) -> None:
        self._run = run
        self._operations = operations
        self._functions: dict[str, ast.FunctionDef] = {}
        self._depth = 0
        self._outer: dict[str, Any] = {}

    def read_function(self, name: str) -> None:
        """Reads a function of the script."""
        for statement in self._run.file.tree.body:
            self._declare(statement)
        self._run.active = True
        if name in self._functions:
            self._body(self._functions[name].body, {})
        elif any(name in (alias.asname or alias.name, "*") for alias in self._imported()):
            self._run.send_opaque(_NOT_RUN, self._run.file.first_line_of(name))

    def _imported(self) -> Iterator[ast.alias]:
        return (alias for node in self._run.file.nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names)

    def _declare(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef(name=name):
                self._functions[name] = statement
            case ast.Import(names=names):
                for alias in names:
                    if alias.name in _MODULES and (alias.asname or "." not in alias.name):
                        self._outer[alias.asname or alias.name] = importlib.import_module(alias.name)
            case ast.ImportFrom(module="alembic", names=names):
                self._outer.update({alias.asname or alias.name: self._operations for alias in names if alias.name == "op"})
            case ast.ImportFrom(module=str(module), names=names) if module in _MODULES or module.startswith("sqlalchemy.dialects.postgresql"):
                for alias in names:
                    imported = getattr(importlib.import_module(module), alias.name, None)
                    if _is_allowed(imported):
                        self._outer[alias.asname or alias.name] = imported
            case ast.Assign() | ast.AnnAssign():
                try:
                    self._assign(statement, self._outer)
                except NotLiteral:
                    return

    def _body(self, statements: Sequence[ast.stmt], names: dict[str, Any]) -> None:
        for statement in statements:
            try:
                self._statement(statement, names)
            except NotLiteral as error:
                self._run.send_opaque(_NOT_RUN, self._run.file.node_range(statement if isinstance(statement, ast.Expr) else error.node))

    def _statement(self, statement: ast.stmt, names: dict[str, Any]) -> None:
        match statement:
            case ast.Pass() | ast.Return(value=None) | ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    self._declare(statement)
            case ast.Assign() | ast.AnnAssign():
                self._assign(statement, names)
            case ast.Expr(value=ast.Call(func=ast.Name(id=name)) as call) if name in self._functions:
                self._local(self._functions[name], call, names)
            case ast.Expr(value=call):
                self._value(call, names)
            case ast.With(items=[ast.withitem(context_expr=call, optional_vars=target)], body=body):
                with self._block(call, names) as entered:
                    if isinstance(target, ast.Name):
                        names[target.id] = entered
                    self._body(body, names)
            case ast.For(target=ast.Name(id=name), iter=items, body=body, orelse=[]):
                for item in self._items(items, names):
                    self._body(body, {**names, name: item})
            case ast.If(body=body, orelse=others):
                self._run.add_uncertainty(1)
                self._body([*body, *others], names)
                self._run.add_uncertainty(-1)
            case _:
                raise NotLiteral(statement)

    def _assign(self, statement: ast.Assign | ast.AnnAssign, names: dict[str, Any]) -> None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if statement.value is None:
            return
        for target in targets:
            if isinstance(target, ast.Name):
                names.pop(target.id, None)
                names[target.id] = self._value(statement.value, names)
            else:
                raise NotLiteral(statement)

    def _items(self, node: ast.expr, names: dict[str, Any]) -> Sequence[Any]:
        items = self._value(node, names)
        if not isinstance(items, list | tuple):
            raise NotLiteral(node)
        return items

    def _local(self, function: ast.FunctionDef, call: ast.Call, names: dict[str, Any]) -> None:
        """Reads a function of the script that the script itself calls."""
        parameters = [part.arg for part in (*function.args.posonlyargs, *function.args.args)]
        values = [self._value(part, names) for part in call.args]
        arguments = {part.arg: self._value(part.value, names) for part in call.keywords if part.arg}
        defaults = dict(zip(parameters[len(parameters) - len(function.args.defaults) :], function.args.defaults, strict=True))
        arguments = {
            **{name: self._value(part, names) for name, part in defaults.items()},
            **dict(zip(parameters, values, strict=False)),
            **arguments,
        }
        if self._depth >= _DEEPEST or set(arguments) != set(parameters) or function.decorator_list:
            raise NotLiteral(call)
        self._depth += 1
        try:
            self._body(function.body, arguments)
        finally:
            self._depth -= 1

    @contextmanager
    def _block(self, node: ast.expr, names: dict[str, Any]) -> Iterator[Any]:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Attribute(value=op, attr="get_context")), attr="autocommit_block")):
                if self._value(op, names) is not self._operations:
                    raise NotLiteral(node)
                block: Any = self._at(node, self._operations.get_context().autocommit_block)
            case ast.Call(func=ast.Attribute(attr="batch_alter_table")):
                block = self._value(node, names)
            case _:
                raise NotLiteral(node)
        entered = self._at(node, block.__enter__)
        try:
            yield entered
        finally:
            self._at(node, lambda: block.__exit__(None, None, None))

    def _value(self, node: ast.expr, names: Mapping[str, Any]) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name in names:
                return names[name]
            case ast.Name(id=name) if name in self._outer:
                return self._outer[name]
            case ast.List(elts=elements):
                return [self._value(element, names) for element in elements]
            case ast.Tuple(elts=elements):
                return tuple(self._value(element, names) for element in elements)
            case ast.Dict(keys=keys, values=values) if all(keys):
                return {self._value(key, names): self._value(value, names) for key, value in zip(keys, values, strict=True) if key is not None}
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._number(operand, names)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._text(left, names) + self._text(right, names)
            case ast.JoinedStr(values=pieces):
                return "".join(map(str, (self._piece(piece, names) for piece in pieces)))
            case ast.Attribute(value=inner, attr=name):
                return self._attribute(node, self._value(inner, names), name)
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                return self._construct(left, names) == self._value(right, names)
            case ast.Call():
                return self._call(node, names)
        raise NotLiteral(node)

    def _number(self, node: ast.expr, names: Mapping[str, Any]) -> int | float:
        number = self._value(node, names)
        if not isinstance(number, int | float):
            raise NotLiteral(node)
        return number

    def _text(self, node: ast.expr, names: Mapping[str, Any]) -> str:
        text = self._value(node, names)
        if not isinstance(text, str):
            raise NotLiteral(node)
        return text

    def _construct(self, node: ast.expr, names: Mapping[str, Any]) -> Any:
        construct = self._value(node, names)
        if not type(construct).__module__.startswith(_ALLOWED_MODULES):
            raise NotLiteral(node)
        return construct

    def _piece(self, node: ast.expr, names: Mapping[str, Any]) -> object:
        if isinstance(node, ast.FormattedValue):
            if node.conversion != -1 or node.format_spec is not None:
                raise NotLiteral(node)
            value = self._value(node.value, names)
            if not isinstance(value, _CONSTANTS):
                raise NotLiteral(node)
            return value
        return self._value(node, names)

    def _attribute(self, node: ast.expr, thing: Any, name: str) -> Any:
        if name.startswith("_"):
            raise NotLiteral(node)
        if isinstance(thing, Operations | BatchOperations):
            if not name.startswith(_DIRECTIVES) or not hasattr(thing, name):
                raise NotLiteral(node)
            return getattr(thing, name)
        if isinstance(thing, str) and name in _STRING_METHODS:
            return getattr(thing, name)
        allowed = isinstance(thing, ModuleType) and thing.__name__ in _MODULES
        if not allowed and not _is_allowed(thing):
            raise NotLiteral(node)
        attribute = getattr(thing, name, None)
        if allowed and not _is_allowed(attribute):
            raise NotLiteral(node)
        return attribute

    def _call(self, node: ast.Call, names: Mapping[str, Any]) -> Any:
        function = self._value(node.func, names)
        arguments: list[Any] = []
        for argument in node.args:
            arguments += self._items(argument.value, dict(names)) if isinstance(argument, ast.Starred) else [self._value(argument, names)]
        if any(keyword.arg is None for keyword in node.keywords):
            raise NotLiteral(node)
        named = {str(keyword.arg): self._value(keyword.value, names) for keyword in node.keywords}
        try:
            return self._at(node, lambda: function(*arguments, **named))
        except Exception as error:  # SQLAlchemy and Alembic may raise anything for wrong arguments
            raise NotLiteral(node) from error

    def _at(self, node: ast.AST, do: Callable[[], Any]) -> Any:
        before, self._run.current_range = self._run.current_range, self._run.file.node_range(node)
        try:
            return do()
        finally:
            self._run.current_range = before


def _is_allowed(thing: Any) -> bool:
    """Whether an object is one of SQLAlchemy's constructs, or creates one."""
    if isinstance(thing, ModuleType):
        return thing.__name__ in _MODULES
    return str(getattr(thing, "__module__", None) or type(thing).__module__).startswith(_ALLOWED_MODULES) or type(thing).__module__.startswith(
        _ALLOWED_MODULES
    )
