"""`migsafe premortem`."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from migsafe.cache.renderings import usual
from migsafe.cli.console import COULD_NOT, complain, deliver, look, watched
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
)
from migsafe.configuration import Configuration, configuration
from migsafe.errors import MigsafeError
from migsafe.library.planned import dump, planned
from migsafe.library.project import renderer, rulebook
from migsafe.linting.judge import judge
from migsafe.linting.rulebook import Rulebook, shipped
from migsafe.prediction.history import SelectedMigration, selected_migrations
from migsafe.sources import RUNNERS, Migration, Plan

if TYPE_CHECKING:
    from migsafe.premortem.assessment import Premortem
    from migsafe.premortem.telling import Judged
    from migsafe.replaying.replay import Replayed
    from migsafe.replaying.servers.host import Host

_FORBIDDEN = 1
_FORMATS = ("markdown", "html", "json")
_MINUTES = {"statement": 600.0, "run": 3600.0}
"""How many seconds a statement and a replay may take, as in `migsafe replay`."""


def premortem(
    paths: Paths = None,
    format: Annotated[str, typer.Option(metavar="|".join(_FORMATS), help="How to write it.")] = "markdown",
    output: Output = None,
    stats: Stats = None,
    replay: Annotated[bool, typer.Option("--replay", help="Run them on a disposable PostgreSQL, too, and tell what was measured.")] = False,
    server: Annotated[str, typer.Option(metavar="local|DSN|dblab:URL", help="With --replay: where to run them.")] = "local",
    copy_of: Annotated[
        str | None, typer.Option("--from", metavar="DSN", help="With --replay: run them on a physical copy of this server.")
    ] = None,
    rows: Annotated[
        str, typer.Option(metavar="N", help="With --replay: how many rows to put into each table; with --stats, into the largest.")
    ] = "100000",
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

    For each migration: how it can fail, told as the team would see it; what that hits, and for how long; what stays behind and whether the
    migration can be run again; how the running and the new release get on with it; the way back, and what it loses; and the order of a
    safe rollout.

    What is said is predicted: from the migrations, and from production's row counts (--stats). With --replay they are run as well, as
    `migsafe replay` does, and what was measured is told apart from what is only predicted. Findings that are suppressed in the files
    are no secret here.

    \b
      migsafe premortem migrations/0042_orders.sql          one migration
      migsafe premortem --since v41 --stats stats.json      for production's rows
      migsafe premortem --since v41 --replay                and with measurements
      migsafe premortem --since v41 --format html --output page.html

    A gate for deploy scripts: the exit code is 1 if a migration breaks a budget that the configuration sets. Without any, nothing is
    forbidden.

    \b
      [tool.migsafe.slo]
      blocked = "2s"   # how long a query may wait: lock_timeout, and the work
      hold = "1s"      # how long a lock may be held that stops somebody
      rows-lost = 0    # how many rows of existing tables may be taken away

    A migration without a lock_timeout breaks `blocked`: nothing ends the wait. One that fails in the replay closes the gate, too. What cannot
    be told (a table of which nobody knows the rows) is reported as in doubt, and closes nothing.

    \b
    Exit code 0: nothing that the configuration forbids.
    Exit code 1: the gate is closed.
    Exit code 2: it could not be done, or not all of it.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.premortem.gate import Budget  # noqa: PLC0415  # the other commands need none of it
    from migsafe.premortem.telling import tell  # noqa: PLC0415
    from migsafe.reports.premortem import premortem_reporter  # noqa: PLC0415

    settings = configuration(Path(config) if config else None).overridden(
        stats=stats, schema=schema, pg_version=pg_version, runner=runner, transaction=transaction, no_exec=no_exec or None
    )
    write = premortem_reporter(format)
    plan = planned(paths, settings, "look at", since=since, changed=changed)
    problems: list[MigsafeError] = []
    counts = _rows(settings)
    judged = _judged(plan, settings, counts, problems)
    replayed_on = ""
    if replay:
        with ExitStack() as stack:
            host = _host(stack, server, copy_of, pg_version)
            measured = _replayed(plan, host, rows, counts, settings, problems)
            replayed_on = host.title
        judged = [replace(one, replayed=measured.get((one.migration.up.file.path, one.migration.id))) for one in judged]
    told: Premortem = tell(judged, settings.pg_version, with_rows=bool(counts), slo=Budget(*settings.slo.budgets), replayed_on=replayed_on)
    file = Path(output) if output else None
    deliver(write(told, look(file)), file)
    for problem in problems:
        complain(problem)
    raise typer.Exit(COULD_NOT if problems else _FORBIDDEN if told.forbidden else 0)


def _rows(settings: Configuration) -> Mapping[str, int]:
    """The rows of production's tables, where somebody has counted them."""
    if settings.stats is None:
        return {}
    from migsafe.schema.statistics import read  # noqa: PLC0415

    return read(settings.stats)


def _host(stack: ExitStack, server: str, copy_of: str | None, pg_version: str | None) -> "Host":
    from migsafe.cli.replay import ended_by_terminate  # noqa: PLC0415
    from migsafe.replaying.servers.selection import Place, host_at  # noqa: PLC0415

    stack.enter_context(ended_by_terminate())
    return stack.enter_context(host_at(Place(server, copy_of, pg_version=pg_version)))


def _replayed(
    plan: Plan, host: "Host", rows: str, counts: Mapping[str, int], settings: Configuration, problems: list[MigsafeError]
) -> "dict[tuple[str, str], Replayed]":
    """What a replay shows of each migration, by path and version. What could not be run is a problem."""
    from migsafe.cli.replay_options import shares_of  # noqa: PLC0415
    from migsafe.replaying.replay import Options, Replay  # noqa: PLC0415

    options = Options(
        rows=shares_of(rows, None, counts),
        schema=dump(settings.schema),
        statement_limit=_MINUTES["statement"],
        run_limit=_MINUTES["run"],
        production=counts,
    )
    # The plan's own problems have been met already.
    met: list[MigsafeError] = []
    run = Replay(plan, host, options, met, lambda _: None)
    found = {(one.migration.up.file.path, one.migration.id): one for one in run.migrations()}
    problems += [problem for problem in met if problem not in problems]
    return found


def _judged(plan: Plan, settings: Configuration, counts: Mapping[str, int], problems: list[MigsafeError]) -> "list[Judged]":
    from migsafe.premortem.observed import Observed, collector, unsilenced  # noqa: PLC0415
    from migsafe.premortem.telling import Judged  # noqa: PLC0415

    limits = replace(settings.limits, rows=counts)
    observed: dict[tuple[str, str], list[Observed]] = {}
    rules = rulebook(settings).rules
    book = Rulebook((*rules, *map(unsilenced, shipped()), collector(observed)))
    seen: list[Migration] = []

    def each() -> Iterator[SelectedMigration]:
        found = selected_migrations(
            plan,
            settings.pg_version,
            problems,
            renderer(settings, usual()),
            schema=dump(settings.schema),
            watch=lambda steps: watched(steps, "migsafe: migration"),
            with_downgrades=True,
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
