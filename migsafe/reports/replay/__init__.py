"""Writing down what a replay measured: one file a format, none of which decides anything. Findings alone go through the linter's formats."""

from collections.abc import Callable
from importlib import import_module

from msgspec import Struct

from migsafe.errors import ConfigError, did_you_mean
from migsafe.linting.judge import Verdict
from migsafe.replaying.replay import Replayed
from migsafe.reports import FORMATS as OF_FINDINGS
from migsafe.reports import Look, reporter

OWN = ("text", "json", "html")
"""The formats that tell all; each is a module here with a function `report(replay, look)`."""

FORMATS = (*OWN, *(format for format in OF_FINDINGS if format not in OWN))
"""What `--format` takes."""


class Replay(Struct, frozen=True, kw_only=True):
    """A whole replay: where it ran, what was recorded, and the findings about that. `rows` says what the tables were filled with, and
    `unfilled` which of them stayed empty, and why; `notes` are sentences on what was done so that the migrations could run."""

    host: str
    pg_version: int
    replayed: tuple[Replayed, ...]
    verdict: Verdict
    rows: str = ""
    unfilled: dict[str, str] = {}
    notes: tuple[str, ...] = ()


def replay_reporter(format: str) -> Callable[[Replay, Look], str]:
    """The function that writes a replay in a format. Raises ConfigError for one that there is not."""
    if format not in FORMATS:
        raise ConfigError(f"there is no format {format}", did_you_mean(format, FORMATS))
    if format in OWN:
        write: Callable[[Replay, Look], str] = import_module(f"migsafe.reports.replay.{format}").report
        return write
    findings = reporter(format)
    return lambda replay, look: findings(replay.verdict, look)
