"""Excerpts of a script: the lines of a finding with the part marked, and the beginning of a statement."""

import re
from collections.abc import Callable, Iterator

from migsafe.patterns import lazy_pattern
from migsafe.terminal.width import columns, truncated, visible, visible_character
from migsafe.text import Script, Span

_MOST_LINES = 3
_CONTEXT = 8
"""How many columns before a marked part are shown when it is longer than the line may be."""
_COMMENT = lazy_pattern(r"""('[^']*'|"[^"]*")|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_LONGEST_STATEMENT = 4000
"""How many characters of a statement are read for its first words: it can be as long as a file."""


def excerpt(script: Script, span: Span, width: int, paint: Callable[[str], str], dim: Callable[[str], str]) -> Iterator[str]:
    """Yields the lines of `span`, no wider than `width`, each with the marks below it; only the first few of many."""
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
    """Returns the line in which `start` to `stop` is marked, cut so that this part is visible, and the marks to show below it."""
    text = script.text
    line_start = start - script.position(start).column + 1
    while start < stop and text[start].isspace():
        start += 1
    stop = start + len(text[start:stop].rstrip())
    # A line can be as long as a file: only what could be shown is read.
    left, right = max(line_start, start - width), min(line_end, start + width)
    shown_text = text[left:right].rstrip("\r")
    is_plain = shown_text.isascii() and shown_text.isprintable()  # as most lines are: each character is one column wide
    cells = list(shown_text) if is_plain else [visible_character(char) for char in shown_text]
    widths = [1] * len(cells) if is_plain else [columns(cell) for cell in cells]
    begin, finish = start - left, min(stop, left + len(cells)) - left
    low, high = _window(widths, begin, finish, width, more=right < line_end, cut=left > line_start)
    before = "…" if low > 0 or left > line_start else ""
    after = "…" if high < len(cells) or right < line_end else ""
    shown = before + "".join(cells[low:high]) + after
    marks = " " * (len(before) + sum(widths[low:begin])) + "^" * sum(widths[begin : min(finish, high)])
    return shown, marks if finish > begin else ""


def _window(widths: list[int], begin: int, finish: int, width: int, *, more: bool, cut: bool) -> tuple[int, int]:
    """Returns the range of cells to show, so that the marked ones, or as many as fit, are among them."""
    if not more and not cut and sum(widths) <= width:
        return 0, len(widths)
    room = width - 2
    spare = room - sum(widths[begin:finish])
    low, spare_before = begin, max(min(spare // 2, room), _CONTEXT)
    if not cut and sum(widths[:finish]) <= room:
        low, spare_before = 0, 0
    while low > 0 and spare_before >= widths[low - 1]:
        low -= 1
        spare_before -= widths[low]
    high, used = low, 0
    while high < len(widths) and used + widths[high] <= room:
        used += widths[high]
        high += 1
    return low, high


def first_words(sql: str, width: int) -> str:
    """Returns the beginning of a statement on one line, without comments, no wider than `width`."""
    text = visible(" ".join(_COMMENT.sub(lambda comment: comment[1] or " ", sql[:_LONGEST_STATEMENT]).split()))
    is_whole = len(sql) <= _LONGEST_STATEMENT and columns(text) <= width
    return text if is_whole else truncated(text, width - 1) + "…"
