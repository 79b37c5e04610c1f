"""The outcome of an experiment."""

from typing import Literal

from msgspec import Struct

Answer = Literal["yes", "no", "unknown"]


class Observation(Struct, frozen=True):
    """One observation of an experiment, with the index of the statement that it belongs to, if any."""

    text: str
    statement: int | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """The outcome of an experiment.

    `passed` is None if the experiment was not possible. `summary` is one sentence, `observations` are the details. `harmless` marks a
    failure without consequences: a migration that cannot run twice but never has to.
    """

    experiment: str
    passed: bool | None
    summary: str
    observations: tuple[Observation, ...] = ()
    harmless: bool = False
