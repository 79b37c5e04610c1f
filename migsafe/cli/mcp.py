"""`migsafe mcp`."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.help import PERMISSIONS, RUN
from migsafe.cli.options import Config
from migsafe.errors import MigsafeError, MissingExtraError, reason_of


def mcp(
    folder: Annotated[
        str, typer.Option(metavar="DIR", rich_help_panel=RUN, help="The working folder: the project's. [default: the current folder]")
    ] = ".",
    allow_writes: Annotated[
        bool, typer.Option("--allow-writes", rich_help_panel=PERMISSIONS, help="Let the tool `fix` write files, if the agent asks for it.")
    ] = False,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", rich_help_panel=PERMISSIONS, help="Let tools read files outside the working folder.")
    ] = False,
    no_exec: Annotated[
        bool,
        typer.Option(
            "--no-exec",
            rich_help_panel=PERMISSIONS,
            help="Execute nothing of the project: no migrations written in Python, no rules of its own, no `replay`.",
        ),
    ] = False,
    config: Config = None,
) -> None:
    """Serve coding agents: the commands as tools of the Model Context Protocol (MCP), on standard input and output.

    A client such as Claude Code, Cursor or VS Code starts this command. docs/agents.md has the configuration of each.

    \b
      migsafe mcp                   tools that write no file of the project
      migsafe mcp --allow-writes    the tool `fix` can write files
      migsafe mcp --no-exec         for a checkout that you do not trust

    Without --no-exec, Alembic's scripts and the project's own rules are executed, as in `migsafe lint`. `replay` starts a disposable server on
    this machine, and uses no other.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    if find_spec("mcp") is None:
        raise MissingExtraError("mcp", "mcp", "agent")
    from migsafe.agent.server import run_server  # noqa: PLC0415  # it takes a second to load
    from migsafe.agent.workspace import Workspace  # noqa: PLC0415

    config = str(Path(config).absolute()) if config is not None else None
    try:
        os.chdir(folder)
    except OSError as error:
        raise MigsafeError(f"--folder: {folder}: {reason_of(error)}", "It must be the folder of the project.") from error
    run_server(Workspace(folder=Path.cwd(), allow_writes=allow_writes, allow_outside=allow_outside, no_exec=no_exec, config=config))
