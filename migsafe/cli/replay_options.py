"""What the commands that run migrations on a server have in common: the values of their options, from text, the run, and the reports."""

import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from migsafe.cache.renderings import usual
from migsafe.cli.options import EXPERIMENTS
from migsafe.configuration import Configuration
from migsafe.configuration.durations import read_duration
from migsafe.errors import ConfigError, did_you_mean
from migsafe.library.plan import schema_script
from migsafe.library.project import make_renderer
from migsafe.patterns import lazy_pattern
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.replay import ReplayOptions
from migsafe.replaying.seeding import in_proportion, same_for_every_table
from migsafe.schema.statistics import Statistics, read_statistics
from migsafe.terminal.display import Display, display_for
from migsafe.terminal.output import write_output
from migsafe.terminal.quantities import parse_size

if TYPE_CHECKING:
    from migsafe.sql.operations import Name

Result = TypeVar("Result")


_MOST_SESSIONS = 50
_PASSWORDS = lazy_pattern(r"(://[^:/@\s]*:)\S+(?=@)|(password=)('[^']*'|[^\s&']+)", re.IGNORECASE)


def command_line() -> str:
    """Returns the command line of this process without the passwords of connection strings; empty if migsafe is not its program."""
    _, *arguments = sys.argv
    if arguments[:1] not in (["replay"], ["rehearse"]):
        return ""
    return shlex.join(("migsafe", *(_PASSWORDS.sub(r"\1\2***", argument) for argument in arguments)))


def number(option: str, value: str) -> float:
    """Returns a number that is not negative. Raises ConfigError."""
    try:
        number = float(value.replace("_", ""))
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise ConfigError(f"--{option}: invalid number: {value}", "It must be 0 or more.")
    return number


def time(option: str, value: str) -> float:
    """Returns a duration in milliseconds. Raises ConfigError, also for a number without a unit."""
    return read_duration(f"--{option}", value)


def time_limit(option: str, value: str) -> float | None:
    """Returns a time limit in seconds; None for no limit. Raises ConfigError."""
    return time(option, value) / 1000 or None


def budgets(blocked: str | None, hold: str | None, wal: str | None, configured: Budgets) -> Budgets:
    """Returns the budgets of a migration; an option that is not given leaves the configured budget. Raises ConfigError."""
    size = parse_size(wal) if wal is not None else None
    if wal is not None and size is None:
        raise ConfigError(f"--max-wal: invalid size: {wal}", "Examples: 64MB, 2GB.")
    return Budgets(
        blocked=time("max-blocked", blocked) if blocked is not None else configured.blocked,
        hold=time("max-hold", hold) if hold is not None else configured.hold,
        wal=size,
    )


def experiments(values: list[str] | None) -> tuple[str, ...]:
    """Returns the names of the experiments. Raises ConfigError."""
    names = [name.strip() for value in values or EXPERIMENTS for name in value.split(",") if name.strip()]
    for name in names:
        if name not in (*EXPERIMENTS, "none"):
            raise ConfigError(f"--check: there is no experiment {name}", did_you_mean(name, EXPERIMENTS))
    return tuple(name.replace("-", " ") for name in names if name != "none")


def sessions(value: str, has_queries: bool) -> int:
    """Returns the number of sessions of --load. Raises ConfigError, also if the workload has no queries."""
    wanted = number("load", value)
    if wanted != int(wanted) or wanted > _MOST_SESSIONS:
        raise ConfigError(f"--load: invalid number of sessions: {value}", f"It must be a whole number up to {_MOST_SESSIONS}.")
    if wanted and not has_queries:
        raise ConfigError("--load needs queries", "Name files of queries with --queries, or as `queries` in the configuration.")
    return int(wanted)


def row_counts(rows: str, most: str | None, production: Mapping[str, int]) -> "Callable[[Name], int] | None":
    """Returns a function for how many rows each table gets; None for no rows. Raises ConfigError."""
    usual = int(number("rows", rows))
    largest = int(number("max-rows", most)) if most is not None else usual
    if most is not None and not production:
        raise ConfigError("--max-rows needs --stats", "--rows sets the number of rows of each table.")
    if production:
        return in_proportion(production, largest, usual) if largest else None
    return same_for_every_table(usual) if usual else None


def usual_options(
    settings: Configuration,
    *,
    rows: str,
    max_rows: str | None,
    stats: str | None,
    seed_all: bool,
    seed_limit: str,
    schema: str | None,
    statement_limit: str,
    run_limit: str,
    without_extension: Sequence[str] | None,
) -> ReplayOptions:
    """Returns the options of a replay that all of these commands have. Raises MigsafeError."""
    production = read_statistics(stats) if stats is not None else Statistics()
    return ReplayOptions(
        rows=row_counts(rows, max_rows, production.rows),
        seed_all=seed_all,
        seed_limit=time_limit("seed-limit", seed_limit),
        schema=schema_script(schema or settings.schema),
        statement_limit=time_limit("statement-limit", statement_limit),
        run_limit=time_limit("run-limit", run_limit),
        production_rows=production.rows,
        production_columns=production.columns,
        without_extensions=[*settings.without_extensions, *(without_extension or ())],
        renderer=make_renderer(settings, usual()),
    )


def write_reports(
    result: Result,
    write: Callable[[Result, Display], str],
    output: str | None,
    write_page: Callable[[Result, Display], str] | None,
    report: str | None,
) -> None:
    """Writes the report to a file or to standard output, and the page to its file, if there is one."""
    file = Path(output) if output else None
    write_output(write(result, display_for(file)), file)
    if write_page is not None and report is not None:
        write_output(write_page(result, display_for(Path(report))), Path(report))
