"""What a pre-mortem says, as values: reports write it down, and decide nothing."""

from enum import IntEnum

from msgspec import Struct

from migsafe.finding import Finding
from migsafe.sources import Migration
from migsafe.sql.operations import Name


class Phase(IntEnum):
    """When an operation belongs into a rollout, the first one first."""

    EXPAND = 1
    BACKFILL = 2
    VALIDATE = 3
    CONTRACT = 4


class Way(Struct, frozen=True, kw_only=True):
    """One way in which a migration can fail.

    `sees` is what the team would see, `because` why it comes to that, `lasts` for how long, `check` is SQL that tells beforehand, `instead`
    what to do about it. `statement` is its number in the migration.
    """

    title: str
    sees: str
    because: str
    lasts: str = ""
    check: str = ""
    instead: str = ""
    statement: int | None = None
    line: int | None = None


class Touched(Struct, frozen=True, kw_only=True):
    """A relation in the blast radius: what stops while it is locked, its rows where they are known, and what hangs on it."""

    relation: Name
    lock: str
    stops: str
    rows: int | None
    grows: bool
    around: tuple[str, ...] = ()


class Left(Struct, frozen=True, kw_only=True):
    """What a failure leaves behind: `statements` that stay, when it fails at `at`, and whether the whole can be run again then."""

    at: int
    line: int
    kept: int
    again: str


class RolloutStep(Struct, frozen=True, kw_only=True):
    """One step of a safe rollout."""

    phase: Phase
    migration: str
    line: int
    text: str


class Assessment(Struct, frozen=True, kw_only=True):
    """One migration: how it can fail, what that hits, what is left, and the way back."""

    migration: Migration
    manner: str
    ways: tuple[Way, ...]
    touched: tuple[Touched, ...]
    left: tuple[Left, ...]
    running_release: tuple[Finding, ...]
    back: tuple[str, ...]
    findings: tuple[Finding, ...]
    steps: tuple[RolloutStep, ...]
    measured: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The migration's file."""
        return self.migration.up.file.path


class Premortem(Struct, frozen=True, kw_only=True):
    """A whole pre-mortem. `forbidden` are the breaches of the budgets that the configuration sets: any of them closes the gate."""

    assessments: tuple[Assessment, ...]
    pg_version: int
    with_rows: bool
    replayed_on: str = ""
    forbidden: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[RolloutStep, ...]:
        """The steps of all migrations, in the order of a safe rollout."""
        return tuple(sorted((step for one in self.assessments for step in one.steps), key=lambda step: step.phase))
