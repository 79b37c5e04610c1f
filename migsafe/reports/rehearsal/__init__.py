"""Writing a rehearsal: one file per format. A report decides nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from migsafe.reports.formats import load_writer
from migsafe.terminal.display import Display

if TYPE_CHECKING:
    from migsafe.library.rehearse import Rehearsal

FORMATS = ("text", "json", "markdown", "html", "steps")
"""What `--format` accepts; each is a module here with a function `report(rehearsal, display)`."""


def rehearsal_reporter(format: str) -> "Callable[[Rehearsal, Display], str]":
    """Returns the function that writes a rehearsal in a format. Raises ConfigError for an unknown format."""
    write: Callable[[Rehearsal, Display], str] = load_writer("migsafe.reports.rehearsal", format, FORMATS)
    return write
