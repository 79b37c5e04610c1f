"""The values of env.py's expressions."""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from migsafe.patterns import lazy_pattern
from migsafe.script_environment import UNKNOWN
from migsafe.sources.alembic import env_calls
from migsafe.sources.alembic.env_reading import Reading
from migsafe.sources.alembic.env_values import External, Function, Scope, is_unknown, truth

_WIDTH = lazy_pattern(r"\d{5}")
"""A width in a template that would produce a very long text."""
_LONGEST = 100_000
_LARGEST = 10**30
_PLAIN = (str, bytes, int, float, bool, type(None), list, tuple, dict, set)


def evaluate(reader: Reading, node: ast.expr, scope: Scope, *, in_with: bool = False) -> Any:
    """Returns the value of an expression; `in_with` if it is the expression of a `with`."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return reader.look_up(name, scope)
        case ast.Await(value=inner) | ast.Starred(value=inner):
            return reader.value(inner, scope, in_with=in_with)
        case ast.Attribute(value=owner, attr=name):
            return env_calls.attribute(reader, reader.value(owner, scope), name)
        case ast.Call():
            return _call(reader, node, scope, in_with=in_with)
        case ast.JoinedStr() | ast.BinOp() | ast.UnaryOp() | ast.BoolOp() | ast.Compare() | ast.IfExp():
            return _operation(reader, node, scope)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            items = [reader.value(element, scope) for element in elements]
            return items if isinstance(node, ast.List) else tuple(items)
        case ast.Dict():
            return _dictionary(reader, node, scope)
        case ast.Subscript(value=owner, slice=key):
            return env_calls.item(reader, reader.value(owner, scope), reader.value(key, scope))
        case ast.Lambda():
            return Function(node, scope)
        case ast.NamedExpr(target=target, value=value):
            result = reader.value(value, scope)
            reader.assign(target, result, scope)
            return result
        case ast.ListComp(elt=element, generators=[ast.comprehension(target=target, iter=items, ifs=[])]):
            names = Scope(scope.module, scope)
            return [_in_round(reader, target, item, element, names) for item in _items(reader.value(items, scope))]
        case ast.DictComp(key=key, value=value, generators=[ast.comprehension(target=target, iter=items, ifs=[])]):
            names = Scope(scope.module, scope)
            pairs = [_in_round(reader, target, item, ast.Tuple([key, value], ast.Load()), names) for item in _items(reader.value(items, scope))]
            return {key: value for key, value in pairs if isinstance(key, str)}
    return UNKNOWN


def _items(value: Any) -> list[Any]:
    return list(value)[:100] if isinstance(value, list | tuple | dict | set) else []


def _in_round(reader: Reading, target: ast.expr, item: Any, element: ast.expr, scope: Scope) -> Any:
    reader.assign(target, item, scope)
    return reader.value(element, scope)


def _operation(reader: Reading, node: ast.expr, scope: Scope) -> Any:
    match node:
        case ast.JoinedStr(values=pieces):
            return _bounded("".join(_piece(reader, piece, scope) for piece in pieces))
        case ast.BinOp(left=left, op=operator, right=right):
            return _binary(operator, reader.value(left, scope), reader.value(right, scope))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            result = truth(reader.value(operand, scope))
            return UNKNOWN if result is None else not result
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = reader.value(operand, scope)
            return -number if isinstance(number, int | float) else UNKNOWN
        case ast.BoolOp(op=operator, values=values):
            return _boolean(reader, isinstance(operator, ast.Or), values, scope)
        case ast.Compare(left=left, ops=[how], comparators=[right]):
            return _compare(how, reader.value(left, scope), reader.value(right, scope))
        case ast.IfExp(test=test, body=body, orelse=other):
            condition = truth(reader.value(test, scope))
            if condition is not None:
                return reader.value(body if condition else other, scope)
            results = [reader.value(branch, scope) for branch in (body, other)]
            return results[0] if not is_unknown(results[0]) and not isinstance(results[0], External) else results[1]
    return UNKNOWN


def _piece(reader: Reading, piece: ast.expr, scope: Scope) -> str:
    if isinstance(piece, ast.Constant):
        return str(piece.value)
    value = reader.value(piece.value, scope) if isinstance(piece, ast.FormattedValue) else UNKNOWN
    return str(value) if isinstance(value, str | int | float) else UNKNOWN


def _binary(operator: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(operator, ast.Add) and (isinstance(left, str) or isinstance(right, str)):
        texts = [value if isinstance(value, str) else UNKNOWN for value in (left, right)]
        return _bounded("".join(texts)) if texts != [UNKNOWN, UNKNOWN] else UNKNOWN
    if is_unknown(left) or is_unknown(right) or not isinstance(left, _PLAIN) or not isinstance(right, _PLAIN):
        return UNKNOWN
    if isinstance(left, str) and isinstance(operator, ast.Mod) and _WIDTH.search(left):
        return UNKNOWN
    operations: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
        ast.Add: lambda a, b: a + b,
        ast.Sub: lambda a, b: a - b,
        ast.Mult: lambda a, b: a * b if isinstance(a, int) and isinstance(b, int) else UNKNOWN,
        ast.Mod: lambda a, b: a % b,
        ast.BitOr: lambda a, b: a | b,
        ast.FloorDiv: lambda a, b: a // b,
    }
    try:
        return _bounded(operations[type(operator)](left, right))
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return UNKNOWN


def _bounded(value: Any) -> Any:
    """Returns a value, or UNKNOWN in place of one that is too large to be a setting."""
    too_large = len(value) > _LONGEST if isinstance(value, str | list | tuple | dict) else isinstance(value, int) and abs(value) > _LARGEST
    return UNKNOWN if too_large else value


def _boolean(reader: Reading, is_or: bool, values: Sequence[ast.expr], scope: Scope) -> Any:
    """Returns the value of `and` or `or`. An unknown operand of `or` gives way to a known one: it is mostly a default."""
    result: Any = UNKNOWN
    unclear = False
    for node in values:
        result = reader.value(node, scope)
        holds = truth(result)
        if holds is is_or:
            return UNKNOWN if unclear and not is_or else result
        unclear = unclear or holds is None
    return UNKNOWN if unclear else result


def _compare(how: ast.cmpop, left: Any, right: Any) -> Any:
    if is_unknown(left) or is_unknown(right) or isinstance(left, External) or isinstance(right, External):
        return UNKNOWN
    match how:
        case ast.Is():
            return left is right
        case ast.IsNot():
            return left is not right
    if not isinstance(left, _PLAIN) or not isinstance(right, _PLAIN) or _is_partly_unknown(left, right):
        return UNKNOWN
    operations: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
        ast.Eq: lambda a, b: a == b,
        ast.NotEq: lambda a, b: a != b,
        ast.In: lambda a, b: a in b,
        ast.NotIn: lambda a, b: a not in b,
        ast.Gt: lambda a, b: a > b,
        ast.Lt: lambda a, b: a < b,
    }
    try:
        return operations[type(how)](left, right)
    except (KeyError, TypeError):
        return UNKNOWN


def _is_partly_unknown(*values: Any) -> bool:
    return any(isinstance(value, str) and UNKNOWN in value for value in values)


def _dictionary(reader: Reading, node: ast.Dict, scope: Scope) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        new = reader.value(value, scope)
        if key is None:
            result.update(new if isinstance(new, dict) else {UNKNOWN: UNKNOWN})
            continue
        name = reader.value(key, scope)
        if isinstance(name, External):
            result[name.last] = new
        elif isinstance(name, str | int | float | bool | type(None)):
            result[name] = new
    return result


def _call(reader: Reading, node: ast.Call, scope: Scope, *, in_with: bool) -> Any:
    callee = reader.value(node.func, scope)
    arguments: list[Any] = []
    for argument in node.args:
        value = reader.value(argument, scope)
        if isinstance(argument, ast.Starred):
            arguments += list(value) if isinstance(value, list | tuple) else []
        else:
            arguments.append(value)
    named: dict[str, Any] = {}
    for keyword in node.keywords:
        value = reader.value(keyword.value, scope)
        if keyword.arg is not None:
            named[keyword.arg] = value
        elif isinstance(value, dict):
            named.update({key: item for key, item in value.items() if isinstance(key, str)})
        else:
            named[UNKNOWN] = UNKNOWN
    return env_calls.call(reader, callee, arguments, named, in_with=in_with)


def bind_arguments(reader: Reading, function: Function, arguments: Sequence[Any], named: Mapping[str, Any], scope: Scope) -> None:
    """Binds the parameters of a function; those without an argument have their default, or are unknown."""
    parameters = function.node.args
    positional = [*parameters.posonlyargs, *parameters.args]
    values = list(arguments)
    if function.owner is not None:
        values.insert(0, function.owner)
    defaults = dict(zip((part.arg for part in positional[len(positional) - len(parameters.defaults) :]), parameters.defaults, strict=True))
    defaults |= {part.arg: default for part, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True) if default is not None}
    for part in (*positional, *parameters.kwonlyargs):
        default = defaults.get(part.arg)
        scope.names[part.arg] = reader.value(default, function.scope) if default is not None else UNKNOWN
    scope.names.update({part.arg: value for part, value in zip(positional, values, strict=False)})
    names = {part.arg for part in (*positional, *parameters.kwonlyargs)}
    scope.names.update({name: value for name, value in named.items() if name in names})
    if parameters.vararg is not None:
        scope.names[parameters.vararg.arg] = values[len(positional) :]
    if parameters.kwarg is not None:
        scope.names[parameters.kwarg.arg] = {name: value for name, value in named.items() if name not in names}
