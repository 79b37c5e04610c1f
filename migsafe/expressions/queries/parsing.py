"""The text of a query as sqlglot can read it."""

import re

from msgspec.structs import replace
from sqlglot import exp

from migsafe.expressions.queries.collecting import NotUnderstoodError
from migsafe.expressions.queries.operands import Operands
from migsafe.expressions.queries.reading import read_condition, read_query
from migsafe.expressions.queries.shapes import Condition, Operand, Shape, UnreadShape
from migsafe.expressions.trees import parse_expression, parse_statement
from migsafe.patterns import lazy_pattern
from migsafe.sql.lexer import DOLLAR_STRING, END_OF_TEXT, OPERATOR, PARAMETER, PUNCTUATION, WORD, pattern_for
from migsafe.sql.operations import Expression

_STATEMENTS = frozenset(("select", "with", "insert", "update", "delete", "merge", "values", "table", "("))


def query_shape(text: str, *, spells: bool = True) -> Shape | UnreadShape:
    """Returns the shape of a query, or why it has none. Without `spells`, its formulas have no text."""
    is_plain = _UNREADABLE.search(text) is None and _READ_OPERATORS.issuperset(_OPERATORS.findall(text))
    words = _words(text, 1 if is_plain else None)
    if not words or words[0][0] not in _STATEMENTS:
        return UnreadShape(reason=f"{words[0][0].upper()} statements are not understood" if words else "the query is empty")
    # Without changes the text is that of the statement, whose tree others ask for as well.
    tree = parse_statement(text if is_plain else _readable(text, words))
    if tree is None:
        return UnreadShape(reason="sqlglot cannot read the query")
    try:
        shape = read_query(tree, spells=spells)
    except NotUnderstoodError as error:
        return UnreadShape(reason=str(error))
    except RecursionError:
        return UnreadShape(reason="the query is nested too deeply")
    return replace(shape, overrides=True) if shape.kind == "insert" and any(word == "overriding" for word, _, _ in words) else shape


_UNREADABLE = lazy_pattern(r"\$|\b(?:overriding|notnull|isnull)\b|(?<!default )\bvalues\b(?! ?\()", re.IGNORECASE)
"""What may have to be written differently for sqlglot."""
_OPERATORS = lazy_pattern(r"[-+*/<>=~!@#%^&|`?]{2,}")
_READ_OPERATORS = frozenset(
    """<> != <= >= || -> ->> #> #>> @> <@ ?| ?& && ~* !~ !~* ~~ ~~* !~~ !~~* @@ @@@ @? #- ^@ <-> <=> << >> -|- &< &> <% <<% |/ ||/ !!
    := => -- /* */""".split()
)
"""The operators of several characters that sqlglot reads, and what may look like one. Others are those of network addresses (`<<=`),
geometric types (`<<|`) and extensions (`<#>` of pgvector, `%>` of pg_trgm)."""


def readable_query(text: str) -> str:
    """Returns a query as sqlglot can read it; `trees.parse_query` then returns the tree from which `query_shape` has read the shape."""
    is_plain = _UNREADABLE.search(text) is None and _READ_OPERATORS.issuperset(_OPERATORS.findall(text))
    return text if is_plain else _readable(text, _words(text, None))


def condition_shape(expression: Expression) -> Condition | None:
    """Returns the predicate of an index; None if sqlglot cannot read it."""
    tree = parse_expression(expression)
    return None if tree is None or tree.find(exp.Query) is not None else read_condition(tree)


def operand_shape(expression: Expression) -> Operand | None:
    """Returns the expression of an index; None if sqlglot cannot read it."""
    tree = parse_expression(expression)
    return None if tree is None or tree.find(exp.Query) is not None else Operands({}).operand(tree)


Word = tuple[str, int, int]
"""A token in lower case, or its kind if its text does not matter, with its place in the text."""


def _words(text: str, most: int | None) -> list[Word]:
    """Returns the tokens of a text, only the first ones if there is a limit."""
    words: list[Word] = []
    at = 0
    pattern = pattern_for(text)
    while (match := pattern.match(text, at)) is not None and match.lastindex not in (None, END_OF_TEXT) and match.end() > at:
        kind, at = match.lastindex, match.end()
        if kind == DOLLAR_STRING:
            end = text.find(match[DOLLAR_STRING], at)
            at = end + len(match[DOLLAR_STRING]) if end >= 0 else len(text)
        words.append((text[match.start(kind) : at].lower() if kind in _PLAIN else f"<{kind}>", match.start(kind), at))
        if len(words) == most:
            break
    return words


_PLAIN = frozenset((WORD, PUNCTUATION, OPERATOR))
_PARAMETER = f"<{PARAMETER}>"


def _is_in_operator(before: list[Word]) -> bool:
    """Whether an operator is written as OPERATOR(<<=) or OPERATOR(schema.<<=), by the two tokens before it."""
    return [word for word, _, _ in before] == ["operator", "("] or (bool(before) and before[-1][0] == ".")


def _readable(text: str, words: list[Word]) -> str:
    """Returns a query as sqlglot can read it: with a space after each parameter, because it reads `$1,$` in `$1,$2` as the beginning of a
    dollar-quoted string, and one at the end, because after a parameter it cannot read `''` there; without OVERRIDING … VALUE; without a cast of
    `x NOTNULL` and `x ISNULL`, which are boolean; with OPERATOR(…) around operators that it does not know, and quotes around the name
    `values`."""
    pieces: list[str] = []
    written = 0

    def write(start: int, end: int, new: str = "") -> None:
        nonlocal written
        pieces.append(text[written:start] + new)
        written = end

    for at, (word, start, end) in enumerate(words):
        following = [each[0] for each in words[at + 1 : at + 3]]
        if word == _PARAMETER:
            write(end, end)
        elif word == "overriding" and following[:1] in (["system"], ["user"]) and following[1:] == ["value"]:
            write(start, words[at + 2][2])
        elif word == "values" and following[:1] != ["("] and (at == 0 or words[at - 1][0] != "default"):
            write(start, end, '"values"')
        elif _OPERATORS.fullmatch(word) and word not in _READ_OPERATORS and not _is_in_operator(words[max(at - 2, 0) : at]):
            write(start, end, f" OPERATOR({word})")
        elif word in ("notnull", "isnull") and following[:1] == ["::"] and len(following) == 2:
            write(end, words[at + 2][2])
    return " ".join((*pieces, text[written:], ""))
