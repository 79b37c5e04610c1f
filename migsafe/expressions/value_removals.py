"""The values of a column that no row has after an UPDATE or DELETE."""

from collections.abc import Sequence

from sqlglot import exp

from migsafe.expressions.trees import folded_name, parse_statement


def removed_values(text: str, column: str) -> frozenset[str]:
    """Return the constants that an UPDATE or DELETE removes from a column: it deletes or changes every row with one of them.

    `text` is the statement. The filter must consist of comparisons of the column with constants, joined by OR.
    """
    tree = parse_statement(text)
    where = tree.args.get("where") if isinstance(tree, exp.Update | exp.Delete) else None
    if tree is None or where is None or tree.args.get("using") or tree.args.get("from_"):
        return frozenset()
    values = _accepted(where.this, column)
    if values is None or isinstance(tree, exp.Delete):
        return frozenset(values or ())
    assigned = [_without_casts(pair.expression) for pair in tree.expressions if isinstance(pair, exp.EQ) and _is_column(pair.this, column)]
    if len(assigned) != 1 or not isinstance(assigned[0], exp.Literal | exp.Null):
        return frozenset()
    return frozenset(values) - {assigned[0].name}


def _accepted(condition: exp.Expr, column: str) -> list[str] | None:
    """Return the constants with which a condition compares a column; None for a condition of another form."""
    match condition:
        case exp.Paren():
            return _accepted(condition.this, column)
        case exp.Or():
            left, right = _accepted(condition.this, column), _accepted(condition.expression, column)
            return left + right if left is not None and right is not None else None
        case exp.EQ() if _is_column(condition.this, column):
            return _constants((condition.expression,))
        case exp.In() if _is_column(condition.this, column) and condition.args.get("query") is None:
            return _constants(condition.expressions)
    return None


def _constants(trees: Sequence[exp.Expr]) -> list[str] | None:
    literals = [_without_casts(tree) for tree in trees]
    are_strings = all(isinstance(literal, exp.Literal) and literal.is_string for literal in literals)
    return [literal.name for literal in literals] if are_strings else None


def _is_column(tree: exp.Expr, name: str) -> bool:
    tree = _without_casts(tree)
    return isinstance(tree, exp.Column) and folded_name(tree.this) == name


def _without_casts(tree: exp.Expr) -> exp.Expr:
    while isinstance(tree, exp.Cast | exp.Paren):
        tree = tree.this
    return tree
