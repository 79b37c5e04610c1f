"""The options that several commands have, with the same help."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from migsafe import versions
from migsafe.cli.completion import choices, rule_names, runner_names
from migsafe.cli.help import CHECK, DATABASE, FIXES, REPORT, RUN
from migsafe.configuration import FAIL_ON, TRANSACTIONS

EXPERIMENTS = ("rerun", "crash", "round-trip", "agreement")
"""The values of `migsafe replay --check`, apart from `none`."""

PG_VERSIONS = tuple(map(str, range(versions.OLDEST, versions.NEWEST + 1)))

Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATHS", help="Migration files or folders; - is standard input. [default: `migrations` of the configuration]"),
]
Output = Annotated[str | None, typer.Option(metavar="FILE", rich_help_panel=REPORT, help="Write the output to a file.")]
Also = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FORMAT=FILE",
        rich_help_panel=REPORT,
        help="Also write the findings in this format to this file; repeat the option for several.",
    ),
]
PgVersion = Annotated[
    str | None,
    typer.Option(
        metavar=versions.SUPPORTED_TEXT,
        autocompletion=choices(PG_VERSIONS),
        rich_help_panel=DATABASE,
        help=f"The server's major version. [default: {versions.DEFAULT}]",
    ),
]
RunnerName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        autocompletion=runner_names,
        rich_help_panel=RUN,
        help="The runner of the migrations (flyway, goose and so on), if the files do not show it.",
    ),
]
TransactionHabit = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(TRANSACTIONS),
        autocompletion=choices(TRANSACTIONS),
        rich_help_panel=RUN,
        help="What the runner runs in one transaction, if the files do not show it.",
    ),
]
Schema = Annotated[
    str | None,
    typer.Option(metavar="FILE", rich_help_panel=DATABASE, help="A `pg_dump --schema-only` of the database before the first migration."),
]
NoExec = Annotated[
    bool,
    typer.Option(
        "--no-exec",
        rich_help_panel=RUN,
        help="Run no code of the project: only read the calls in migrations written in Python, and leave out own rules.",
    ),
]
Config = Annotated[str | None, typer.Option(metavar="FILE", rich_help_panel=RUN, help="Read this configuration instead of the nearest one.")]
Select = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RULE",
        autocompletion=rule_names,
        rich_help_panel=CHECK,
        help="Only these rules; repeat the option, or separate names with commas.",
    ),
]
Ignore = Annotated[
    list[str] | None, typer.Option(metavar="RULE", autocompletion=rule_names, rich_help_panel=CHECK, help="All rules except these.")
]
FailOnOption = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(FAIL_ON),
        autocompletion=choices(FAIL_ON),
        rich_help_panel=REPORT,
        help="The lowest severity that makes the exit code 1. [default: warning]",
    ),
]
StdinFilename = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", rich_help_panel=CHECK, help="With `-`: the file that standard input is the text of, which need not exist; for editors."
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", rich_help_panel=CHECK, help="Files and folders that are not migrations: neither read nor checked."),
]
Since = Annotated[
    str | None,
    typer.Option(metavar="REV", rich_help_panel=CHECK, help="Only migrations that changed since this git revision; the others are history."),
]
Changed = Annotated[
    bool,
    typer.Option("--changed", rich_help_panel=CHECK, help="Only migrations with uncommitted changes; the others are history."),
]
Down = Annotated[
    bool, typer.Option("--down", rich_help_panel=CHECK, help="Also check whether downgrades work, and the next upgrade after them.")
]
Baseline = Annotated[str | None, typer.Option(metavar="FILE", rich_help_panel=REPORT, help="Report only findings that are not in this file.")]
WriteBaseline = Annotated[
    bool,
    typer.Option(
        "--write-baseline",
        rich_help_panel=REPORT,
        help="Write the current findings to the baseline. [default: migsafe-baseline.json]",
    ),
]
Statistics = Annotated[
    bool, typer.Option("--statistics", rich_help_panel=REPORT, help="Count the findings of each rule instead of listing them.")
]
Watch = Annotated[bool, typer.Option("--watch", rich_help_panel=RUN, help="Lint again whenever a file changes, until Ctrl-C.")]
Stats = Annotated[
    str | None,
    typer.Option(metavar="FILE", rich_help_panel=DATABASE, help="The statistics of production's tables, from `migsafe stats`."),
]
NoCache = Annotated[bool, typer.Option("--no-cache", rich_help_panel=RUN, help="Neither read nor write the cache.")]
Fix = Annotated[
    bool,
    typer.Option(
        "--fix",
        rich_help_panel=FIXES,
        help="Apply the safe fixes: edit migrations, and write new ones where a step needs a migration of its own.",
    ),
]
Diff = Annotated[bool, typer.Option("--diff", rich_help_panel=FIXES, help="Show what --fix changes, and write nothing.")]
UnsafeFixes = Annotated[
    bool,
    typer.Option(
        "--unsafe-fixes",
        rich_help_panel=FIXES,
        help="Also fixes after which a failure or a second run leaves something else, or that need another deployment.",
    ),
]
Prove = Annotated[
    bool,
    typer.Option(
        "--prove",
        rich_help_panel=FIXES,
        help="Run the migrations before and after on a disposable PostgreSQL, and write only what that proves.",
    ),
]

ProveAsSuperuser = Annotated[
    bool,
    typer.Option("--superuser", rich_help_panel=FIXES, help="With --prove: run the migrations as a superuser, because the history needs one."),
]


def format_option(formats: Sequence[str], help: str) -> Any:
    """Returns the option --format of a command that has these formats."""
    return typer.Option(metavar="|".join(formats), autocompletion=choices(formats), rich_help_panel=REPORT, help=help)
