"""What more than one command takes, in the same words."""

from collections.abc import Sequence
from typing import Annotated

import typer

from migsafe import versions
from migsafe.configuration import FAIL_ON, TRANSACTIONS

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATHS]...", help="Migration files or folders; - is standard input. Without any: `migrations` of the configuration."
    ),
]
Output = Annotated[str | None, typer.Option(metavar="FILE", help="Write them to a file.")]
PgVersion = Annotated[
    str | None, typer.Option(metavar=versions.SUPPORTED_TEXT, help=f"The server's major version. [default: {versions.DEFAULT}]")
]
RunnerName = Annotated[str | None, typer.Option(metavar="NAME", help="Who runs the migrations, where the files do not tell.")]
TransactionHabit = Annotated[
    str | None, typer.Option(metavar="|".join(TRANSACTIONS), help="How the runner wraps a migration, where the files do not tell.")
]
Schema = Annotated[str | None, typer.Option(metavar="FILE", help="A `pg_dump --schema-only` of the database before the first migration.")]
NoExec = Annotated[
    bool, typer.Option("--no-exec", help="Run nothing of migrations in Python: read the calls in them, and say where that is not enough.")
]
Config = Annotated[str | None, typer.Option(metavar="FILE", help="Read this configuration instead of the nearest one.")]
Select = Annotated[list[str] | None, typer.Option(metavar="RULE", help="Only these rules; repeat it, or part them with commas.")]
Ignore = Annotated[list[str] | None, typer.Option(metavar="RULE", help="All rules but these.")]
FailOnOption = Annotated[
    str | None, typer.Option(metavar="|".join(FAIL_ON), help="The least finding that makes the exit code 1. [default: warning]")
]
Since = Annotated[str | None, typer.Option(metavar="REV", help="Judge only what git says changed since then; the rest is history.")]
Changed = Annotated[bool, typer.Option("--changed", help="Judge only what is not committed yet.")]
Baseline = Annotated[str | None, typer.Option(metavar="FILE", help="Report only what this file does not hold.")]
WriteBaseline = Annotated[
    bool, typer.Option("--write-baseline", help="Record today's findings in the baseline, migsafe-baseline.json unless said otherwise.")
]
Stats = Annotated[str | None, typer.Option(metavar="FILE", help="How many rows tables have, as `migsafe stats` writes it.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Work it all out again, and keep nothing of it.")]

_SKIPPED_SHOWN = 3


def left_out(skipped: Sequence[str]) -> str:
    """What to say of files that are no migrations: the first few by name."""
    number, shown = len(skipped), ", ".join(skipped[:_SKIPPED_SHOWN])
    files = f"{number} file{'' if number == 1 else 's'} that the runner does not take for migrations"
    return f"left out {files}: {shown}{', …' if number > _SKIPPED_SHOWN else ''}"
