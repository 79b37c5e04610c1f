"""Writing to standard output, standard error and files. What answers from the cache loads it, so that it imports next to nothing."""

import os
import sys
from io import TextIOWrapper

from migsafe.errors import MigsafeError

DEBUG = "MIGSAFE_DEBUG"
"""The environment variable that asks for tracebacks."""


def deliver(report: str, output: "str | os.PathLike[str] | None") -> None:
    """Write a report to a file, or to standard output, whose reader may leave early (`| head`)."""
    try:
        if output is not None:
            with open(output, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123  # pathlib takes longer than this
                file.write(report)
            return
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        sys.stdout.write(report)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more on its way out, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        place = output or "standard output"
        raise MigsafeError(f"{place}: cannot be written: {(error.strerror or str(error)).lower()}") from error


def complain(what: object) -> None:
    """Say on standard error what went wrong; with MIGSAFE_DEBUG set, also where."""
    text = f"migsafe: {what}".encode(errors="backslashreplace").decode()
    try:
        print(text, file=sys.stderr)
    except OSError:  # nobody is there to hear it
        return
    if DEBUG in os.environ and isinstance(what, BaseException) and what.__cause__:
        from traceback import print_exception  # noqa: PLC0415  # only who looks for a mistake needs it

        print_exception(what.__cause__)
