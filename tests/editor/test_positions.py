"""Positions of the Language Server Protocol."""

import pytest
from lsprotocol import types

from migsafe.editor.positions import Places
from migsafe.text import Span

TEXT = "a😀é\r\nb\u2028c\n\nd"


@pytest.mark.parametrize(("encoding", "smiley", "accent"), [("utf-8", 4, 2), ("utf-16", 2, 1), ("utf-32", 1, 1)])
def test_positions_count_code_units(encoding: str, smiley: int, accent: int) -> None:
    places = Places(TEXT, encoding)
    expected = [(0, 0), (0, 1), (0, 1 + smiley), (0, 1 + smiley + accent)]
    for offset, (line, character) in enumerate(expected):
        assert places.position(offset) == types.Position(line, character)
        assert places.offset(types.Position(line, character)) == offset
    assert places.position(5) == types.Position(1, 0), "after both characters of the line end"
    assert places.offset(types.Position(1, 99)) == TEXT.index("\n\n"), "U+2028 ends no line"
    assert places.position(99) == types.Position(3, 1)
    assert places.offset(types.Position(9, 0)) == len(TEXT)
    assert places.first_line(Span(1, len(TEXT))).end == types.Position(0, 1 + smiley + accent)
