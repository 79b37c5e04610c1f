"""Edits of a text by position."""

from collections.abc import Iterable

from msgspec import Struct


class TextEdit(Struct, frozen=True):
    """A replacement of the text from `start` up to `end`; with both equal, an insertion."""

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """Returns the text with edits that do not overlap; insertions at one place keep their order."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        assert edit.start >= position
        parts += (text[position : edit.start], edit.text)
        position = edit.end
    return "".join((*parts, text[position:]))
