"""`migsafe premortem`."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
from migsafe.cli.replay import ended_by_terminate
from migsafe.configuration import Configuration, configuration
from migsafe.library.planned import dump, planned

if TYPE_CHECKING:
    from migsafe.replaying.replay import ReplayOptions
    from migsafe.replaying.servers.selection import ServerOptions

_FORBIDDEN = 1
_FORMATS = ("markdown", "html", "json")
_SECONDS = {"statement": 600.0, "run": 3600.0}
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
    from migsafe.library.premortem import assess_plan  # noqa: PLC0415  # the other commands need none of it
    from migsafe.reports.premortem import premortem_reporter  # noqa: PLC0415

    settings = configuration(Path(config) if config else None).overridden(
        stats=stats, schema=schema, pg_version=pg_version, runner=runner, transaction=transaction, no_exec=no_exec or None
    )
    write = premortem_reporter(format)
    plan = planned(paths, settings, "look at", since=since, changed=changed)
    place, options = _replaying(server, copy_of, pg_version, rows, settings) if replay else (None, None)
    with ended_by_terminate() if replay else nullcontext():
        result = assess_plan(plan, settings, place, options, lambda steps: watched(steps, "migsafe: migration"))
    file = Path(output) if output else None
    deliver(write(result, look(file)), file)
    for problem in result.problems:
        complain(problem)
    raise typer.Exit(COULD_NOT if result.problems else _FORBIDDEN if result.forbidden else 0)


def _replaying(
    server: str, copy_of: str | None, pg_version: str | None, rows: str, settings: Configuration
) -> "tuple[ServerOptions, ReplayOptions]":
    """Where and how to replay. Raises ConfigError for an option that makes no sense."""
    from migsafe.cli.replay_options import shares_of  # noqa: PLC0415
    from migsafe.library.lint import with_rows  # noqa: PLC0415
    from migsafe.replaying.replay import ReplayOptions  # noqa: PLC0415
    from migsafe.replaying.servers.selection import ServerOptions  # noqa: PLC0415

    production = with_rows(settings).rows
    options = ReplayOptions(
        rows=shares_of(rows, None, production),
        schema=dump(settings.schema),
        statement_limit=_SECONDS["statement"],
        run_limit=_SECONDS["run"],
        production_rows=production,
    )
    return ServerOptions(server, copy_of, pg_version=pg_version), options
