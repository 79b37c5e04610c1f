"""The command line: one file per command, which reads the options, calls the library and writes a report."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import typer

from migsafe import __version__
from migsafe.cli.help import FIRST_STEPS
from migsafe.cli.options import FAILED
from migsafe.cli.text_options import TextCommand, TextGroup
from migsafe.errors import MigsafeError
from migsafe.terminal.output import DEBUG, show_error

if TYPE_CHECKING:
    from migsafe.cache.memory import Memory

_INTERRUPTED = 130
_RECURSION_LIMIT = 20_000
"""SQL nests deeper than Python's usual thousand calls allow. Calls from Python to Python do not use the C stack."""

COMMANDS = ("lint", "locks", "replay", "rehearse", "premortem", "queries", "rules", "explain", "stats", "init", "config", "server", "mcp")
"""The commands, in the order of the help. Each is the function of this name in the module of this name."""


def application(commands: Sequence[str] = COMMANDS) -> typer.Typer:
    """Returns the command line with these commands."""
    app = typer.Typer(
        cls=TextGroup,
        help=FIRST_STEPS,
        no_args_is_help=True,
        add_completion=len(commands) > 1,  # looking for the shell takes time, and only a command line without a command needs it
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_common)
    for name in commands:
        app.command(cls=TextCommand)(getattr(import_module(f"{__name__}.{name}"), name))
    return app


def _asked(arguments: Sequence[str]) -> Sequence[str]:
    """Returns the command that is asked for, because the others take time to load; all of them if that is not certain."""
    return arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"migsafe {__version__}")
        raise typer.Exit


def _common(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_print_version, is_eager=True),
) -> None:
    """Take the options before a command."""


def main(arguments: Sequence[str] | None = None, memory: "Memory | None" = None) -> int:
    """Run a command and return its exit code; errors have been written to standard error. `memory` is the cache of this and earlier runs."""
    sys.setrecursionlimit(_RECURSION_LIMIT)
    try:
        arguments = sys.argv[1:] if arguments is None else arguments
        application(_asked(arguments))(arguments, obj=memory)
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
