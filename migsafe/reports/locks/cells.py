"""Text in columns of a terminal, where some characters are two wide and some none."""

import re
import unicodedata
from collections.abc import Iterator

from migsafe.reports.excerpt import visible

_COMMENT = re.compile(r"""('[^']*'|"[^"]*")|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_LONGEST = 4000
"""As much of a statement as a line could need: one can be as long as a file."""


def columns(text: str) -> int:
    """How many columns a text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def padded(text: str, width: int) -> str:
    """A text filled up with spaces."""
    return text + " " * (width - columns(text))


def first_words(sql: str, width: int) -> str:
    """The beginning of a statement on one line, without comments, no wider than `width`."""
    text = visible(" ".join(_COMMENT.sub(lambda found: found[1] or " ", sql[:_LONGEST]).split()))
    return text if len(sql) <= _LONGEST and columns(text) <= width else _head(text, width - 1) + "…"


def wrapped(text: str, width: int) -> Iterator[str]:
    """A text cut between words into lines no wider than `width`; a word that is wider is cut too."""
    line = ""
    for word in text.split():
        if line and columns(line) + 1 + columns(word) > width:
            yield line
            line = ""
        rest = f"{line} {word}" if line else word
        while columns(rest) > width:
            head = _head(rest, width)
            yield head
            rest = rest[len(head) :]
        line = rest
    yield line


def _head(text: str, width: int) -> str:
    """As much of a text as fits, and at least one character."""
    room = width
    for place, char in enumerate(text):
        room -= _columns(char)
        if room < 0:
            return text[: max(place, 1)]
    return text


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
