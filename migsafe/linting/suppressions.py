"""Comments that suppress findings.

    -- migsafe: ignore[index-not-concurrent, drop-table] orders is empty until launch

on the line above a statement or an operation, or at the end of its line; `ignore-file[…]` above the first statement applies to the whole file.
Only `--` comments count, including those in the body of a DO block; text in a string, in /* */ or in the body of a function does not. In a
Python script it is `#` comments.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

from msgspec.structs import replace

from migsafe.linting.finding import Finding
from migsafe.linting.rule import FilePlace
from migsafe.sql.lexer import COMMENT_START, DOLLAR_STRING, pattern_for, skip_comment
from migsafe.sql.split import MetaCommand, split
from migsafe.text import Script, Span

_MENTION = "migsafe:"
_COMMENT = re.compile(r"--[^\n\r]*|/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/")
_SUPPRESSION = re.compile(r"(?:--+|#+)\s*migsafe:\s*(?P<word>[\w-]*)\s*(?:\[(?P<names>[^\]]*)\])?(?P<reason>.*)")
_ONLY_COMMENT = re.compile(r"\s*(?:--|#)")


class Suppression(FilePlace, frozen=True, kw_only=True):
    """A suppression, for the rules about suppressions. It is not an operation of PostgreSQL.

    `names` are the rules that it names, `reason` is the text after them. `understood` is False if the comment has an unknown form or names no
    rule. `whole_file` is True for `ignore-file`, `misplaced` if that is below the first statement. `unknown` are the names that are not among
    the `known` rules; `unused` are the rules that ran and reported nothing here.
    """

    names: tuple[str, ...]
    reason: str
    understood: bool = True
    whole_file: bool = False
    misplaced: bool = False
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


def find_suppressions(script: Script, chunks: Iterable[Span]) -> list[Suppression]:
    """Returns the suppressions at the top of a script and in its judged chunks. Raises UnreadableError."""
    text = script.text
    if script.path.endswith(".py"):
        return _in_python(script, list(chunks))
    top = _leading_comments(text, 0, len(text))
    comments = {comment.start: comment for comment in _in_region(text, Span(0, top.end), do=False)}
    for chunk in chunks:
        comments.update((comment.start, comment) for comment in _in_chunk(text, chunk))
    return [_parse(text, comments[start], top=start < top.end) for start in sorted(comments)]


def _in_python(script: Script, chunks: list[Span]) -> list[Suppression]:
    """Returns the suppressions of a Python script. Its docstring may come before the comments that apply to the whole file."""
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
                    result.append(_parse(script.text, Span(start, start + len(token.string)), top=top))
    return result


def covers(suppression: Suppression, finding: Finding, statement: Span | None) -> bool:
    """Whether the suppression applies to a finding. `statement` is the span of the finding's statement."""
    if finding.rule not in suppression.names or not suppression.applies:
        return False
    if suppression.whole_file:
        return True
    script = finding.script
    line = script.position(suppression.span.start).line
    starts = [finding.span.start, *([statement.start] if statement else [])]
    if _ONLY_COMMENT.match(script.line(line)):
        target = _below(script, line)
        return target in [script.position(start).line for start in starts] or suppression.span == finding.span
    places = [*starts, finding.span.end]
    return line in [script.position(place).line for place in places]


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


def _parse(text: str, comment: Span, *, top: bool) -> Suppression:
    match = _SUPPRESSION.match(text, comment.start, comment.end)
    assert match is not None  # _in_region and _in_python find only such comments
    names = tuple(dict.fromkeys(name.strip() for name in (match["names"] or "").split(",") if name.strip()))
    whole_file = match["word"] == "ignore-file"
    return Suppression(
        comment,
        names=names,
        reason=match["reason"].strip(" \t:-–—"),
        understood=bool(names) and (whole_file or match["word"] == "ignore"),
        whole_file=whole_file,
        misplaced=whole_file and not top,
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
