"""Conversions whose result depends on a setting of the session, so that an index or a generated column cannot use them."""

from collections.abc import Mapping

from sqlglot import exp

from migsafe import versions
from migsafe.expressions.trees import folded_name, parse_expression
from migsafe.sql.operations import Expression, TypeName

_WITH_ZONE = "timestamp with time zone"
_WITHOUT_ZONE = "timestamp without time zone"
_TEXTS = (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR, exp.DataType.Type.CHAR)
_NOT_FROM_ZONE = (exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIME, exp.DataType.Type.TIMETZ)
_WRITTEN_BY_SETTINGS = frozenset((_WITH_ZONE, _WITHOUT_ZONE, "date", "interval", "money"))
"""The types whose text form depends on DateStyle, IntervalStyle or lc_monetary."""
_READ_BY_SETTINGS = {
    exp.DataType.Type.DATE: "date",
    exp.DataType.Type.TIMESTAMP: _WITHOUT_ZONE,
    exp.DataType.Type.TIMESTAMPTZ: _WITH_ZONE,
    exp.DataType.Type.INTERVAL: "interval",
}
"""The types whose input from text depends on DateStyle, IntervalStyle or TimeZone."""
_CURRENT = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.Localtime, exp.Localtimestamp, exp.CurrentUser)
_WITH_CONFIGURATION = frozenset(("to_tsvector", "to_tsquery", "plainto_tsquery", "phraseto_tsquery", "websearch_to_tsquery"))
_STRINGS = frozenset(("text", "character varying", "character"))


def mutable_conversion(expression: Expression, types: Mapping[str, TypeName], enums: frozenset[str], pg_version: int) -> str | None:
    """Returns why a conversion in an expression is not immutable, as a clause; None if none is known to be so.

    `types` are those of the columns, `enums` the columns of enum types. The caller asks only about expressions that contain one of the words of
    `_MAY_CONVERT` (`prediction/refusals/expressions.py`), so a new conversion belongs there, too.
    """
    tree = parse_expression(expression)
    for node in tree.walk() if tree is not None else ():
        if node.args.get("zone") is not None and pg_version >= versions.DATE_TRUNC_IN_ZONE_IS_IMMUTABLE:
            continue
        reason = _reason(node, types, enums)
        if reason is not None:
            return reason
    return None


def _reason(node: exp.Expr, types: Mapping[str, TypeName], enums: frozenset[str]) -> str | None:
    match node:
        case exp.Cast():
            return _reason_of_cast(node, types, enums)
        case exp.TimestampTrunc() | exp.DateTrunc() | exp.Extract():
            subject = node.expression if isinstance(node, exp.Extract) else node.this
            if _plain_type(subject, types) == _WITH_ZONE:
                word = "extract" if isinstance(node, exp.Extract) else "date_trunc"
                return f"{word} of a timestamp with time zone depends on the session's time zone"
        case exp.DPipe():
            for side, other in ((node.left, node.right), (node.right, node.left)):
                is_text = _plain_type(other, types) in _STRINGS or (isinstance(other, exp.Literal) and other.is_string)
                if is_text and _is_column_of(side, enums):
                    return "|| converts an enum to text, and that conversion is not immutable"
                own = _plain_type(side, types)
                if is_text and own in _WRITTEN_BY_SETTINGS:
                    return f"|| converts {own} to text, and that text depends on the session's settings"
        case exp.Date() if not node.expressions and _plain_type(node.this, types) == _WITH_ZONE:
            return "the conversion of a timestamp with time zone depends on the session's time zone"
        case exp.Anonymous() if node.name.lower() == "age" and len(node.expressions) == 1:
            return "age() with one argument depends on the current date"
        case exp.Anonymous() if node.name.lower() in _WITH_CONFIGURATION and len(node.expressions) == 1:
            return f"{node.name.lower()}() without a configuration depends on default_text_search_config"
        case _ if isinstance(node, _CURRENT):
            return f"{node.sql_name().upper()} changes"
    return None


def _reason_of_cast(node: exp.Cast, types: Mapping[str, TypeName], enums: frozenset[str]) -> str | None:
    target, subject = node.to.this, node.this
    if _is_column_of(subject, enums) and target in _TEXTS:
        return "the conversion of an enum to text is not immutable"
    own = _plain_type(subject, types)
    if own == _WITH_ZONE and target in _NOT_FROM_ZONE:
        return "the conversion of a timestamp with time zone depends on the session's time zone"
    if own in ("date", _WITHOUT_ZONE) and target == exp.DataType.Type.TIMESTAMPTZ:
        return "the conversion to timestamp with time zone depends on the session's time zone"
    if target in _READ_BY_SETTINGS and (own in _STRINGS or _is_json_text(subject)):
        return f"the conversion of text to {_READ_BY_SETTINGS[target]} depends on the session's settings"
    if own in _WRITTEN_BY_SETTINGS and target in _TEXTS:
        return f"the text form of {own} depends on the session's settings"
    return None


def _is_json_text(node: exp.Expr | None) -> bool:
    """Whether an expression is `->>` or `#>>`, whose result is a text."""
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, exp.JSONExtractScalar | exp.JSONBExtractScalar)


def _is_column_of(node: exp.Expr, names: frozenset[str]) -> bool:
    return isinstance(node, exp.Column) and not node.table and folded_name(node.this) in names


def _plain_type(node: exp.Expr | None, types: Mapping[str, TypeName]) -> str | None:
    """Returns the built-in type of a bare column; None for another expression, and for an array."""
    while isinstance(node, exp.Paren):
        node = node.this
    if not isinstance(node, exp.Column) or node.table:
        return None
    data_type = types.get(folded_name(node.this))
    return data_type.name if data_type is not None and not data_type.dimensions and data_type.schema in (None, "pg_catalog") else None
