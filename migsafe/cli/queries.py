"""`migsafe queries`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.help import CHECK
from migsafe.cli.options import Config, NoExec, Output, PgVersion, RunnerName, Schema, format_option
from migsafe.cli.results import FAILED
from migsafe.configuration import read_configuration
from migsafe.reports.queries import FORMATS, reporter
from migsafe.terminal.display import display_for
from migsafe.terminal.output import show_error, write_output
from migsafe.terminal.progress import track


def queries(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATHS", help="Only queries in these files and folders. [default: `queries` of the configuration]"),
    ] = None,
    format: Annotated[str, format_option(FORMATS, "The format of the list.")] = "text",
    output: Output = None,
    since: Annotated[
        str | None, typer.Option(metavar="REV", rich_help_panel=CHECK, help="Only queries that are new since this git revision.")
    ] = None,
    from_log: Annotated[
        str | None, typer.Option(metavar="FILE", rich_help_panel=CHECK, help="The queries of a PostgreSQL log: stderr, csvlog or jsonlog.")
    ] = None,
    schema: Schema = None,
    pg_version: PgVersion = None,
    runner: RunnerName = None,
    no_exec: NoExec = False,
    config: Config = None,
) -> None:
    """List the application's queries: where they are, the tables they use, and the index that serves each.

    The configuration's `queries` names files and folders: sqlc.yaml, the folder .sqlx, files with `-- name:` lines, Python files, and what
    `pytest --migsafe-record` or `--format jsonl` has written. The tables are those that the configuration's `migrations` leave.

    \b
      migsafe queries                        all of them
      migsafe queries db/queries/orders.sql  those of a file
      migsafe queries --since origin/main    those that are new
      migsafe queries --from-log postgresql.log --format jsonl

    \b
    Exit code 0: success.
    Exit code 2: an error, or some migrations could not be read; the queries are
                 listed all the same.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.library.queries import list_queries  # noqa: PLC0415  # the other commands do not need what reads queries

    settings = read_configuration(Path(config) if config else None).overridden(
        schema=schema, pg_version=pg_version, runner=runner, no_exec=no_exec or None
    )
    write = reporter(format)
    listed = list_queries(paths, settings, since=since, log=from_log, track=lambda steps: track(steps, "migsafe: migration"))
    file = Path(output) if output else None
    write_output(write(listed, display_for(file)), file)
    for problem in listed.problems:
        show_error(problem)
    raise typer.Exit(FAILED if listed.problems else 0)
