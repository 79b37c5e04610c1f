"""Putting together what several runs of one script have sent."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from msgspec.structs import replace

from migsafe.rendering.messages import RenderedCall

_CONSTANT = re.compile(r"'(?:[^']|'')*'|⟨[^⟩]*⟩|\b\d+\b")

_Key = tuple[int, int, str, str]


def merge_runs(runs: Sequence[list[RenderedCall]]) -> list[RenderedCall]:
    """The pieces of several runs, in an order that all of them keep as far as it can be kept. Certain is what all runs have sent."""
    if len(runs) == 1:
        return _once(runs[0])
    number: dict[tuple[_Key, int], int] = {}
    together: list[tuple[tuple[_Key, int], RenderedCall]] = []
    for pieces in runs:
        keyed = _keyed(_once(pieces))
        for key, _ in keyed:
            number[key] = number.get(key, 0) + 1
        together = _merge(together, keyed)
    return _once([replace(piece, certain=piece.certain and number[key] == len(runs)) for key, piece in together])


def _merge(
    one: list[tuple[tuple[_Key, int], RenderedCall]], other: list[tuple[tuple[_Key, int], RenderedCall]]
) -> list[tuple[tuple[_Key, int], RenderedCall]]:
    matcher = SequenceMatcher(None, [key for key, _ in one], [key for key, _ in other], autojunk=False)
    found = []
    here = {key for key, _ in one}
    for what, start, end, other_start, other_end in matcher.get_opcodes():
        found += one[start:end]
        if what in ("insert", "replace"):
            found += [(key, piece) for key, piece in other[other_start:other_end] if key not in here]
    return found


def _keyed(pieces: Sequence[RenderedCall]) -> list[tuple[tuple[_Key, int], RenderedCall]]:
    """Pieces by what tells them apart: place and text, but for constants, which may be the time; and the how manieth it is."""
    seen: dict[_Key, int] = {}
    found = []
    for piece in pieces:
        key = _key(piece)
        seen[key] = seen.get(key, 0) + 1
        found.append(((key, seen[key]), piece))
    return found


def _key(piece: RenderedCall) -> _Key:
    return piece.start, piece.end, _CONSTANT.sub("?", piece.sql), piece.opaque


def _once(pieces: Sequence[RenderedCall]) -> list[RenderedCall]:
    """Pieces without those that only come again because a loop has no end that anybody knows."""
    seen: set[_Key] = set()
    found = []
    for piece in pieces:
        unsure = not piece.certain or piece.opaque or piece.unknown_marks
        if unsure and _key(piece) in seen:
            continue
        seen.add(_key(piece))
        found.append(piece)
    return found
