"""The tool `premortem`."""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.agent.sizes import Limit, Offset, continuation, page_of, short_prose, short_statement
from migsafe.agent.tool import Answer, Changed, Paths, PgVersion, Problem, Progress, Since, Tool, problem_lines, problems_of
from migsafe.agent.workspace import Workspace
from migsafe.assessment.premortem import Assessment, FailureMode, Premortem
from migsafe.library.premortem import premortem


class PremortemArguments(Struct, frozen=True, kw_only=True):
    """The arguments of `premortem`."""

    paths: Paths = None
    since: Since = None
    changed: Changed = False
    pg_version: PgVersion = None
    limit: Limit = 5
    offset: Offset = 0


class FailureResult(Struct, frozen=True, kw_only=True):
    """One way in which a migration can fail: what the team would see, the cause, SQL that finds the cause before the release, and what to do
    instead."""

    title: str
    sees: str
    because: str
    lasts: str = ""
    check: str = ""
    instead: str = ""
    lines: tuple[int, ...] = ()


class PartialFailureResult(Struct, frozen=True, kw_only=True):
    """What remains if the migration fails at a line, and whether it can be run again."""

    line: int
    kept: str
    rerun: str


class RollbackResult(Struct, frozen=True, kw_only=True):
    """How to undo the migration: by a `written` down migration, statements `by hand`, or `none`. `loses` is what that loses, `gone` what the
    migration itself has lost."""

    manner: str
    steps: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    but: tuple[str, ...] = ()


class AssessmentResult(Struct, frozen=True, kw_only=True):
    """One migration: how it can fail, what a failure leaves behind, what the running release and the new one meet, and how to undo it."""

    path: str
    transactions: str
    failure_modes: tuple[FailureResult, ...]
    partial_failures: tuple[PartialFailureResult, ...]
    running_release: tuple[str, ...]
    new_release: tuple[str, ...]
    rollback: RollbackResult
    no_safe_order: tuple[str, ...] = ()


class RolloutResult(Struct, frozen=True, kw_only=True):
    """One step of a safe rollout, in its order."""

    phase: str
    migration: str
    line: int
    sql: str


class PremortemResult(Struct, frozen=True, kw_only=True):
    """The pre-mortem of a deployment. `gate_open` unless a migration exceeds a budget of the configuration (`forbidden`); `doubtful` may exceed
    one. `left_out` counts the migrations after the last one here."""

    gate_open: bool
    budgets: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    rollout: tuple[RolloutResult, ...] = ()
    migrations: tuple[AssessmentResult, ...] = ()
    left_out: int = 0
    problems: tuple[Problem, ...] = ()


def _premortem(arguments: PremortemArguments, workspace: Workspace, progress: Progress) -> Answer:
    found = premortem(
        workspace.requested(arguments.paths),
        settings=workspace.settings(arguments.pg_version),
        since=arguments.since,
        changed=arguments.changed,
    )
    workspace.check_results(assessment.path for assessment in found.assessments)
    shown, left_out = page_of(found.assessments, arguments.limit, arguments.offset)
    result = PremortemResult(
        gate_open=not found.forbidden,
        budgets=found.budgets,
        forbidden=found.forbidden,
        doubtful=found.doubtful,
        rollout=tuple(_rollout(found, {assessment.path for assessment in shown})),
        migrations=tuple(map(_assessment, shown)),
        left_out=left_out,
        problems=problems_of(found.problems),
    )
    return Answer(result=result, text="\n".join(_lines(result, arguments)))


def _rollout(found: Premortem, paths: set[str]) -> Iterator[RolloutResult]:
    for step in found.steps:
        if step.path in paths:
            yield RolloutResult(phase=step.phase.name.lower(), migration=step.migration, line=step.line, sql=short_statement(step.text))


def _assessment(assessment: Assessment) -> AssessmentResult:
    plan = assessment.rollback_plan
    return AssessmentResult(
        path=assessment.path,
        transactions=assessment.transactions,
        failure_modes=tuple(map(_failure_mode, assessment.failure_modes)),
        partial_failures=tuple(
            PartialFailureResult(line=each.line, kept=short_prose(each.kept), rerun=short_prose(each.rerun))
            for each in assessment.partial_failures
        ),
        running_release=assessment.running_release,
        new_release=assessment.new_release,
        rollback=RollbackResult(
            manner=plan.manner, steps=tuple(map(short_statement, plan.steps)), loses=plan.loses, gone=plan.gone, but=plan.but
        ),
        no_safe_order=assessment.no_safe_order,
    )


def _failure_mode(mode: FailureMode) -> FailureResult:
    return FailureResult(
        title=mode.title,
        sees=short_prose(mode.sees),
        because=short_prose(mode.because),
        lasts=mode.lasts,
        check=short_prose(mode.check),
        instead=short_prose(mode.instead),
        lines=mode.lines,
    )


def _lines(result: PremortemResult, arguments: PremortemArguments) -> Iterator[str]:
    yield "gate: " + ("closed" if not result.gate_open else "open" if result.budgets else "open, because the configuration has no budgets")
    yield from (f"    exceeds a budget: {text}" for text in result.forbidden)
    yield from (f"    may exceed a budget: {text}" for text in result.doubtful)
    if result.rollout:
        yield "order of a safe rollout:"
        yield from (f"    {step.phase}: {step.migration}, line {step.line}: {' '.join(step.sql.split())}" for step in result.rollout)
    for migration in result.migrations:
        yield from _migration_lines(migration)
    yield from problem_lines(result.problems)
    if more := continuation(result.left_out, "migrations", arguments.limit, arguments.offset):
        yield more


def _migration_lines(migration: AssessmentResult) -> Iterator[str]:
    yield f"{migration.path} ({migration.transactions}):"
    for mode in migration.failure_modes:
        lines = f" (line {', '.join(map(str, mode.lines))})" if mode.lines else ""
        yield f"    can fail{lines}: {mode.title}. {mode.sees} {mode.because}"
        yield from (f"        instead: {line}" for line in mode.instead.splitlines()[:1])
    yield from (f"    if line {each.line} fails: {each.kept} stays; can it be run again? {each.rerun}" for each in migration.partial_failures)
    yield from (f"    running release: {text}" for text in migration.running_release)
    yield from (f"    new release on the old schema: {text}" for text in migration.new_release)
    yield from (f"    no order is safe: {text}" for text in migration.no_safe_order)
    yield f"    rollback: {migration.rollback.manner}"
    yield from (f"        loses: {text}" for text in (*migration.rollback.loses, *migration.rollback.gone))


PREMORTEM = Tool(
    name="premortem",
    title="Pre-mortem of a deployment",
    description=(
        "Assesses how a deployment of migrations can fail: what the team would see, what an aborted run leaves behind, whether the running and"
        " the new release work meanwhile, the rollback plan, and the order of a safe rollout."
    ),
    arguments=PremortemArguments,
    result=PremortemResult,
    run=_premortem,
)
