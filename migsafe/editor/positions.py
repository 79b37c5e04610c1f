"""Positions in the Language Server Protocol: lines from 0, and code units of an encoding that client and server agree on, from 0.

https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#position
"""

from bisect import bisect_right

from lsprotocol import types

from migsafe.patterns import lazy_pattern
from migsafe.text import Span

_LINE_END = lazy_pattern(r"\r\n|\n|\r")
_CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


class Places:
    """Conversions between the offsets of a text, in characters, and positions in units of `encoding` (utf-8, utf-16 or utf-32)."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self._text = text
        self._codec, self._unit = _CODECS.get(encoding, _CODECS["utf-16"])
        ends = [*_LINE_END.finditer(text)]
        self._starts = [0, *(end.end() for end in ends)]
        self._ends = [*(end.start() for end in ends), len(text)]

    def position(self, offset: int) -> types.Position:
        """Returns the position of an offset; an offset past the end is the end."""
        line = bisect_right(self._starts, offset) - 1
        # An offset between the characters of a line end is the end of the line.
        return types.Position(line, self._units(self._text[self._starts[line] : min(offset, self._ends[line])]))

    def range(self, span: Span) -> types.Range:
        """Returns the range of a span."""
        return types.Range(self.position(span.start), self.position(span.end))

    def first_line(self, span: Span) -> types.Range:
        """Returns the range of the first line of a span. A mark below many lines hides what is written in them."""
        line = bisect_right(self._starts, span.start) - 1
        return self.range(Span(span.start, max(min(span.end, self._ends[line]), span.start)))

    def offset(self, position: types.Position) -> int:
        """Returns the offset of a position; one past the end of its line is that end."""
        if position.line >= len(self._starts):
            return len(self._text)
        start, end = self._starts[position.line], self._ends[position.line]
        data = self._text[start:end].encode(self._codec, "surrogatepass")[: position.character * self._unit]
        return start + len(data.decode(self._codec, "ignore"))

    def span(self, range: types.Range) -> Span:
        """Returns the span of a range."""
        return Span(self.offset(range.start), self.offset(range.end))

    def lines(self, range: types.Range) -> Span:
        """Returns the span of the whole lines of a range."""
        last = min(range.end.line, len(self._ends) - 1)
        return Span(self._starts[min(range.start.line, last)], self._ends[last])

    def line_start(self, offset: int) -> int:
        """Returns the offset at which the line of an offset begins."""
        return self._starts[bisect_right(self._starts, offset) - 1]

    def _units(self, text: str) -> int:
        return len(text.encode(self._codec, "surrogatepass")) // self._unit
