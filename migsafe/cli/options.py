"""The options that several commands have, with the same help, and the exit codes."""

from collections.abc import Sequence
from typing import Annotated

import typer

from migsafe import versions
from migsafe.configuration import FAIL_ON, TRANSACTIONS, Configuration
from migsafe.linting.finding import Severity

FOUND, FAILED = 1, 2
"""The exit codes: something was found; the command, or a part of it, failed."""

EXPERIMENTS = ("rerun", "crash", "round-trip", "agreement")
"""The values of `migsafe replay --check`, apart from `none`."""

Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATHS]...", help="Migration files or folders; - is standard input. [default: `migrations` of the configuration]"),
]
Output = Annotated[str | None, typer.Option(metavar="FILE", help="Write the output to a file.")]
Also = Annotated[
    list[str] | None,
    typer.Option(metavar="FORMAT=FILE", help="Also write the findings in this format to this file; repeat the option for several."),
]
PgVersion = Annotated[
    str | None, typer.Option(metavar=versions.SUPPORTED_TEXT, help=f"The server's major version. [default: {versions.DEFAULT}]")
]
RunnerName = Annotated[
    str | None, typer.Option(metavar="NAME", help="The runner of the migrations (flyway, goose, …), if the files do not show it.")
]
TransactionHabit = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(TRANSACTIONS),
        help="What the runner runs in one transaction, if the files do not show it.",
    ),
]
Schema = Annotated[str | None, typer.Option(metavar="FILE", help="A `pg_dump --schema-only` of the database before the first migration.")]
NoExec = Annotated[
    bool,
    typer.Option("--no-exec", help="Run no code of the project: only read the calls in migrations written in Python, and leave out own rules."),
]
Config = Annotated[str | None, typer.Option(metavar="FILE", help="Read this configuration instead of the nearest one.")]
Select = Annotated[list[str] | None, typer.Option(metavar="RULE", help="Only these rules; repeat the option, or separate names with commas.")]
Ignore = Annotated[list[str] | None, typer.Option(metavar="RULE", help="All rules except these.")]
FailOnOption = Annotated[
    str | None, typer.Option(metavar="|".join(FAIL_ON), help="The lowest severity that makes the exit code 1. [default: warning]")
]
Since = Annotated[str | None, typer.Option(metavar="REV", help="Only migrations that changed since this git revision; the others are history.")]
Changed = Annotated[bool, typer.Option("--changed", help="Only migrations with uncommitted changes; the others are history.")]
Down = Annotated[bool, typer.Option("--down", help="Also check whether downgrades work, and the next upgrade after them.")]
Baseline = Annotated[str | None, typer.Option(metavar="FILE", help="Report only findings that are not in this file.")]
WriteBaseline = Annotated[
    bool, typer.Option("--write-baseline", help="Write the current findings to the baseline. [default: migsafe-baseline.json]")
]
Stats = Annotated[str | None, typer.Option(metavar="FILE", help="The statistics of production's tables, from `migsafe stats`.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither read nor write the cache.")]

_SKIPPED_SHOWN = 3


def skipped_files(skipped: Sequence[str]) -> str:
    """Returns a message about files that are not migrations: the first few by name."""
    number, shown = len(skipped), ", ".join(skipped[:_SKIPPED_SHOWN])
    files = f"{number} file{'' if number == 1 else 's'} that the runner would not run"
    return f"skipped {files}: {shown}{', …' if number > _SKIPPED_SHOWN else ''}"


def exit_code(worst: Severity | None, settings: Configuration) -> int:
    """Returns the exit code for the worst finding: 1 if it is at or above `fail_on`."""
    return FOUND if settings.fail_on != "never" and worst is not None and worst >= Severity[settings.fail_on.upper()] else 0
