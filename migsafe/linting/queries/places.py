"""The place of a query in the project's files, where findings about it are reported."""

import os
from functools import cached_property
from pathlib import Path

from msgspec import json

from migsafe.errors import UnreadableError
from migsafe.paths import with_slashes
from migsafe.patterns import lazy_pattern
from migsafe.text import Script, Span
from migsafe.workload import CallSite, Query
from migsafe.workload.query_names import names_queries

_SQL_COMMENT = lazy_pattern(r"\s*(?:--[^\n]*)?$")
_SQL_FILE = ".sql"
_WRITTEN = lazy_pattern(r'"text"\s*:\s*"((?:[^"\\]|\\.)*)"')
"""The text of a query in a recorded workload or a statistics file."""


class QueryFiles:
    """The files of queries, each read once. Paths are as the user would type them; `folder` is the project's, relative to the current one.
    `unplaced` is the file that contains the queries without a place in the application, such as production's."""

    def __init__(self, folder: str, unplaced: str = "") -> None:
        self.folder = folder
        self._unplaced = Script(unplaced)
        self._scripts: dict[str, Script | None] = {}

    def path(self, place: CallSite) -> str:
        """Returns the path of a place, relative to the current folder."""
        return with_slashes(os.path.normpath(Path(self.folder, place.path)))

    def script(self, place: CallSite) -> Script | None:
        """Returns the file of a place; None if it cannot be read: the queries were recorded elsewhere, or it has changed since."""
        path = self.path(place)
        if path not in self._scripts:
            script = Script(path)
            try:
                exists = Path(path).is_file() and script.text is not None
            except UnreadableError:
                exists = False
            self._scripts[path] = script if exists else None
        return self._scripts[path]

    def locate_unplaced(self, query: Query) -> tuple[Script, Span]:
        """Returns the file of a query without a place in the application, and the query in it; its text alone if it is not found there."""
        path = self._unplaced.path
        written = json.encode(query.text).decode()[1:-1]
        start = self._unplaced_texts.get(written)
        if start is None:
            return Script(path, query.text), Span(0, len(query.text))
        return self._unplaced, Span(start, start + len(written))

    @cached_property
    def _unplaced_texts(self) -> dict[str, int]:
        """Where the file of the queries without a place contains each text."""
        if not self._unplaced.path or not Path(self._unplaced.path).is_file():
            return {}
        return {found[1]: found.start(1) for found in _WRITTEN.finditer(self._unplaced.text)}

    def locate(self, query: Query, place: CallSite) -> tuple[Script, Span]:
        """Returns the file that contains or sends a query, and its place there. For a file that cannot be read, or that is shorter than it was,
        the text is the query alone, at its line."""
        script = self.script(place)
        if script is None or script.line_start(place.line) >= len(script.text):
            text = " ".join(query.text.split())
            before = "\n" * (max(place.line, 1) - 1)
            return Script(self.path(place), before + text), Span(len(before), len(before) + len(text))
        if place.path.endswith(_SQL_FILE):
            return script, _statement(script, place.line)
        start = script.line_start(place.line)
        line = script.line(place.line)
        start += len(line) - len(line.lstrip())
        return script, Span(start, max(start + len(line.strip()), start))


def _statement(script: Script, line: int) -> Span:
    """Returns the span of the SQL that begins at a line, or below the comments there, up to the next query's name or the end of the file."""
    last = script.position(len(script.text)).line
    first = line
    while first < last and _SQL_COMMENT.match(script.line(first)):
        first += 1
    end = first
    while end < last and not script.line(end).rstrip().endswith(";") and not names_queries(script.line(end + 1)):
        end += 1
    text = script.line(first)
    start = script.line_start(first) + len(text) - len(text.lstrip())
    stop = script.line_start(end + 1) if end < last else len(script.text)
    return Span(start, max(start, start + len(script.text[start:stop].rstrip())))
