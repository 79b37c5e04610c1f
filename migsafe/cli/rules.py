"""`migsafe rules`."""

from pathlib import Path
from typing import Annotated

from migsafe.cli.options import Config, Output, format_option
from migsafe.configuration import read_configuration
from migsafe.library.project import list_rules
from migsafe.reports.formats import check_format
from migsafe.terminal.display import display_for
from migsafe.terminal.output import write_output

_FORMATS = ("text", "json")


def rules(
    format: Annotated[str, format_option(_FORMATS, "The format of the list.")] = "text",
    output: Output = None,
    config: Config = None,
) -> None:
    """List all rules: category, severity, whether they are on, and what they find.

    The list includes the project's own rules. The configuration decides the severities, and which rules are on.

    \b
      migsafe rules                 a table
      migsafe rules --format json   the same for programs
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    check_format(format, _FORMATS)
    from migsafe.documentation import listing, terminal  # noqa: PLC0415  # the other commands do not need it

    file = Path(output) if output else None
    listed = list_rules(read_configuration(Path(config) if config else None))
    write_output(listing.document(listed) if format == "json" else terminal.table(listed, display_for(file)), file)
