"""The tool `fix`."""

from collections.abc import Callable, Iterator
from typing import Annotated

from msgspec import Meta, Struct

from migsafe.agent.findings import counted
from migsafe.agent.sizes import short_prose
from migsafe.agent.tool import Answer, Changed, Paths, PgVersion, Problem, Progress, Since, Tool, problem_lines, problems_of
from migsafe.agent.workspace import Workspace
from migsafe.configuration import Configuration
from migsafe.errors import MigsafeError
from migsafe.library.fixes import Fixes, fix_plan, require_new_migrations
from migsafe.library.plan import find_plan
from migsafe.library.project import list_rules
from migsafe.linting.finding import Finding
from migsafe.linting.rulebook import find_rule
from migsafe.sources import Plan

_DIFF_CHARACTERS = 20_000
_MOST_REFUSED = 20


class FixArguments(Struct, frozen=True, kw_only=True):
    """The arguments of `fix`."""

    paths: Paths = None
    since: Since = None
    changed: Changed = False
    rules: Annotated[list[str] | None, Meta(description="Only findings of these rules.")] = None
    unsafe: Annotated[
        bool, Meta(description="Also apply fixes after which a failure or a second run leaves something else behind: ask the user first.")
    ] = False
    prove: Annotated[
        bool, Meta(description="Run the migrations before and after on a disposable server, and leave out fixes that it does not prove.")
    ] = False
    write: Annotated[bool, Meta(description="Write the files. By default only the diff is returned.")] = False
    pg_version: PgVersion = None


class ChangedFile(Struct, frozen=True, kw_only=True):
    """A file that the fixes edit, or a new one."""

    path: str
    new: bool


class AppliedFix(Struct, frozen=True, kw_only=True):
    """A finding that the fixes remove."""

    rule: str
    path: str
    line: int


class RefusedFix(Struct, frozen=True, kw_only=True):
    """A finding with a fix that cannot be applied here, and the reason."""

    rule: str
    path: str
    line: int
    reason: str


class LaterResult(Struct, frozen=True, kw_only=True):
    """SQL for a later deployment, and what must come before it."""

    after: str
    sql: str


class FixResult(Struct, frozen=True, kw_only=True):
    """What the fixes do. `written` if the files were written, otherwise `diff` shows what would change (`diff_left_out` counts the characters
    after its end). `unsafe_left` counts findings that only `unsafe` would fix, `findings_left` those that remain. `proved_on` is the server
    that proved the fixes, `not_proved` says what it did not prove. `notes` say why there are new files, and what the
    runner needs afterwards."""

    written: bool
    files: tuple[ChangedFile, ...] = ()
    notes: tuple[str, ...] = ()
    applied: tuple[AppliedFix, ...] = ()
    refused: tuple[RefusedFix, ...] = ()
    refused_left_out: int = 0
    unsafe_left: int = 0
    findings_left: int = 0
    later: tuple[LaterResult, ...] = ()
    proved_on: str = ""
    not_proved: tuple[str, ...] = ()
    diff: str = ""
    diff_left_out: int = 0
    problems: tuple[Problem, ...] = ()


def _fix(arguments: FixArguments, workspace: Workspace, progress: Progress) -> Answer:
    if arguments.write and not workspace.allow_writes:
        raise MigsafeError(
            "fix: this server writes no files", "Without `write`, the diff is returned. `migsafe mcp --allow-writes` permits it."
        )
    if arguments.prove and workspace.no_exec:
        raise MigsafeError("fix: this server executes nothing of the project", "The user has started `migsafe mcp` with --no-exec.")
    settings = workspace.settings(arguments.pg_version)
    plan = find_plan(workspace.requested(arguments.paths), settings, "fix", since=arguments.since, changed=arguments.changed)
    workspace.check_results(migration.up.file.path for migration in plan.migrations)
    require_new_migrations(plan, settings)
    if arguments.prove:
        fixes = _proved(plan, settings, arguments, progress)
    else:
        fixes = fix_plan(plan, settings, unsafe=arguments.unsafe, wanted=_wanted(arguments, settings))
    workspace.check_results(change.path for change in fixes.changes)
    if arguments.write:
        fixes.write()
    result = _result(fixes, settings, written=arguments.write and bool(fixes.changes))
    return Answer(result=result, text="\n".join(_lines(result)))


