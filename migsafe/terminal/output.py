"""Writing to standard output, standard error and files. Answers from the cache load this module, so it imports almost nothing."""

import errno
import os
import stat
import sys
from io import TextIOWrapper

from migsafe.errors import MigsafeError, unwritable

DEBUG = "MIGSAFE_DEBUG"
"""The environment variable that turns on tracebacks."""


def open_missing_streams() -> None:
    """Opens the null device for standard streams that are closed, as a service manager may start a program without them. Otherwise the next
    files that are opened would get their descriptors, and print() would write to standard output what is meant for standard error."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # as long as the process lives


def write_output(text: str, output: "str | os.PathLike[str] | None") -> None:
    """Writes a report to a file, or to standard output, whose reader may close it early (`| head`). Raises MigsafeError."""
    try:
        if output is not None:
            with open(output, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:  # noqa: PTH123
                file.write(text)
            return
        if isinstance(sys.stdout, TextIOWrapper):
            # Programs that read a report expect UTF-8; on Windows, Python would use the code page for what is not a console.
            encoding = "utf-8" if os.name == "nt" and not sys.stdout.isatty() else None
            sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it exits, and would report the error there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        target = output or "standard output"
        raise unwritable(target, error) from error


def write_whole(text: str, output: "str | os.PathLike[str]", newline: str = "\n") -> None:
    """Writes a file that other programs read, or that people edit: it contains the whole text, or is as it was. It keeps its permissions, and
    behind a link its place. Raises MigsafeError."""
    place = os.path.realpath(output)  # importing pathlib is slower than this
    part = f"{place}.{os.getpid()}.new"
    try:
        mode = os.stat(place).st_mode if os.path.exists(place) else None  # noqa: PTH116
        if mode is not None and not os.access(place, os.W_OK):  # to replace a file needs no permission to write it
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with open(part, "w", encoding="utf-8", errors="backslashreplace", newline=newline) as file:  # noqa: PTH123
            file.write(text)
        if mode is not None:
            os.chmod(part, stat.S_IMODE(mode))  # noqa: PTH101
        os.replace(part, place)  # noqa: PTH105
    except BaseException as error:
        if os.path.exists(part):
            os.unlink(part)  # noqa: PTH108
        if isinstance(error, OSError):
            raise unwritable(output, error) from error
        raise


def check_output(*outputs: "str | os.PathLike[str] | None") -> None:
    """Raises MigsafeError if one of these files cannot be written, so that a long run does not end without its report. Changes no file."""
    for output in outputs:
        if output is not None and (problem := _why_not_written(os.fspath(output))):
            raise MigsafeError(f"{output}: cannot be written: {os.strerror(problem).lower()}")


def _why_not_written(path: str) -> int:
    """Returns the error number that writing a file would have; 0 if it seems possible."""
    folder = os.path.dirname(path) or "."  # noqa: PTH120  # importing pathlib is slower than this
    if os.path.isdir(path):
        return errno.EISDIR
    if os.path.exists(path):
        return 0 if os.access(path, os.W_OK) else errno.EACCES
    if not os.path.isdir(folder):
        return errno.ENOTDIR if os.path.exists(folder) else errno.ENOENT
    return 0 if os.access(folder, os.W_OK | os.X_OK) else errno.EACCES


def show_error(error: object) -> None:
    """Writes an error or a note to standard error; with MIGSAFE_DEBUG set, with the traceback of its cause."""
    text = f"migsafe: {error}".encode(errors="backslashreplace").decode()
    try:
        print(text, file=sys.stderr)
    except OSError:  # standard error is closed
        return
    if DEBUG in os.environ and isinstance(error, BaseException) and error.__cause__:
        from traceback import print_exception  # noqa: PLC0415  # only needed for debugging

        print_exception(error.__cause__)
