"""`migsafe premortem`."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from migsafe.cli.help import SERVER
from migsafe.cli.interruption import ended_by_signals
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
    format_option,
)
from migsafe.cli.results import FAILED, FOUND, left_out
from migsafe.configuration import Configuration, read_configuration
from migsafe.library.plan import find_plan, schema_script
from migsafe.reports.premortem import FORMATS, premortem_reporter
from migsafe.terminal.display import display_for
from migsafe.terminal.output import check_output, show_error, write_output
from migsafe.terminal.progress import track

if TYPE_CHECKING:
    from migsafe.replaying.replay import ReplayOptions
    from migsafe.replaying.servers.selection import ServerOptions

_SECONDS = {"statement": 600.0, "run": 3600.0}
"""How many seconds a statement and the whole replay may take, as in `migsafe replay`."""


def premortem(
    paths: Paths = None,
    format: Annotated[str, format_option(FORMATS, "The format of the report.")] = "markdown",
    output: Output = None,
    stats: Stats = None,
    replay: Annotated[
        bool, typer.Option("--replay", rich_help_panel=SERVER, help="Also run them on a disposable PostgreSQL, and measure.")
    ] = False,
    server: Annotated[
        str, typer.Option(metavar="local|DSN|dblab:URL", rich_help_panel=SERVER, help="With --replay: the server to run them on.")
    ] = "local",
    copy_of: Annotated[
        str | None,
        typer.Option("--from", metavar="DSN", rich_help_panel=SERVER, help="With --replay: run them on a physical copy of this server."),
    ] = None,
    rows: Annotated[
        str,
        typer.Option(
            metavar="N", rich_help_panel=SERVER, help="With --replay: how many rows to insert into each table; with --stats, into the largest."
        ),
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

    The report has, for each migration: how it can fail, and what the team would see; which queries are blocked, and for how long; what an
    aborted run leaves behind, and whether the migration can be run again; whether the running and the new release work during the
    deployment; the rollback plan, and what it loses; and the order of a safe rollout.

    Everything is predicted from the migrations and production's row counts (--stats). With --replay the migrations also run, as in
    `migsafe replay`; the report then marks what was measured. Suppressed findings are included.

    \b
      migsafe premortem migrations/0042_orders.sql       one migration
      migsafe premortem --since v41 --stats stats.json   with row counts
      migsafe premortem --since v41 --replay             with measurements
      migsafe premortem --since v41 --format html --output page.html

    Deploy scripts can use it as a gate: the exit code is 1 if a migration exceeds a budget of the configuration. Without budgets the gate is
    always open.

    \b
      [tool.migsafe.slo]
      blocked = "2s"  # a query may wait no longer: lock_timeout plus the work
      hold = "1s"     # a lock that blocks queries may be held no longer
      rows-lost = 0   # existing tables may lose no more rows

    A migration without a lock_timeout exceeds `blocked`, because nothing ends its wait. A migration that fails in the replay closes the
    gate, too. What cannot be predicted (for example because a table's row count is unknown) is reported as in doubt; it does not close the
    gate.

    \b
    Exit code 0: the gate is open.
    Exit code 1: the gate is closed.
    Exit code 2: an error, or some migrations could not be assessed.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.library.premortem import assess_plan  # noqa: PLC0415  # the other commands do not need it

    settings = read_configuration(Path(config) if config else None).overridden(
        stats=stats, schema=schema, pg_version=pg_version, runner=runner, transaction=transaction, no_exec=no_exec or None
    )
    write = premortem_reporter(format)
    check_output(output)
    plan = find_plan(paths, settings, "assess", since=since, changed=changed)
    where, options = _replaying(server, copy_of, pg_version, rows, settings) if replay else (None, None)
    with ended_by_signals() if replay else nullcontext():
        result = assess_plan(plan, settings, where, options, lambda steps: track(steps, "migsafe: migration"), show_error)
    file = Path(output) if output else None
    write_output(write(result, display_for(file)), file)
    for problem in (*result.problems, *left_out(plan)):
        show_error(problem)
    raise typer.Exit(FAILED if result.problems else FOUND if result.forbidden else 0)


def _replaying(
    server: str, copy_of: str | None, pg_version: str | None, rows: str, settings: Configuration
) -> "tuple[ServerOptions, ReplayOptions]":
    """Return where and how to replay. Raises ConfigError for an invalid option."""
    from migsafe.cli.replay_options import row_counts  # noqa: PLC0415
    from migsafe.replaying.replay import ReplayOptions  # noqa: PLC0415
    from migsafe.replaying.servers.selection import ServerOptions  # noqa: PLC0415
    from migsafe.schema.statistics import Statistics, read_statistics  # noqa: PLC0415

    production = read_statistics(settings.stats) if settings.stats is not None else Statistics()
    options = ReplayOptions(
        rows=row_counts(rows, None, production.rows),
        schema=schema_script(settings.schema),
        statement_limit=_SECONDS["statement"],
        run_limit=_SECONDS["run"],
        production_rows=production.rows,
        production_columns=production.columns,
    )
    return ServerOptions(server, copy_of, pg_version=pg_version), options
