"""Writing what a replay measured: one file per format. A report decides nothing. The linter's other formats write its findings alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from migsafe.reports import FORMATS as FORMATS_OF_FINDINGS
from migsafe.reports import reporter
from migsafe.reports.formats import check_format, load_writer
from migsafe.terminal.display import Display

if TYPE_CHECKING:
    from migsafe.library.replay import Replay

OWN = ("text", "json", "html", "markdown")
"""The formats that contain everything; each is a module here with a function `report(replay, display)`."""

FORMATS = (*OWN, *(format for format in FORMATS_OF_FINDINGS if format not in OWN))
"""What `--format` accepts."""


def replay_reporter(format: str) -> "Callable[[Replay, Display], str]":
    """Returns the function that writes a replay in a format. Raises ConfigError for an unknown format."""
    check_format(format, FORMATS)
    if format in OWN:
        write: Callable[[Replay, Display], str] = load_writer("migsafe.reports.replay", format, OWN)
        return write
    write_findings = reporter(format)
    return lambda replay, display: write_findings(replay.verdict, display)
