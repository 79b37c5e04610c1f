"""A script's text, and places in it.

Everything that reads a script uses offsets (characters from the start of the text, 0-based); only reports turn them into lines and columns,
which people count from 1.
"""

import os
import re
import stat
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from migsafe.errors import UnreadableError, unreadable

_DESCRIPTORS = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
_NEVER_READ = (
    (stat.S_ISFIFO, "FIFO (a named pipe)"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)

MARK_START = "⟨"
"""The character that begins the mark of an unknown value in the SQL of a program."""


def common_start(first: Sequence[Any], second: Sequence[Any]) -> int:
    """Returns how many items, or characters, are equal at the start of two sequences."""
    return next((number for number, (one, other) in enumerate(zip(first, second, strict=False)) if one != other), min(len(first), len(second)))


class Span(NamedTuple):
    """A piece of a text: from `start` up to, but not including, `end`, both in characters."""

    start: int
    end: int


class Position(NamedTuple):
    """A place for people: line and column, both counted from 1, columns in characters."""

    line: int
    column: int


class TextSegment(NamedTuple):
    """A part of SQL, and the part of a program's text that it comes from. If both have one length, so have their characters. `literal` is
    where the expression begins that has this part: a value that is put into it may be written elsewhere."""

    sql_start: int
    sql_end: int
    file_start: int
    file_end: int
    literal: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether each character of the SQL is one of the file."""
        return self.sql_end - self.sql_start == self.file_end - self.file_start

    def moved(self, offset: int) -> "TextSegment":
        """Returns the segment for SQL that stands `offset` characters later."""
        return self._replace(sql_start=self.sql_start + offset, sql_end=self.sql_end + offset)

    def file_place(self, start: int, end: int) -> Span:
        """Returns the part of the file for a part of the segment."""
        if not self.is_plain:
            return Span(self.file_start, self.file_end)
        shift = self.file_start - self.sql_start
        return Span(max(start, self.sql_start) + shift, min(end, self.sql_end) + shift)


_HEAD = 1 << 16
_DECLARED = re.compile(rb"(?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n?|\n))?[ \t\f]*#[^\r\n]*?coding[:=][ \t]*(?!utf-?8\b)([-\w.]+)", re.IGNORECASE)
"""The encoding that a Python script declares in its first two lines (PEP 263)."""


class Script:
    """The text of one file, read once, when it is first needed.

    `path` is the path as the user would type it. A byte order mark is not part of the text.
    """

    __slots__ = ("_line_starts", "_text", "path")

    def __init__(self, path: str, text: str | None = None) -> None:
        self.path = path
        self._text = text.removeprefix("\ufeff") if text is not None else None
        self._line_starts: array[int] | None = None

    @property
    def text(self) -> str:
        """The whole text, with the line ends of the file. Raises UnreadableError."""
        if self._text is None:
            _refuse_endless(self.path)
            self._text = read_text(self.path)
        return self._text

    def head(self) -> str:
        """Returns the beginning of the text, some tens of thousands of characters, which show what kind of script it is without reading a large
        file. Raises UnreadableError."""
        if self._text is not None or self.path == "-" or self.path.startswith(_DESCRIPTORS):
            return self.text[:_HEAD]
        _refuse_endless(self.path)
        try:
            with Path(self.path).open("rb") as file:
                return file.read(_HEAD).decode("utf-8-sig", "ignore")
        except OSError as error:
            raise unreadable(self.path, error) from error

    def position(self, offset: int) -> Position:
        """Returns the line and column of an offset. An offset past the end is the end."""
        starts = self._starts()
        line = bisect_right(starts, offset)
        return Position(line, min(offset, len(self.text)) - starts[line - 1] + 1)

    def line_start(self, number: int) -> int:
        """Returns the offset at which a line (counted from 1) begins; the end of the text for a line below it."""
        starts = self._starts()
        return starts[number - 1] if number <= len(starts) else len(self.text)

    def line(self, number: int) -> str:
        """Returns the text of a line (counted from 1), without its line end."""
        starts = self._starts()
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def _starts(self) -> "array[int]":
        if self._line_starts is None:
            self._line_starts = array("Q", _line_starts(self.text))
        return self._line_starts


def _line_starts(text: str) -> Iterator[int]:
    yield 0
    line_end = text.find("\n")
    while line_end >= 0:
        yield line_end + 1
        line_end = text.find("\n", line_end + 1)


def newline_of(path: "str | os.PathLike[str]") -> str:
    r"""Returns how the lines of a file end: `\r\n` if the first one does, otherwise `\n`, also for a file that does not exist."""
    try:
        with Path(path).open("rb") as file:
            return "\r\n" if file.readline(_HEAD).endswith(b"\r\n") else "\n"
    except OSError:
        return "\n"


def _read_bytes(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  # making a Path takes as long as reading a small file, and a history has thousands
        return file.read()


def _refuse_endless(path: str) -> None:
    """Raises UnreadableError for a FIFO, socket or device: reading it may never end. A shell passes `<(command)` as a FIFO with a number."""
    if path in ("-", os.devnull) or path.startswith(_DESCRIPTORS):
        return
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  # a history has thousands of files
    except OSError:  # reading it gives the reason
        return
    kind = next((name for is_kind, name in _NEVER_READ if is_kind(mode)), None)
    if kind is not None:
        raise UnreadableError(f"{path}: is a {kind}, and is not read", "Migrations are regular files, or standard input: `migsafe lint -`.")


def encoded(path: str, text: str) -> bytes:
    """Returns the text of a file in the encoding in which `read_text` reads it: UTF-8, unless a Python script declares another one."""
    declared = _DECLARED.match(text.encode()) if path.endswith(".py") else None
    return text.encode(declared[1].decode() if declared else "utf-8")


def read_text(path: str) -> str:
    """Returns the text of the file at `path`, or of standard input if it is `-`.

    Migrations are UTF-8 (psql, and every runner that migsafe knows, send the bytes unchanged to a server whose client_encoding is UTF8),
    unless a Python script declares another encoding. Raises UnreadableError with the file and the reason: missing, a folder, no permission,
    binary, or not UTF-8, with the line of the first invalid byte.
    """
    try:
        data = sys.stdin.buffer.read() if path == "-" else _read_bytes(path)
    except OSError as error:
        raise unreadable(path, error) from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError(f"{path}: is not UTF-8, but UTF-16", "Convert the file, for example with `iconv -f UTF-16 -t UTF-8`.")
    if b"\0" in data:
        raise UnreadableError(f"{path}: is not text", "It contains a NUL byte. migsafe reads SQL in UTF-8.")
    declared = _DECLARED.match(data) if path.endswith(".py") else None
    try:
        return data.decode(declared[1].decode() if declared else "utf-8-sig")
    except LookupError as error:
        raise UnreadableError(f"{path}: declares an unknown encoding: {error.args[0].rpartition(' ')[2]}") from error
    except UnicodeDecodeError as error:
        if declared:
            raise UnreadableError(f"{path}: is not {error.encoding}, the encoding that it declares") from error
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableError(
            f"{path}: line {line}: is not UTF-8 (byte 0x{data[error.start]:02x})",
            "Convert the file, for example with `iconv -f LATIN1 -t UTF-8`.",
        ) from error
