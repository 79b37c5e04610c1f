"""Writing findings down: one file a format, none of which decides anything."""

from collections.abc import Callable
from importlib import import_module

from msgspec import Struct

from migsafe.errors import ConfigError, did_you_mean
from migsafe.linting.judge import Verdict

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit", "markdown")
"""What `--format` takes; each is a module here with a function `report(verdict, look)`."""


class Look(Struct, frozen=True):
    """What the place where a report goes can show. `width` is None where nobody cares, as in a file or a pipe."""

    colour: bool = False
    width: int | None = None


def reporter(format: str) -> Callable[[Verdict, Look], str]:
    """The function that writes a verdict in a format. Raises ConfigError for one that there is not."""
    if format not in FORMATS:
        raise ConfigError(f"there is no format {format}", did_you_mean(format, FORMATS))
    write: Callable[[Verdict, Look], str] = import_module(f"migsafe.reports.{format}").report
    return write
