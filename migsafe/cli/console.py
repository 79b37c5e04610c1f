"""Standard output, standard error and files, as the command line writes to them."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from shutil import get_terminal_size
from time import monotonic
from traceback import print_exception
from typing import TypeVar

from migsafe.errors import MigsafeError
from migsafe.reports import Look

COULD_NOT = 2
"""The exit code of what could not be done."""

DEBUG = "MIGSAFE_DEBUG"
"""The environment variable that asks for tracebacks."""

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


def deliver(report: str, output: Path | None) -> None:
    """Write a report to a file, or to standard output, whose reader may leave early (`| head`)."""
    try:
        if output is not None:
            output.write_text(report, encoding="utf-8", errors="backslashreplace")
            return
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        sys.stdout.write(report)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more on its way out, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        place = output or "standard output"
        raise MigsafeError(f"{place}: cannot be written: {(error.strerror or str(error)).lower()}") from error


def complain(what: object) -> None:
    """Say on standard error what went wrong; with MIGSAFE_DEBUG set, also where."""
    text = f"migsafe: {what}".encode(errors="backslashreplace").decode()
    with suppress(OSError):
        print(text, file=sys.stderr)
    if DEBUG in os.environ and isinstance(what, BaseException) and what.__cause__:
        print_exception(what.__cause__)


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
