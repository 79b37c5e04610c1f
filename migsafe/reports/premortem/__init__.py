"""Writing a pre-mortem: one file per format. A report decides nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from migsafe.reports.formats import load_writer
from migsafe.terminal.display import Display

if TYPE_CHECKING:
    from migsafe.assessment.premortem import Premortem

FORMATS = ("markdown", "html", "json")
"""What `--format` accepts; each is a module here with a function `report(premortem, display)`."""


def premortem_reporter(format: str) -> "Callable[[Premortem, Display], str]":
    """Returns the function that writes a pre-mortem in a format. Raises ConfigError for an unknown format."""
    write: Callable[[Premortem, Display], str] = load_writer("migsafe.reports.premortem", format, FORMATS)
    return write
