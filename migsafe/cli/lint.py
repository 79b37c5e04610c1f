"""`migsafe lint`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cache.memory import Memory
from migsafe.cli.fix_options import FixOptions
from migsafe.cli.help import RUN
from migsafe.cli.options import (
    FAILED,
    Also,
    Baseline,
    Changed,
    Config,
    Diff,
    Down,
    FailOnOption,
    Fix,
    Ignore,
    NoCache,
    NoExec,
    Output,
    Paths,
    PgVersion,
    Prove,
    RunnerName,
    Schema,
    Select,
    Since,
    Statistics,
    Stats,
    TransactionHabit,
    UnsafeFixes,
    Watch,
    WriteBaseline,
    exit_code,
    format_option,
    skipped_files,
    split_names,
)
from migsafe.cli.written_reports import read_report_files, write_reports
from migsafe.configuration import Configuration, read_configuration
from migsafe.errors import ConfigError
from migsafe.library.division import MOST_PROCESSES, usable_processors
from migsafe.library.lint import judge_plan
from migsafe.library.plan import find_plan, requested_paths
from migsafe.linting.verdict import Verdict
from migsafe.reports import FORMATS
from migsafe.terminal.output import show_error, write_output
from migsafe.terminal.progress import track

_FIXED_SHOWN = 3


def lint(
    context: typer.Context,
    paths: Paths = None,
    format: Annotated[str, format_option(FORMATS, "The format of the findings.")] = "text",
    output: Output = None,
    also: Also = None,
    select: Select = None,
    ignore: Ignore = None,
    fail_on: FailOnOption = None,
    since: Since = None,
    changed: Changed = False,
    down: Down = False,
    baseline: Baseline = None,
    write_baseline: WriteBaseline = False,
    statistics: Statistics = False,
    fix: Fix = False,
    diff: Diff = False,
    unsafe_fixes: UnsafeFixes = False,
    prove: Prove = False,
    stats: Stats = None,
    schema: Schema = None,
    pg_version: PgVersion = None,
    runner: RunnerName = None,
    transaction: TransactionHabit = None,
    no_exec: NoExec = False,
    config: Config = None,
    no_cache: NoCache = False,
    watch: Watch = False,
    jobs: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            rich_help_panel=RUN,
            help=f"Judge a long history in up to N processes. [default: one per processor, at most {MOST_PROCESSES}]",
        ),
    ] = None,
) -> None:
    """Check migrations: what each one would lock, rewrite or break in production, and the safe way to do it.

    A folder means every migration in it, in the order in which they run. A file means that migration alone, with the migrations before it
    as history.

    \b
      migsafe lint                              `migrations` of the configuration
      migsafe lint migrations/                  a whole history
      migsafe lint migrations/0042_orders.sql   one migration
      migsafe lint --since origin/main          what this branch changed
      migsafe lint --statistics                 which rules find how much
      migsafe lint --watch                      again after each change of a file
      migsafe lint --write-baseline             from now on, only new findings
      migsafe lint --since origin/main --diff   what --fix would do
      pg_dump --schema-only shop | migsafe lint -

    \b
    Exit code 0: no finding at or above --fail-on.
    Exit code 1: there are findings at or above --fail-on.
    Exit code 2: an error, or some migrations could not be checked; findings
                 in the others are shown.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    if watch:
        from migsafe.cli.watching import watch_files  # noqa: PLC0415  # only needed with --watch

        others = {f"--format {format}": format != "text", "--output": output, "--also": also, "--write-baseline": write_baseline}
        watch_files(paths, config, (schema, stats, baseline), {**others, "--fix": fix, "--prove": prove})
    settings = read_configuration(Path(config) if config else None).overridden(
        select=split_names(select),
        ignore=split_names(ignore),
        fail_on=fail_on,
        baseline=baseline,
        stats=stats,
        schema=schema,
        pg_version=pg_version,
        runner=runner,
        transaction=transaction,
        no_exec=no_exec or None,
    )
    reports = read_report_files(format, output, also, statistics=statistics)
    requested = requested_paths(paths, settings, "lint")
    # Standard input cannot be read a second time, so its answer cannot be checked against the cache.
    uses_stdin = "-" in (*requested, settings.schema, settings.stats, settings.baseline)
    memory: Memory | None = None if no_cache or uses_stdin else context.obj
    on_git_answer = memory.store_git_answer if memory is not None else None
    plan = find_plan(paths, settings, "lint", since=since, changed=changed, on_git_answer=on_git_answer)
    options = FixOptions(fix, diff, unsafe_fixes, prove, write_baseline)
    if options.wanted:
        from migsafe.cli.fixing import run_fixes  # noqa: PLC0415  # only needed to fix

        raise typer.Exit(run_fixes(plan, settings, options, reports))
    verdict = judge_plan(plan, settings, memory, lambda steps: track(steps, "migsafe: migration"), downgrades=down, processes=_processes(jobs))
    if write_baseline:
        messages = _write_baseline(verdict, settings, config)
        code, answer = 0, None
    else:
        verdict, messages = _without_baseline(verdict, settings)
        written, code = write_reports(verdict, reports), exit_code(verdict.worst(), settings)
        answer = (written, messages, code)
    if plan.skipped:
        messages.append(skipped_files(plan.skipped))
    if settings.rules is not None and settings.no_exec:
        messages.append(f"the rules in {settings.rules} are left out: with `no-exec`, no code of the project is run")
    messages += _untried_queries(verdict)
    for message in (*verdict.problems, *messages):
        show_error(message)
    if memory is not None and not verdict.problems:
        memory.record_success(answer)
    raise typer.Exit(FAILED if verdict.problems else code)


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
