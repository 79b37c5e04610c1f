"""Calls of functions with arguments for which PostgreSQL has no such function (parse_func.c), and comparisons of their results."""

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from migsafe.expressions.expression_types import TypeOf
from migsafe.expressions.query_outputs import called_name, find_in_outputs
from migsafe.schema.query_columns import FunctionTypes, TableColumns
from migsafe.sql.operations import Name, Query, TypeName

_INTEGERS = frozenset(("smallint", "integer", "bigint"))
_TIMES = frozenset(("date", "timestamp without time zone", "timestamp with time zone"))
_TEXTS = frozenset(("text", "character varying"))
_OTHERS = frozenset(("boolean", "uuid", "json", "jsonb"))
_NOT_TEXT = _INTEGERS | _TIMES | _OTHERS | {"numeric", "real", "double precision"}
_NO_TIMES = _INTEGERS | _TEXTS | _OTHERS | {"numeric", "real", "double precision"}
_REFUSED: dict[type[exp.Expr], tuple[str, frozenset[str]]] = {
    exp.Lower: ("lower", _NOT_TEXT),
    exp.Upper: ("upper", _NOT_TEXT),
    exp.Length: ("length", _NOT_TEXT),
    exp.MD5: ("md5", _NOT_TEXT),
    exp.Reverse: ("reverse", _NOT_TEXT),
    exp.Replace: ("replace", _NOT_TEXT),
    exp.Sum: ("sum", _TEXTS | _TIMES | _OTHERS),
    exp.Avg: ("avg", _TEXTS | _TIMES | _OTHERS),
    exp.Max: ("max", frozenset(("boolean", "uuid", "json", "jsonb"))),
    exp.Min: ("min", frozenset(("boolean", "uuid", "json", "jsonb"))),
    exp.LogicalAnd: ("bool_and", _INTEGERS | _TEXTS),
    exp.LogicalOr: ("bool_or", _INTEGERS | _TEXTS),
}
"""Functions with one argument, each with the types that it certainly does not take: nothing converts these implicitly."""
_OF_JSONB = frozenset(("jsonb_array_length", "jsonb_typeof", "jsonb_pretty", "jsonb_array_elements", "jsonb_array_elements_text"))
_OF_JSON = frozenset(("json_array_length", "json_typeof", "json_array_elements", "json_array_elements_text"))


class RefusedCall(Struct, frozen=True):
    """A call that finds no function: its name, the type of its first argument, and what the signature has after it."""

    function: str
    type: TypeName
    rest: str = ""


def refused_calls(query: Query, tables: TableColumns) -> tuple[RefusedCall, ...]:
    """Return the calls in the output columns of a query that PostgreSQL refuses, unless the database has functions of its own for them."""
    return find_in_outputs(query, tables, (exp.Func,), _refused_call)


def _refused_call(node: exp.Func, type_of: TypeOf) -> RefusedCall | None:
    argument = _first_argument(node)
    data_type = type_of(argument) if argument is not None else None
    if data_type is None or data_type.schema is not None or data_type.dimensions:
        return None
    return _refused(node, replace(data_type, modifiers=()))


def _first_argument(node: exp.Func) -> exp.Expr | None:
    """Return the argument whose type decides."""
    if isinstance(node, exp.Extract):
        return node.expression if isinstance(node.expression, exp.Expr) else None
    if isinstance(node, exp.Anonymous):
        return node.expressions[0] if len(node.expressions) == 1 else None
    inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) and len(node.this.expressions) == 1 else node.this
    return inner if isinstance(inner, exp.Expr) else None


def _refused(node: exp.Func, data_type: TypeName) -> RefusedCall | None:
    if isinstance(node, exp.Round):
        has_decimals = isinstance(node.args.get("decimals"), exp.Literal) and not node.args["decimals"].is_string
        is_float = data_type.name in ("real", "double precision")
        return RefusedCall("round", data_type, ", integer") if has_decimals and is_float else None
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        wrong = _TEXTS | {"json"} if name in _OF_JSONB else _TEXTS | {"jsonb"} if name in _OF_JSON else frozenset()
        return RefusedCall(name, data_type) if data_type.name in wrong else None
    if isinstance(node, exp.Extract):
        return RefusedCall("extract", data_type) if data_type.name in _NO_TIMES else None
    if isinstance(node, exp.TimestampTrunc):
        return RefusedCall("date_trunc", data_type) if data_type.name in _NO_TIMES else None
    if isinstance(node, exp.GroupConcat):
        separator = node.args.get("separator")
        is_plain = isinstance(separator, exp.Literal) and separator.is_string
        return RefusedCall("string_agg", data_type, ", unknown") if is_plain and data_type.name in _NOT_TEXT else None
    if isinstance(node, exp.Trim):
        return _refused_trim(node, data_type)
    name, wrong = _REFUSED.get(type(node), ("", frozenset()))
    others = [node.args.get(key) for key in ("expression", "replacement")] if isinstance(node, exp.Replace) else []
    if data_type.name not in wrong or not all(isinstance(other, exp.Literal) and other.is_string for other in others):
        return None
    return RefusedCall(name, data_type, ", unknown" * len(others))


def _refused_trim(node: exp.Trim, data_type: TypeName) -> RefusedCall | None:
    side, characters = node.args.get("position"), node.args.get("expression")
    if data_type.name not in _NOT_TEXT or not (characters is None or (isinstance(characters, exp.Literal) and characters.is_string)):
        return None
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(side).upper(), "btrim")
    return RefusedCall(name, data_type, ", unknown" if characters is not None else "")


class TypedCall(Struct, frozen=True):
    """A call of a function that is not PostgreSQL's own, with the types of its arguments; None for one that is not known."""

    function: Name
    arguments: tuple[TypeName | None, ...]


class ComparedCall(Struct, frozen=True):
    """A comparison of the result of a function: the types on both sides of the sign."""

    left: TypeName
    sign: str
    right: TypeName


def typed_calls(query: Query, tables: TableColumns, functions: FunctionTypes) -> tuple[TypedCall, ...]:
    """Return the calls in the output columns and conditions of a query."""
    return find_in_outputs(query, tables, (exp.Anonymous,), _typed_call, functions)


def _typed_call(node: exp.Anonymous, type_of: TypeOf) -> TypedCall | None:
    name = called_name(node.parent if isinstance(node.parent, exp.Dot) else node)
    return TypedCall(name, tuple(type_of(argument) for argument in node.expressions)) if name is not None else None


def compared_calls(query: Query, tables: TableColumns, functions: FunctionTypes) -> tuple[ComparedCall, ...]:
    """Return the comparisons with calls, and IN with a query, in the output columns and conditions of a query, if the types of both sides are
    known."""
    return find_in_outputs(query, tables, (exp.EQ, exp.NEQ, exp.In), _compared_call, functions)


def _compared_call(node: exp.Expr, type_of: TypeOf) -> ComparedCall | None:
    query = node.args.get("query")
    if query is None and node.find(exp.Anonymous) is None:
        return None
    other = query if query is not None else node.args.get("expression")
    left, right = type_of(node.this), type_of(other) if other is not None else None
    return ComparedCall(left, "<>" if isinstance(node, exp.NEQ) else "=", right) if left is not None and right is not None else None
