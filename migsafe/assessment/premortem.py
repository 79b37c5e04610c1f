"""What a pre-mortem says, as values: reports write it down, and decide nothing."""

from enum import IntEnum

from msgspec import Struct

from migsafe.errors import MigsafeError
from migsafe.linting.finding import Finding
from migsafe.sources import Migration
from migsafe.sql.operations import Name


class Phase(IntEnum):
    """When an operation belongs into a rollout, the first one first."""

    EXPAND = 1
    BACKFILL = 2
    VALIDATE = 3
    CONTRACT = 4


class FailureMode(Struct, frozen=True, kw_only=True):
    """One way in which a migration can fail.

    `sees` is what the team would see, `because` why it comes to that, `lasts` for how long, `check` is SQL that tells beforehand,
    `instead` what to do about it. `lines` are where it begins.
    """

    title: str
    sees: str
    because: str
    lasts: str = ""
    check: str = ""
    instead: str = ""
    lines: tuple[int, ...] = ()


class AffectedRelation(Struct, frozen=True, kw_only=True):
    """A relation in the blast radius: its strongest lock, who waits for it and for how long, its rows where they are known, and what hangs on
    it. `measured` is the longest that a replay has held a lock there that stops somebody."""

    relation: Name
    lock: str
    blocks: str
    duration: str
    rows: int | None
    measured: str = ""
    related: tuple[str, ...] = ()


class PartialFailure(Struct, frozen=True, kw_only=True):
    """What a failure leaves behind: what has stayed, when it fails at `at`, and whether the whole can be run again then."""

    statement: int
    line: int
    kept: str
    rerun: str


class RollbackPlan(Struct, frozen=True, kw_only=True):
    """The way back: `manner` says what there is, `steps` are SQL in its order, `loses` what it loses, `gone` what no way back brings again,
    `but` what else to know."""

    manner: str
    steps: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    but: tuple[str, ...] = ()


class RolloutStep(Struct, frozen=True, kw_only=True):
    """One step of a safe rollout."""

    phase: Phase
    path: str
    migration: str
    line: int
    text: str


class Assessment(Struct, frozen=True, kw_only=True):
    """One migration: how it can fail, what that hits, what is left, how the releases get on with it, and the way back.

    `running_release` is what the running release meets on the new schema, `new_release` what the new one misses on the old schema. `unordered`
    says for which of its statements no order of deployment is safe, `unknown` what is not known of it, `measured` what a replay has shown.
    """

    migration: Migration
    transactions: str
    failure_modes: tuple[FailureMode, ...]
    affected_relations: tuple[AffectedRelation, ...]
    timeouts: tuple[str, ...]
    partial_failures: tuple[PartialFailure, ...]
    running_release: tuple[str, ...]
    new_release: tuple[str, ...]
    rollback_plan: RollbackPlan
    findings: tuple[Finding, ...]
    steps: tuple[RolloutStep, ...]
    no_safe_order: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The migration's file."""
        return self.migration.up.file.path


class Premortem(Struct, frozen=True, kw_only=True):
    """A whole pre-mortem.

    `budgets` are those that the configuration sets, in words; `forbidden` what breaks them, any of which closes the gate; `doubtful` what may
    break them, and cannot be told. `problems` are what could not be judged or replayed.
    """

    assessments: tuple[Assessment, ...]
    pg_version: int
    with_rows: bool
    replayed_on: str = ""
    budgets: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    problems: tuple[MigsafeError, ...] = ()

    @property
    def steps(self) -> tuple[RolloutStep, ...]:
        """The steps of all migrations, in the order of a safe rollout."""
        return tuple(sorted((step for one in self.assessments for step in one.steps), key=lambda step: step.phase))
