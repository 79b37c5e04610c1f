"""PostgreSQL's grammar, 14 to 18: from a statement's tokens to its operations.

Written after the manual's SQL commands reference; every production is compared with the real grammar by the tests.
"""

from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.dispatch import statement
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.lexer import END, PLACEHOLDER
from migsafe.sql.operations import Broken, CutIdentifier, OpaqueCode, Operation, Unparsed
from migsafe.sql.split import RawStatement
from migsafe.text import Span

_UNTERMINATED = {
    "quoted string": "a closing quote",
    "quoted identifier": "a closing double quote",
    "comment": "a closing */",
    "dollar-quoted string": "the closing dollar quote",
}
_LONGEST_FOUND = 40


def parse(raw: RawStatement) -> tuple[Operation, ...]:
    """The operations of a statement; a Broken one where PostgreSQL would refuse it, an Unparsed one where that cannot be known."""
    if raw.unterminated is not None:
        at, what = raw.unterminated
        return (Broken(Span(at, _line_end(raw.text, at)), expected=_UNTERMINATED[what], found="the end of the file"),)
    if raw.words[1] == "" and raw.kinds[0] == PLACEHOLDER:
        return (OpaqueCode(raw.span, reason="a template decides what stands here", code=raw.text[raw.span.start : raw.span.end]),)
    try:
        parser = Parser(raw)
        found = statement(parser)
        for index, (written, kept) in parser.cut.items():
            found.append(CutIdentifier(parser.span(index, index + 1), written=written, kept=kept))
        return tuple(found)
    except Unexpected as unexpected:
        return (problem(raw, unexpected),)
    except RecursionError:
        return (Unparsed(raw.span, reason="it is nested too deeply"),)


def problem(raw: RawStatement, unexpected: Unexpected) -> Operation:
    """What a statement with an unexpected token is: Broken, or Unparsed where a template mark may have hidden what would be right."""
    if PLACEHOLDER in raw.kinds:
        return Unparsed(raw.span, reason="a template decides what it says")
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


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
