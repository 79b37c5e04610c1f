"""What the place where a report goes can display: colours, and lines of a width."""

import os
import sys
from pathlib import Path
from shutil import get_terminal_size

from msgspec import Struct


class Display(Struct, frozen=True):
    """What a terminal, a pipe or a file can display. `width` is None where lines may have any length."""

    colour: bool = False
    width: int | None = None

    def paint(self, text: str, code: str) -> str:
        """Returns the text in a colour, or unchanged where there are no colours or the code is empty."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code else text


def display_for(output: Path | None) -> Display:
    """Returns what a report's file, or standard output, can display: colours on a terminal unless NO_COLOR is set, and anywhere if
    FORCE_COLOR is set."""
    is_terminal = output is None and sys.stdout.isatty()
    is_forced = bool(os.environ.get("FORCE_COLOR"))
    colour = not os.environ.get("NO_COLOR") and (is_terminal or is_forced)
    if not is_forced and (os.environ.get("TERM") == "dumb" or (is_terminal and not _interprets_escapes())):
        colour = False
    return Display(colour=colour, width=get_terminal_size().columns if is_terminal else None)


def _interprets_escapes() -> bool:
    """Whether the terminal interprets escape sequences. The console of Windows does so only if a program asks it to."""
    if sys.platform != "win32":
        return True
    import ctypes  # noqa: PLC0415  # only needed on Windows

    standard_output, escapes, mode = -11, 4, ctypes.c_ulong()
    console = ctypes.windll.kernel32
    handle = console.GetStdHandle(standard_output)
    return bool(console.GetConsoleMode(handle, ctypes.byref(mode)) and console.SetConsoleMode(handle, mode.value | escapes))
