"""What `migsafe lint` does, once its options are read. It loads no Typer, which takes a fifth of the time of linting a small file."""

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from migsafe.cli.fix_options import FixOptions
from migsafe.cli.results import FAILED, exit_code, left_out, split_names
from migsafe.cli.written_reports import read_report_files, write_reports
from migsafe.configuration import Configuration, read_configuration
from migsafe.errors import ConfigError
from migsafe.library.division import usable_processors
from migsafe.library.lint import judge_plan
from migsafe.library.plan import find_plan, plan_of_text, requested_paths
from migsafe.linting.verdict import Verdict
from migsafe.sources import Plan
from migsafe.terminal.output import show_error, write_output
from migsafe.terminal.progress import track
from migsafe.text import Script

if TYPE_CHECKING:
    from migsafe.cache.memory import Memory

_FIXED_SHOWN = 3


class LintOptions(Struct, frozen=True, kw_only=True):
    """The options of `migsafe lint`, as text and flags; `migsafe/cli/lint.py` says what each is for."""

    paths: list[str] | None = None
    format: str = "text"
    output: str | None = None
    also: list[str] | None = None
    select: list[str] | None = None
    ignore: list[str] | None = None
    exclude: list[str] | None = None
    fail_on: str | None = None
    stdin_filename: str | None = None
    since: str | None = None
    changed: bool = False
    down: bool = False
    baseline: str | None = None
    write_baseline: bool = False
    statistics: bool = False
    fix: bool = False
    diff: bool = False
    unsafe_fixes: bool = False
    prove: bool = False
    superuser: bool = False
    stats: str | None = None
    schema: str | None = None
    pg_version: str | None = None
    runner: str | None = None
    transaction: str | None = None
    no_exec: bool = False
    config: str | None = None
    no_cache: bool = False
    watch: bool = False
    jobs: str | None = None


def run_lint(given: LintOptions, memory: "Memory | None") -> int:
    """Judge migrations, write the reports, and return the exit code. `memory` is the cache, None without one. Raises MigsafeError."""
    if given.watch:
        from migsafe.cli.watching import watch_files  # noqa: PLC0415  # only needed with --watch

        others = {f"--format {given.format}": given.format != "text", "--output": given.output, "--also": given.also}
        others |= {"--write-baseline": given.write_baseline, "--fix": given.fix, "--prove": given.prove}
        watch_files(given.paths, given.config, (given.schema, given.stats, given.baseline), others)
    settings = _settings(given)
    reports = read_report_files(given.format, given.output, given.also, statistics=given.statistics)
    requested = requested_paths(given.paths, settings, "lint")
    # Standard input cannot be read a second time, so its answer cannot be checked against the cache.
    if given.no_cache or "-" in (*requested, settings.schema, settings.stats, settings.baseline):
        memory = None
    on_git_answer = memory.store_git_answer if memory is not None else None
    if given.stdin_filename is None:
        plan = find_plan(given.paths, settings, "lint", since=given.since, changed=given.changed, on_git_answer=on_git_answer, allow_none=True)
    else:
        plan = _plan_of_input(given, settings)
    fixes = FixOptions(given.fix, given.diff, given.unsafe_fixes, given.prove, given.superuser, given.write_baseline)
    if fixes.wanted:
        from migsafe.cli.fixing import run_fixes  # noqa: PLC0415  # only needed to fix

        return run_fixes(plan, settings, fixes, reports)
    processes = _processes(given.jobs)
    verdict = judge_plan(plan, settings, memory, lambda steps: track(steps, "migsafe: migration"), downgrades=given.down, processes=processes)
    if given.write_baseline:
        messages = _write_baseline(verdict, settings, given.config)
        code, answer = 0, None
    else:
        verdict, messages = _without_baseline(verdict, settings)
        written, code = write_reports(verdict, reports), exit_code(verdict.worst(), settings)
        answer = (written, messages, code)
    messages += left_out(plan)
    if settings.rules is not None and settings.no_exec:
        messages.append(f"the rules in {settings.rules} are left out: with `no-exec`, no code of the project is run")
    messages += _untried_queries(verdict)
    for message in (*verdict.problems, *messages):
        show_error(message)
    if memory is not None and not verdict.problems:
        memory.record_success(answer)
    return FAILED if verdict.problems else code


