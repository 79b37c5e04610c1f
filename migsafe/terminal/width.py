"""Text in the columns of a terminal, where some characters are two columns wide and some none."""

import unicodedata
from collections.abc import Iterator

WIDTH_OF_A_FILE = 120
"""The width for which a report in a file or a pipe is laid out."""

WIDEST_PROSE = 100
"""The longest line of prose on a wide terminal."""

_TAB = 4


def visible(text: str) -> str:
    """Returns the text with its control characters replaced: a terminal must not obey those of a script."""
    return text if text.isprintable() else "".join(map(visible_character, text))


def visible_character(char: str) -> str:
    """Returns what is displayed for a character: a symbol for a control character, spaces for a tab."""
    if char == "\t":
        return " " * _TAB
    code = ord(char)
    if code < 32:
        return chr(0x2400 + code)
    return "\ufffd" if 0x7F <= code < 0xA0 or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 else char


def columns(text: str) -> int:
    """Returns how many columns a text takes."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def padded(text: str, width: int) -> str:
    """Returns the text, filled with spaces to a width."""
    return text + " " * (width - columns(text))


def truncated(text: str, width: int) -> str:
    """Returns as much of a text as fits into a width, and at least one character."""
    room = width
    for index, char in enumerate(text):
        room -= _columns_of(char)
        if room < 0:
            return text[: max(index, 1)]
    return text


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yields the text in lines no wider than `width`, broken between words; a word that is wider is broken too."""
    line = ""
    for word in text.split():
        if line and columns(line) + 1 + columns(word) > width:
            yield line
            line = ""
        rest = f"{line} {word}" if line else word
        while columns(rest) > width:
            head = truncated(rest, width)
            yield head
            rest = rest[len(head) :]
        line = rest
    yield line


def _columns_of(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
