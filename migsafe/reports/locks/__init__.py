"""Writing predictions of what migrations lock, rewrite and scan: one file per format. A report decides nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from migsafe.reports.formats import load_writer
from migsafe.terminal.display import Display

if TYPE_CHECKING:
    from migsafe.library.locks import Prediction

FORMATS = ("text", "json")
"""What `--format` accepts; each is a module here with a function `report(prediction, display)`."""


def reporter(format: str) -> "Callable[[Prediction, Display], str]":
    """Returns the function that writes a prediction in a format. Raises ConfigError for an unknown format."""
    write: Callable[[Prediction, Display], str] = load_writer("migsafe.reports.locks", format, FORMATS)
    return write
