"""`migsafe replay`."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from migsafe import versions
from migsafe.cache.renderings import usual
from migsafe.cli.console import COULD_NOT, complain, deliver, look
from migsafe.cli.options import Changed, Config, Output, Paths, RunnerName, Schema, Since, TransactionHabit
from migsafe.configuration import Configuration, configuration
from migsafe.library.planned import dump, planned
from migsafe.library.project import renderer
from migsafe.linting.finding import Severity
from migsafe.schema.statistics import read as read_stats

_FOUND = 1
_FORMATS = ("text", "json", "html", "sarif", "github", "gitlab", "junit", "markdown")
_CHECKS = ("rerun", "crash", "round-trip", "agreement")


def replay(  # noqa: PLR0913, PLR0917  # an argument for each option
    paths: Paths = None,
    format: Annotated[str, typer.Option(metavar="|".join(_FORMATS), help="How to write it down.")] = "text",
    output: Output = None,
    report: Annotated[str | None, typer.Option(metavar="FILE.html", help="Write a page to read, too.")] = None,
    server: Annotated[
        str, typer.Option(metavar="local|DSN|dblab:URL", help="Where to run them: a private server, or one that you name.")
    ] = "local",
    copy_of: Annotated[str | None, typer.Option("--from", metavar="DSN", help="Run them on a physical copy of this server.")] = None,
    template: Annotated[str | None, typer.Option(metavar="DB", help="Begin with a copy of this database of --server.")] = None,
    in_place: Annotated[str | None, typer.Option(metavar="DB", help="Change the database of --server itself; type out its name.")] = None,
    pg_bin: Annotated[str | None, typer.Option(metavar="FOLDER", help="The folder of PostgreSQL's programs, for a local server.")] = None,
    pg_version: Annotated[
        str | None, typer.Option(metavar=versions.SUPPORTED_TEXT, help="The local server's major version. [default: the newest]")
    ] = None,
    schema: Schema = None,
    rows: Annotated[str, typer.Option(metavar="N", help="How many rows to put into each table.")] = "100000",
    stats: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="How many rows production has, as `migsafe stats` writes it: for the rows, and estimates."),
    ] = None,
    max_rows: Annotated[
        str | None, typer.Option(metavar="N", help="With --stats: what the largest table gets; the others in proportion. [default: --rows]")
    ] = None,
    check: Annotated[
        list[str] | None, typer.Option(metavar="|".join(_CHECKS), help="Only these experiments; `none` for none. [default: all]")
    ] = None,
    queue: Annotated[str, typer.Option(metavar="SECONDS", help="Let a reader hold each table first, for so long.")] = "0",
    max_blocked: Annotated[str | None, typer.Option(metavar="TIME", help="The longest that a query may wait. [default: `slo.blocked`]")] = None,
    max_hold: Annotated[
        str | None, typer.Option(metavar="TIME", help="The longest that a lock may be held that stops somebody. [default: `slo.hold`]")
    ] = None,
    max_wal: Annotated[str | None, typer.Option(metavar="SIZE", help="The most WAL that a migration may write.")] = None,
    statement_limit: Annotated[str, typer.Option(metavar="TIME", help="Stop a statement after so long; 0 is no limit.")] = "10min",
    run_limit: Annotated[str, typer.Option(metavar="TIME", help="Stop the whole replay after so long; 0 is no limit.")] = "1h",
    superuser: Annotated[bool, typer.Option("--superuser", help="Let the migrations do what they like.")] = False,
    since: Since = None,
    changed: Changed = False,
    fail_on: Annotated[
        str | None, typer.Option(metavar="error|warning|info|never", help="The least finding that makes the exit code 1.")
    ] = None,
    runner: RunnerName = None,
    transaction: TransactionHabit = None,
    config: Config = None,
) -> None:
    """Run migrations on a disposable PostgreSQL, and measure what they lock, whom they stop, and what a failure leaves behind.

    A private server is started, the history before the migrations is applied, the tables are filled; then each migration runs as its
    runner would run it, with sessions beside it that do what an application does. Nothing of yours is touched.

    With --server DSN it makes databases of its own on a server that you call disposable, and drops them; with --from DSN it copies a
    primary or a standby with pg_basebackup, and runs on the copy; dblab:URL asks a Database Lab Engine for a thin clone (its token in
    DBLAB_TOKEN).

    \b
      migsafe replay migrations/0042_orders.sql            one migration
      migsafe replay --since origin/main                   what this branch adds
      migsafe replay --rows 1000000 --max-blocked 200ms    with larger tables, and a budget

    \b
    Exit code 0: they ran, within the budgets.
    Exit code 1: one failed, broke a budget, or did not stand an experiment.
    Exit code 2: it could not be done, or not all of it; what could be is reported.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.cli.replay_options import budgets_of, checks_of, limit, number, shares_of  # noqa: PLC0415
    from migsafe.library.replay import budgeted, replayed  # noqa: PLC0415
    from migsafe.replaying.replay import ReplayOptions  # noqa: PLC0415
    from migsafe.replaying.servers.selection import ServerOptions, choose_host  # noqa: PLC0415
    from migsafe.reports.replay import replay_reporter  # noqa: PLC0415  # the other commands need none of it

    settings = configuration(Path(config) if config else None).overridden(fail_on=fail_on, runner=runner, transaction=transaction)
    write = replay_reporter(format)
    page = replay_reporter("html") if report else None
    budgets = budgets_of(max_blocked, max_hold, max_wal, budgeted(settings))
    production = read_stats(stats) if stats is not None else {}
    options = ReplayOptions(
        experiments=checks_of(check),
        rows=shares_of(rows, max_rows, production),
        reader_seconds=number("queue", queue),
        schema=dump(schema or settings.schema),
        statement_limit=limit("statement-limit", statement_limit),
        run_limit=limit("run-limit", run_limit),
        production_rows=production,
        renderer=renderer(settings, usual()),
    )
    plan = planned(paths, settings, "replay", since=since, changed=changed)
    with ExitStack() as stack:
        stack.enter_context(ended_by_terminate())
        place = ServerOptions(server, copy_of, template, in_place, pg_bin, pg_version, superuser)
        host = stack.enter_context(choose_host(place))
        done = replayed(plan, host, options, budgets, _progress)
        _progress("")
    problems = done.verdict.problems
    file = Path(output) if output else None
    deliver(write(done, look(file)), file)
    if page is not None and report is not None:
        deliver(page(done, look(Path(report))), Path(report))
    for problem in problems:
        complain(problem)
    raise typer.Exit(COULD_NOT if problems else _exit_code(done.verdict.worst(), settings))


@contextmanager
def ended_by_terminate() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that what stands on somebody's server is cleared away."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)


def _exit_code(worst: Severity | None, settings: Configuration) -> int:
    return _FOUND if settings.fail_on != "never" and worst is not None and worst >= Severity[settings.fail_on.upper()] else 0
