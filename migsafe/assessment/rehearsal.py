"""The content of a rehearsal, as values: the phases of a rollout, and whether both releases work in each."""

from enum import StrEnum

from msgspec import Struct

from migsafe.assessment.premortem import Phase
from migsafe.linting.finding import NamedQuery
from migsafe.replaying.experiments.batches import BatchedChange
from migsafe.replaying.recording.load_times import LoadTimes


class Answer(StrEnum):
    """Whether the queries of a release work in a phase."""

    WORKS = "works"
    FAILS = "fails"
    NOT_RUNNING = "not running"
    """The release is not deployed yet, or no longer runs."""
    NOT_TRIED = "not tried"


class ReleaseResult(Struct, frozen=True, kw_only=True):
    """What a phase means for a release. `tried` is how many of its queries were tried, `failing` are those that fail, or
    would fail if it still ran, `slow` those that
    read a whole table because an index is missing or was dropped, and `reason` says why it does not run or was not tried."""

    answer: Answer
    tried: int = 0
    failing: tuple[NamedQuery, ...] = ()
    slow: tuple[NamedQuery, ...] = ()
    reason: str = ""


class PhaseFailure(Struct, frozen=True, kw_only=True):
    """What makes a phase fail: a finding of the replay, or a query of the new release.

    `path` and `line` are the place of the statement, or of the query, and empty and 0 without one. `help` is the safe way, as SQL or as
    comments.
    """

    rule: str
    message: str
    path: str = ""
    line: int = 0
    queries: tuple[NamedQuery, ...] = ()
    sqlstate: str = ""
    help: str = ""


class PhaseMigration(Struct, frozen=True, kw_only=True):
    """A migration of a phase; `own` are the phases of its operations, and `duration_ms` is how long it ran; None if it did not run. `load` is
    the load beside it; None without any."""

    path: str
    migration: str
    own: tuple[Phase, ...]
    duration_ms: float | None = None
    load: LoadTimes | None = None


class Backfill(Struct, frozen=True, kw_only=True):
    """A statement that changes all rows of a table in one transaction. `message` and `help` are those of the rule backfill-unbatched.

    `duration_ms` is how long it took, None if it did not run. `in_batches` is how the same change went in batches, None if that was not
    tried; `untried` says why, if that is known.
    """

    path: str
    line: int
    message: str
    help: str
    duration_ms: float | None = None
    in_batches: BatchedChange | None = None
    untried: str = ""


class PhaseResult(Struct, frozen=True, kw_only=True):
    """One phase of a rehearsal.

    `untried` are the reasons why a part of it was not tried, `notes` are sentences about the order. `backfills` are its changes of whole tables
    in one transaction, which do not make it fail.
    """

    phase: Phase
    migrations: tuple[PhaseMigration, ...]
    running: ReleaseResult
    new: ReleaseResult
    failures: tuple[PhaseFailure, ...] = ()
    untried: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    backfills: tuple[Backfill, ...] = ()

    @property
    def passed(self) -> bool | None:
        """Whether everything in the phase works; None if a part of it was not tried and the rest works."""
        if self.failures or Answer.FAILS in (self.running.answer, self.new.answer):
            return False
        return None if self.untried else True


def passed(phases: tuple[PhaseResult, ...]) -> bool | None:
    """Returns whether a rehearsal passed: no phase fails; None if none does and a part of one was not tried."""
    results = [phase.passed for phase in phases]
    return False if False in results else None if None in results or not results else True
