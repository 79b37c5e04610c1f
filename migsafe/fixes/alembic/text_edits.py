"""Edits of a text by position."""

from collections.abc import Iterable

from msgspec import Struct

from migsafe.fixes.alembic.steps import Refused


class TextEdit(Struct, frozen=True):
    """A replacement of the text from `start` up to `end`; with both equal, an insertion."""

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """Returns the text with the edits; insertions at one place keep their order. Raises Refused if two edits overlap: then the fixes that they
    belong to are applied one after the other."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < position:
            raise Refused("its edit overlaps that of another fix; run --fix again after the other fix is written")
        parts += (text[position : edit.start], edit.text)
        position = edit.end
    return "".join((*parts, text[position:]))
