"""Scripts that contain both halves, separated by directive lines."""

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from migsafe.patterns import lazy_pattern
from migsafe.sources.migration import Division, Half, Transaction
from migsafe.sql.split import RawStatement, split
from migsafe.text import Script, Span

UP, DOWN = "up", "down"
_LINE = lazy_pattern(r"[^\n]+")


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
    has_several = False
    for span in spans:
        start = span.start
        for match in block.finditer(text, span.start, span.end):
            queries += _statements(text, Span(start, match.start()))
            in_block = list(_statements(text, Span(match.start(), match.end())))
            has_several = has_several or len(in_block) > 1
            queries += [Span(match.start(), match.end())] if in_block else []
            start = match.end()
        queries += _statements(text, Span(start, span.end))
    return tuple(queries) if has_several else None


def half_with_blocks(script: Script, spans: Sequence[Span], transaction: Transaction, block: re.Pattern[str], mark: str) -> Half:
    """Returns the half of a script that consists of some spans, for goose or sql-migrate, whose directives begin with the mark. Outside a
    transaction, a block of several statements is one query; outside a block, a statement ends with each line that ends with a semicolon."""
    queries = _queries_with_blocks(script.text, spans, block) if transaction is Transaction.NONE else None
    half = Half(script, tuple(spans), transaction) if queries is None else Half(script, queries, Transaction.QUERY)
    return replace(half, divisions=dict(_divisions(script, spans, block, mark)))


def _divisions(script: Script, spans: Iterable[Span], block: re.Pattern[str], mark: str) -> Iterator[tuple[int, Division]]:
    """Yields the statements outside blocks with a line inside them that ends with a semicolon: the runner sends what precedes it (goose,
    internal/sqlparser/parser.go, and sql-migrate, sqlparse/sqlparse.go, both in endsWithSemicolon)."""
    text = script.text
    for span in spans:
        blocks = [Span(*match.span()) for match in block.finditer(text, span.start, span.end)]
        for raw in split(text, span.start, span.end):
            if not isinstance(raw, RawStatement):
                continue
            start, stop = raw.span.start, raw.span.end
            if text.find(";", start, stop) < 0 or any(inside.start <= start < inside.end for inside in blocks):
                continue
            end = next((line.end() for line in _LINE.finditer(text, start, stop) if line.end() < stop and _ends_statement(line[0])), None)
            if end is not None:
                runner = {"+migrate": "sql-migrate"}.get(mark, mark.removeprefix("+"))
                error = f"{runner} sends it only up to the `;` at the end of line {script.position(end - 1).line}"
                need = f"-- put the statement between `-- {mark} StatementBegin` and `-- {mark} StatementEnd`"
                yield start, Division(end, error, need)


def _ends_statement(line: str) -> bool:
    words = line.split()
    comment = next((number for number, word in enumerate(words) if word.startswith("--")), len(words))
    return comment > 0 and words[comment - 1].endswith(";")


def _statements(text: str, span: Span) -> Iterator[Span]:
    """Yields the statements of a part of a text, each with the comments before it."""
    start = span.start
    for raw in split(text, span.start, span.end):
        if isinstance(raw, RawStatement):
            end = raw.span.end + text.startswith(";", raw.span.end)
            yield Span(start, end)
            start = end