def _wanted(arguments: FixArguments, settings: Configuration) -> Callable[[Finding], bool]:
    known = [listed.rule for listed in list_rules(settings)]
    names = {find_rule(name, known).name for name in arguments.rules or ()}
    return lambda finding: not names or finding.rule in names


def _proved(plan: Plan, settings: Configuration, arguments: FixArguments, progress: Progress) -> Fixes:
    from migsafe.library.prove import proved_fixes  # noqa: PLC0415  # only needed with a server
    from migsafe.replaying.servers.selection import ServerOptions, choose_host  # noqa: PLC0415

    with choose_host(ServerOptions(), settings.pg_version) as host:
        return proved_fixes(plan, settings, host, unsafe=arguments.unsafe, wanted=_wanted(arguments, settings), on_progress=progress)


def _result(fixes: Fixes, settings: Configuration, *, written: bool) -> FixResult:
    diff = "" if written else fixes.diff()
    return FixResult(
        written=written,
        files=tuple(ChangedFile(path=change.path, new=change.before is None) for change in fixes.changes),
        notes=(*filter(None, (fixes.new_because,)), *fixes.notes) if fixes.changes else (),
        applied=tuple(AppliedFix(rule=each.rule, path=each.script.path, line=_line(each)) for each in fixes.applied),
        refused=tuple(
            RefusedFix(rule=each.finding.rule, path=each.finding.script.path, line=_line(each.finding), reason=short_prose(each.reason))
            for each in fixes.refused[:_MOST_REFUSED]
        ),
        refused_left_out=max(len(fixes.refused) - _MOST_REFUSED, 0),
        unsafe_left=len(fixes.unsafe),
        findings_left=len(fixes.verdict.findings),
        later=tuple(LaterResult(after=step.after, sql=short_prose(step.sql)) for step in fixes.later),
        proved_on=fixes.proof.server if fixes.proof is not None else "",
        not_proved=tuple(map(short_prose, fixes.proof.limits(settings.pg_version))) if fixes.proof is not None else (),
        diff=diff[:_DIFF_CHARACTERS],
        diff_left_out=max(len(diff) - _DIFF_CHARACTERS, 0),
        problems=problems_of(fixes.verdict.problems),
    )


def _line(finding: Finding) -> int:
    return finding.script.position(finding.span.start).line


def _lines(result: FixResult) -> Iterator[str]:
    if not result.files:
        yield "nothing to fix"
    else:
        proved = f", proved on {result.proved_on}" if result.proved_on else ""
        done = "fixed" if result.written else "nothing is written: the diff below fixes"
        yield f"{done} {counted(len(result.applied), 'finding')}{proved}"
        yield from result.not_proved
    yield from (f"{'new file' if file.new else 'edited'}: {file.path}" for file in result.files)
    yield from result.notes
    for each in result.refused:
        yield f"{each.path}:{each.line}: {each.rule} is not fixed: {each.reason}"
    if result.refused_left_out:
        yield f"{counted(result.refused_left_out, 'more finding')} could not be fixed: pass fewer `paths` or `rules` to see them"
    if result.unsafe_left:
        yield f"{counted(result.unsafe_left, 'more finding')} with an unsafe fix: `explain` says what to know; `unsafe` applies them"
    for step in result.later:
        yield f"for a later deployment, {step.after}:\n{step.sql}"
    yield from problem_lines(result.problems)
    yield f"{counted(result.findings_left, 'finding')} left"
    if result.diff:
        yield result.diff
    if result.diff_left_out:
        yield f"{result.diff_left_out:,} more characters of the diff: pass fewer `paths` or `rules` to see them"


FIX = Tool(
    name="fix",
    title="Fix migrations",
    description=(
        "Finds the fixes of migrations and returns them as a diff: safe ones end in the same schema and take no stronger or longer lock. With"
        " `write` it writes the files, if the user has permitted that. Fix only migrations that no database has applied."
    ),
    arguments=FixArguments,
    result=FixResult,
    run=_fix,
    writes=True,
)
