"""Which columns an expression uses, and what an index calls its column."""

from collections.abc import Iterable
from functools import lru_cache

from migsafe.schema.objects import Column, Formula, Relation
from migsafe.sql.lexer import DOLLAR_STRING, QUOTED, WORD, fold, pattern_for
from migsafe.sql.operations import Expression


@lru_cache(8192)
def identifiers(sql: str) -> tuple[str, ...]:
    """The identifiers in an expression or a query that may be columns: no function's name, no keyword told from a name."""
    found: dict[str, None] = {}
    pattern, at, pending = pattern_for(sql), 0, ""
    while at < len(sql):
        match = pattern.match(sql, at)
        if match is None or match.lastindex is None:
            break
        text, kind = match[match.lastindex], match.lastindex
        at = match.end()
        if pending and text != "(":
            found[pending] = None
        pending = ""
        if kind == WORD:
            pending = fold(text)
        elif kind == QUOTED:
            pending = text[1:-1].replace('""', '"')
        elif kind == DOLLAR_STRING:
            at = sql.find(text, at) + len(text)
    if pending:
        found[pending] = None
    return tuple(found)


def formula(expression: Expression, columns: Iterable[Column]) -> Formula:
    """An expression over these columns."""
    words = identifiers(expression.sql)
    return Formula(expression, tuple((column.number, column.name) for column in columns if column.name in words))


def formula_of(expression: Expression | None, relation: Relation) -> Formula | None:
    """An expression over a relation's columns; None for none."""
    return None if expression is None else formula(expression, relation.columns)


def output_name(sql: str) -> str:
    """What PostgreSQL calls the index column of an expression: the function that it calls, the column or the type that it casts
    to, else `expr` (FigureIndexColname in its src/backend/parser/parse_target.c)."""
    words: list[tuple[int, str]] = []
    pattern, at = pattern_for(sql), 0
    while at < len(sql):
        match = pattern.match(sql, at)
        if match is None or match.lastindex is None:
            break
        words.append((match.lastindex, match[match.lastindex]))
        at = match.end()
    return _named(words) or "expr"


def _named(words: list[tuple[int, str]]) -> str | None:
    while words and words[0][1] == "(" and _closing(words, 0) == len(words) - 1:
        words = words[1:-1]
    if not words:
        return None
    cast = _last_cast(words)
    if cast is not None:
        inner = _named(words[:cast])
        return inner or _type_name(words[cast + 1 :])
    names: list[str] = []
    at = 0
    while at < len(words) and words[at][0] in (WORD, QUOTED):
        kind, text = words[at]
        names.append(fold(text) if kind == WORD else text[1:-1].replace('""', '"'))
        if at + 1 < len(words) and words[at + 1][1] == ".":
            at += 2
            continue
        at += 1
        break
    if not names:
        return None
    if at == len(words):
        return names[-1]
    whole_call = words[at][1] == "(" and _closing(words, at) == len(words) - 1
    return names[-1] if whole_call else None


def _last_cast(words: list[tuple[int, str]]) -> int | None:
    """Where a cast of the whole expression stands: `::` after which only a type comes."""
    depth = 0
    for at in range(len(words) - 1, 0, -1):
        text = words[at][1]
        depth += (text == ")") - (text == "(")
        if depth == 0 and text == "::":
            before = words[:at]
            single = len(before) == 1 or (before[0][1] == "(" and _closing(before, 0) == len(before) - 1) or _named_plain(before)
            return at if single else None
    return None


def _named_plain(words: list[tuple[int, str]]) -> bool:
    return _last_cast(words) is not None or _named(words) is not None


def _type_name(words: list[tuple[int, str]]) -> str | None:
    internal = {
        "int": "int4",
        "integer": "int4",
        "bigint": "int8",
        "smallint": "int2",
        "boolean": "bool",
        "decimal": "numeric",
        "real": "float4",
    }
    name = fold(words[0][1]) if words else ""
    return internal.get(name, name) or None


def _closing(words: list[tuple[int, str]], opening: int) -> int:
    depth = 0
    for at in range(opening, len(words)):
        text = words[at][1]
        depth += (text == "(") - (text == ")")
        if depth == 0:
            return at
    return len(words)
