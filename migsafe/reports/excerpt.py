"""The lines of a script on which something stands, with that part marked."""

import unicodedata
from collections.abc import Callable, Iterator

from migsafe.text import Script, Span

_MOST_LINES = 3
_TAB = 4
_CONTEXT = 8
"""How many columns before a marked part stay in sight when it is longer than the line may be."""


def excerpt(script: Script, span: Span, width: int, paint: Callable[[str], str], dim: Callable[[str], str]) -> Iterator[str]:
    """The lines that hold `span`, no wider than `width`, each with the marks below it; the first few where there are many."""
    first, last = script.position(span.start).line, script.position(max(span.start, span.end - 1)).line
    shown = range(first, min(last, first + _MOST_LINES - 1) + 1)
    gutter = max(len(str(shown[-1])), 3) + 1
    start = span.start
    for number in shown:
        end = script.text.find("\n", start)
        end = len(script.text) if end < 0 else end
        source, marks = _line(script, start, min(span.end, end), end, width - gutter - 3)
        yield f"{dim(f'{number:{gutter}} |')} {source}"
        if marks:
            yield f"{dim(' ' * gutter + ' |')} {paint(marks)}"
        start = end + 1
    if last > shown[-1]:
        rest = last - shown[-1]
        yield dim(f"{' ' * gutter} | … {rest} more line{'s' if rest > 1 else ''}")


def _line(script: Script, start: int, stop: int, line_end: int, width: int) -> tuple[str, str]:
    """The line from which `start` to `stop` is marked, cut so that this part is in sight, and the marks that go below it."""
    text = script.text
    line_start = start - script.position(start).column + 1
    while start < stop and text[start].isspace():
        start += 1
    stop = start + len(text[start:stop].rstrip())
    # A line can be as long as a file: no more of it is looked at than could be shown.
    left, right = max(line_start, start - width), min(line_end, start + width)
    cells = [_cell(char) for char in text[left:right].rstrip("\r")]
    widths = [_width(cell) for cell in cells]
    begin, finish = start - left, min(stop, left + len(cells)) - left
    low, high = _window(widths, begin, finish, width, more=right < line_end, cut=left > line_start)
    before = "…" if low > 0 or left > line_start else ""
    after = "…" if high < len(cells) or right < line_end else ""
    shown = before + "".join(cells[low:high]) + after
    marks = " " * (len(before) + sum(widths[low:begin])) + "^" * sum(widths[begin : min(finish, high)])
    return shown, marks if finish > begin else ""


def _window(widths: list[int], begin: int, finish: int, width: int, *, more: bool, cut: bool) -> tuple[int, int]:
    """Which cells to show so that the marked ones, or as many as fit, are among them."""
    if not more and not cut and sum(widths) <= width:
        return 0, len(widths)
    room = width - 2
    spare = room - sum(widths[begin:finish])
    low, left = begin, max(min(spare // 2, room), _CONTEXT)
    if not cut and sum(widths[:finish]) <= room:
        low, left = 0, 0
    while low > 0 and left >= widths[low - 1]:
        low -= 1
        left -= widths[low]
    high, used = low, 0
    while high < len(widths) and used + widths[high] <= room:
        used += widths[high]
        high += 1
    return low, high


def visible(text: str) -> str:
    """The text as it can be shown."""
    return text if text.isprintable() else "".join(_cell(char) for char in text)


def _cell(char: str) -> str:
    """What a character is shown as: a terminal must not obey the control characters of a script."""
    if char == "\t":
        return " " * _TAB
    code = ord(char)
    if code < 32:
        return chr(0x2400 + code)
    return "\ufffd" if 0x7F <= code < 0xA0 or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 else char


def _width(cell: str) -> int:
    """How many columns of a terminal a cell takes."""
    if cell.isascii():
        return len(cell)
    if unicodedata.category(cell) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1
