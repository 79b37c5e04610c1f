"""The expressions that the reader of scripts evaluates."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from alembic.operations import BatchOperations, Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from migsafe.rendering.messages import DATABASE_ONLY
from migsafe.rendering.worker.database import Database
from migsafe.rendering.worker.literal_values import (
    BUILTINS,
    MAX_ITEMS,
    UNKNOWN_REASON,
    NotLiteral,
    binary,
    compare,
    first_unknown,
    formatted,
    is_plain,
    is_text,
    may_call,
    method,
)
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.unknown import Unknown, name_of, unknown_like

MODULES = frozenset(
    (
        *("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression", "sqlalchemy.types", "sqlalchemy.schema", "sqlalchemy.dialects"),
        *("sqlalchemy.dialects.postgresql",),
    )
)
_ALLOWED_MODULES = ("sqlalchemy.sql.", "sqlalchemy.types", "sqlalchemy.dialects.postgresql.", "sqlalchemy.schema")
_DIRECTIVES = ("add_", "alter_", "create_", "drop_", "rename_", "execute", "bulk_insert", "batch_alter_table", "inline_literal", "f")
_UNKNOWN_ATTRIBUTES = frozenset(("inspect", "orm", "exc", "engine", "ext"))
_DIALECT = "connection.dialect"
_EXECUTING = frozenset(("execute", "scalar", "scalars", "exec_driver_sql"))
_WITHOUT_SQL = frozenset(("commit", "rollback", "begin", "begin_nested", "close", "flush", "in_transaction", "get_bind", "connect"))


class Session:
    """A session of the script, on its connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection


class _UnknownItems(Exception):
    """A comprehension goes over unknown items."""

    def __init__(self, value: Unknown) -> None:
        self.value = value


