"""The outcome of an experiment."""

from typing import Literal

from msgspec import Struct

Answer = Literal["yes", "no", "unknown"]


class Observation(Struct, frozen=True):
    """One thing that came of an experiment, at a statement of the migration where it belongs to one (by its number)."""

    text: str
    statement: int | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of an experiment.

    `passed` is None where it could not be tried; `summary` says it in a sentence, `steps` what it is made of. `harmless` marks what
    failed and yet does no harm: a migration that cannot run twice but never has to.
    """

    experiment: str
    passed: bool | None
    summary: str
    observations: tuple[Observation, ...] = ()
    harmless: bool = False
