"""Text inside of Markdown, in which it is to be seen as it is, whatever it holds."""

import re

from migsafe.terminal.width import visible

_CODE = re.compile(r"(`[^`\n]+`)")
_MARKS = re.compile(r"([\\`*\[\]<>~&$|]|(?<![^\W_])_|_(?![^\W_]))")
"""An underscore between letters or digits is never markup."""
_AT_THE_START = re.compile(r"^(\d*)([#+\-=]|(?<=\d)[.)](?= |$))")
_CALLS = re.compile(r"([@#])(?=\w)")
_TICKS = re.compile(r"`+")
_NOTHING = "\u200b"
"""A space of no width: keeps GitHub from taking a name for somebody's, or a number for an issue's."""


def escaped(text: str) -> str:
    """A paragraph of prose: nothing in it is markup but code between backticks."""
    pieces = _CODE.split(" ".join(text.split()))
    return _AT_THE_START.sub(r"\1\\\2", "".join(code(piece[1:-1]) if _CODE.fullmatch(piece) else _prose(piece) for piece in pieces))


def code(text: str) -> str:
    """A code span."""
    shown = visible(text)
    fence = "`" * (max((len(ticks) for ticks in _TICKS.findall(shown)), default=0) + 1)
    # A space at each end is taken away again, and parts backticks at the ends from the fence.
    pad = " " if shown[:1] in ("`", " ", "") or shown[-1:] in ("`", " ") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def fenced(text: str, language: str = "sql") -> str:
    """A block of code."""
    lines = [visible(line) for line in text.splitlines()]
    longest = max((len(ticks) for line in lines for ticks in _TICKS.findall(line)), default=0)
    fence = "`" * max(longest + 1, 3)
    return "\n".join((fence + language, *lines, fence))


def _prose(text: str) -> str:
    """Words on one line, with a backslash before all that could mean something there."""
    return _CALLS.sub(rf"\1{_NOTHING}", _MARKS.sub(r"\\\1", visible(text)))
