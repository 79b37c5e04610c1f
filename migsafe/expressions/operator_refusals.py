"""Operators with an operand of a type for which PostgreSQL has no such operator (parse_oper.c): those of JSON, and arithmetic."""

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from migsafe.expressions.expression_types import LITERAL, TypeOf
from migsafe.expressions.query_outputs import find_in_outputs
from migsafe.schema.query_columns import TableColumns
from migsafe.sql.operations import Query, TypeName

_JSON = frozenset(("json", "jsonb"))
_NOT_JSON = frozenset(
    (
        *("text", "character varying", "smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "uuid"),
        *("date", "timestamp without time zone", "timestamp with time zone"),
    )
)
_ARROWS: dict[type[exp.Expr], str] = {
    exp.JSONExtract: "->",
    exp.JSONExtractScalar: "->>",
    exp.JSONBExtract: "#>",
    exp.JSONBExtractScalar: "#>>",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Mul: "*", exp.Div: "/"}


class RefusedOperator(Struct, frozen=True):
    """An operator that PostgreSQL does not have for the types of its operands."""

    left: TypeName
    sign: str
    right: TypeName


def refused_operators(query: Query, tables: TableColumns) -> tuple[RefusedOperator, ...]:
    """Return the operators in the output columns and the conditions of a query that PostgreSQL refuses; also those of UPDATE and DELETE."""
    kinds = (*_ARROWS, *_ARITHMETIC, exp.Sub, exp.ArrayContainsAll, exp.Lambda)
    return find_in_outputs(query, tables, kinds, _refused_operator)


def _refused_operator(node: exp.Expr, type_of: TypeOf) -> RefusedOperator | None:
    operands = _operands(node)
    if operands is None:
        return None
    sign, first, second = operands
    left, right = _plain(type_of(first)), _plain(second if isinstance(second, TypeName) else type_of(second))
    return RefusedOperator(left, sign, right) if left is not None and right is not None and _is_refused(left.name, sign, right) else None


def _operands(node: exp.Expr) -> tuple[str, exp.Expr, exp.Expr | TypeName] | None:
    """Return an operator with its operands; the second one is a type if it is a constant."""
    if isinstance(node, exp.Lambda):  # in the arguments of a function, sqlglot takes column -> 'key' for a lambda
        names = node.expressions
        is_arrow = len(names) == 1 and isinstance(names[0], exp.Identifier) and isinstance(node.this, exp.Literal) and node.this.is_string
        return ("->", exp.Column(this=names[0].copy()), LITERAL) if is_arrow else None
    left, right = node.args.get("this"), node.args.get("expression")
    if left is None or right is None:
        return None
    if isinstance(right, exp.JSONPath):
        # '0' and 0 have the same path.
        is_key = any(isinstance(part, exp.JSONPathKey) for part in right.expressions)
        return (_ARROWS[type(node)], left, LITERAL) if is_key and type(node) in _ARROWS else None
    sign = _ARROWS.get(type(node)) or _ARITHMETIC.get(type(node)) or ("-" if isinstance(node, exp.Sub) else "@>")
    return sign, left, right


def _plain(data_type: TypeName | None) -> TypeName | None:
    if data_type is None or data_type.schema is not None or data_type.dimensions:
        return None
    return replace(data_type, modifiers=())


def _is_refused(left: str, sign: str, right: TypeName) -> bool:
    if sign in _ARROWS.values():
        return left in _NOT_JSON and right == LITERAL
    if sign == "@>":
        return left == "json" and right == LITERAL
    if sign == "-":
        return left == "json" and right == LITERAL
    return left in _JSON and (right == LITERAL or right.name in _NOT_JSON | _JSON)
