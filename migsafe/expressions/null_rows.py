"""The value of a condition in rows whose columns are partly known to be NULL."""

import operator
from collections.abc import Callable, Iterable, Mapping
from enum import Enum

from sqlglot import exp

from migsafe.expressions.trees import folded_name, parse_expression
from migsafe.sql.operations import Expression


class _Unknown(Enum):
    """The value of what is not known here."""

    UNKNOWN = "unknown"
    NOT_NULL = "unknown, but not NULL"


_Value = bool | int | None | _Unknown
"""The value of an expression; None is SQL's NULL."""

_COMPARISONS: Mapping[type[exp.Expr], Callable[[int, int], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}
_SUMS: Mapping[type[exp.Expr], Callable[[int, int], int]] = {exp.Add: operator.add, exp.Sub: operator.sub}
_INTEGERS = frozenset(("INT", "SMALLINT", "BIGINT"))


def refuses_nulls(check: Expression, columns: Iterable[str]) -> bool:
    """Whether a CHECK is certainly false in a row in which these columns are NULL, whatever the other columns are. A CHECK that is NULL accepts
    the row."""
    # sqlglot reads IS UNKNOWN as IS NULL.
    tree = None if "unknown" in check.sql.lower() else parse_expression(check)
    try:
        return tree is not None and _value(tree, frozenset(columns)) is False
    except RecursionError:
        return False


def _value(tree: exp.Expr, nulls: frozenset[str]) -> _Value:
    match tree:
        case exp.Paren():
            return _value(tree.this, nulls)
        case exp.Null():
            return None
        case exp.Boolean():
            return bool(tree.this)
        case exp.Literal():
            return int(tree.this) if not tree.is_string and tree.this.isdigit() else _Unknown.NOT_NULL
        case exp.Column():
            return None if folded_name(tree.this) in nulls else _Unknown.UNKNOWN
        case exp.Not():
            operand = _value(tree.this, nulls)
            return not operand if isinstance(operand, bool) else operand
        case exp.And() | exp.Or():
            return _junction(tree, nulls)
        case exp.Is() if isinstance(tree.expression, exp.Null) and not isinstance(tree.this, exp.Tuple | exp.Anonymous):
            return _is_null(_value(tree.this, nulls), is_negated=bool(tree.args.get("negate")))
        case exp.NullSafeEQ() | exp.NullSafeNEQ():
            return _distinct(tree, nulls)
        case exp.Case() if tree.this is None:
            return _case(tree, nulls)
        case exp.Coalesce():
            return _coalesced([tree.this, *tree.expressions], nulls)
        case exp.Cast():
            return _cast(tree, nulls)
        case exp.Anonymous() if tree.name.lower() in ("num_nulls", "num_nonnulls"):
            return _count(tree, nulls)
    return _combination(tree, nulls)


def _combination(tree: exp.Expr, nulls: frozenset[str]) -> _Value:
    """Returns the value of a comparison or a sum, of which a NULL makes a NULL."""
    if not isinstance(tree, exp.Binary) or type(tree) not in (*_COMPARISONS, *_SUMS):
        return _Unknown.UNKNOWN
    left, right = _value(tree.this, nulls), _value(tree.expression, nulls)
    if isinstance(tree.expression, exp.Any | exp.All | exp.Subquery):
        return _Unknown.UNKNOWN
    if left is None or right is None:
        return None
    if isinstance(left, _Unknown) or isinstance(right, _Unknown):
        return _Unknown.UNKNOWN
    combine = _COMPARISONS.get(type(tree)) or _SUMS[type(tree)]
    return combine(left, right)


def _junction(tree: exp.Binary, nulls: frozenset[str]) -> _Value:
    decisive = isinstance(tree, exp.Or)
    operands = [_value(operand, nulls) for operand in (tree.this, tree.expression)]
    if decisive in [operand for operand in operands if isinstance(operand, bool)]:
        return decisive
    if any(isinstance(operand, _Unknown) for operand in operands):
        return _Unknown.UNKNOWN
    return None if None in operands else not decisive


def _is_null(value: _Value, *, is_negated: bool) -> _Value:
    if value is _Unknown.UNKNOWN:
        return _Unknown.NOT_NULL
    return (value is None) != is_negated


def _distinct(tree: exp.Binary, nulls: frozenset[str]) -> _Value:
    """Returns the value of IS [NOT] DISTINCT FROM."""
    left, right = _value(tree.this, nulls), _value(tree.expression, nulls)
    differs = isinstance(tree, exp.NullSafeNEQ)
    if left is None or right is None:
        other = right if left is None else left
        return _Unknown.NOT_NULL if other is _Unknown.UNKNOWN else (other is not None) == differs
    if isinstance(left, _Unknown) or isinstance(right, _Unknown):
        return _Unknown.NOT_NULL
    return (left != right) == differs


def _case(tree: exp.Case, nulls: frozenset[str]) -> _Value:
    for branch in tree.args["ifs"]:
        condition = _value(branch.this, nulls)
        if isinstance(condition, _Unknown):
            return _Unknown.UNKNOWN
        if condition is True:
            return _value(branch.args["true"], nulls)
    default = tree.args.get("default")
    return None if default is None else _value(default, nulls)


def _coalesced(operands: Iterable[exp.Expr], nulls: frozenset[str]) -> _Value:
    may_be_null = False
    for operand in operands:
        value = _value(operand, nulls)
        if value is _Unknown.UNKNOWN:
            may_be_null = True
        elif value is not None:
            return _Unknown.NOT_NULL if may_be_null else value
    return _Unknown.UNKNOWN if may_be_null else None


def _cast(tree: exp.Cast, nulls: frozenset[str]) -> _Value:
    value = _value(tree.this, nulls)
    if isinstance(value, bool):
        return int(value) if getattr(tree.to.this, "name", "") in _INTEGERS else _Unknown.NOT_NULL
    is_integer = getattr(tree.to.this, "name", "") in _INTEGERS
    return value if value is None or (isinstance(value, int) and is_integer) else _Unknown.UNKNOWN


def _count(tree: exp.Anonymous, nulls: frozenset[str]) -> _Value:
    values = [_value(operand, nulls) for operand in tree.expressions]
    if _Unknown.UNKNOWN in values:
        return _Unknown.UNKNOWN
    found = sum(value is None for value in values)
    return found if tree.name.lower() == "num_nulls" else len(values) - found
