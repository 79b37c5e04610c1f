"""Answering a command as it was answered before."""

import marshal
import os
import sys
import zlib

from migsafe.cache.store import Store, usual_folder
from migsafe.cache.trace import Trace, confirmed
from migsafe.rendering.worker_environment import worker_environment
from migsafe.terminal.output import show_error, write_output

_FORMAT = 1
_COMMANDS = ("lint",)
_SURROUNDINGS = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "MIGSAFE_DEBUG")
"""The variables of the environment by which the same findings look different."""

Answer = tuple[str, str | None, list[str], int]
"""What a command wrote, to which file (None is standard output), what it said on standard error, and its exit code."""


class Question:
    """A command as it was typed, where it was typed, under which Python and which migsafe."""

    def __init__(self, arguments: list[str], store: Store) -> None:
        self.store = store
        here = os.path.dirname(__file__)
        python = (sys.version, sys.flags.optimize, sys.path, here)
        looks = [os.environ.get(name) for name in _SURROUNDINGS], sys.stdout.isatty(), _width()
        self.key = repr((_FORMAT, arguments, os.getcwd(), python, looks, worker_environment()))
        # The whole key stands in the entry: that another one shares its sum costs time alone.
        self.name = f"answer-{zlib.crc32(self.key.encode(errors='surrogatepass')):08x}"


def question(arguments: list[str]) -> Question | None:
    """What a command asks; None for one that is not answered from the cache: because nobody wants it, because it reads standard input, or
    because there is no cache to be had."""
    if not arguments or arguments[0] not in _COMMANDS or "--no-cache" in arguments or "-" in arguments or os.name != "posix":
        return None
    folder = usual_folder()
    try:
        return Question(arguments, Store(folder)) if folder else None
    except (OSError, ValueError, AttributeError):  # no current folder, or standard output is closed
        return None


def recall(asked: Question) -> int | None:
    """Say what was said before, and return the exit code; None where nothing was, or something has changed."""
    data = asked.store.read(asked.name)
    if data is None:
        return None
    try:
        key, trace, answer = marshal.loads(data)  # noqa: S302  # the folder is the user's alone
        if key != asked.key:
            return None
        held = confirmed(trace)
        report, output, said, code = answer
    except (ValueError, TypeError, EOFError):
        return None
    if held is None:
        return None
    write_output(report, output)
    for words in said:
        show_error(words)
    if held is not trace:
        keep(asked, held, answer)
    return int(code)


def keep(asked: Question, trace: Trace, answer: Answer) -> None:
    """Keep what was said, for as long as the trace holds."""
    asked.store.write(asked.name, marshal.dumps((asked.key, trace, answer)))


def _width() -> int | None:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return None
