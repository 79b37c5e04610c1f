"""Text in Markdown: it is displayed as it is, whatever characters it contains."""

from migsafe.patterns import lazy_pattern
from migsafe.terminal.width import visible

_CODE = lazy_pattern(r"(`[^`\n]+`)")
_MARKS = lazy_pattern(r"([\\`*\[\]<>~&$|]|(?<![^\W_])_|_(?![^\W_]))")
"""The characters that can be markup. An underscore between letters or digits never is."""
_AT_THE_START = lazy_pattern(r"^(\d*)([#+\-=]|(?<=\d)[.)](?= |$))")
_CALLS = lazy_pattern(r"([@#])(?=\w)")
_TICKS = lazy_pattern(r"`+")
_ZERO_WIDTH_SPACE = "\u200b"
"""A zero-width space: it keeps GitHub from linking a name to a user, or a number to an issue."""


def escaped(text: str) -> str:
    """Returns a paragraph in which only code between backticks is markup."""
    pieces = _CODE.split(" ".join(text.split()))
    return _AT_THE_START.sub(r"\1\\\2", "".join(code(piece[1:-1]) if _CODE.fullmatch(piece) else _prose(piece) for piece in pieces))


def code(text: str) -> str:
    """Returns a code span."""
    shown = visible(text)
    fence = "`" * (max((len(ticks) for ticks in _TICKS.findall(shown)), default=0) + 1)
    # Markdown removes a space at each end; the space separates backticks at the ends from the fence.
    pad = " " if shown[:1] in ("`", " ", "") or shown[-1:] in ("`", " ") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def fenced(text: str, language: str = "sql") -> str:
    """Returns a block of code."""
    lines = [visible(line) for line in text.splitlines()]
    longest = max((len(ticks) for line in lines for ticks in _TICKS.findall(line)), default=0)
    fence = "`" * max(longest + 1, 3)
    return "\n".join((fence + language, *lines, fence))


def _prose(text: str) -> str:
    """Returns a text on one line, with a backslash before every character that could be markup."""
    return _CALLS.sub(rf"\1{_ZERO_WIDTH_SPACE}", _MARKS.sub(r"\\\1", visible(text)))
