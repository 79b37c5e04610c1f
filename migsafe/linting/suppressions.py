"""Comments that suppress findings.

    -- migsafe: ignore[index-not-concurrent, drop-table] orders is empty until launch

on the line above a statement or an operation, or at the end of its line; `ignore-file[…]` above the first statement applies to the whole file.
Only `--` comments count, including those in the body of a DO block; text in a string, in /* */ or in the body of a function does not. In a
Python script it is `#` comments, at the call or at the statement, and the `--` comments of the SQL that its calls send.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress

from msgspec.structs import replace

from migsafe.linting.finding import Finding
from migsafe.linting.rule import FilePlace
from migsafe.patterns import lazy_pattern
from migsafe.sources import Half
from migsafe.sql.lexer import COMMENT_START, DOLLAR_STRING, pattern_for, skip_comment
from migsafe.sql.split import MetaCommand, split
from migsafe.text import Script, Span

_MENTION = "migsafe:"
_COMMENT = lazy_pattern(r"--[^\n\r]*|/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/")
_SUPPRESSION = lazy_pattern(r"(?:--+|#+)\s*migsafe:\s*(?P<word>[\w-]*)\s*(?:\[(?P<names>[^\]]*)\])?(?P<reason>.*)")
_ONLY_COMMENT = lazy_pattern(r"\s*(?:--|#)")


class Suppression(FilePlace, frozen=True, kw_only=True):
    """A suppression, for the rules about suppressions. It is not an operation of PostgreSQL.

    `names` are the rules that it names, `reason` is the text after them. `understood` is False if the comment has an unknown form or names no
    rule. `whole_file` is True for `ignore-file`, `misplaced` if that is below the first statement. `unknown` are the names that are not among
    the `known` rules; `unused` are the rules that ran and reported nothing here. `target` is the line that it is about, if it is not its own.
    """

    names: tuple[str, ...]
    reason: str
    understood: bool = True
    whole_file: bool = False
    misplaced: bool = False
    target: int | None = None
    known: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def applies(self) -> bool:
        """Whether it can suppress findings: without a reason it cannot."""
        return self.understood and not self.misplaced and bool(self.reason)


ABOUT_SUPPRESSIONS = frozenset(("suppression-unused", "suppression-without-reason", "unknown-rule"))
"""The rules about suppressions. They run last, so it is unknown before whether a suppression of one of them is used."""


def mentions_migsafe(script: Script) -> bool:
    """Whether a script contains a comment for migsafe. Raises UnreadableError."""
    return _MENTION in script.text


def find_suppressions(script: Script, chunks: Iterable[Span], halves: Iterable[Half] = ()) -> list[Suppression]:
    """Returns the suppressions at the top of a script, in its judged chunks, and in the SQL that its `halves` send if they are programs. Raises
    UnreadableError."""
    if script.path.endswith(".py"):
        found = {suppression.span: suppression for suppression in _in_python(script, list(chunks))}
        for half in halves:
            found.update((suppression.span, suppression) for suppression in _in_sent_sql(half))
        return [found[span] for span in sorted(found)]
    text = script.text
    top = _leading_comments(text, 0, len(text))
    comments = {comment.start: comment for comment in _in_region(text, Span(0, top.end), do=False)}
    for chunk in chunks:
        comments.update((comment.start, comment) for comment in _in_chunk(text, chunk))
    return [_parse(script, comments[start], top=start < top.end) for start in sorted(comments)]


def _in_sent_sql(half: Half) -> Iterator[Suppression]:
    """Yields the suppressions in the SQL that a program sends, where the places of the SQL in the program are known."""
    sent = half.script
    for call in half.program.calls if half.program is not None and mentions_migsafe(sent) else ():
        for comment in _in_chunk(sent.text, call.sql_span) if call.segments else ():
            suppression = _parse(half.file, half.file_span(comment), top=False)
            line = sent.position(comment.start).line
            if _ONLY_COMMENT.match(sent.line(line)):
                start = sent.line_start(_below(sent, line))
                start += len(sent.text) - start - len(sent.text[start:].lstrip())
                target = half.file.position(half.file_span(Span(start, start + 1)).start).line
                suppression = replace(suppression, target=target)
            yield suppression


def _in_python(script: Script, chunks: list[Span]) -> list[Suppression]:
    """Returns the suppressions in the comments of a Python script. Its docstring may come before those that apply to the whole file."""
    from io import StringIO  # noqa: PLC0415  # only these scripts need it
    from tokenize import COMMENT, ENCODING, NEWLINE, NL, STRING, TokenError, generate_tokens  # noqa: PLC0415

    result = []
    top = True
    # tokenize counts lines and columns; lines end as they do in the script.
    starts = [0, *(match.end() for match in re.finditer("\n", script.text))]
    with suppress(TokenError, SyntaxError):
        for token in generate_tokens(StringIO(script.text, newline="").readline):
            top = top and token.type in (COMMENT, ENCODING, NEWLINE, NL, STRING)
            if token.type == COMMENT and _SUPPRESSION.match(token.string):
                start = starts[token.start[0] - 1] + token.start[1]
                if top or any(chunk.start <= start < chunk.end for chunk in chunks):
                    result.append(_parse(script, Span(start, start + len(token.string)), top=top))
    return result


def covers(suppression: Suppression, finding: Finding, places: Sequence[Span]) -> bool:
    """Whether the suppression applies to a finding. `places` are the spans of the finding's statement, and of the call that sends it."""
    if finding.rule not in suppression.names or not suppression.applies:
        return False
    if suppression.whole_file:
        return True
    line_of = finding.script.position
    starts = [line_of(place.start).line for place in (finding.span, *places)]
    if suppression.target is not None:
        return suppression.target in starts or suppression.span == finding.span
    ends = [line_of(place.end).line for place in (finding.span, *places[1:])]
    return line_of(suppression.span.start).line in (*starts, *ends)


