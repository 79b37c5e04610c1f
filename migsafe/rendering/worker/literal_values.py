"""The operations on plain values that the reader of scripts evaluates: none of them can run code of the script or reach anything else."""

import ast
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from migsafe.rendering.worker.transformation import without_number_formats
from migsafe.rendering.worker.unknown import Unknown

NOT_RUN = "the script is not run, and this depends on more than literal values"
UNKNOWN_REASON = "which is not a literal value"
MAX_ITEMS = 10_000
_CONSTANTS = (str, bytes, int, float, bool, type(None))
_FIELD = re.compile(r"\{[^{}]*[.\[_][^{}]*\}")
"""A field of str.format() that reads an attribute or item."""

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
}
BUILTINS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(len, str, int, float, bool, list, tuple, dict, set, frozenset, sorted, range, min, max, sum, any, all, abs, round, repr),
        *(enumerate, zip, reversed),
    )
}
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        (
            *(
                "strip",
                "lstrip",
                "rstrip",
                "join",
                "lower",
                "upper",
                "title",
                "capitalize",
                "replace",
                "split",
                "rsplit",
                "splitlines",
                "format",
            ),
            *(
                "startswith",
                "endswith",
                "count",
                "find",
                "partition",
                "rpartition",
                "removeprefix",
                "removesuffix",
                "isdigit",
                "encode",
                "zfill",
            ),
        )
    ),
    bytes: frozenset(("decode", "hex")),
    dict: frozenset(("items", "keys", "values", "get", "copy", "update", "pop", "setdefault")),
    list: frozenset(("append", "extend", "insert", "copy", "index", "count", "pop", "sort", "reverse")),
    tuple: frozenset(("index", "count")),
    set: frozenset(("add", "update", "discard", "union", "difference", "intersection", "copy")),
    frozenset: frozenset(("union", "difference", "intersection")),
}


class NotLiteral(Exception):
    """An expression is not a literal value."""

    def __init__(self, node: ast.AST) -> None:
        self.node = node


def is_plain(value: Any) -> bool:
    """Whether a value consists of constants only."""
    if type(value) in _CONSTANTS:
        return True
    if type(value) in (list, tuple, set, frozenset):
        return all(map(is_plain, value))
    return type(value) is dict and all(is_plain(key) and is_plain(item) for key, item in value.items())


def is_text(value: Any) -> bool:
    """Whether a value consists of constants and unknown values."""
    return isinstance(value, Unknown) or is_plain(value) or (type(value) in (list, tuple) and all(map(is_text, value)))


def first_unknown(values: Iterable[Any]) -> Unknown | None:
    """Returns an unknown value among values and their items."""
    for value in values:
        if isinstance(value, Unknown):
            return value
        inner = first_unknown(value) if type(value) in (list, tuple, set, frozenset) else None
        inner = first_unknown([*value, *value.values()]) if type(value) is dict else inner
        if inner is not None:
            return inner
    return None


def method(value: Any, name: str) -> Callable[..., Any] | None:
    """Returns a method of a plain value that may be called."""
    found: Callable[..., Any] | None = getattr(value, name) if name in _METHODS.get(type(value), ()) else None
    return found


def may_call(function: Callable[..., Any], arguments: Sequence[Any]) -> bool:
    """Whether a method of a plain value, or a built-in function, can be called without reaching anything else."""
    receiver = getattr(function, "__self__", None)
    if isinstance(receiver, str) and function.__name__ == "format" and _FIELD.search(receiver):
        return False
    return function is not range or all(isinstance(part, int) and abs(part) <= MAX_ITEMS for part in arguments)


def binary(node: ast.AST, how: ast.operator, left: Any, right: Any) -> Any:
    """Returns the result of an operator on plain values. Raises NotLiteral."""
    operation = _BINARY.get(type(how))
    if operation is None:
        raise NotLiteral(node)
    if isinstance(how, ast.Mult) and _size(left) * _size(right) > MAX_ITEMS * 100:
        raise NotLiteral(node)
    try:
        if isinstance(how, ast.Mod) and isinstance(left, str) and first_unknown([right]) is not None:
            return without_number_formats(left) % right
        return operation(left, right)
    except (TypeError, ValueError, ArithmeticError, KeyError) as error:
        raise NotLiteral(node) from error


def _size(value: Any) -> int:
    return abs(value) if isinstance(value, int) else len(value) if hasattr(value, "__len__") else 1


def compare(node: ast.AST, how: ast.cmpop, left: Any, right: Any) -> Any:
    """Returns the result of a comparison of plain values. Raises NotLiteral."""
    try:
        return _COMPARISONS[type(how)](left, right)
    except TypeError as error:
        raise NotLiteral(node) from error


def formatted(node: ast.AST, value: Any, conversion: int, spec: str) -> str:
    """Returns a value as in an f-string. Raises NotLiteral."""
    if isinstance(value, Unknown):
        return str(value)
    if not is_plain(value):
        raise NotLiteral(node)
    try:
        return format({-1: value, 114: repr(value), 115: str(value), 97: ascii(value)}[conversion], spec)
    except (TypeError, ValueError, KeyError) as error:
        raise NotLiteral(node) from error
