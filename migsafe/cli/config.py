"""`migsafe config`."""

import os
from pathlib import Path
from typing import Annotated

from migsafe.cache.store import usual_folder
from migsafe.cli.options import (
    Baseline,
    Config,
    Exclude,
    FailOnOption,
    Ignore,
    NoExec,
    Output,
    PgVersion,
    RunnerName,
    Schema,
    Select,
    Stats,
    TransactionHabit,
    format_option,
)
from migsafe.cli.results import split_names
from migsafe.configuration import find_configuration, read_configuration
from migsafe.paths import relative_path
from migsafe.reports.settings import FORMATS, EffectiveSettings, Surroundings, settings_reporter
from migsafe.terminal.display import display_for
from migsafe.terminal.output import DEBUG, write_output


def config(
    format: Annotated[str, format_option(FORMATS, "The format of the list.")] = "text",
    output: Output = None,
    select: Select = None,
    ignore: Ignore = None,
    exclude: Exclude = None,
    fail_on: FailOnOption = None,
    baseline: Baseline = None,
    stats: Stats = None,
    schema: Schema = None,
    pg_version: PgVersion = None,
    runner: RunnerName = None,
    transaction: TransactionHabit = None,
    no_exec: NoExec = False,
    config: Config = None,
) -> None:
    """Show the settings that apply here, and where each comes from.

    The configuration is the file that --config names, or the nearest migsafe.toml or pyproject.toml with a table [tool.migsafe], in the
    current folder or above. Its keys are listed with their lines. Options of `migsafe lint`, such as --fail-on, override keys: given here,
    the list shows their values. An invalid configuration is reported as by every command.

    \b
      migsafe config                        what applies in this folder
      migsafe config --fail-on error        and with an option of `migsafe lint`
      migsafe config --format json          for programs
      migsafe config --config ci.toml       another configuration

    `migsafe rules` shows which rules are on; docs/configuration.md explains the keys.

    \b
    Exit code 0: the configuration is valid, or there is none.
    Exit code 2: the configuration is invalid.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.configuration.origins import effective_settings  # noqa: PLC0415  # the other commands do not need it
    from migsafe.library.project import load_rulebook  # noqa: PLC0415

    write, written = settings_reporter(format), Path(output) if output else None
    options = {
        "select": split_names(select),
        "ignore": split_names(ignore),
        "exclude": split_names(exclude),
        "fail_on": fail_on,
        "baseline": baseline,
        "stats": stats,
        "schema": schema,
        "pg_version": pg_version,
        "runner": runner,
        "transaction": transaction,
        "no_exec": no_exec or None,
    }
    file = Path(config) if config else find_configuration()
    file = Path(relative_path(file)) if file is not None else None
    settings = read_configuration(file).overridden(**options)
    load_rulebook(settings)  # checks the names of rules
    overriding = [key.replace("_", "-") for key, value in options.items() if value is not None]
    effective = EffectiveSettings(
        file=str(file) if file is not None else None,
        settings=effective_settings(settings, file, overriding),
        surroundings=_surroundings(),
    )
    write_output(write(effective, display_for(written)), written)


def _surroundings() -> list[Surroundings]:
    """Return what is decided by environment variables."""
    colour = next((name for name in ("NO_COLOR", "FORCE_COLOR") if os.environ.get(name)), "NO_COLOR")
    values = (
        ("cache", usual_folder() or "none", "XDG_CACHE_HOME"),
        ("colours", "on" if display_for(None).colour else "off", colour),
        ("tracebacks", "on" if DEBUG in os.environ else "off", DEBUG),
        ("Database Lab token", "set" if os.environ.get("DBLAB_TOKEN") else "not set", "DBLAB_TOKEN"),
    )
    return [Surroundings(name=name, value=value, variable=variable, is_set=bool(os.environ.get(variable))) for name, value, variable in values]