def _plan_of_input(given: LintOptions, settings: Configuration) -> Plan:
    """Return the history in which standard input is the text of a file. Raises MigsafeError."""
    assert given.stdin_filename is not None
    if list(given.paths or ()) != ["-"]:
        raise ConfigError("--stdin-filename needs `-` as the only path")
    for name, value in (("--since", given.since), ("--changed", given.changed), ("--fix", given.fix)):
        if value:
            raise ConfigError(f"{name} cannot be used with standard input")
    return plan_of_text(given.stdin_filename, settings, Script("-").text)


def _settings(given: LintOptions) -> Configuration:
    """Return the configuration with what the options set. Raises MigsafeError."""
    return read_configuration(Path(given.config) if given.config else None).overridden(
        select=split_names(given.select),
        ignore=split_names(given.ignore),
        exclude=split_names(given.exclude),
        fail_on=given.fail_on,
        baseline=given.baseline,
        stats=given.stats,
        schema=given.schema,
        pg_version=given.pg_version,
        runner=given.runner,
        transaction=given.transaction,
        no_exec=given.no_exec or None,
    )


def _untried_queries(verdict: Verdict) -> list[str]:
    """Return a message about the application's queries if some, or all, were not judged."""
    if verdict.unread_queries:
        number = f"{verdict.unread_queries} quer{'y' if verdict.unread_queries == 1 else 'ies'}"
        return [f"{number} of the application could not be read, so migrations are not checked against them\n  `migsafe queries` lists them."]
    if verdict.queries == 0:
        return ["`queries` of the configuration names files without queries, so migrations are not checked against any"]
    return []


def _processes(jobs: str | None) -> int:
    """Return the number of processes to use. Raises ConfigError."""
    if jobs is None:
        return usable_processors()
    if not jobs.isdecimal() or not int(jobs):
        raise ConfigError(f"--jobs: invalid number of processes: {jobs}", "It must be 1 or more.")
    return int(jobs)


def _without_baseline(verdict: Verdict, settings: Configuration) -> tuple[Verdict, list[str]]:
    """Return the verdict without the findings in the baseline, and a message about entries that no longer match a finding."""
    if settings.baseline is None:
        return verdict, []
    from migsafe.linting.baseline import read, subtract_baseline  # noqa: PLC0415  # only needed with a baseline

    verdict, fixed = subtract_baseline(verdict, read(settings.baseline), settings.baseline)
    if not fixed:
        return verdict, []
    shown = ", ".join(f"{entry.rule} in {entry.path}" for entry in fixed[:_FIXED_SHOWN])
    number = f"{len(fixed)} finding{'' if len(fixed) == 1 else 's'} of the baseline no longer exist{'s' if len(fixed) == 1 else ''}"
    return verdict, [f"{number}: {shown}{', …' if len(fixed) > _FIXED_SHOWN else ''}\n  `migsafe lint --write-baseline` updates the baseline."]


def _write_baseline(verdict: Verdict, settings: Configuration, config: str | None) -> list[str]:
    """Write the baseline, and its name into the configuration; return the messages about it."""
    from migsafe.linting.baseline import DEFAULT_FILE, write  # noqa: PLC0415
    from migsafe.setup import name_baseline  # noqa: PLC0415

    file = settings.baseline or str(Path(settings.folder, DEFAULT_FILE))
    number = write(file, verdict)
    write_output(f"{file}: {number} finding{'' if number == 1 else 's'} written.\n", None)
    if settings.baseline is not None:
        return []
    configured = name_baseline(settings.folder, DEFAULT_FILE, config)
    if configured is not None:
        write_output(f'{configured}: `baseline = "{DEFAULT_FILE}"` added.\n', None)
        return []
    return [f'to report only new findings, set `baseline = "{DEFAULT_FILE}"` in the configuration, or use `--baseline {file}`']