def _below(script: Script, line: int) -> int:
    """Returns the first line below a line and below the comments that follow it."""
    last = script.position(len(script.text)).line
    line += 1
    while line < last and _ONLY_COMMENT.match(script.line(line)):
        line += 1
    return line


def _leading_comments(text: str, start: int, end: int) -> Span:
    """Returns the span of the white space and the comments before the first token from `start` on."""
    match = pattern_for(text).match(text, start, end)
    return Span(start, match.start(match.lastindex) if match and match.lastindex else end)


def _in_chunk(text: str, chunk: Span) -> Iterator[Span]:
    """Yields the comments between the tokens of the statements, and between the statements, but not the rows of a COPY."""
    at = chunk.start
    for piece in split(text, chunk.start, chunk.end):
        if isinstance(piece, MetaCommand):
            yield from _in_region(text, Span(at, piece.span.start), do=False)
            at = piece.data.end if piece.data else piece.span.end
            continue
        if piece.unterminated is not None:
            yield from _in_region(text, Span(at, piece.unterminated[0]), do=False)
            at = chunk.end
            break
        yield from _in_region(text, Span(at, piece.span.end), do=piece.words[0] == "do")
        at = piece.span.end
        if piece.data is not None:
            # The rows of a COPY begin on the line after it.
            yield from _in_region(text, Span(at, piece.data.start), do=False)
            at = piece.data.end
    yield from _in_region(text, Span(at, chunk.end), do=False)


def _in_region(text: str, region: Span, *, do: bool) -> Iterator[Span]:
    """Yields the comments for migsafe in a region of the text; with `do`, also those in dollar quotes."""
    at, end = region
    if text.find(_MENTION, at, end) < 0:
        return
    pattern = pattern_for(text)
    while at < end:
        match = pattern.match(text, at, end)
        if match is None:
            return
        kind = match.lastindex
        token = match.start(kind) if kind else end
        for comment in _COMMENT.finditer(text, at, token):
            if _SUPPRESSION.match(comment[0]):
                yield Span(*comment.span())
        if kind == DOLLAR_STRING:
            close = text.find(match[kind], match.end(), end)
            inside = Span(match.end(), close if close >= 0 else end)
            if do:
                yield from _in_region(text, inside, do=False)
            at = inside.end + len(match[kind])
        elif kind == COMMENT_START:
            after = skip_comment(text, token, end)
            at = after if after >= 0 else end
        else:
            at = match.end() if match.end() > at else end


def _parse(script: Script, comment: Span, *, top: bool) -> Suppression:
    match = _SUPPRESSION.match(script.text, comment.start, comment.end)
    assert match is not None  # _in_region and _in_python find only such comments
    names = tuple(dict.fromkeys(name.strip() for name in (match["names"] or "").split(",") if name.strip()))
    whole_file = match["word"] == "ignore-file"
    line = script.position(comment.start).line
    return Suppression(
        comment,
        names=names,
        reason=match["reason"].strip(" \t:-–—"),
        understood=bool(names) and (whole_file or match["word"] == "ignore"),
        whole_file=whole_file,
        misplaced=whole_file and not top,
        target=_below(script, line) if _ONLY_COMMENT.match(script.line(line)) else None,
    )


def resolve(suppression: Suppression, known: frozenset[str], ran: frozenset[str], used: Collection[str]) -> Suppression:
    """Returns a suppression with its unknown and unused names: `ran` are the rules that ran there, `used` those whose findings
    it suppressed."""
    return replace(
        suppression,
        known=known,
        unknown=tuple(name for name in suppression.names if name not in known),
        unused=tuple(name for name in suppression.names if name in ran - ABOUT_SUPPRESSIONS and name not in used),
    )
