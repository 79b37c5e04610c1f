"""Progress on standard error, for a person at a terminal."""

import sys
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TypeVar

_SILENT_SECONDS = 1.0
"""How many seconds may pass before progress is shown."""

_CLEAR_LINE = "\r\x1b[K"

_Item = TypeVar("_Item")


def track(items: Sequence[_Item], label: str) -> Iterator[_Item]:
    """Yields the items; on a terminal, shows how many of them are done if that takes long."""
    if not sys.stderr.isatty():
        yield from items
        return
    started = shown = monotonic()
    for number, item in enumerate(items):
        now = monotonic()
        if now - started > _SILENT_SECONDS and now - shown > _SILENT_SECONDS / 10:
            shown = now
            print(f"\r{label} {number} of {len(items)}", end="", file=sys.stderr, flush=True)
        yield item
    if shown != started:
        print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)


def show_status(text: str) -> None:
    """Replaces the status line on a terminal; an empty text clears it."""
    if sys.stderr.isatty():
        print(_CLEAR_LINE + text, end="", file=sys.stderr, flush=True)
