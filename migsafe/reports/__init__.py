"""Writing findings: one file per format. A report decides nothing."""

from collections.abc import Callable

from migsafe.linting.verdict import Verdict
from migsafe.reports.formats import load_writer
from migsafe.terminal.display import Display

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit", "markdown", "gcc")
"""What `--format` accepts; each is a module here with a function `report(verdict, display)`."""


def reporter(format: str) -> Callable[[Verdict, Display], str]:
    """Returns the function that writes a verdict in a format. Raises ConfigError for an unknown format."""
    write: Callable[[Verdict, Display], str] = load_writer("migsafe.reports", format, FORMATS)
    return write
