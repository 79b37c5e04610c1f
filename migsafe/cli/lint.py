"""`migsafe lint`."""

from typing import Annotated

import typer

from migsafe.cli.help import RUN
from migsafe.cli.linting import LintOptions, run_lint
from migsafe.cli.options import (
    Also,
    Baseline,
    Changed,
    Config,
    Diff,
    Down,
    Exclude,
    FailOnOption,
    Fix,
    Ignore,
    NoCache,
    NoExec,
    Output,
    Paths,
    PgVersion,
    Prove,
    ProveAsSuperuser,
    RunnerName,
    Schema,
    Select,
    Since,
    Statistics,
    Stats,
    StdinFilename,
    TransactionHabit,
    UnsafeFixes,
    Watch,
    WriteBaseline,
    format_option,
)
from migsafe.library.division import MOST_PROCESSES
from migsafe.reports import FORMATS


def lint(  # noqa: PLR0913, PLR0917  # an argument for each option
    context: typer.Context,
    paths: Paths = None,
    format: Annotated[str, format_option(FORMATS, "The format of the findings.")] = "text",
    output: Output = None,
    also: Also = None,
    select: Select = None,
    ignore: Ignore = None,
    exclude: Exclude = None,
    fail_on: FailOnOption = None,
    stdin_filename: StdinFilename = None,
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
    superuser: ProveAsSuperuser = False,
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
    options = LintOptions(
        paths=paths,
        format=format,
        output=output,
        also=also,
        select=select,
        ignore=ignore,
        exclude=exclude,
        fail_on=fail_on,
        stdin_filename=stdin_filename,
        since=since,
        changed=changed,
        down=down,
        baseline=baseline,
        write_baseline=write_baseline,
        statistics=statistics,
        fix=fix,
        diff=diff,
        unsafe_fixes=unsafe_fixes,
        prove=prove,
        superuser=superuser,
        stats=stats,
        schema=schema,
        pg_version=pg_version,
        runner=runner,
        transaction=transaction,
        no_exec=no_exec,
        config=config,
        no_cache=no_cache,
        watch=watch,
        jobs=jobs,
    )
    raise typer.Exit(run_lint(options, context.obj))
