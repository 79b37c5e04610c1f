"""Writing a pre-mortem down: one file a format, none of which decides anything."""

from collections.abc import Callable
from importlib import import_module

from migsafe.errors import ConfigError, did_you_mean
from migsafe.premortem.assessment import Premortem
from migsafe.reports import Look

FORMATS = ("markdown", "html", "json")
"""What `--format` takes; each is a module here with a function `report(premortem, look)`."""


def premortem_reporter(format: str) -> Callable[[Premortem, Look], str]:
    """The function that writes a pre-mortem in a format. Raises ConfigError for one that there is not."""
    if format not in FORMATS:
        raise ConfigError(f"there is no format {format}", did_you_mean(format, FORMATS))
    write: Callable[[Premortem, Look], str] = import_module(f"migsafe.reports.premortem.{format}").report
    return write
