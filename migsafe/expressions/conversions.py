"""How the value of an expression is converted back to the column that it converts, and whether it can fail."""

from sqlglot import exp

from migsafe.expressions.trees import folded_name, parse_expression
from migsafe.sql.operations import Expression

_TEXTS = (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR)
_TOTAL = (exp.Coalesce, exp.Concat, exp.DPipe, exp.Lower, exp.MD5, exp.Nullif, exp.Trim, exp.Upper)
_PARTS_OF_CONDITIONS = (
    *(exp.Predicate, exp.And, exp.Or, exp.Not, exp.Paren, exp.Tuple, exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Neg),
    *(exp.Cast, exp.DataType, exp.DataTypeParam, exp.Anonymous, *_TOTAL),
)
_TOTAL_NAMES = frozenset(("btrim", "convert_to", "encode", "ltrim", "rtrim", "sha256", "to_json", "to_jsonb"))
"""Functions that return a value for every value of their arguments' types."""


def conversion_back(expression: Expression, column: str, value: str) -> str | None:
    """Return SQL that converts `value` back to what `column` holds if `expression` converts that column; None where that is not known.

    An assignment undoes casts, and whatever replaces only NULL or empty text. AT TIME ZONE undoes itself.
    """
    tree, zone = parse_expression(expression), None
    while tree is not None:
        match tree:
            case exp.Column() if not tree.table:
                return (value if zone is None else f"{value} AT TIME ZONE {zone}") if folded_name(tree.this) == column else None
            case exp.AtTimeZone(args={"zone": exp.Literal() as written}) if zone is None and written.is_string:
                zone = f"'{written.name}'"
            case exp.TryCast():
                return None
            case exp.Cast() | exp.Paren() | exp.Nullif() | exp.Trim():
                pass
            case _:
                return None
        tree = tree.this
    return None


def fits_every_row(expression: Expression, *, limited: bool) -> bool:
    """Whether an expression certainly has a value for every row that its column can store: it chooses among constants, compares columns with
    constants, or computes a text or bytes in ways that cannot fail. A column that is `limited` in length may not be able to store a computed
    value. A constant that does not fit does so in any row, so a test finds it."""
    tree = parse_expression(expression)
    return tree is not None and _fits(tree, limited=limited)


def _fits(tree: exp.Expr, *, limited: bool) -> bool:
    match tree:
        case exp.Literal() | exp.Boolean() | exp.Null():
            return True
        case exp.Paren() | exp.Neg():
            return _fits(tree.this, limited=limited)
        case exp.Case():
            results = [branch.args["true"] for branch in tree.args["ifs"]]
            results += [tree.args["default"]] if tree.args.get("default") else []
            conditions = [branch.this for branch in tree.args["ifs"]] + ([tree.this] if tree.this else [])
            results = [result for result in results if not _is_listed(result)]
            return all(_fits(result, limited=limited) for result in results) and all(map(_only_casts_to_text, conditions))
        case exp.Predicate() | exp.And() | exp.Or() | exp.Not():
            return _is_total_condition(tree)
        case exp.TryCast():
            return False
        case exp.Cast():
            return _is_constant(tree) or _chooses_constants(tree.this) or (not limited and _is_total(tree))
    return not limited and _is_total(tree)


def _is_total_condition(tree: exp.Expr) -> bool:
    """Whether a condition compares columns and constants, and nothing that can fail."""
    return all(isinstance(node, _PARTS_OF_CONDITIONS) for node in tree.walk()) and _only_casts_to_text(tree)


def _chooses_constants(tree: exp.Expr) -> bool:
    """Whether an expression is a CASE whose results are constants: then a cast of it is one of these constants."""
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if not isinstance(tree, exp.Case):
        return False
    results = [branch.args["true"] for branch in tree.args["ifs"]] + ([tree.args["default"]] if tree.args.get("default") else [])
    return all(isinstance(result, exp.Literal | exp.Null | exp.Boolean) for result in results) and _fits(tree, limited=True)


def _is_listed(result: exp.Expr) -> bool:
    """Whether a result of CASE is a cast of the column which the condition compares with constants: `WHEN a IN ('x', 'y') THEN a::kind`."""
    branch = result.parent
    if not isinstance(branch, exp.If) or not isinstance(result, exp.Cast) or not isinstance(result.this, exp.Column):
        return False
    condition = branch.this
    while isinstance(condition, exp.Paren):
        condition = condition.this
    values = condition.expressions if isinstance(condition, exp.In) else [condition.expression] if isinstance(condition, exp.EQ) else []
    return bool(values) and condition.this == result.this and all(isinstance(value, exp.Literal) for value in values)


def _is_total(tree: exp.Expr) -> bool:
    """Whether an expression is a text, or bytes, that is computed in a way that cannot fail."""
    if isinstance(tree, exp.Cast):
        return _is_unlimited_text(tree.to)
    is_known = isinstance(tree, _TOTAL) or (isinstance(tree, exp.Anonymous) and str(tree.this).lower() in _TOTAL_NAMES)
    return is_known and _only_casts_to_text(tree)


def _only_casts_to_text(tree: exp.Expr) -> bool:
    casts_fit = all(_is_constant(cast) or _is_unlimited_text(cast.to) for cast in tree.find_all(exp.Cast))
    return casts_fit and all(isinstance(call, _TOTAL) or str(call.this).lower() in _TOTAL_NAMES for call in tree.find_all(exp.Anonymous))


def _is_constant(tree: exp.Expr) -> bool:
    return tree.find(exp.Column, exp.Func) is None or (isinstance(tree, exp.Cast) and isinstance(tree.this, exp.Literal | exp.Null))


def _is_unlimited_text(type: exp.DataType) -> bool:
    return type.this in _TEXTS and not type.expressions
