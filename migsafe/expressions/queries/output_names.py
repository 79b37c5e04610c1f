"""The names of output columns."""

from sqlglot import exp

from migsafe.expressions.queries.operands import query_of, type_text
from migsafe.expressions.trees import folded_name
from migsafe.patterns import lazy_pattern

_OUTPUT_NAMES: dict[type[exp.Expr], str] = {
    exp.Coalesce: "coalesce",
    exp.ArrayAgg: "array_agg",
    exp.TimestampTrunc: "date_trunc",
    exp.Extract: "extract",
    exp.Count: "count",
    exp.Exists: "exists",
    exp.Array: "array",
    exp.Greatest: "greatest",
    exp.Least: "least",
    exp.Lower: "lower",
    exp.Upper: "upper",
    exp.LogicalAnd: "bool_and",
    exp.LogicalOr: "bool_or",
}
_CALLED = lazy_pattern(r"(\w+)\(")


def output_name(item: exp.Expr) -> str | None:
    """Returns the name of an output column without an alias (FigureColname in parse_target.c); None if it is not known."""
    match item:
        case exp.Column():
            return folded_name(item.this)
        case exp.Dot() if isinstance(item.expression, exp.Identifier):
            return folded_name(item.expression)
        case exp.Cast():
            return output_name(item.this) or (None if isinstance(item.this, exp.Func) else type_text(item.to).rsplit(".", 1)[-1])
        case exp.Bracket() | exp.Filter() | exp.Window() | exp.Paren() | exp.Collate():
            return output_name(item.this)
        case exp.Subquery():
            query = query_of(item)
            return first_name(query)
        case exp.Anonymous():
            return str(item.name).lower()
        case exp.Case():
            return _name_of_case(item)
        case exp.Trim() | exp.StrPosition():
            return None  # trim() is btrim or ltrim, and strpos() is read as position()
        case exp.Func() if type(item) in _OUTPUT_NAMES:
            return _OUTPUT_NAMES[type(item)]
        case exp.Func() if len(item.sql_names()) == 1 and (called := _CALLED.match(item.sql(dialect="postgres"))):
            # sqlglot's own names are not PostgreSQL's: to_char() is TimeToStr.
            return called[1].lower()
    return None


def _name_of_case(item: exp.Case) -> str | None:
    """Returns the name of a CASE: that of the column or the call after ELSE, or `case`."""
    default = item.args.get("default")
    while isinstance(default, exp.Cast | exp.Paren):
        default = default.this
    if isinstance(default, exp.Column | exp.Dot | exp.Func | exp.Subquery | exp.Bracket) and not isinstance(default, exp.Boolean):
        return output_name(default)
    return "case"


def first_name(query: exp.Expr) -> str | None:
    """Returns the name of the first output column of a query: that of a scalar subquery without an alias."""
    if not isinstance(query, exp.Select) or not query.expressions:
        return None
    first = query.expressions[0]
    return folded_name(first.args["alias"]) if isinstance(first, exp.Alias) else output_name(first)
