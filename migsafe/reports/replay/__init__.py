"""Writing down what a replay measured: one file a format, none of which decides anything. Findings alone go through the linter's formats."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from migsafe.errors import ConfigError, did_you_mean
from migsafe.reports import FORMATS as OF_FINDINGS
from migsafe.reports import Look, reporter

if TYPE_CHECKING:
    from migsafe.library.replay import Replay

OWN = ("text", "json", "html")
"""The formats that tell all; each is a module here with a function `report(replay, look)`."""

FORMATS = (*OWN, *(format for format in OF_FINDINGS if format not in OWN))
"""What `--format` takes."""


def replay_reporter(format: str) -> "Callable[[Replay, Look], str]":
    """The function that writes a replay in a format. Raises ConfigError for one that there is not."""
    if format not in FORMATS:
        raise ConfigError(f"there is no format {format}", did_you_mean(format, FORMATS))
    if format in OWN:
        write: Callable[[Replay, Look], str] = import_module(f"migsafe.reports.replay.{format}").report
        return write
    findings = reporter(format)
    return lambda replay, look: findings(replay.verdict, look)
