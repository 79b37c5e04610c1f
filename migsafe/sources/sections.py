"""Scripts that contain both halves, separated by directive lines."""

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from migsafe.sources.line_ends import LineEnds
from migsafe.sources.migration import Half, Transaction
from migsafe.sql.lexer import pattern_for
from migsafe.sql.split import RawStatement, split
from migsafe.text import Script, Span

UP, DOWN = "up", "down"


def sections(text: str, directive: re.Pattern[str]) -> list[tuple[str, re.Match[str], Span]]:
    """Returns the sections of a text, each with its half, the match of the directive line that begins it, and its span, with the directive.

    The pattern's group `half` matches `up` or `down` in any case. Text before the first directive is in no section.
    """
    matches = list(directive.finditer(text))
    ends = [*(match.start() for match in matches), len(text)][1:]
    return [(match["half"].lower(), match, Span(match.start(), end)) for match, end in zip(matches, ends, strict=True)]


def _queries_with_blocks(text: str, spans: Iterable[Span], block: re.Pattern[str]) -> tuple[Span, ...] | None:
    """Returns the queries as which a runner sends the spans of a text outside a transaction, if one of them has several statements; else None.

    The pattern matches a block (StatementBegin … StatementEnd): it is one query, and the statements around it are sent one by one. PostgreSQL
    runs a query of several statements in one implicit transaction.
    """
    queries: list[Span] = []
    pattern = pattern_for(text)
    has_several = False
    for span in spans:
        start = span.start
        for match in block.finditer(text, span.start, span.end):
            queries += _statements(text, Span(start, match.start()), pattern)
            in_block = list(_statements(text, Span(match.start(), match.end()), pattern))
            has_several = has_several or len(in_block) > 1
            queries += [Span(match.start(), match.end())] if in_block else []
            start = match.end()
        queries += _statements(text, Span(start, span.end), pattern)
    return tuple(queries) if has_several else None


def half_with_blocks(script: Script, spans: Sequence[Span], transaction: Transaction, block: re.Pattern[str], mark: str) -> Half:
    """Returns the half of a script that consists of some spans, for goose or sql-migrate, whose directives begin with the mark. Outside a
    transaction, a block of several statements is one query; outside a block, a statement ends with each line that ends with a semicolon."""
    queries = _queries_with_blocks(script.text, spans, block) if transaction is Transaction.NONE else None
    half = Half(script, tuple(spans), transaction) if queries is None else Half(script, queries, Transaction.QUERY)
    blocks = tuple(Span(*match.span()) for span in spans for match in block.finditer(script.text, span.start, span.end))
    return replace(half, line_ends=LineEnds(mark, blocks))


def _statements(text: str, span: Span, pattern: re.Pattern[str]) -> Iterator[Span]:
    """Yields the statements of a part of a text, each with the comments before it."""
    start = span.start
    for raw in split(text, span.start, span.end, pattern):
        if isinstance(raw, RawStatement):
            end = raw.span.end + text.startswith(";", raw.span.end)
            yield Span(start, end)
            start = end
