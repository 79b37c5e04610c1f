"""Filters that filter nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from migsafe.expressions.trees import parse_expression
from migsafe.schema.formulas import identifiers
from migsafe.schema.objects import Relation
from migsafe.sql.operations import Expression

if TYPE_CHECKING:
    from sqlglot import exp

Known = Callable[[str], bool]
"""What is known of a column by its name."""

_KEYWORDS = frozenset(("true", "false", "and", "or", "not", "is", "null"))


def not_null_columns(relation: Relation | None) -> Known:
    """Which of a relation's columns are known to be NOT NULL."""

    def is_not_null(name: str) -> bool:
        column = relation.column(name) if relation is not None else None
        return column is not None and column.not_null is True

    return is_not_null


def is_always_true(where: Expression, is_not_null: Known, is_null: Known = lambda _: False) -> bool:
    """Whether a condition holds of every row. `is_not_null` and `is_null` say of which columns it is known that all their values are so."""
    words = set(identifiers(where.sql))
    columns = words - _KEYWORDS
    # Most filters name a column that may be anything: no tree is made of these.
    if where.calls or where.reads or not all(is_not_null(name) or is_null(name) for name in columns):
        return False
    tree = parse_expression(where)
    try:
        return tree is not None and _truth(tree, is_not_null, is_null) is True
    except RecursionError:
        return False


def _truth(tree: exp.Expr, is_not_null: Known, is_null: Known) -> bool | None:
    """What a condition is for every row; None where that is not known, or NULL."""
    from sqlglot import exp  # noqa: PLC0415  # see migsafe.expressions.trees

    match tree:
        case exp.Paren():
            return _truth(tree.this, is_not_null, is_null)
        case exp.Boolean():
            return bool(tree.this)
        case exp.Not():
            inner = _truth(tree.this, is_not_null, is_null)
            return None if inner is None else not inner
        case exp.And() | exp.Or():
            decisive = isinstance(tree, exp.Or)
            parts = {_truth(part, is_not_null, is_null) for part in (tree.this, tree.expression)}
            return decisive if decisive in parts else None if None in parts else not decisive
        case exp.Is() if isinstance(tree.expression, exp.Null) and isinstance(tree.this, exp.Column):
            name, negated = _name(tree.this), bool(tree.args.get("negate"))
            return negated if is_not_null(name) else not negated if is_null(name) else None
        case exp.EQ() | exp.NEQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
            return _comparison(tree, is_not_null)
    return None


def _comparison(tree: exp.Binary, is_not_null: Known) -> bool | None:
    from sqlglot import exp  # noqa: PLC0415

    left, right = tree.this, tree.expression
    equal_too = isinstance(tree, exp.EQ | exp.LTE | exp.GTE)
    if isinstance(left, exp.Column) and isinstance(right, exp.Column):
        return equal_too if _name(left) == _name(right) and left.table == right.table and is_not_null(_name(left)) else None
    if not (isinstance(left, exp.Literal) and isinstance(right, exp.Literal)) or left.is_string != right.is_string:
        return None
    if left.is_string:
        # How other texts are ordered depends on the collation.
        return equal_too if left.this == right.this else isinstance(tree, exp.NEQ) if isinstance(tree, exp.EQ | exp.NEQ) else None
    try:
        one, other = Decimal(left.this), Decimal(right.this)
    except InvalidOperation:
        return None
    if one == other:
        return equal_too
    return isinstance(tree, exp.NEQ | (exp.LT | exp.LTE if one < other else exp.GT | exp.GTE))


def _name(column: exp.Column) -> str:
    name: str = column.this.this
    return name if column.this.args.get("quoted") else name.lower()
