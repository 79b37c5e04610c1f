"""`migsafe server`."""

from typing import Annotated

import typer

from migsafe.cli.help import RUN
from migsafe.errors import MissingExtraError


def server(
    stdio: Annotated[
        bool, typer.Option("--stdio", rich_help_panel=RUN, help="Accepted because many editors add it; the server always uses it.")
    ] = False,
) -> None:
    """Run the language server, which an editor starts: findings while you type, locks on hover, fixes and suppressions.

    It speaks the Language Server Protocol on standard input and output, until the editor ends it. docs/editors.md has the configurations for
    VS Code, Neovim, Zed and JetBrains.
    """
    del stdio
    try:
        from migsafe.editor.server import serve  # noqa: PLC0415  # an extra, and slow to import
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("pygls", "lsprotocol", "cattrs", "attrs"):
            raise
        raise MissingExtraError("server", error.name, "server") from error
    serve()
