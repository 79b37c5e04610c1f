"""Operands of types for which PostgreSQL has no operator or function (parse_oper.c, parse_func.c), also next to parameters and strings.

A parameter without a cast has the type `unknown`, for which PostgreSQL looks for an operator of the other operand's type. What is refused is
compared before and after a column's type changes.
"""

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from migsafe.expressions.expression_types import LITERAL, TypeOf
from migsafe.expressions.query_outputs import find_in_outputs
from migsafe.schema.query_columns import TableColumns
from migsafe.sql.operations import Query, TypeName

_NUMBERS = frozenset(("smallint", "integer", "bigint", "numeric", "real", "double precision"))
_TEXTS = frozenset(("text", "character varying"))
_MOMENTS = frozenset(("timestamp without time zone", "timestamp with time zone", "date"))
_OTHERS = frozenset(("boolean", "uuid", "json"))
_SINGLE = _NUMBERS | _TEXTS | _MOMENTS | _OTHERS | {"jsonb"}
"""Types of single values: neither arrays nor ranges."""
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_CONTAINMENT: dict[type[exp.Expr], str] = {exp.ArrayContainsAll: "@>", exp.ArrayOverlaps: "&&", exp.JSONBContainsTopKey: "?"}
_COMPARISONS: dict[type[exp.Expr], str] = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_OF_ARRAYS: dict[type[exp.Expr], str] = {
    exp.Explode: "unnest",
    exp.Unnest: "unnest",
    exp.ArraySize: "array_length",
    exp.ArrayAppend: "array_append",
    exp.ArrayRemove: "array_remove",
    exp.ArrayToString: "array_to_string",
    exp.ArrayPosition: "array_position",
}
_KINDS = (*_ARITHMETIC, *_CONTAINMENT, *_COMPARISONS, *_OF_ARRAYS, exp.Neg, exp.Between, exp.Greatest, exp.Least)


class RefusedUse(Struct, frozen=True):
    """A use of an operand that PostgreSQL refuses: its SQLSTATE and its message. `function` is the name of the function, if it is a call."""

    code: str
    message: str
    function: str = ""


def refused_uses(query: Query, tables: TableColumns) -> tuple[RefusedUse, ...]:
    """Return the operators and the functions of arrays in a query that PostgreSQL does not have for the types of their operands."""
    return find_in_outputs(query, tables, _KINDS, _refused_use)


def _refused_use(node: exp.Expr, type_of: TypeOf) -> RefusedUse | None:
    if type(node) in _OF_ARRAYS:
        return _refused_array(node, _OF_ARRAYS[type(node)], type_of)
    if isinstance(node, exp.Neg):
        operand = _plain(node.this, type_of)
        is_refused = operand is not None and operand.name in _TEXTS | _OTHERS
        return RefusedUse("42883", f"operator does not exist: - {operand}") if is_refused else None
    if isinstance(node, exp.Between):
        return _refused_operator(node.this, ">=", node.args["low"], type_of)
    if isinstance(node, exp.Greatest | exp.Least):
        return _refused_choice(node, type_of)
    if isinstance(node.expression, exp.Any):
        return _refused_any(node.expression, type_of)
    sign = _ARITHMETIC.get(type(node)) or _CONTAINMENT.get(type(node)) or _COMPARISONS[type(node)]
    return _refused_operator(node.this, sign, node.expression, type_of)


def _refused_operator(left: exp.Expr, sign: str, right: exp.Expr, type_of: TypeOf) -> RefusedUse | None:
    first, second = _plain(left, type_of), _plain(right, type_of)
    if first is None or second is None or not _is_refused(first.name, sign, second.name):
        return None
    return RefusedUse("42883", f"operator does not exist: {first} {sign} {second}")


def _is_refused(left: str, sign: str, right: str) -> bool:
    known = {left, right} - {LITERAL.name}
    if sign in _CONTAINMENT.values():
        return left in _TEXTS | _NUMBERS | _OTHERS and right in (LITERAL.name, "jsonb")
    if sign in _COMPARISONS.values():
        others = known - _TEXTS
        return len(known) == 2 and (len(others) == 1 if known & _TEXTS else "boolean" in known) and others <= _NUMBERS | _MOMENTS | _OTHERS
    if left == right == LITERAL.name or (sign == "%" and len(known) == 1):  # pg_trgm compares strings with %
        return False
    return bool(known & (_TEXTS | _OTHERS)) and known <= _TEXTS | _NUMBERS | _MOMENTS | _OTHERS | {"interval"}


def _refused_choice(node: exp.Greatest | exp.Least, type_of: TypeOf) -> RefusedUse | None:
    """Return that strings and numbers have no common type, if the types of all arguments are known (select_common_type)."""
    types = [_plain(item, type_of) for item in (node.this, *node.expressions)]
    known = [each for each in types if each is not None and each != LITERAL]
    other = next((each for each in known if known[0].name in _TEXTS and each.name in _NUMBERS), None) or next(
        (each for each in known if known[0].name in _NUMBERS and each.name in _TEXTS), None
    )
    if other is None or None in types:
        return None
    name = type(node).__name__.upper()
    return RefusedUse("42804", f"{name} types {known[0]} and {other} cannot be matched")


def _refused_any(array: exp.Any, type_of: TypeOf) -> RefusedUse | None:
    operand = array.this.unnest()
    data_type = _plain(operand, type_of) if isinstance(operand, exp.Column) else None
    is_refused = data_type is not None and data_type.name in _SINGLE
    return RefusedUse("42809", "op ANY/ALL (array) requires array on right side") if is_refused else None


def _refused_array(node: exp.Expr, function: str, type_of: TypeOf) -> RefusedUse | None:
    arguments = node.expressions if isinstance(node, exp.Unnest) else [node.this]
    data_type = _plain(arguments[0], type_of) if len(arguments) == 1 and isinstance(arguments[0], exp.Expr) else None
    if data_type is None or data_type.name not in _SINGLE:
        return None
    others = [_plain(other, type_of) for other in (node.args.get("expression"),) if isinstance(other, exp.Expr)]
    rest = "".join(f", {other}" for other in others if other is not None)
    return RefusedUse("42883", f"function {function}({data_type}{rest}) does not exist", function)


def _plain(node: exp.Expr, type_of: TypeOf) -> TypeName | None:
    """Return a built-in type without its length; `LITERAL` for a parameter without a cast."""
    if isinstance(node.unnest(), exp.Parameter):
        return LITERAL
    data_type = type_of(node)
    return replace(data_type, modifiers=()) if data_type is not None and data_type.schema is None and not data_type.dimensions else None
