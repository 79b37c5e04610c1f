"""The columns whose order an expression or a query uses."""

from sqlglot import exp

from migsafe.expressions.trees import folded_name, parse_expression, parse_query
from migsafe.sql.operations import Expression, Query

_ORDERS = (exp.Ordered, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.Min, exp.Max)


def ordered_columns(text: Expression | Query) -> frozenset[str]:
    """Return the names of the columns that are compared with `<`, `<=`, `>`, `>=` or BETWEEN, sorted, or arguments of min or max.

    A column within a function call or a cast is left out, because its value there may be of another type.
    """
    tree = parse_query(text) if isinstance(text, Query) else parse_expression(text)
    compared = (operand for node in (tree.find_all(*_ORDERS) if tree is not None else ()) for operand in _operands(node))
    return frozenset(folded_name(operand.this) for operand in compared if isinstance(operand, exp.Column))


def _operands(node: exp.Expr) -> list[exp.Expr]:
    return [operand.unnest() for name in ("this", "expression", "low", "high") if isinstance(operand := node.args.get(name), exp.Expr)]
