"""Inlay hints: the strongest lock of each statement, at its end."""

from collections.abc import Iterator

from lsprotocol import types

from migsafe.editor.documents import Document, touches
from migsafe.prediction.effects.effect import Effect
from migsafe.reports.locks.wording import blocking
from migsafe.text import Span


def inlay_hints(document: Document, range: types.Range) -> list[types.InlayHint]:
    """Returns a hint for each statement in a range that locks a relation."""
    wanted = document.places.span(range)
    by_place: dict[Span, list[Effect]] = {}
    for _, prediction, place in document.statements():
        # A call may send several statements; the hint is at the call.
        by_place.setdefault(place, []).extend(prediction.effects)
    return [hint for place, effects in by_place.items() if touches(place, wanted) for hint in _hint(document, place, effects)]


def _hint(document: Document, place: Span, effects: list[Effect]) -> Iterator[types.InlayHint]:
    if not effects:
        return
    strongest = max(effects, key=lambda effect: (not effect.new, effect.lock.strength))
    others = len({effect.relation for effect in effects}) - 1
    label = f"{strongest.lock} {strongest.relation.name}" + (f" +{others}" if others else "") + (" (new)" if strongest.new else "")
    yield types.InlayHint(
        document.places.position(_visible_end(document.text, place)),
        label,
        tooltip=f"{strongest.lock} on {strongest.relation}: {blocking(strongest)}",
        padding_left=True,
    )


def _visible_end(text: str, place: Span) -> int:
    """Returns the end of a statement, after its semicolon if that follows."""
    end = place.start + len(text[place.start : place.end].rstrip())
    return end + 1 if text[end : end + 1] == ";" else end
