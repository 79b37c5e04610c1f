"""PostgreSQL's grammar, 14 to 19: it reads the operations of a statement from its tokens.

It follows the SQL commands reference of the manual. The tests compare every production with PostgreSQL's own grammar.

A function that reads a clause moves the cursor from the clause's first token to the one after it. "Read DROP after that word" means that the
caller has already read the word DROP. A method that is called `accept…` moves only where the clause is there. In all functions `c` is the
cursor, `c.i` the index of the current token, and `start` the index of the first token of the statement or clause.
"""

from migsafe.patterns import lazy_pattern
from migsafe.sql import features
from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.dispatch import statement
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.lexer import END, NUMBER, PLACEHOLDER
from migsafe.sql.operations import Broken, CutIdentifier, FeatureUse, OpaqueCode, Operation, Unparsed
from migsafe.sql.split import RawStatement
from migsafe.text import Span

_UNTERMINATED = {
    "quoted string": "a closing quote",
    "quoted identifier": "a closing double quote",
    "comment": "a closing */",
    "dollar-quoted string": "the closing dollar quote",
}
_LONGEST_FOUND = 40
_MOST_NESTED = 10_000
"""The depth of the stack of PostgreSQL's parser, which Bison generates (YYMAXDEPTH). PostgreSQL 15 reads 9,990 parentheses in SELECT, and
refuses 12,000."""
_TEMPLATE_NAME = lazy_pattern(r"(?:\$\{|\{\{-?\s*\.?)(?P<name>[\w.:-]+)\s*-?\}{1,2}")
_ODD_NUMBER = lazy_pattern(r"0[xXoObB]|[0-9]++_")


def parse(raw: RawStatement) -> tuple[Operation, ...]:
    """Return the operations of a statement: Broken where PostgreSQL would reject it, Unparsed where that is not known."""
    if raw.unterminated is not None:
        offset, literal = raw.unterminated
        return (Broken(Span(offset, _line_end(raw.text, offset)), expected=_UNTERMINATED[literal], found="the end of the file"),)
    if raw.words[1] == "" and raw.kinds[0] == PLACEHOLDER:
        return (OpaqueCode(raw.span, reason=f"{_template(raw)} generates this statement", code=raw.text[raw.span.start : raw.span.end]),)
    try:
        parser = Parser(raw)
        operations = statement(parser)
        for index, (identifier, kept) in parser.truncated.items():
            operations.append(CutIdentifier(parser.span(index, index + 1), written=identifier, kept=kept))
        _note_number_formats(raw, parser)
        for feature, index in parser.features:
            operations.append(FeatureUse(parser.span(index, index + 1), feature=feature))
        return tuple(operations)
    except Unexpected as unexpected:
        return (problem(raw, unexpected),)
    except RecursionError:
        return (_too_deep(raw),)


def _too_deep(raw: RawStatement) -> Operation:
    """Return Broken for a statement that is nested more deeply than PostgreSQL's grammar permits, else Unparsed."""
    depth = 0
    for index, word in enumerate(raw.words):
        depth += (word == "(") - (word == ")")
        if depth >= _MOST_NESTED:
            place = Span(raw.starts[index], raw.end_of(index))
            return Broken(place, expected=f"fewer than {_MOST_NESTED:,} nested parentheses (PostgreSQL says: memory exhausted)", found='"("')
    return Unparsed(raw.span, reason='it is nested too deeply; PostgreSQL may refuse it too ("stack depth limit exceeded")')


def _note_number_formats(raw: RawStatement, parser: Parser) -> None:
    if NUMBER not in raw.kinds:
        return
    first, last = raw.kinds.index(NUMBER), len(raw.kinds) - raw.kinds[::-1].index(NUMBER) - 1
    # A long string before or after the numbers is not searched.
    if _ODD_NUMBER.search(raw.text, raw.starts[first], raw.end_of(last)):
        for index, kind in enumerate(raw.kinds):
            if kind == NUMBER and _ODD_NUMBER.match(parser.raw(index)):
                parser.uses(features.NUMBER_FORMATS, index)


def _template(raw: RawStatement) -> str:
    """Returns what a message calls the first template of a statement."""
    index = raw.kinds.index(PLACEHOLDER)
    match = _TEMPLATE_NAME.search(raw.text, raw.starts[index], raw.end_of(index))
    return f"the template {match['name']}, which has no value in template-values of the configuration," if match is not None else "a template"


def problem(raw: RawStatement, unexpected: Unexpected) -> Operation:
    """Return Broken for a statement with an unexpected token, or Unparsed where a template variable may stand for valid SQL."""
    if PLACEHOLDER in raw.kinds:
        return Unparsed(raw.span, reason=f"{_template(raw)} generates a part of it")
    index = unexpected.index
    start = raw.starts[index]
    if raw.kinds[index] == END:
        found = '";"' if raw.text[start : start + 1] == ";" else "the end of the file"
        last = raw.span.end
        return Broken(Span(max(last - 1, raw.span.start), last), expected=unexpected.expected, found=found)
    end = raw.end_of(index)
    word = raw.text[start:end]
    word = word if len(word) <= _LONGEST_FOUND else word[: _LONGEST_FOUND - 1] + "…"
    return Broken(Span(start, end), expected=unexpected.expected, found=f'"{word}"')


def _line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return len(text) if end < 0 else end
