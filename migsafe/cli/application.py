"""The commands with their options, help and errors, as Typer shows them."""

from collections.abc import Sequence
from importlib import import_module

import typer

from migsafe import __version__
from migsafe.cli.help import FIRST_STEPS
from migsafe.cli.text_options import TextCommand, TextGroup

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
        app.command(cls=TextCommand)(getattr(import_module(f"migsafe.cli.{name}"), name))
    return app


def asked_commands(arguments: Sequence[str]) -> Sequence[str]:
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
