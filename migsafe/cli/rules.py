"""`migsafe rules`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.console import deliver, look
from migsafe.cli.options import Config, Output
from migsafe.configuration import configuration
from migsafe.errors import ConfigError, did_you_mean
from migsafe.library.project import listed

_FORMATS = ("text", "json")


def rules(
    format: Annotated[str, typer.Option(metavar="|".join(_FORMATS), help="How to write the list.")] = "text",
    output: Output = None,
    config: Config = None,
) -> None:
    """List all rules: category, severity, whether they are on, and what they find.

    Severities and what is on are those of the configuration; a project's own rules are among them.

    \b
      migsafe rules                 a table
      migsafe rules --format json   the same for programs
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    if format not in _FORMATS:
        raise ConfigError(f"there is no format {format}", did_you_mean(format, _FORMATS))
    from migsafe.documentation import terminal  # noqa: PLC0415  # the other commands need none of it
    from migsafe.documentation.listing import document  # noqa: PLC0415

    file = Path(output) if output else None
    found = listed(configuration(Path(config) if config else None))
    shown = look(file)
    deliver(document(found) if format == "json" else terminal.table(found, colour=shown.colour, width=shown.width), file)
