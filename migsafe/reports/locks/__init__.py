"""Writing down what migrations lock, rewrite and scan: one file a format, none of which decides anything."""

from collections.abc import Callable
from importlib import import_module

from migsafe.errors import ConfigError, did_you_mean
from migsafe.library.locks import Prediction
from migsafe.reports import Look

FORMATS = ("text", "json")
"""What `--format` takes; each is a module here with a function `report(prediction, look)`."""


def reporter(format: str) -> Callable[[Prediction, Look], str]:
    """The function that writes a prediction in a format. Raises ConfigError for one that there is not."""
    if format not in FORMATS:
        raise ConfigError(f"there is no format {format}", did_you_mean(format, FORMATS))
    write: Callable[[Prediction, Look], str] = import_module(f"migsafe.reports.locks.{format}").report
    return write
