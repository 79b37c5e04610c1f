"""The queries in PostgreSQL's logs: of log_destination stderr, csvlog and jsonlog.

A log is read line by line and never kept. `statement` and `execute` lines are calls; `parse` and `bind` lines repeat the text. Values of
parameters, which PostgreSQL writes as details, are not read, and values in texts are masked.
"""

import csv
import gzip
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Struct

from migsafe.errors import UnreadableError, unreadable
from migsafe.patterns import lazy_pattern
from migsafe.workload.document import MOST_QUERIES
from migsafe.workload.normal_text import NormalText, normal_text
from migsafe.workload.query import Query
from migsafe.workload.sources.found import query_texts

_LONGEST = 1 << 20
"""Longer messages are left out, in characters."""

_MESSAGE = lazy_pattern(
    r"(?:duration: (?P<ms>[0-9.]+) ms  )?(?P<kind>statement|execute fetch|execute|parse|bind)(?: [^:\n]*)?: (?P<text>.*)", re.DOTALL
)
_ENTRY = lazy_pattern(
    r"(?:^|[\s:\]])(?P<severity>LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG[1-5]?|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION):  "
)
_VALUE = lazy_pattern(r"(?P<name>\"[^\"]*\")|'[^']*+(?:''[^']*+)*+'|(?<![\w$.])(?P<number>\d{3,})(?![\w.])")
_NOT_SIMPLE = lazy_pattern(r"\\|--|/\*|\$[^\d]")
_DIGITS_OF_INTEGER = 10
_CSV_SEVERITY, _CSV_MESSAGE, _CSV_COLUMNS = 11, 13, 22


class LoggedQueries(Struct, frozen=True, kw_only=True):
    """The queries of a log. `messages` is the number of messages that contain a statement; `left_out` counts those that were not read, because
    they are too long, cut off, or because the log has too many different queries."""

    queries: tuple[Query, ...]
    messages: int
    left_out: int


def read_log(path: str) -> LoggedQueries:
    """Returns the queries of a log, which may be compressed with gzip. The format is recognised by the first line. Raises UnreadableError."""
    try:
        with _open(path) as file:
            first = file.readline(_LONGEST)
            if not first:
                raise UnreadableError(f"{path}: the file is empty")
            messages = _reader(first)(_lines(first, file))
            return _collect(path, messages)
    except (OSError, EOFError) as error:
        raise unreadable(path, error) from error
    except csv.Error as error:
        raise UnreadableError(f"{path}: is not a complete log in CSV: {error}") from error


def _open(path: str) -> IO[str]:
    # A byte that is not UTF-8 belongs to a value or a name, so reading continues.
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="")
    return Path(path).open(encoding="utf-8", errors="replace", newline="")


def _lines(first: str, file: IO[str]) -> Iterator[str]:
    """Yields the lines of a file; of one that is too long, pieces."""
    yield first
    while line := file.readline(_LONGEST):
        yield line


def _reader(first: str) -> "Any":
    """Returns the function that reads the format of a log, by its first line."""
    if first.startswith("{"):
        return _json_messages
    if re.match(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^,]*,"?[^,]*"?,"?[^,]*"?,\d+,', first):
        return _csv_messages
    return _stderr_messages


def _collect(path: str, messages: Iterator[str]) -> LoggedQueries:
    counts: dict[str, _Count] = {}
    found = left_out = 0
    for message in messages:
        match = _MESSAGE.match(message)
        if match is None:
            continue
        found += 1
        if len(message) >= _LONGEST:
            left_out += 1
            continue
        is_call = match["kind"] in ("statement", "execute")
        normals = _normal_texts(_with_equal_values(match["text"]))
        for normal in normals:
            count = counts.get(normal.fingerprint)
            if not normal.complete or (count is None and len(counts) >= MOST_QUERIES):
                left_out += 1
                continue
            if count is None:
                count = counts[normal.fingerprint] = _Count(normal)
            # The duration is that of all statements of the message.
            count.add(float(match["ms"]) if match["ms"] and len(normals) == 1 else None, is_call=is_call)
    if not found:
        raise UnreadableError(
            f"{path}: contains no statements",
            "PostgreSQL logs them with log_min_duration_statement or log_statement, in English (lc_messages = C).",
        )
    return LoggedQueries(
        queries=tuple(sorted((count.query() for count in counts.values()), key=lambda query: query.text)), messages=found, left_out=left_out
    )


class _Count:
    """How often a query was seen, and its durations."""

    __slots__ = ("calls", "milliseconds", "normal", "timed")

    def __init__(self, normal: NormalText) -> None:
        self.normal = normal
        self.calls = self.timed = 0
        self.milliseconds = 0.0

    def add(self, milliseconds: float | None, *, is_call: bool) -> None:
        """Adds a message, with its duration."""
        self.calls += is_call
        if is_call and milliseconds is not None:
            self.timed += 1
            self.milliseconds += milliseconds

    def query(self) -> Query:
        """Returns the query."""
        mean = round(self.milliseconds / self.timed, 3) if self.timed else None
        normal = self.normal
        return Query(text=normal.text, fingerprint=normal.fingerprint, parameters=normal.parameters(), calls=self.calls, mean_ms=mean)


def _with_equal_values(text: str) -> str:
    """Returns a text in which simple strings and longer numbers are equal, so that the texts of one query are few, and its normal form is
    computed only for these. Short numbers stay, because they may name columns."""
    if _NOT_SIMPLE.search(text):
        return text
    return _VALUE.sub(_equal_value, text)


def _equal_value(match: re.Match[str]) -> str:
    if match["name"]:
        return match["name"]
    return "'x'" if match["number"] is None else "100" if len(match["number"]) < _DIGITS_OF_INTEGER else match["number"]


@lru_cache(4096)
def _normal_texts(text: str) -> tuple[NormalText, ...]:
    """Returns the normal forms of the queries of a text."""
    return tuple(normal_text(each) for each in query_texts(text))


def _stderr_messages(lines: Iterator[str]) -> Iterator[str]:
    """Yields the messages of severity LOG. Lines after the first one of a message begin with a tab."""
    message: list[str] = []
    length = 0
    for line in lines:
        if line.startswith("\t") and message:
            if length < _LONGEST:
                message.append(line[1:])
            length += len(line)
            continue
        entry = _ENTRY.search(line)
        if entry is None and message:  # a part of a line that is too long, or a message of another program
            continue
        if message:
            yield "".join(message).rstrip("\r\n")
        message = [line[entry.end() :]] if entry is not None and entry["severity"] == "LOG" else []
        length = len(line)
    if message:
        yield "".join(message).rstrip("\r\n")


def _csv_messages(lines: Iterator[str]) -> Iterator[str]:
    before = csv.field_size_limit(_LONGEST)
    try:
        for row in csv.reader(lines):
            if len(row) >= _CSV_COLUMNS and row[_CSV_SEVERITY] == "LOG":
                yield row[_CSV_MESSAGE]
    finally:
        csv.field_size_limit(before)


class _JsonMessage(Struct):
    error_severity: str = ""
    message: str = ""


def _json_messages(lines: Iterator[str]) -> Iterator[str]:
    decoder = msgspec.json.Decoder(_JsonMessage)
    for line in lines:
        try:
            entry = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeError):
            continue  # cut off when the file was rotated, or a line of another program
        if entry.error_severity == "LOG":
            yield entry.message
