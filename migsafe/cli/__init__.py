"""The command line: one file per command, which reads the options, calls the library and writes a report."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from migsafe.cli.plain_options import plain_lint_options
from migsafe.cli.results import FAILED, INTERRUPTED
from migsafe.errors import MigsafeError
from migsafe.terminal.output import DEBUG, show_error

if TYPE_CHECKING:
    from migsafe.cache.memory import Memory

_RECURSION_LIMIT = 20_000
"""SQL nests deeper than Python's usual thousand calls allow. Calls from Python to Python do not use the C stack."""


def main(arguments: Sequence[str] | None = None, memory: "Memory | None" = None) -> int:
    """Run a command and return its exit code; errors have been written to standard error. `memory` is the cache of this and earlier runs."""
    sys.setrecursionlimit(_RECURSION_LIMIT)
    try:
        arguments = sys.argv[1:] if arguments is None else arguments
        options = plain_lint_options(arguments)
        if options is not None:
            from migsafe.cli.linting import run_lint  # noqa: PLC0415  # other commands do not lint

            return run_lint(options, memory)
        from migsafe.cli.application import application, asked_commands  # noqa: PLC0415  # Typer takes long to load

        application(asked_commands(arguments))(arguments, obj=memory)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
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
