"""Writing lists of queries: one file per format. A report decides nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from migsafe.reports.formats import load_writer
from migsafe.terminal.display import Display

if TYPE_CHECKING:
    from migsafe.library.queries import QueryList

FORMATS = ("text", "json", "jsonl")
"""What `--format` accepts; each is a module here with a function `report(queries, display)`."""


def reporter(format: str) -> "Callable[[QueryList, Display], str]":
    """Returns the function that writes a list of queries in a format. Raises ConfigError for an unknown format."""
    write: Callable[[QueryList, Display], str] = load_writer("migsafe.reports.queries", format, FORMATS)
    return write
