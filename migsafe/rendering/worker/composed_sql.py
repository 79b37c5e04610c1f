"""SQL that a script composes with the `sql` module of psycopg or psycopg2, without a connection.

Both drivers ask a connection for its encoding, and quote with libpq, which the connections here do not use. Identifiers and constants
are quoted as libpq does it with UTF-8 and standard_conforming_strings.
"""

import string
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from migsafe.rendering.worker.sql_constants import as_literal

MODULES = ("psycopg.sql", "psycopg2.sql", "psycopg2cffi.sql")


class Composable:
    """A part of a statement. `context` is a connection or cursor, which is not needed."""

    def as_string(self, context: object = None) -> str:
        """Returns the SQL."""
        raise NotImplementedError

    def as_bytes(self, context: object = None) -> bytes:
        """Returns the SQL in UTF-8."""
        return self.as_string(context).encode()

    def __add__(self, other: "Composable") -> "Composed":
        return Composed([*_parts(self), *_parts(other)])

    def __mul__(self, number: int) -> "Composed":
        return Composed([self] * number)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.as_string() == other.as_string()

    def __hash__(self) -> int:
        return hash(self.as_string())

    def __str__(self) -> str:
        return self.as_string()


class Composed(Composable):
    """Parts in a row; what is not a part is a constant."""

    def __init__(self, seq: Iterable[Any]) -> None:
        self.seq = [part if isinstance(part, Composable) else Literal(part) for part in seq]

    def __iter__(self) -> Iterator[Composable]:
        return iter(self.seq)

    def join(self, joiner: "SQL | str") -> "Composed":
        """Returns the parts with a separator between them."""
        return (joiner if isinstance(joiner, SQL) else SQL(joiner)).join(self.seq)

    def as_string(self, context: object = None) -> str:
        """Returns the SQL."""
        return "".join(part.as_string() for part in self.seq)


class SQL(Composable):
    """A text of SQL, with places for parts in braces."""

    def __init__(self, string: str) -> None:
        self.string = string

    def format(self, *arguments: Any, **named: Any) -> Composed:
        """Returns the text with the parts at their places. Raises ValueError for a format or conversion, IndexError and KeyError for a missing
        part."""
        parts: list[Composable] = []
        numbers = iter(range(len(arguments)))
        for text, name, spec, conversion in string.Formatter().parse(self.string):
            if spec or conversion:
                raise ValueError("no format specification or conversion supported by SQL")
            if text:
                parts.append(SQL(text))
            if name is None:
                continue
            part = named[name] if name and not name.isdigit() else arguments[int(name) if name else next(numbers, len(arguments))]
            parts.append(part if isinstance(part, Composable) else Literal(part))
        return Composed(parts)

    def join(self, seq: Iterable[Any]) -> Composed:
        """Returns parts with the text between them."""
        parts: list[Any] = []
        for part in seq:
            parts += [self, part] if parts else [part]
        return Composed(parts)

    def as_string(self, context: object = None) -> str:
        """Returns the text."""
        return self.string


class Identifier(Composable):
    """A name, which may be qualified."""

    def __init__(self, *strings: str) -> None:
        self.strings = strings

    def as_string(self, context: object = None) -> str:
        """Returns the quoted name."""
        return ".".join('"' + str(each).replace('"', '""') + '"' for each in self.strings)


class Literal(Composable):
    """A constant."""

    def __init__(self, wrapped: Any) -> None:
        self.wrapped = wrapped

    def as_string(self, context: object = None) -> str:
        """Returns the constant as the driver writes it."""
        return as_literal(self.wrapped)


class Placeholder(Composable):
    """The place of a parameter."""

    def __init__(self, name: str | None = None, format: object = None) -> None:
        self.name = name

    def as_string(self, context: object = None) -> str:
        """Returns the place in the form of the driver."""
        return f"%({self.name})s" if self.name else "%s"


def _parts(part: Composable) -> list[Composable]:
    return part.seq if isinstance(part, Composed) else [part]


NAMES: dict[str, Any] = {kind.__name__: kind for kind in (Composable, Composed, SQL, Identifier, Literal, Placeholder)} | {
    "NULL": SQL("NULL"),
    "DEFAULT": SQL("DEFAULT"),
}
"""What the modules define."""


def replace_names(module: ModuleType) -> None:
    """Replaces the classes of a driver's module, after it has been imported."""
    vars(module).update(NAMES)
