"""Calls of common functions with an argument of a type for which PostgreSQL has no such function (parse_func.c)."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from migsafe.expressions.expression_types import TypeOf
from migsafe.expressions.query_outputs import visit_outputs
from migsafe.schema.query_columns import TableColumns
from migsafe.sql.operations import Query, TypeName

_INTEGERS = frozenset(("smallint", "integer", "bigint"))
_TIMES = frozenset(("date", "timestamp without time zone", "timestamp with time zone"))
_TEXTS = frozenset(("text", "character varying"))
_OTHERS = frozenset(("boolean", "uuid", "json", "jsonb"))
_NOT_TEXT = _INTEGERS | _TIMES | _OTHERS | {"numeric", "real", "double precision"}
_REFUSED: dict[type[exp.Expr], tuple[str, frozenset[str]]] = {
    exp.Lower: ("lower", _NOT_TEXT),
    exp.Upper: ("upper", _NOT_TEXT),
    exp.Sum: ("sum", _TEXTS | _TIMES | _OTHERS),
    exp.Avg: ("avg", _TEXTS | _TIMES | _OTHERS),
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
    found: list[RefusedCall] = []
    visit_outputs(query, tables, lambda output, type_of: found.extend(_calls(output, type_of)))
    return tuple(dict.fromkeys(found))


def _calls(output: exp.Expr, type_of: TypeOf) -> Iterator[RefusedCall]:
    select = output.find_ancestor(exp.Select)
    for node in output.find_all(exp.Func):
        argument = _first_argument(node)
        if argument is None or node.find_ancestor(exp.Select) is not select:
            continue
        data_type = type_of(argument)
        if data_type is None or data_type.schema is not None or data_type.dimensions:
            continue
        call = _refused(node, replace(data_type, modifiers=()))
        if call is not None:
            yield call


def _first_argument(node: exp.Func) -> exp.Expr | None:
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
    name, wrong = _REFUSED.get(type(node), ("", frozenset()))
    return RefusedCall(name, data_type) if data_type.name in wrong else None
