"""The cases: SQL files with cases of a few statements, of which the last one is measured.

    -- case: what it shows
    -- versions: 15-            only on these: `15-`, `14-17`, `18`
    -- refused                  PostgreSQL refuses it
    -- apart from: a, b         relations that are not compared, because the rows or the plan decide what happens to them
    -- gap: why                 a known difference between the prediction and PostgreSQL
    ALTER TABLE …;              preparation, if any
    ALTER TABLE …;              the measured statement

Each case begins with the database of schema.sql.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from migsafe.sql.statements import Statement, read

HERE = Path(__file__).parent
SCHEMA = (HERE / "schema.sql").read_text()

_HEADING = re.compile(r"^-- case: (?P<name>.+)\n(?P<options>(?:-- (?:versions: .+|refused|apart from: .+|gap: .+)\n)*)", re.MULTILINE)
_GAP = re.compile(r"-- gap: (.+)\n")
_APART = re.compile(r"-- apart from: (.+)\n")
_VERSIONS = re.compile(r"-- versions: (?P<first>\d+)(?P<dash>-)?(?P<last>\d+)?\n")


class Case(NamedTuple):
    """One case: where it is, when it applies, what is left out, and its statements, the last of which is measured."""

    file: str
    name: str
    versions: range
    refused: bool
    apart: frozenset[str]
    gap: str
    text: str
    statements: tuple[Statement, ...]

    def __str__(self) -> str:
        return f"{self.file}:{self.name}"

    @property
    def sql(self) -> str:
        """The measured statement."""
        return sql_of(self.statements[-1], self.text)

    @property
    def preparation(self) -> list[str]:
        """The statements before it."""
        return [sql_of(statement, self.text) for statement in self.statements[:-1]]


def sql_of(statement: Statement, text: str) -> str:
    """A statement's text."""
    return text[statement.span.start : statement.span.end]


def cases() -> list[Case]:
    """All cases, in the order of their files."""
    return [case for path in sorted((HERE / "cases").glob("*.sql")) for case in _read(path)]


def _read(path: Path) -> Iterator[Case]:
    text = path.read_text()
    headings = list(_HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    for heading, end in zip(headings, ends, strict=True):
        body = text[heading.end() : end]
        options = heading["options"]
        known = _GAP.search(options)
        left_out = _APART.search(options)
        apart = frozenset(left_out[1].split(", ")) if left_out else frozenset()
        yield Case(
            path.stem, heading["name"], _versions(options), "-- refused\n" in options, apart, known[1] if known else "", body, tuple(read(body))
        )


def _versions(options: str) -> range:
    found = _VERSIONS.search(options)
    if found is None:
        return range(100)
    first = int(found["first"])
    last = int(found["last"]) if found["last"] else 99 if found["dash"] else first
    return range(first, last + 1)
