"""`migsafe lint`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cache.memory import Memory
from migsafe.cli.console import COULD_NOT, complain, deliver, look, watched
from migsafe.cli.options import (
    Baseline,
    Changed,
    Config,
    FailOnOption,
    Ignore,
    NoCache,
    NoExec,
    Output,
    Paths,
    PgVersion,
    RunnerName,
    Schema,
    Select,
    Since,
    Stats,
    TransactionHabit,
    WriteBaseline,
    left_out,
)
from migsafe.configuration import Configuration, FailOn, configuration
from migsafe.library.lint import judged
from migsafe.library.planned import asked_for, planned
from migsafe.library.project import within
from migsafe.linting.finding import Severity
from migsafe.linting.judge import Verdict
from migsafe.reports import FORMATS, reporter

_FOUND = 1
_GONE_SHOWN = 3


def lint(
    context: typer.Context,
    paths: Paths = None,
    format: Annotated[str, typer.Option(metavar="|".join(FORMATS), help="How to write the findings.")] = "text",
    output: Output = None,
    select: Select = None,
    ignore: Ignore = None,
    fail_on: FailOnOption = None,
    since: Since = None,
    changed: Changed = False,
    baseline: Baseline = None,
    write_baseline: WriteBaseline = False,
    stats: Stats = None,
    schema: Schema = None,
    pg_version: PgVersion = None,
    runner: RunnerName = None,
    transaction: TransactionHabit = None,
    no_exec: NoExec = False,
    config: Config = None,
    no_cache: NoCache = False,
) -> None:
    """Judge migrations: what each would lock, rewrite or break in production, and the safe way to do it.

    A folder means every migration in it, in the runner's order; a file means that one alone, after the migrations before it.

    \b
      migsafe lint                              what the configuration says
      migsafe lint migrations/                  a whole history
      migsafe lint migrations/0042_orders.sql   one migration
      migsafe lint --since origin/main          what this branch changed, on the whole history
      migsafe lint --write-baseline             report only new findings from now on
      pg_dump --schema-only shop | migsafe lint -

    \b
    Exit code 0: nothing at or above --fail-on.
    Exit code 1: something was found.
    Exit code 2: it could not be done, or not all of it; what could be is reported.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    settings = configuration(Path(config) if config else None).overridden(
        select=_names(select),
        ignore=_names(ignore),
        fail_on=fail_on,
        baseline=baseline,
        stats=stats,
        schema=schema,
        pg_version=pg_version,
        runner=runner,
        transaction=transaction,
        no_exec=no_exec or None,
    )
    write, file = reporter(format), Path(output) if output else None
    asked = asked_for(paths, settings, "lint")
    # What standard input holds is gone once it was read.
    memory: Memory | None = None if no_cache or "-" in (*asked, settings.schema, settings.stats, settings.baseline) else context.obj
    plan = planned(paths, settings, "lint", since=since, changed=changed, git_said=memory.git_said if memory is not None else None)
    verdict = judged(plan, settings, memory, lambda steps: watched(steps, "migsafe: migration"))
    if write_baseline:
        said = _recorded(verdict, settings)
        code, answer = 0, None
    else:
        verdict, said = _new(verdict, settings)
        report, code = write(verdict, look(file)), _exit_code(verdict, settings.fail_on)
        deliver(report, file)
        answer = (report, output, said, code)
    if plan.skipped:
        said.append(left_out(plan.skipped))
    for words in (*verdict.problems, *said):
        complain(words)
    if memory is not None and not verdict.problems:
        memory.went_well(answer)
    raise typer.Exit(COULD_NOT if verdict.problems else code)


def _new(verdict: Verdict, settings: Configuration) -> tuple[Verdict, list[str]]:
    """The verdict without what the baseline holds, and what to say of what is there and gone."""
    if settings.baseline is None:
        return verdict, []
    from migsafe.linting.baseline import read, subtract_baseline  # noqa: PLC0415  # only those who have one need it

    verdict, gone = subtract_baseline(verdict, read(settings.baseline), settings.baseline)
    if not gone:
        return verdict, []
    shown = ", ".join(f"{entry.rule} in {entry.path}" for entry in gone[:_GONE_SHOWN])
    number = f"{len(gone)} finding{'' if len(gone) == 1 else 's'} of the baseline {'is' if len(gone) == 1 else 'are'} gone"
    return verdict, [f"{number}: {shown}{', …' if len(gone) > _GONE_SHOWN else ''}\n  `migsafe lint --write-baseline` takes note of that."]


def _exit_code(verdict: Verdict, fail_on: FailOn) -> int:
    worst = verdict.worst()
    return _FOUND if fail_on != "never" and worst is not None and worst >= Severity[fail_on.upper()] else 0


def _recorded(verdict: Verdict, settings: Configuration) -> list[str]:
    """Write the baseline; returns what to say about it."""
    from migsafe.linting.baseline import DEFAULT_FILE, write  # noqa: PLC0415

    file = settings.baseline or within(settings, DEFAULT_FILE)
    number = write(file, verdict)
    deliver(f"{file}: {number} finding{'' if number == 1 else 's'} recorded.\n", None)
    if settings.baseline is not None:
        return []
    return [f'to report only what is new, set `baseline = "{DEFAULT_FILE}"` in the configuration, or give `--baseline {file}`']


def _names(given: list[str] | None) -> tuple[str, ...] | None:
    """The names in an option that may be repeated and whose values may be parted by commas."""
    return tuple(name.strip() for value in given for name in value.split(",") if name.strip()) if given else None
