"""The command line: one file per command, which reads the options, calls the library and writes a report."""

import os
import sys
from collections.abc import Sequence

import typer

from migsafe import __version__
from migsafe.cache.memory import Memory
from migsafe.cli.explain import explain
from migsafe.cli.init import init
from migsafe.cli.lint import lint
from migsafe.cli.locks import locks
from migsafe.cli.options import FAILED
from migsafe.cli.premortem import premortem
from migsafe.cli.queries import queries
from migsafe.cli.rehearse import rehearse
from migsafe.cli.replay import replay
from migsafe.cli.rules import rules
from migsafe.cli.stats import stats
from migsafe.cli.text_options import TextCommand, TextGroup
from migsafe.errors import MigsafeError
from migsafe.terminal.output import DEBUG, show_error

_INTERRUPTED = 130
_RECURSION_LIMIT = 20_000
"""SQL nests deeper than Python's usual thousand calls allow. Calls from Python to Python do not use the C stack."""

app = typer.Typer(
    cls=TextGroup,
    help="Checks PostgreSQL migrations before they reach production.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=TextCommand)(lint)
app.command(cls=TextCommand)(locks)
app.command(cls=TextCommand)(replay)
app.command(cls=TextCommand)(rehearse)
app.command(cls=TextCommand)(premortem)
app.command(cls=TextCommand)(queries)
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
    """Checks PostgreSQL migrations before they reach production: what they lock, rewrite and break, and the safe way to do it."""


def main(arguments: Sequence[str] | None = None, memory: Memory | None = None) -> int:
    """Run a command and return its exit code; errors have been written to standard error. `memory` is the cache of this and earlier runs."""
    sys.setrecursionlimit(_RECURSION_LIMIT)
    try:
        app(arguments, obj=memory)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    except MigsafeError as error:
        show_error(error)
    except Exception as error:
        show_error(
            f"internal error: {type(error).__name__}: {error}\n"
            f"  This is a bug in migsafe. Please report it with the traceback that {DEBUG}=1 shows."
        )
        if DEBUG in os.environ:
            raise
    return FAILED