class LiteralEvaluator:
    """Evaluates the expressions of one script. Functions of the script are called by a subclass."""

    def __init__(self, run: Run, operations: Operations, database: Database) -> None:
        self._run = run
        self._operations = operations
        self._database = database
        self._outer: dict[str, Any] = {}

    def _call_local(self, node: ast.Call, arguments: list[Any], named: dict[str, Any]) -> Any:
        raise NotLiteral(node)

    def _is_local(self, name: str, names: Mapping[str, Any]) -> bool:
        raise NotImplementedError

    def _unknown(self, name: str, reason: str = UNKNOWN_REASON) -> Unknown:
        return Unknown(self._run, name, reason)

    def _items(self, node: ast.AST, values: Any) -> Sequence[Any]:
        if isinstance(values, Unknown) or not isinstance(values, list | tuple | set | frozenset | dict | range | zip | enumerate):
            if type(values) not in _VIEWS:
                raise NotLiteral(node)
        items = list(values)
        if len(items) > MAX_ITEMS:
            raise NotLiteral(node)
        return items

    def _value(self, node: ast.expr, names: Mapping[str, Any]) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return names[name] if name in names else self._outer[name] if name in self._outer else BUILTINS.get(name) or self._unknown(name)
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict() | ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                try:
                    return self._collection(node, names)
                except _UnknownItems as error:
                    return unknown_like(error.value, f"{name_of(error.value)}…")
            case ast.UnaryOp() | ast.BinOp() | ast.BoolOp() | ast.Compare() | ast.IfExp():
                return self._operation_of(node, names)
            case ast.JoinedStr(values=pieces):
                return "".join(map(str, (self._piece(piece, names) for piece in pieces)))
            case ast.Subscript(value=container, slice=key):
                return self._item(node, self._value(container, names), key, names)
            case ast.Attribute(value=inner, attr=name):
                return self._attribute(node, self._value(inner, names), name)
            case ast.Call():
                return self._call(node, names)
            case ast.Await(value=inner):
                return self._value(inner, names)
            case ast.Lambda():
                return self._unknown("lambda")
        raise NotLiteral(node)

    def _collection(self, node: ast.expr, names: Mapping[str, Any]) -> Any:
        match node:
            case ast.List(elts=elements):
                return self._elements(elements, names)
            case ast.Tuple(elts=elements):
                return tuple(self._elements(elements, names))
            case ast.Set(elts=elements):
                return set(self._hashable(node, self._elements(elements, names)))
            case ast.Dict(keys=keys, values=values):
                pairs: dict[Any, Any] = {}
                for key, value in zip(keys, values, strict=True):
                    evaluated = self._value(value, names)
                    if key is not None:
                        pairs[self._hashable(key, [self._value(key, names)])[0]] = evaluated
                    elif type(evaluated) is dict:
                        pairs |= evaluated
                    else:
                        raise NotLiteral(node)
                return pairs
            case ast.DictComp(key=key, value=value, generators=generators):
                scopes = self._scopes(generators, dict(names))
                return {self._hashable(key, [self._value(key, scope)])[0]: self._value(value, scope) for scope in scopes}
            case ast.ListComp(elt=element, generators=generators) | ast.GeneratorExp(elt=element, generators=generators):
                return [self._value(element, scope) for scope in self._scopes(generators, dict(names))]
            case ast.SetComp(elt=element, generators=generators):
                return set(self._hashable(element, [self._value(element, scope) for scope in self._scopes(generators, dict(names))]))
        raise NotLiteral(node)

    def _hashable(self, node: ast.AST, values: list[Any]) -> list[Any]:
        try:
            hash(tuple(values))
        except TypeError as error:
            raise NotLiteral(node) from error
        return values

    def _scopes(self, generators: Sequence[ast.comprehension], names: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yields the names in each round of a comprehension."""
        if not generators:
            yield names
            return
        first, *others = generators
        iterated = self._value(first.iter, names)
        if isinstance(iterated, Unknown):
            raise _UnknownItems(iterated)
        for item in self._items(first.iter, iterated):
            scope = dict(names)
            self._assign(first.target, item, scope)
            tests = [self._value(test, scope) for test in first.ifs]
            unknown = first_unknown(tests)
            if unknown is not None:
                raise _UnknownItems(unknown)
            if all(tests):
                yield from self._scopes(others, scope)

    def _assign(self, target: ast.expr, value: Any, names: dict[str, Any]) -> None:
        """Assigns a value to a target. Raises NotLiteral."""
        match target:
            case ast.Name(id=name):
                names[name] = value
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                if isinstance(value, Unknown):
                    values: Sequence[Any] = [unknown_like(value, f"{name_of(value)}[{number}]") for number in range(len(targets))]
                else:
                    values = self._items(target, value)
                    if len(values) != len(targets) or any(isinstance(inner, ast.Starred) for inner in targets):
                        raise NotLiteral(target)
                for inner, item in zip(targets, values, strict=True):
                    self._assign(inner, item, names)
            case ast.Subscript(value=container, slice=key):
                changed, place = self._value(container, names), self._value(key, names)
                if type(changed) is not dict or not is_plain(place) or isinstance(place, list | dict | set):
                    raise NotLiteral(target)
                changed[place] = value
            case ast.Starred(value=inner):
                self._assign(inner, value, names)
            case _:
                raise NotLiteral(target)

    def _elements(self, elements: Sequence[ast.expr], names: Mapping[str, Any]) -> list[Any]:
        values: list[Any] = []
        for element in elements:
            if isinstance(element, ast.Starred):
                values += self._items(element, self._value(element.value, names))
            else:
                values.append(self._value(element, names))
        return values

    def _operation_of(self, node: ast.expr, names: Mapping[str, Any]) -> Any:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self._value(operand, names)
                return -number if isinstance(number, int | float) else self._unknown_of(node, [number])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                value = self._value(operand, names)
                return not value if is_plain(value) else self._unknown_of(node, [value])
            case ast.BinOp(left=left, op=how, right=right):
                return self._operation(node, how, self._value(left, names), self._value(right, names))
            case ast.BoolOp(op=how, values=values):
                value = None
                for part in values:
                    value = self._value(part, names)
                    if not is_plain(value):
                        return self._unknown_of(node, [value])
                    if bool(value) is isinstance(how, ast.Or):
                        return value
                return value
            case ast.IfExp(test=test, body=body, orelse=other):
                chosen = self._value(test, names)
                return self._value(body if chosen else other, names) if is_plain(chosen) else self._unknown_of(node, [chosen])
            case ast.Compare(left=left, ops=[how], comparators=[right]):
                return self._comparison(node, how, self._value(left, names), self._value(right, names))
        raise NotLiteral(node)

    def _operation(self, node: ast.AST, how: ast.operator, left: Any, right: Any) -> Any:
        if (is_plain(left) and is_plain(right)) or (isinstance(how, ast.Mod) and type(left) is str):
            return binary(node, how, left, right)
        if isinstance(how, ast.Add) and isinstance(left, str) and isinstance(right, str):
            return str(left) + str(right)
        if isinstance(how, ast.Add) and type(left) is type(right) and type(left) in (list, tuple):
            return left + right
        if isinstance(how, ast.BitAnd | ast.BitOr | ast.Add | ast.Sub) and (_is_clause(left) or _is_clause(right)):
            return self._at(node, lambda: binary(node, how, left, right))
        return self._unknown_of(node, [left, right])

    def _comparison(self, node: ast.AST, how: ast.cmpop, left: Any, right: Any) -> Any:
        if is_plain(left) and is_plain(right):
            return compare(node, how, left, right)
        if _is_clause(left) and not isinstance(how, ast.In | ast.NotIn | ast.Is | ast.IsNot) and (is_plain(right) or _is_clause(right)):
            return compare(node, how, left, right)
        return self._unknown_of(node, [left, right])

    def _unknown_of(self, node: ast.AST, values: list[Any]) -> Unknown:
        """Returns the unknown result of an expression of which a value is unknown. Raises NotLiteral if none is."""
        unknown = first_unknown(values)
        if unknown is None:
            raise NotLiteral(node)
        return unknown_like(unknown, name_of(unknown))

    def _piece(self, node: ast.expr, names: Mapping[str, Any]) -> object:
        if isinstance(node, ast.FormattedValue):
            spec = self._value(node.format_spec, names) if node.format_spec is not None else ""
            return formatted(node, self._value(node.value, names), node.conversion, spec)
        return self._value(node, names)

    def _item(self, node: ast.expr, container: Any, key: ast.expr, names: Mapping[str, Any]) -> Any:
        if isinstance(container, Unknown):
            return unknown_like(container, f"{name_of(container)}[…]")
        if isinstance(key, ast.Slice):
            parts = [self._value(part, names) if part is not None else None for part in (key.lower, key.upper, key.step)]
            place: Any = slice(*parts)
            if not is_plain(parts):
                return self._unknown_of(node, parts)
        else:
            place = self._value(key, names)
            if not is_plain(place):
                return self._unknown_of(node, [place])
        if type(container) not in (list, tuple, dict, str):
            raise NotLiteral(node)
        try:
            return container[place]
        except (LookupError, TypeError) as error:
            raise NotLiteral(node) from error

    def _attribute(self, node: ast.expr, thing: Any, name: str) -> Any:
        if name.startswith("_"):
            raise NotLiteral(node)
        if isinstance(thing, Unknown):
            return "postgresql" if (name_of(thing), name) == (_DIALECT, "name") else unknown_like(thing, f"{name_of(thing)}.{name}")
        if isinstance(thing, Operations | BatchOperations):
            if name in ("get_bind", "get_context") or (name.startswith(_DIRECTIVES) and hasattr(thing, name)):
                return getattr(thing, name)
            raise NotLiteral(node)
        if isinstance(thing, MigrationContext):
            return self._database.connection if name in ("bind", "connection") else self._unknown(f"context.{name}")
        if isinstance(thing, Connection | Session):
            return self._connection_attribute(node, name)
        found = method(thing, name)
        if found is not None:
            return found
        allowed = isinstance(thing, ModuleType) and thing.__name__ in MODULES
        if not allowed and not is_construct(thing):
            raise NotLiteral(node)
        attribute = getattr(thing, name, None)
        if allowed and not is_construct(attribute):
            if name in _UNKNOWN_ATTRIBUTES:
                return self._unknown(f"{thing.__name__}.{name}")
            raise NotLiteral(node)
        return attribute

    def _connection_attribute(self, node: ast.expr, name: str) -> Any:
        connection = self._database.connection
        if name in _EXECUTING:
            method_of_connection = connection.exec_driver_sql if name == "exec_driver_sql" else connection.execute

            def execute(statement: Any, *arguments: Any, **named: Any) -> Unknown:
                if not (isinstance(statement, str) or _is_clause(statement)) or isinstance(statement, Unknown):
                    raise NotLiteral(node)
                method_of_connection(statement, *arguments, **named)
                return self._unknown("row", DATABASE_ONLY)

            return execute
        if name in ("connection", "engine"):
            return connection
        if name in _WITHOUT_SQL:
            return lambda *_, **__: connection if name in ("connect", "get_bind") else self._unknown(name, DATABASE_ONLY)
        if name in ("dialect", "info", "closed"):
            return self._unknown(_DIALECT if name == "dialect" else name, DATABASE_ONLY)
        raise NotLiteral(node)

    def _call(self, node: ast.Call, names: Mapping[str, Any]) -> Any:
        is_local = isinstance(node.func, ast.Name) and self._is_local(node.func.id, names)
        function = None if is_local else self._value(node.func, names)
        arguments = self._elements(node.args, names)
        named: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self._value(keyword.value, names)
            if keyword.arg is not None:
                named[keyword.arg] = value
            elif type(value) is dict and all(isinstance(key, str) for key in value):
                named |= value
            else:
                raise NotLiteral(node)
        if is_local:
            return self._call_local(node, arguments, named)
        if function is Session:
            return Session(self._database.connection)
        if isinstance(function, Unknown):
            if any(isinstance(part, Operations | BatchOperations | Connection | Session) for part in (*arguments, *named.values())):
                if name_of(function).rpartition(".")[2] in ("inspect", "from_engine", "Inspector"):
                    return self._unknown("inspector", DATABASE_ONLY)
                if name_of(function).rpartition(".")[2] in ("Session", "sessionmaker"):
                    return Session(self._database.connection)
                raise NotLiteral(node)
            return unknown_like(function, f"{name_of(function)}()")
        return self._result(node, function, arguments, named)

    def _result(self, node: ast.Call, function: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        receiver = getattr(function, "__self__", None)
        if function in BUILTINS.values() or type(receiver) in (str, bytes, list, dict, tuple, set, frozenset):
            plain = all(map(is_plain, arguments)) and is_plain(named)
            holds = function in (list, tuple, enumerate, zip, reversed) or type(receiver) in (list, dict, set)
            holds = holds and not any(isinstance(part, Unknown) for part in arguments)
            # Texts show unknown values as their marks.
            writes = type(receiver) is str and function.__name__ in ("format", "join") and all(map(is_text, [*arguments, *named.values()]))
            if not may_call(function, arguments) or not (plain or holds or writes):
                return self._unknown_of(node, [*arguments, *named.values()])
        elif isinstance(receiver, Operations) and arguments and isinstance(arguments[0], Unknown):
            raise NotLiteral(node)
        try:
            result = self._at(node, lambda: function(*arguments, **named))
        except Exception as error:  # SQLAlchemy and Alembic may raise anything for wrong arguments
            raise NotLiteral(node) from error
        return list(result) if type(result) in _VIEWS else result

    def _at(self, node: ast.AST, do: Callable[[], Any]) -> Any:
        before, self._run.current_range = self._run.current_range, self._run.file.node_range(node)
        try:
            return do()
        finally:
            self._run.current_range = before


_VIEWS: tuple[type, ...] = (type({}.items()), type({}.keys()), type({}.values()), zip, enumerate, reversed, type(reversed([])))


def _is_clause(thing: Any) -> bool:
    return not isinstance(thing, type | ModuleType) and type(thing).__module__.startswith(_ALLOWED_MODULES)


def is_construct(thing: Any) -> bool:
    """Whether an object is one of SQLAlchemy's constructs, or creates one."""
    if isinstance(thing, ModuleType):
        return thing.__name__ in MODULES
    return str(getattr(thing, "__module__", None) or type(thing).__module__).startswith(_ALLOWED_MODULES) or _is_clause(thing)
