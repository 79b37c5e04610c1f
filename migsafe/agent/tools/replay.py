"""The tool `replay`."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from migsafe.agent.findings import FindingResult, counted, finding_lines, finding_result, worst_first
from migsafe.agent.sizes import Limit, continuation, page_of, short_prose, short_statement
from migsafe.agent.tool import Answer, Changed, Paths, Problem, Progress, Since, Tool, problem_lines, problems_of
from migsafe.agent.workspace import Workspace
from migsafe.library.plan import find_plan
from migsafe.library.project_queries import read_replay_queries
from migsafe.library.replay import Replay, default_options, replay
from migsafe.replaying.recording.records import MeasuredEffect, StatementRecord
from migsafe.replaying.replay import EXPERIMENTS, ReplayedMigration
from migsafe.replaying.servers.selection import ServerOptions
from migsafe.sources import Half

_MOST_ROWS, _MOST_SECONDS = 1_000_000, 1_800


class ReplayArguments(Struct, frozen=True, kw_only=True):
    """The arguments of `replay`."""

    paths: Paths = None
    since: Since = None
    changed: Changed = False
    rows: Annotated[int, Meta(ge=0, le=_MOST_ROWS, description="How many rows each touched table gets.")] = 10_000
    experiments: Annotated[
        bool, Meta(description="Also run each migration a second time, after a crash, and down and up again where it can be undone.")
    ] = True
    seconds: Annotated[int, Meta(ge=10, le=_MOST_SECONDS, description="The time limit of the whole replay.")] = 300
    pg_version: Annotated[int | None, Meta(description="The major version of the server to start. Default: that of the configuration.")] = None
    limit: Limit = 20


class MeasuredLock(Struct, frozen=True, kw_only=True):
    """A lock that a statement took on a relation, what waits meanwhile, and for how long it was held."""

    relation: str
    lock: str
    blocks: tuple[str, ...]
    held_ms: float
    rewrite: bool = False
    scan: bool = False


class MeasuredStatement(Struct, frozen=True, kw_only=True):
    """A statement that ran, or did not (`failed`, `left_out`)."""

    line: int
    sql: str
    duration_ms: float
    wal_bytes: int
    locks: tuple[MeasuredLock, ...] = ()
    failed: str = ""
    left_out: str = ""


class ExperimentResult(Struct, frozen=True, kw_only=True):
    """An experiment; `passed` is None if it was not possible."""

    experiment: str
    passed: bool | None
    summary: str


class MigrationResult(Struct, frozen=True, kw_only=True):
    """A migration that ran: the longest time for which a query of other sessions waited, its statements that took a lock or failed, and the
    experiments. `statements_left_out` counts statements that are not listed."""

    path: str
    duration_ms: float
    longest_wait_ms: float
    failed: str = ""
    statements: tuple[MeasuredStatement, ...] = ()
    statements_left_out: int = 0
    experiments: tuple[ExperimentResult, ...] = ()


class ReplayResult(Struct, frozen=True, kw_only=True):
    """A replay. `passed` if every migration ran, within the budgets and without failing an experiment; `reasons` say why not. `left_out` counts
    the findings that are not listed."""

    passed: bool
    server: str
    reasons: tuple[str, ...] = ()
    migrations: tuple[MigrationResult, ...] = ()
    findings: tuple[FindingResult, ...] = ()
    left_out: int = 0
    not_run: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def _replay(arguments: ReplayArguments, workspace: Workspace, progress: Progress) -> Answer:
    settings, paths = workspace.settings(), workspace.requested(arguments.paths)
    plan = find_plan(paths, settings, "replay", since=arguments.since, changed=arguments.changed)
    # Before anything runs: a file outside the folder is not executed, either.
    workspace.check_results(migration.up.file.path for migration in plan.migrations)
    options = replace(
        default_options(settings),
        rows=lambda table: arguments.rows,
        experiments=EXPERIMENTS if arguments.experiments else (),
        run_limit=float(arguments.seconds),
        queries=read_replay_queries(settings, plan),
    )
    version = str(arguments.pg_version) if arguments.pg_version is not None else None
    replayed = replay(
        paths,
        settings=settings,
        server=ServerOptions(pg_version=version),
        options=options,
        since=arguments.since,
        changed=arguments.changed,
        on_progress=progress,
    )
    result = _result(replayed, arguments.limit)
    return Answer(result=result, text="\n".join(_lines(result, arguments)))


def _result(replayed: Replay, limit: int) -> ReplayResult:
    shown, left_out = page_of(worst_first(replayed.verdict.findings), limit, 0)
    return ReplayResult(
        passed=replayed.facts.passed,
        server=replayed.host,
        reasons=replayed.facts.reasons,
        migrations=tuple(_migration(migration, limit) for migration in replayed.replayed),
        findings=tuple(map(finding_result, shown)),
        left_out=left_out,
        not_run=replayed.not_run,
        notes=replayed.notes,
        problems=problems_of(replayed.verdict.problems),
    )


def _migration(replayed: ReplayedMigration, limit: int) -> MigrationResult:
    half, recording = replayed.migration.up, replayed.recording
    telling = [each for each in recording.statements if each.measured_effects or each.failure or each.skip_reason]
    shown, left_out = page_of(telling, limit, 0)
    return MigrationResult(
        path=half.file.path,
        duration_ms=round(recording.duration_ms, 1),
        longest_wait_ms=round(replayed.longest_wait, 1),
        failed=short_prose(replayed.untried or (recording.failure.message if recording.failure else "")),
        statements=tuple(_statement(half, each) for each in shown),
        statements_left_out=left_out,
        experiments=tuple(
            ExperimentResult(experiment=each.experiment, passed=each.passed, summary=short_prose(each.summary)) for each in replayed.outcomes
        ),
    )


def _statement(half: Half, record: StatementRecord) -> MeasuredStatement:
    return MeasuredStatement(
        line=half.file.position(half.file_span(record.statement.span).start).line,
        sql=short_statement(record.sql),
        duration_ms=round(record.duration_ms, 1),
        wal_bytes=record.wal_bytes,
        locks=tuple(map(_lock, record.measured_effects)),
        failed=short_prose(record.failure.message if record.failure else ""),
        left_out=record.skip_reason,
    )


def _lock(measured: MeasuredEffect) -> MeasuredLock:
    effect = measured.effect
    return MeasuredLock(
        relation=str(effect.relation),
        lock=str(effect.lock),
        blocks=() if effect.new else effect.blocks,
        held_ms=round(measured.held_ms, 1),
        rewrite=effect.rewrite,
        scan=effect.scan,
    )


def _lines(result: ReplayResult, arguments: ReplayArguments) -> Iterator[str]:
    yield f"{'passed' if result.passed else 'failed'} on {result.server}" + (f": {'; '.join(result.reasons)}" if result.reasons else "")
    for migration in result.migrations:
        yield f"{migration.path}: {migration.duration_ms:g} ms, the longest wait of a query {migration.longest_wait_ms:g} ms"
        for statement in migration.statements:
            yield from _statement_lines(statement)
        if migration.statements_left_out:
            yield f"    {counted(migration.statements_left_out, 'more statement')} (see `limit`)"
        for outcome in migration.experiments:
            answer = {True: "passed", False: "failed", None: "not possible"}[outcome.passed]
            yield f"    experiment {outcome.experiment}: {answer}: {outcome.summary}"
    for finding in result.findings:
        yield from finding_lines(finding)
    yield from (f"not run: {path}" for path in result.not_run)
    yield from (f"note: {note}" for note in result.notes)
    yield from problem_lines(result.problems)
    if result.left_out:
        yield continuation(result.left_out, "findings", arguments.limit, 0).replace(f"offset={arguments.limit}", "a larger limit")


def _statement_lines(statement: MeasuredStatement) -> Iterator[str]:
    yield f"    line {statement.line}, {statement.duration_ms:g} ms: {' '.join(statement.sql.split())}"
    if statement.failed:
        yield f"        failed: {statement.failed}"
    if statement.left_out:
        yield f"        not sent: {statement.left_out}"
    for lock in statement.locks:
        if lock.blocks:
            yield f"        {lock.relation}: {lock.lock} for {lock.held_ms:g} ms, blocks {' and '.join(lock.blocks)}"


REPLAY = Tool(
    name="replay",
    title="Run migrations on a disposable server",
    description=(
        "Runs migrations on a disposable local PostgreSQL with generated rows, and measures locks, blocked queries and what a failure leaves"
        " behind. No existing database is touched. It takes seconds to minutes: call it when `lint` passes."
    ),
    arguments=ReplayArguments,
    result=ReplayResult,
    run=_replay,
    runs_sql=True,
)
