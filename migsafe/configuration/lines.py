"""The lines of a TOML file in which its keys are set, which tomllib does not tell."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

KeyPath = tuple[str | int, ...]
"""A key with the tables that contain it, and the number, from 1, in an array of tables: `("per-path", 1, "ignore")`."""


def key_lines(text: str) -> dict[KeyPath, int]:
    """Returns the line, counted from 1, of each key and each table of a valid TOML document. Those in an array of inline tables have none."""
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    for line, statement, parsed in _statements(text):
        if not parsed:
            continue
        if statement.startswith("["):
            path, is_array = _header(parsed)
            if is_array:
                array = _numbered(path[:-1], counts) + path[-1:]
                counts[array] = counts.get(array, 0) + 1
            table = _numbered(path, counts)
            found.setdefault(table, line)
        else:
            for inner in _paths(parsed):
                found.setdefault(table + inner, line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yields the headers and the keys: the line of each, its text, and what it is as a document of its own. A key with a value of
    several lines is complete when tomllib can read it."""
    lines = text.splitlines(keepends=True)
    start = 0
    for end in range(1, len(lines) + 1):
        statement = "".join(lines[start:end])
        try:
            parsed = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        yield start + 1, statement.lstrip(), parsed
        start = end


def _header(parsed: Mapping[str, Any]) -> tuple[KeyPath, bool]:
    """Returns the path of a table's header, and whether it begins an element of an array."""
    path: KeyPath = ()
    inner: Any = parsed
    while isinstance(inner, dict) and inner:
        [(key, inner)] = inner.items()
        path += (key,)
    return path, isinstance(inner, list)


def _numbered(path: KeyPath, counts: Mapping[KeyPath, int]) -> KeyPath:
    """Returns a path with the number of the current element after each array of tables."""
    numbered: KeyPath = ()
    for key in path:
        numbered += (key,)
        if numbered in counts:
            numbered += (counts[numbered],)
    return numbered


def _paths(parsed: Mapping[str, Any], above: KeyPath = ()) -> Iterator[KeyPath]:
    for key, value in parsed.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _paths(value, (*above, key))
