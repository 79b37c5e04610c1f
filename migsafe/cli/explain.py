"""`migsafe explain`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.console import deliver, look
from migsafe.cli.options import Config, Output
from migsafe.configuration import configuration
from migsafe.errors import ConfigError, did_you_mean
from migsafe.library.project import listed
from migsafe.linting.rulebook import find_rule

_FORMATS = ("text", "markdown", "json")


def explain(
    names: Annotated[list[str], typer.Argument(metavar="RULE", help="One or more rules.")],
    format: Annotated[str, typer.Option(metavar="|".join(_FORMATS), help="How to write it.")] = "text",
    output: Output = None,
    config: Config = None,
) -> None:
    """Explain rules: what each finds, why that hurts, the safe way, and examples.

    \b
      migsafe explain index-not-concurrent
      migsafe explain drop-table drop-column --format markdown
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    if format not in _FORMATS:
        raise ConfigError(f"there is no format {format}", did_you_mean(format, _FORMATS))
    from migsafe.documentation import listing, markdown, terminal  # noqa: PLC0415  # the other commands need none of it

    every = {one.rule.name: one for one in listed(configuration(Path(config) if config else None))}
    found = [every[find_rule(name, [one.rule for one in every.values()]).name] for name in names]
    file = Path(output) if output else None
    if format == "json":
        deliver(listing.document(found), file)
    elif format == "markdown":
        deliver("\n".join(markdown.explanation(one.rule) for one in found), file)
    else:
        shown = look(file)
        deliver("\n\n".join(terminal.explained(one, colour=shown.colour, width=shown.width) for one in found), file)
