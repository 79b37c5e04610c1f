"""The content of a pre-mortem, as values. Reports write it, and decide nothing."""

from enum import IntEnum

from msgspec import Struct

from migsafe.assessment.query_effects import QueryEffects
from migsafe.errors import MigsafeError
from migsafe.linting.finding import Finding
from migsafe.sources import Migration
from migsafe.sql.operations import Name


class Phase(IntEnum):
    """The phase of a rollout to which an operation belongs, in order."""

    EXPAND = 1
    DEPLOY = 2
    """The deployment of the new release: no operation of a migration belongs to it."""
    BACKFILL = 3
    VALIDATE = 4
    CONTRACT = 5


class FailureMode(Struct, frozen=True, kw_only=True):
    """One way in which a migration can fail.

    `sees` is what the team would see, `because` the cause, `lasts` for how long, `check` SQL that finds the cause before the release, and
    `instead` what to do about it. `lines` are the lines of the statements that begin it.
    """

    title: str
    sees: str
    because: str
    lasts: str = ""
    check: str = ""
    instead: str = ""
    lines: tuple[int, ...] = ()


class AffectedRelation(Struct, frozen=True, kw_only=True):
    """A relation that a migration locks.

    `lock` is the strongest lock, `blocks` what it blocks, `duration` for how long it is held, `rows` production's row count if it is known,
    `related` the tables and views that depend on the relation or that it references. `measured` is the longest that a replay held a lock on it
    that blocks reads or writes.
    """

    relation: Name
    lock: str
    blocks: str
    duration: str
    rows: int | None
    measured: str = ""
    related: tuple[str, ...] = ()


class PartialFailure(Struct, frozen=True, kw_only=True):
    """What remains (`kept`) if a migration fails at a statement, and whether it can then be run again (`rerun`)."""

    statement: int
    line: int
    kept: str
    rerun: str


class RollbackPlan(Struct, frozen=True, kw_only=True):
    """How to undo a migration.

    `manner` says whether there is a down migration ("written", or "unread" if it was not analysed), statements "by hand", or "none". `steps`
    are the statements by hand, in their order; `loses` is what a rollback loses, `gone` what the migration itself has lost and no rollback
    restores, `but` what else to know.
    """

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
    """The result for one migration: how it can fail, what it locks, what a failure leaves behind, and how to undo it.

    `transactions` says in how many transactions it runs. `running_release` is what the running release meets on the new schema, `new_release`
    what the new release lacks on the old schema. `no_safe_order` names the statements for which no order of deployment is safe, `unknown` why
    the migration is not fully known, `measured` what a replay measured, `query_effects` what it means for the application's queries.
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
    query_effects: QueryEffects = QueryEffects()

    @property
    def path(self) -> str:
        """The migration's file."""
        return self.migration.up.file.path


class Premortem(Struct, frozen=True, kw_only=True):
    """A whole pre-mortem.

    `budgets` describes the budgets that the configuration sets, `forbidden` what exceeds them and closes the gate, `doubtful` what may exceed
    them. `problems` are the errors of migrations that could not be judged or replayed. `queries` are the findings about the release's queries
    themselves, which are not at a migration.
    """

    assessments: tuple[Assessment, ...]
    pg_version: int
    with_rows: bool
    replayed_on: str = ""
    budgets: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    problems: tuple[MigsafeError, ...] = ()
    queries: tuple[Finding, ...] = ()

    @property
    def steps(self) -> tuple[RolloutStep, ...]:
        """Returns the steps of all migrations, in the order of a safe rollout."""
        return tuple(sorted((step for assessment in self.assessments for step in assessment.steps), key=lambda step: step.phase))
