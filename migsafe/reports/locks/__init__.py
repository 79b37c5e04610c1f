"""Writing down what migrations lock, rewrite and scan: one file a format, none of which decides anything."""

from collections.abc import Callable, Iterable
from importlib import import_module

from msgspec import Struct

from migsafe.errors import ConfigError, MigsafeError, did_you_mean
from migsafe.prediction.effects.effect import Effect
from migsafe.reports import Look
from migsafe.sources import Migration
from migsafe.sql.statements import Statement

FORMATS = ("text", "json")
"""What `--format` takes; each is a module here with a function `report(prediction, look)`."""


class PredictedStatement(Struct, frozen=True, kw_only=True):
    """A statement and what it does, at its strongest to each relation.

    `transaction` numbers the transactions of the migration: statements with the same one share it, and with it their locks, until it ends.
    None where nothing goes to the server. `refused` says why PostgreSQL would refuse the statement, as the end of a sentence.
    `understood` is False where its effects are not known, or not all of them.
    """

    statement: Statement
    effects: tuple[Effect, ...]
    transaction: int | None
    refused: str | None = None
    understood: bool = True


class PredictedMigration(Struct, frozen=True):
    """A migration and what its statements do."""

    migration: Migration
    statements: tuple[PredictedStatement, ...]


class Prediction(Struct, frozen=True, kw_only=True):
    """What a run predicts. The migrations are made one by one as they are asked for, and what goes wrong meanwhile joins `problems`."""

    migrations: Iterable[PredictedMigration]
    problems: list[MigsafeError]
    pg_version: int


def reporter(format: str) -> Callable[[Prediction, Look], str]:
    """The function that writes a prediction in a format. Raises ConfigError for one that there is not."""
    if format not in FORMATS:
        raise ConfigError(f"there is no format {format}", did_you_mean(format, FORMATS))
    write: Callable[[Prediction, Look], str] = import_module(f"migsafe.reports.locks.{format}").report
    return write
