"""What the command line knows of the places where it writes."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import get_terminal_size
from time import monotonic
from typing import TypeVar

from migsafe.reports import Look
from migsafe.terminal.output import DEBUG, complain, deliver

__all__ = ["COULD_NOT", "DEBUG", "complain", "deliver", "look", "watched"]

COULD_NOT = 2
"""The exit code of what could not be done."""

_PATIENCE = 1.0
"""How many seconds may pass in silence."""

_Item = TypeVar("_Item")


def look(output: Path | None) -> Look:
    """What the place of a report can show: colour on a terminal unless NO_COLOR is set, and anywhere if FORCE_COLOR is."""
    terminal = output is None and sys.stdout.isatty()
    colour = not os.environ.get("NO_COLOR") and (terminal or bool(os.environ.get("FORCE_COLOR")))
    if os.environ.get("TERM") == "dumb" and not os.environ.get("FORCE_COLOR"):
        colour = False
    return Look(colour=colour, width=get_terminal_size().columns if terminal else None)


def watched(items: Sequence[_Item], doing: str) -> Iterator[_Item]:
    """The items one by one; a person at a terminal sees how far it has come once that takes long."""
    if not sys.stderr.isatty():
        yield from items
        return
    started = shown = monotonic()
    for number, item in enumerate(items):
        now = monotonic()
        if now - started > _PATIENCE and now - shown > _PATIENCE / 10:
            shown = now
            print(f"\r{doing} {number} of {len(items)}", end="", file=sys.stderr, flush=True)
        yield item
    if shown != started:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
