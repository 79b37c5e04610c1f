"""`migsafe replay`."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from migsafe.cli.console import COULD_NOT, complain, deliver, look
from migsafe.cli.narrowed import narrowed
from migsafe.cli.options import Changed, Config, Output, Paths, RunnerName, Schema, Since, TransactionHabit, asked_for, dump
from migsafe.configuration import Configuration, configuration
from migsafe.errors import ConfigError, MigsafeError
from migsafe.finding import Severity
from migsafe.session import milliseconds
from migsafe.sources import Plan, find
from migsafe.spelling import did_you_mean

if TYPE_CHECKING:
    from migsafe.replay.budgets import Budgets
    from migsafe.replay.hosts import Host
    from migsafe.replay.run import Options
    from migsafe.reports.replay import Replay as Document

_FOUND = 1
_FORMATS = ("text", "json", "html", "sarif", "github", "gitlab", "junit", "markdown")
_CHECKS = ("rerun", "crash", "round-trip", "agreement")


def replay(
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
    pg_version: Annotated[str | None, typer.Option(metavar="14…18", help="The local server's major version. [default: the newest]")] = None,
    schema: Schema = None,
    rows: Annotated[int, typer.Option(metavar="N", min=0, help="How many rows to put into each table.")] = 100_000,
    check: Annotated[
        list[str] | None, typer.Option(metavar="|".join(_CHECKS), help="Only these experiments; `none` for none. [default: all]")
    ] = None,
    queue: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="Let a reader hold each table first, for so long.")] = 0.0,
    max_blocked: Annotated[str | None, typer.Option(metavar="TIME", help="The longest that a query may wait.")] = None,
    max_hold: Annotated[str | None, typer.Option(metavar="TIME", help="The longest that a lock may be held that stops somebody.")] = None,
    max_wal: Annotated[str | None, typer.Option(metavar="SIZE", help="The most WAL that a migration may write.")] = None,
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
    from migsafe.replay.hosts.choice import Place, host_at  # noqa: PLC0415
    from migsafe.reports.replay import replay_reporter  # noqa: PLC0415  # the other commands need none of it

    settings = configuration(Path(config) if config else None).overridden(fail_on=fail_on, runner=runner, transaction=transaction)
    write = replay_reporter(format)
    page = replay_reporter("html") if report else None
    budgets = _budgets(max_blocked, max_hold, max_wal)
    plan = narrowed(find(asked_for(paths, settings, "replay"), settings.sources), settings, since, changed)
    problems: list[MigsafeError] = []
    with ExitStack() as stack:
        place = Place(server, copy_of, template, in_place, pg_bin, pg_version, superuser)
        host = stack.enter_context(host_at(place))
        done = _replayed(plan, host, _options(schema or settings.schema, rows, check, queue), budgets, problems)
    file = Path(output) if output else None
    deliver(write(done, look(file)), file)
    if page is not None and report is not None:
        deliver(page(done, look(Path(report))), Path(report))
    for problem in problems:
        complain(problem)
    raise typer.Exit(COULD_NOT if problems else _exit_code(done.verdict.worst(), settings))


def _budgets(blocked: str | None, hold: str | None, wal: str | None) -> "Budgets":
    from migsafe.replay.budgets import Budgets, size  # noqa: PLC0415

    def time(option: str, value: str | None) -> float | None:
        found = milliseconds(value) if value is not None else None
        if value is not None and found is None:
            raise ConfigError(f"--{option}: {value} is no time", "PostgreSQL takes 500ms, 2s, 1min.")
        return found

    written = size(wal) if wal is not None else None
    if wal is not None and written is None:
        raise ConfigError(f"--max-wal: {wal} is no size", "PostgreSQL takes 64MB, 2GB.")
    return Budgets(blocked=time("max-blocked", blocked), hold=time("max-hold", hold), wal=written)


def _options(schema: str | None, rows: int, check: list[str] | None, queue: float) -> "Options":
    from migsafe.replay.rows import every  # noqa: PLC0415
    from migsafe.replay.run import Options  # noqa: PLC0415

    wanted = [name.strip() for given in check or _CHECKS for name in given.split(",") if name.strip()]
    for name in wanted:
        if name not in (*_CHECKS, "none"):
            raise ConfigError(f"--check: there is no experiment {name}", did_you_mean(name, _CHECKS))
    checks = tuple(name.replace("-", " ") for name in wanted if name != "none")
    return Options(checks=checks, rows=every(rows) if rows else None, queue=queue, schema=dump(schema))


def _replayed(plan: Plan, host: "Host", options: "Options", budgets: "Budgets", problems: list[MigsafeError]) -> "Document":
    from migsafe.replay.budgets import verdict  # noqa: PLC0415
    from migsafe.replay.run import Replay  # noqa: PLC0415
    from migsafe.reports.replay import Replay as Document  # noqa: PLC0415

    run = Replay(plan, host, options, problems, _progress)
    replayed = tuple(run.migrations())
    _progress("")
    return Document(
        host=host.title,
        pg_version=host.major,
        replayed=replayed,
        verdict=verdict(replayed, budgets, problems, host.major),
        unfilled=run.unfilled,
    )


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)


def _exit_code(worst: Severity | None, settings: Configuration) -> int:
    return _FOUND if settings.fail_on != "never" and worst is not None and worst >= Severity[settings.fail_on.upper()] else 0
