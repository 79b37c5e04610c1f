"""The lines of a script that is edited: empty ones, and how they end."""

import re
from collections.abc import Sequence

from migsafe.patterns import lazy_pattern
from migsafe.sql.statements import Statement

EMPTY_LINES = lazy_pattern(r"(?:[ \t]*\r?\n)+")


def without_statements(text: str, statements: Sequence[Statement], start: int) -> str:
    """Returns a text from an offset on without some statements, and without the empty lines behind them if there are some before."""
    done = ""
    for statement in sorted(statements, key=lambda each: each.span.start):
        done += text[start : statement.span.start]
        end = text.find(";", statement.span.end) + 1 or len(text)
        line_end = re.compile(r"[ \t]*\r?\n").match(text, end)
        start = line_end.end() if line_end is not None and (not done or done[-1] == "\n") else end
        empty = EMPTY_LINES.match(text, start)
        if empty is not None and (not done or re.search(r"\n\r?\n\Z", done) is not None):
            start = empty.end()
    if statements and done.strip() and not text[start:].strip():
        return done.rstrip() + text[len(text.rstrip()) :]  # the last one has gone, and the lines between it and the one before
    return done + text[start:]


def with_line_ends(text: str, original: str) -> str:
    """Returns a text with the line ends of another one; as it is if they are not all equal, because lines that no fix concerns must stay."""
    is_crlf = "\r\n" in original and original.count("\n") == original.count("\r\n")
    return re.sub(r"\r?\n", "\r\n", text) if is_crlf else text
