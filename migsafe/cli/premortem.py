"""`migsafe premortem`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from migsafe.cli.console import COULD_NOT, complain, deliver, watched
from migsafe.cli.narrowed import narrowed
from migsafe.cli.options import (
    Changed,
    Config,
    NoExec,
    Output,
    Paths,
    PgVersion,
    RunnerName,
    Schema,
    Since,
    Stats,
    TransactionHabit,
    asked_for,
    dump,
)
from migsafe.cli.project import renderer, rulebook
from migsafe.configuration import Configuration, configuration
from migsafe.errors import MigsafeError
from migsafe.histories import Stop, stops
from migsafe.judge import judge
from migsafe.rulebook import Rulebook
from migsafe.sources import RUNNERS, Migration, Plan, find

if TYPE_CHECKING:
    from migsafe.premortem.assessment import Premortem
    from migsafe.premortem.telling import Judged

_FORBIDDEN = 1
_FORMATS = ("markdown", "html", "json")


def premortem(
    paths: Paths = None,
    format: Annotated[str, typer.Option(metavar="|".join(_FORMATS), help="How to write it.")] = "markdown",
    output: Output = None,
    stats: Stats = None,
    since: Since = None,
    changed: Changed = False,
    schema: Schema = None,
    pg_version: PgVersion = None,
    runner: RunnerName = None,
    transaction: TransactionHabit = None,
    no_exec: NoExec = False,
    config: Config = None,
) -> None:
    """Assume that this deployment has failed: what happened?

    For each migration: how it can fail, told as the team would see it; what that hits; what stays behind and whether the migration can be
    run again; whether the running release still works; the way back, and what it loses; and the order of a safe rollout.

    \b
      migsafe premortem migrations/0042_orders.sql                one migration
      migsafe premortem --since origin/main --stats stats.json    a release, with production's row counts
      migsafe premortem --since v41 --format html --output premortem.html

    \b
    Exit code 0: nothing that the configuration forbids.
    Exit code 1: the gate is closed.
    Exit code 2: it could not be done, or not all of it.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.premortem.telling import tell  # noqa: PLC0415  # the other commands need none of it
    from migsafe.reports.premortem import premortem_reporter  # noqa: PLC0415

    settings = configuration(Path(config) if config else None).overridden(
        stats=stats, schema=schema, pg_version=pg_version, runner=runner, transaction=transaction, no_exec=no_exec or None
    )
    write = premortem_reporter(format)
    plan = narrowed(find(asked_for(paths, settings, "look at"), settings.sources), settings, since, changed)
    problems: list[MigsafeError] = []
    judged = _judged(plan, settings, problems)
    told: Premortem = tell(judged, settings.pg_version, with_rows=settings.stats is not None)
    deliver(write(told), Path(output) if output else None)
    for problem in problems:
        complain(problem)
    raise typer.Exit(COULD_NOT if problems else _FORBIDDEN if told.forbidden else 0)


def _judged(plan: Plan, settings: Configuration, problems: list[MigsafeError]) -> "list[Judged]":
    from migsafe.premortem.observed import Observed, collector  # noqa: PLC0415
    from migsafe.premortem.telling import Judged  # noqa: PLC0415

    limits = settings.limits
    if settings.stats is not None:
        from migsafe.stats import read  # noqa: PLC0415

        limits = replace(limits, rows=read(settings.stats))
    observed: dict[tuple[str, str], list[Observed]] = {}
    rules = rulebook(settings).rules
    book = Rulebook((*rules, collector(observed)))
    seen: list[Migration] = []

    def each() -> Iterator[Stop]:
        found = stops(
            plan,
            settings.pg_version,
            problems,
            dump(settings.schema),
            lambda steps: watched(steps, "migsafe: migration"),
            renderer=renderer(settings),
        )
        for stop in found:
            seen.append(stop.migration)
            yield stop

    verdict = judge(each(), book, settings.pg_version, [*RUNNERS, *(source.runner for source in plan.sources)], problems, limits)
    problems[:] = verdict.problems
    return [
        Judged(
            migration,
            tuple(one for one in verdict.findings if one.migration == migration.id and one.script.path == migration.up.file.path),
            tuple(observed.get((migration.up.file.path, migration.id), ())),
        )
        for migration in seen
    ]
