"""Queries that return exactly one row, whatever the tables contain."""

import re

_SELECT = re.compile(r"\s*\(?\s*select\s+(?!distinct\b)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_TOKEN = re.compile(
    r"'[^']*+(?:''[^']*+)*+'|\"[^\"]*\"|(?P<bracket>[()\[\]])|(?P<comma>,)|(?P<end>\b(?:from|group|having|union|limit|where|order)\b)",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\s*count\s*\(", re.IGNORECASE)
_AGGREGATE = re.compile(r"\s*(?:max|min|sum|avg|array_agg|string_agg|json_agg|jsonb_agg|bool_or|bool_and)\s*\(", re.IGNORECASE)
_EXISTS = re.compile(r"\s*exists\s*\(", re.IGNORECASE)
_GROUPED = re.compile(r"\b(?:group\s+by|having|over|filter|union|limit|offset)\b", re.IGNORECASE)


def rows_without_source(sql: str) -> list[tuple[object, ...]]:
    """Returns the rows of a query of which no row of a table fulfils the conditions: one if it aggregates all rows or asks whether one exists,
    with 0, NULL or false; otherwise none."""
    select = _SELECT.match(sql)
    if select is None or _GROUPED.search(sql):
        return []
    values = [_value(expression) for expression in _expressions(select["rest"])]
    return [tuple(value for _, value in values)] if values and all(known for known, _ in values) else []


def _value(expression: str) -> tuple[bool, object]:
    """Returns whether the value of an expression without rows is known, and the value."""
    if _COUNT.match(expression):
        return True, 0
    if _EXISTS.match(expression):
        return True, False
    return bool(_AGGREGATE.match(expression)), None


def _expressions(text: str) -> list[str]:
    """Returns the expressions of a select list."""
    expressions: list[str] = []
    depth, start = 0, 0
    for token in _TOKEN.finditer(text):
        if token["bracket"]:
            depth += 1 if token["bracket"] in "([" else -1
        elif token["comma"] and depth == 0:
            expressions.append(text[start : token.start()])
            start = token.end()
        elif token["end"] and depth == 0:
            return [*expressions, text[start : token.start()]]
    return [*expressions, text[start:]]
