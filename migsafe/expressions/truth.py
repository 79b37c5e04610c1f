"""The truth value of a condition that is the same for every row."""

from decimal import Decimal, InvalidOperation

from sqlglot import exp

from migsafe.expressions.filters import KnownColumns
from migsafe.expressions.trees import folded_name, parse_expression
from migsafe.sql.operations import Expression


def is_true_of_every_row(where: Expression, is_not_null: KnownColumns, is_null: KnownColumns) -> bool:
    """Whether a condition is true of every row; False where that is not known."""
    tree = parse_expression(where)
    try:
        return tree is not None and truth_of_every_row(tree, is_not_null, is_null) is True
    except RecursionError:
        return False


def truth_of_every_row(tree: exp.Expr, is_not_null: KnownColumns, is_null: KnownColumns) -> bool | None:
    """Return the value of a condition for every row; None where it is NULL or not known."""
    match tree:
        case exp.Paren():
            return truth_of_every_row(tree.this, is_not_null, is_null)
        case exp.Boolean():
            return bool(tree.this)
        case exp.Not():
            operand = truth_of_every_row(tree.this, is_not_null, is_null)
            return None if operand is None else not operand
        case exp.And() | exp.Or():
            decisive = isinstance(tree, exp.Or)
            operands = {truth_of_every_row(operand, is_not_null, is_null) for operand in (tree.this, tree.expression)}
            return decisive if decisive in operands else None if None in operands else not decisive
        case exp.Is() if isinstance(tree.expression, exp.Null) and isinstance(tree.this, exp.Column):
            column, negated = folded_name(tree.this.this), bool(tree.args.get("negate"))
            return negated if is_not_null(column) else not negated if is_null(column) else None
        case exp.EQ() | exp.NEQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
            return _comparison(tree, is_not_null)
    return None


def _comparison(tree: exp.Binary, is_not_null: KnownColumns) -> bool | None:
    left, right = tree.this, tree.expression
    includes_equal = isinstance(tree, exp.EQ | exp.LTE | exp.GTE)
    if isinstance(left, exp.Column) and isinstance(right, exp.Column):
        column = folded_name(left.this)
        return includes_equal if column == folded_name(right.this) and left.table == right.table and is_not_null(column) else None
    if not (isinstance(left, exp.Literal) and isinstance(right, exp.Literal)) or left.is_string != right.is_string:
        return None
    if left.is_string:
        # The order of different texts depends on the collation.
        return includes_equal if left.this == right.this else isinstance(tree, exp.NEQ) if isinstance(tree, exp.EQ | exp.NEQ) else None
    try:
        first, second = Decimal(left.this), Decimal(right.this)
    except InvalidOperation:
        return None
    if first == second:
        return includes_equal
    return isinstance(tree, exp.NEQ | (exp.LT | exp.LTE if first < second else exp.GT | exp.GTE))
