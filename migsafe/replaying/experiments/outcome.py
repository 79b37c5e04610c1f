"""The outcome of an experiment."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

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


def tried_in_part(outcome: Outcome, left_out: int) -> Outcome:
    """Returns the outcome of an experiment with a migration of which this number of statements was left out: it answers yes for none."""
    if not left_out or outcome.passed is not True:
        return outcome
    statements, them = ("1 statement was", "it") if left_out == 1 else (f"{left_out} statements were", "them")
    return replace(outcome, passed=None, summary=f"not tried as a whole: {statements} left out; without {them}, {outcome.summary}")
