"""Answers from the cache: the output of an earlier run of the same command."""

import marshal
import os
import sys
import zlib

from migsafe.cache.store import Store, usual_folder
from migsafe.cache.trace import Trace, confirmed
from migsafe.rendering.worker_environment import worker_environment
from migsafe.terminal.output import show_error, write_output

_FORMAT = 2
_COMMANDS = ("lint",)
_NOT_CACHED = ("--no-cache", "--watch", "-")
_OUTPUT_VARIABLES = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "MIGSAFE_DEBUG")
"""The environment variables that change how the same findings are displayed."""

Answer = tuple[list[tuple[str, str | None]], list[str], int]
"""What a command wrote, and to which file (None is standard output), its messages on standard error, and its exit code."""


class CacheKey:
    """What identifies a command: its arguments, the folder, the Python, the migsafe and the environment with which it was started."""

    def __init__(self, arguments: list[str], store: Store) -> None:
        self.store = store
        package = os.path.dirname(__file__)
        python = (sys.version, sys.flags.optimize, sys.path, package)
        display = [os.environ.get(name) for name in _OUTPUT_VARIABLES], sys.stdout.isatty(), _width()
        self.key = repr((_FORMAT, arguments, os.getcwd(), python, display, worker_environment()))
        # The entry contains the whole key: another key with the same checksum only costs time.
        self.name = f"answer-{zlib.crc32(self.key.encode(errors='surrogatepass')):08x}"


def cache_key(arguments: list[str]) -> CacheKey | None:
    """Returns the key of a command; None if it is not answered from the cache: because of an option, because it reads standard input, or
    because there is no cache folder."""
    if not arguments or arguments[0] not in _COMMANDS or any(word in arguments for word in _NOT_CACHED) or os.name != "posix":
        return None
    folder = usual_folder()
    try:
        return CacheKey(arguments, Store(folder)) if folder else None
    except (OSError, ValueError, AttributeError):  # the current folder does not exist, or standard output is closed
        return None


def answer_from_cache(key: CacheKey) -> int | None:
    """Write the output of an earlier run, and return its exit code; None if there is none, or something has changed."""
    data = key.store.read(key.name)
    if data is None:
        return None
    try:
        stored_key, trace, answer = marshal.loads(data)  # noqa: S302  # only the user can write to the folder
        if stored_key != key.key:
            return None
        current = confirmed(trace)
        reports, messages, code = answer
    except (ValueError, TypeError, EOFError):
        return None
    if current is None:
        return None
    for report, output in reports:
        write_output(report, output)
    for message in messages:
        show_error(message)
    if current is not trace:
        store_answer(key, current, answer)
    return int(code)


def store_answer(key: CacheKey, trace: Trace, answer: Answer) -> None:
    """Store an answer, which is valid as long as the trace is unchanged."""
    key.store.write(key.name, marshal.dumps((key.key, trace, answer)))


def _width() -> int | None:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return None
