"""`migsafe lint`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.console import COULD_NOT, complain, deliver, look, watched
from migsafe.cli.options import Config, Output, Paths, PgVersion, RunnerName, Schema, TransactionHabit, asked_for, dump, left_out
from migsafe.cli.project import rulebook
from migsafe.configuration import FAIL_ON, FailOn, configuration
from migsafe.errors import MigsafeError
from migsafe.finding import Severity
from migsafe.histories import stops
from migsafe.judge import Verdict, judge
from migsafe.reports import FORMATS, reporter
from migsafe.sources import RUNNERS, find

_FOUND = 1


def lint(
    paths: Paths = None,
    format: Annotated[str, typer.Option(metavar="|".join(FORMATS), help="How to write the findings.")] = "text",
    output: Output = None,
    select: Annotated[list[str] | None, typer.Option(metavar="RULE", help="Only these rules; repeat it, or part them with commas.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(metavar="RULE", help="All rules but these.")] = None,
    fail_on: Annotated[
        str | None, typer.Option(metavar="|".join(FAIL_ON), help="The least finding that makes the exit code 1. [default: warning]")
    ] = None,
    schema: Schema = None,
    pg_version: PgVersion = None,
    runner: RunnerName = None,
    transaction: TransactionHabit = None,
    config: Config = None,
) -> None:
    """Judge migrations: what each would lock, rewrite or break in production, and the safe way to do it.

    A folder means every migration in it, in the runner's order; a file means that one alone, after the migrations before it.

    \b
      migsafe lint                              what the configuration says
      migsafe lint migrations/                  a whole history
      migsafe lint migrations/0042_orders.sql   one migration
      pg_dump --schema-only shop | migsafe lint -

    \b
    Exit code 0: nothing at or above --fail-on.
    Exit code 1: something was found.
    Exit code 2: it could not be done, or not all of it; what could be is reported.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    settings = configuration(Path(config) if config else None).overridden(
        select=_names(select), ignore=_names(ignore), fail_on=fail_on, pg_version=pg_version, runner=runner, transaction=transaction
    )
    write = reporter(format)
    book = rulebook(settings)
    plan = find(asked_for(paths, settings, "lint"), settings.sources)
    runners = [*RUNNERS, *(source.runner for source in plan.sources)]
    problems: list[MigsafeError] = []
    found = stops(plan, settings.pg_version, problems, dump(schema or settings.schema), lambda steps: watched(steps, "migsafe: migration"))
    verdict = judge(found, book, settings.pg_version, runners, problems, settings.limits)
    file = Path(output) if output else None
    deliver(write(verdict, look(file)), file)
    for problem in verdict.problems:
        complain(problem)
    if plan.skipped:
        complain(left_out(plan.skipped))
    raise typer.Exit(COULD_NOT if verdict.problems else _exit_code(verdict, settings.fail_on))


def _names(given: list[str] | None) -> tuple[str, ...] | None:
    """The names in an option that may be repeated and whose values may be parted by commas."""
    return tuple(name.strip() for value in given for name in value.split(",") if name.strip()) if given else None


def _exit_code(verdict: Verdict, fail_on: FailOn) -> int:
    worst = verdict.worst()
    return _FOUND if fail_on != "never" and worst is not None and worst >= Severity[fail_on.upper()] else 0
