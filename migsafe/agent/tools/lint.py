"""The tool `lint`."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from migsafe.agent.findings import FindingResult, counted, finding_lines, finding_result, worst_first
from migsafe.agent.sizes import Limit, Offset, check_sql, continuation, page_of
from migsafe.agent.tool import Answer, Changed, Paths, PgVersion, Problem, Progress, Since, Sql, Tool, problem_lines, problems_of
from migsafe.agent.workspace import Workspace
from migsafe.library.lint import lint
from migsafe.linting.finding import Severity


class LintArguments(Struct, frozen=True, kw_only=True):
    """The arguments of `lint`."""

    paths: Paths = None
    sql: Sql = None
    since: Since = None
    changed: Changed = False
    rules: Annotated[list[str] | None, Meta(description="Only these rules.")] = None
    pg_version: PgVersion = None
    limit: Limit = 20
    offset: Offset = 0


class LintResult(Struct, frozen=True, kw_only=True):
    """Findings, the worst first. `passed` if none is at or above `fail_on`, and everything could be checked. `left_out` counts the findings
    after the last one here."""

    passed: bool
    fail_on: str
    files: int
    errors: int
    warnings: int
    infos: int
    findings: tuple[FindingResult, ...] = ()
    left_out: int = 0
    problems: tuple[Problem, ...] = ()


def _lint(arguments: LintArguments, workspace: Workspace, progress: Progress) -> Answer:
    settings = workspace.settings(arguments.pg_version)
    if arguments.rules:
        settings = replace(settings, select=tuple(arguments.rules))
    verdict = lint(
        workspace.requested(arguments.paths),
        settings=settings,
        since=arguments.since,
        changed=arguments.changed,
        text=check_sql(arguments.sql),
    )
    workspace.check_results({*verdict.paths, *(finding.script.path for finding in verdict.findings)})
    shown, left_out = page_of(worst_first(verdict.findings), arguments.limit, arguments.offset)
    worst = verdict.worst()
    failing = settings.fail_on != "never" and worst is not None and worst >= Severity[settings.fail_on.upper()]
    result = LintResult(
        passed=not failing and not verdict.problems,
        fail_on=settings.fail_on,
        files=verdict.summary.files,
        errors=verdict.summary.errors,
        warnings=verdict.summary.warnings,
        infos=verdict.summary.infos,
        findings=tuple(map(finding_result, shown)),
        left_out=left_out,
        problems=problems_of(verdict.problems),
    )
    return Answer(result=result, text="\n".join(_lines(result, arguments)))


def _lines(result: LintResult, arguments: LintArguments) -> Iterator[str]:
    counts = ", ".join(
        counted(number, noun) for number, noun in ((result.errors, "error"), (result.warnings, "warning"), (result.infos, "info"))
    )
    yield f"{'passed' if result.passed else 'failed'}: {counts} in {counted(result.files, 'file')} (fails at: {result.fail_on})"
    for finding in result.findings:
        yield from finding_lines(finding)
    yield from problem_lines(result.problems)
    if more := continuation(result.left_out, "findings", arguments.limit, arguments.offset):
        yield more
    if result.findings:
        yield "`explain` has the page of a rule, `fix` the changes that migsafe can make itself."


LINT = Tool(
    name="lint",
    title="Check migrations",
    description=(
        "Checks PostgreSQL migrations: what each would lock, rewrite or break in production, and the safe way to do it. Call it after each"
        " change of a migration. Each finding has its place, the reason, and SQL to use instead."
    ),
    arguments=LintArguments,
    result=LintResult,
    run=_lint,
)
