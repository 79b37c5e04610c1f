"""The options of the commands that run migrations on a server: `migsafe replay` and `migsafe rehearse`."""

from typing import Annotated

import typer

from migsafe import versions
from migsafe.cli.completion import choices
from migsafe.cli.help import BUDGETS, CHECK, REPORT, SERVER
from migsafe.cli.options import PG_VERSIONS

Report = Annotated[str | None, typer.Option(metavar="FILE.html", rich_help_panel=REPORT, help="Also write the report as an HTML page.")]
Server = Annotated[
    str,
    typer.Option(
        metavar="local|DSN|dblab:URL", rich_help_panel=SERVER, help="Where to run them: a private or a disposable server, or a thin clone."
    ),
]
CopyOf = Annotated[
    str | None, typer.Option("--from", metavar="DSN", rich_help_panel=SERVER, help="Run the migrations on a physical copy of this server.")
]
Template = Annotated[str | None, typer.Option(metavar="DB", rich_help_panel=SERVER, help="Start with a copy of this database of --server.")]
InPlace = Annotated[str | None, typer.Option(metavar="DB", rich_help_panel=SERVER, help="Change this database of --server itself.")]
PgBin = Annotated[
    str | None, typer.Option(metavar="FOLDER", rich_help_panel=SERVER, help="The folder of PostgreSQL's programs for a private server.")
]
ServerVersion = Annotated[
    str | None,
    typer.Option(
        metavar=versions.SUPPORTED_TEXT,
        autocompletion=choices(PG_VERSIONS),
        rich_help_panel=SERVER,
        help="The private server's major version. [default: `pg-version` of the configuration]",
    ),
]
Rows = Annotated[str, typer.Option(metavar="N", rich_help_panel=SERVER, help="How many rows to insert into each table.")]
StatsForRows = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=SERVER,
        help="The statistics of production, from `migsafe stats`: for the generated rows and for estimates.",
    ),
]
MaxRows = Annotated[
    str | None,
    typer.Option(
        metavar="N", rich_help_panel=SERVER, help="With --stats: the rows of the largest table; the others in proportion. [default: --rows]"
    ),
]
SeedAll = Annotated[
    bool,
    typer.Option(
        "--seed-all", rich_help_panel=SERVER, help="Fill all tables, not only those that the migrations touch and what their rows reference."
    ),
]
SeedLimit = Annotated[
    str, typer.Option(metavar="TIME", rich_help_panel=SERVER, help="Give up a table that takes longer for each 100,000 rows; 0 means no limit.")
]
RunningQueries = Annotated[
    list[str] | None,
    typer.Option(
        "--queries",
        metavar="FILE",
        rich_help_panel=CHECK,
        help="The queries of the release that runs now, or `none`; repeat the option for several. [default: `queries`, those at --since]",
    ),
]
Load = Annotated[
    str,
    typer.Option(
        metavar="N",
        rich_help_panel=SERVER,
        help="Beside each migration, execute the workload's SELECTs from N sessions, and measure how long they take.",
    ),
]
MaxBlocked = Annotated[
    str | None, typer.Option(metavar="TIME", rich_help_panel=BUDGETS, help="The longest that a query may wait. [default: `slo.blocked`]")
]
MaxHold = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", rich_help_panel=BUDGETS, help="The longest that a lock which blocks queries may be held. [default: `slo.hold`]"
    ),
]
MaxWal = Annotated[str | None, typer.Option(metavar="SIZE", rich_help_panel=BUDGETS, help="The most WAL that a migration may write.")]
StatementLimit = Annotated[
    str, typer.Option(metavar="TIME", rich_help_panel=BUDGETS, help="Cancel a statement after this time; 0 means no limit.")
]
RunLimit = Annotated[
    str, typer.Option(metavar="TIME", rich_help_panel=BUDGETS, help="Cancel the whole replay after this time; 0 means no limit.")
]
WithoutExtension = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=SERVER,
        help="Do not create this extension, and leave out the statements that need it; repeat the option for several.",
    ),
]
Superuser = Annotated[bool, typer.Option("--superuser", rich_help_panel=SERVER, help="Run the migrations as a superuser.")]
