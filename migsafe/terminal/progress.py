"""Progress on standard error."""

import sys
from collections.abc import Callable, Iterator, Sequence
from shutil import get_terminal_size
from time import monotonic
from typing import TypeVar

from migsafe.terminal.width import truncated

_SILENT_SECONDS = 1.0
"""How many seconds may pass before progress is shown."""

_SECONDS_BETWEEN_LINES = 5.0

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


class Status:
    """The current step of a long command, on standard error: on a terminal, a line that is replaced; elsewhere, for example in the log of a CI
    job, a line every few seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._shown = clock()

    def show(self, text: str) -> None:
        """Shows the current step; an empty text clears the line of a terminal."""
        if sys.stderr.isatty():
            print(_CLEAR_LINE + truncated(text, get_terminal_size().columns - 1), end="", file=sys.stderr, flush=True)
        elif text and self._clock() - self._shown >= _SECONDS_BETWEEN_LINES:
            self._shown = self._clock()
            print(text, file=sys.stderr, flush=True)
