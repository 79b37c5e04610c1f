"""How the value of an expression is converted back to the column that it converts."""

from sqlglot import exp

from migsafe.expressions.trees import folded_name, parse_expression
from migsafe.sql.operations import Expression


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
