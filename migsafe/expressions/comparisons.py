"""The comparisons of columns with constants in an expression."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from sqlglot import exp

from migsafe.expressions.trees import folded_name, parse_expression
from migsafe.sql.operations import Expression

_SIGNS: dict[type[exp.Expr], str] = {exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}


class ComparedConstant(NamedTuple):
    """A column that is compared with a constant: `kind` says how the constant is written."""

    column: str
    operator: str
    kind: Literal["string", "integer", "fraction"]


def compared_constants(expression: Expression) -> tuple[ComparedConstant, ...]:
    """Returns the comparisons of bare columns with constants without a cast."""
    tree = parse_expression(expression)
    return tuple(_comparisons(tree)) if tree is not None else ()


def _comparisons(tree: exp.Expr) -> Iterator[ComparedConstant]:
    for node in tree.walk():
        match node:
            case exp.In() if node.expressions:
                yield from _pair(node.this, "=", node.expressions[0])
            case exp.Binary() if type(node) in _SIGNS:
                yield from _pair(node.left, _SIGNS[type(node)], node.right)


def _pair(column: exp.Expr, operator: str, constant: exp.Expr) -> Iterator[ComparedConstant]:
    while isinstance(column, exp.Paren):
        column = column.this
    if not isinstance(column, exp.Column) or column.table or not isinstance(constant, exp.Literal):
        return
    text = str(constant.this)
    kind: Literal["string", "integer", "fraction"] = "string" if constant.is_string else "integer" if text.isdigit() else "fraction"
    yield ComparedConstant(folded_name(column.this), operator, kind)
