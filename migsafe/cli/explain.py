"""`migsafe explain`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.completion import rule_names
from migsafe.cli.options import Config, Output, format_option
from migsafe.configuration import read_configuration
from migsafe.library.project import list_rules
from migsafe.linting.rulebook import find_rule
from migsafe.reports.formats import check_format
from migsafe.terminal.display import display_for
from migsafe.terminal.output import write_output

_FORMATS = ("text", "markdown", "json")


def explain(
    names: Annotated[list[str], typer.Argument(metavar="RULE", autocompletion=rule_names, help="One or more rules.")],
    format: Annotated[str, format_option(_FORMATS, "The format of the explanation.")] = "text",
    output: Output = None,
    config: Config = None,
) -> None:
    """Explain rules: what each one finds, why it is harmful, the safe way, and examples.

    \b
      migsafe explain index-not-concurrent
      migsafe explain drop-table drop-column --format markdown
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    check_format(format, _FORMATS)
    from migsafe.documentation import listing, markdown, terminal  # noqa: PLC0415  # the other commands do not need it

    by_name = {listed.rule.name: listed for listed in list_rules(read_configuration(Path(config) if config else None))}
    rules = [by_name[find_rule(name, [listed.rule for listed in by_name.values()]).name] for name in names]
    file = Path(output) if output else None
    if format == "json":
        write_output(listing.document(rules), file)
    elif format == "markdown":
        write_output("\n".join(markdown.explanation(listed.rule) for listed in rules), file)
    else:
        display = display_for(file)
        write_output("\n\n".join(terminal.explained(listed, display) for listed in rules), file)
