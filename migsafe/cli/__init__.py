"""The command line: one file a command, and nothing decided here."""

import os
import sys
from collections.abc import Sequence

import typer

from migsafe import __version__
from migsafe.cache.memory import Memory
from migsafe.cli.console import COULD_NOT, DEBUG, complain
from migsafe.cli.explain import explain
from migsafe.cli.init import init
from migsafe.cli.lint import lint
from migsafe.cli.locks import locks
from migsafe.cli.premortem import premortem
from migsafe.cli.replay import replay
from migsafe.cli.rules import rules
from migsafe.cli.stats import stats
from migsafe.cli.text_options import TextCommand, TextGroup
from migsafe.errors import MigsafeError

_INTERRUPTED = 130
_DEEPEST = 20_000
"""How deep Python may recurse: SQL nests deeper than its usual thousand calls allow. Calls from Python to Python take no C stack."""

app = typer.Typer(
    cls=TextGroup,
    help="Judges PostgreSQL migrations before they reach production.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=TextCommand)(lint)
app.command(cls=TextCommand)(locks)
app.command(cls=TextCommand)(replay)
app.command(cls=TextCommand)(premortem)
app.command(cls=TextCommand)(rules)
app.command(cls=TextCommand)(explain)
app.command(cls=TextCommand)(stats)
app.command(cls=TextCommand)(init)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"migsafe {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_print_version, is_eager=True),
) -> None:
    """Judges PostgreSQL migrations before they reach production: what they lock, rewrite and break, and the safe way to do it."""


def main(arguments: Sequence[str] | None = None, memory: Memory | None = None) -> int:
    """Run the command and return its exit code; all that went wrong has been said on standard error. `memory` is what the run may keep for
    the next one, and what others have kept for it."""
    sys.setrecursionlimit(_DEEPEST)
    try:
        app(arguments, obj=memory)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    except MigsafeError as error:
        complain(error)
    except Exception as error:
        complain(f"it broke down: {type(error).__name__}: {error}\n  This is a mistake in migsafe. Please report it with what {DEBUG}=1 shows.")
        if DEBUG in os.environ:
            raise
    return COULD_NOT
