"""Statements that are left out because they need an extension that the user does without."""

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.patterns import lazy_pattern
from migsafe.replaying.refusals import Failure, extension_of_missing_object
from migsafe.session import sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.statements import Statement

_UNDEFINED_OBJECT, _UNDEFINED_FUNCTION, _UNDEFINED_TABLE = "42704", "42883", "42P01"
_MISSING = frozenset((_UNDEFINED_OBJECT, _UNDEFINED_FUNCTION, _UNDEFINED_TABLE, "42703", "3F000"))
"""The error codes for an object, function, table, column or schema that does not exist (manual, appendix A)."""
_OF_AN_EXTENSION = lazy_pattern(
    r"(?:type|collation|language|extension|access method|operator class|operator family|text search \w+|foreign-data wrapper) .* does not exist"
    r"|data type .* has no default operator class"
)
"""The messages of undefined_object for what an extension can bring along."""
_NAMED = lazy_pattern(
    r"\b(?:create\s+(?:or\s+replace\s+)?(?:unique\s+|unlogged\s+|recursive\s+|constraint\s+)*"
    r"(?:table|index|view|materialized\s+view|sequence|type|domain|function|procedure|trigger|aggregate|operator\s+class|schema)"
    r"(?:\s+concurrently)?|add(?:\s+column|\s+constraint)?|constraint|rename(?:\s+column|\s+constraint)?(?:\s+[\w\"]+)?\s+to)"
    r"(?:\s+if\s+not\s+exists)?\s+((?:\"[^\"]+\"|\w+)(?:\.(?:\"[^\"]+\"|\w+))?)",
    re.IGNORECASE,
)
"""The names that a statement gives to new objects."""
_RELATION = lazy_pattern(r'(?:relation|table|index|sequence|view|materialized view) "(?:(?P<schema>[^".]+)\.)?(?P<name>[^"]+)" does not exist')
_WORD = lazy_pattern(r"\w+")
_SHOWN = 10


class _Statement(Struct, frozen=True):
    """A statement that was left out: where it is, and PostgreSQL's message."""

    place: str
    error: str


class LeftOut:
    """The statements of a run that are left out for the sake of `extensions`, and the names that do not exist without them."""

    def __init__(self, extensions: Sequence[str]) -> None:
        self._extensions = tuple(dict.fromkeys(extensions))
        self._used: set[str] = set()
        self._created: set[str] = set()
        self._names: set[str] = set()
        self._statements: dict[tuple[str, int], _Statement] = {}

    def begin_history(self, halves: Iterable[Half]) -> None:
        """Notes the names that these migrations create."""
        texts = (half.script.text[slice(*chunk)] for half in halves for chunk in half.chunks) if self._extensions else ()
        self._created = {name.replace('"', "").lower() for text in texts for name in _NAMED.findall(text)}

    def __bool__(self) -> bool:
        """Whether statements may be left out."""
        return bool(self._extensions)

    def without_creation(self, half: Half) -> Half:
        """Returns a migration without its CREATE EXTENSION of these extensions."""
        if not any(extension in half.script.text for extension in self._extensions):
            return half
        reasons = {}
        for sent in sent_statements(half):
            for operation in sent.statement.operations:
                if isinstance(operation, sql.CreateExtension) and operation.extension in self._extensions:
                    self._used.add(operation.extension)
                    reasons[sent.statement.index] = f"the extension {operation.extension} is left out (--without-extension)"
        return replace(half, left_out={**half.left_out, **reasons}) if reasons else half

    def without_dependent(self, half: Half, statement: Statement, failure: Failure, *, has_run: bool = False) -> Half | None:
        """Returns a migration without a statement that PostgreSQL refused; None if that is not because an extension is missing. `has_run` says
        that the migration belongs to the history: it has run with the extension, so its names are right."""
        self._used.update(extension for extension in self._extensions if extension == extension_of_missing_object(failure))
        if not self._used or statement.index in half.left_out or not (self._is_cause(failure) or self._is_of_extension(failure, has_run)):
            return None
        text = half.script.text[slice(*statement.span)]
        self._names.update(name.replace('"', "").rpartition(".")[2] for name in _NAMED.findall(text))
        position = half.file.position(half.file_span(statement.span).start)
        self._statements[half.file.path, statement.index] = _Statement(f"{half.file.path}:{position.line}", failure.message)
        reason = f"PostgreSQL refuses it without the extension {self._which()}: {failure.message}"
        return replace(half, left_out={**half.left_out, statement.index: reason})

    def notes(self) -> Iterator[str]:
        """Yields what was left out, and which extensions no migration creates."""
        for extension in self._extensions:
            if extension not in self._used:
                yield f"--without-extension {extension}: no migration creates this extension."
        left_out = list(self._statements.values())
        if left_out:
            shown = "; ".join(f"{statement.place} ({statement.error})" for statement in left_out[:_SHOWN])
            more = f"; and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
            count = "1 statement that needs it was" if len(left_out) == 1 else f"{len(left_out)} statements that need it were"
            yield f"Without the extension {self._which()}, {count} left out: {shown}{more}."
        elif self._used:
            yield f"The extension {self._which()} was left out; no statement needed it."

    def _which(self) -> str:
        return " or ".join(extension for extension in self._extensions if extension in self._used)

    def _is_cause(self, failure: Failure) -> bool:
        if failure.sqlstate not in _MISSING:
            return False
        if failure.sqlstate == _UNDEFINED_FUNCTION or (failure.sqlstate == _UNDEFINED_OBJECT and _OF_AN_EXTENSION.match(failure.message)):
            return True
        return not self._names.isdisjoint(_WORD.findall(failure.message))

    def _is_of_extension(self, failure: Failure, has_run: bool) -> bool:
        """Whether a relation that does not exist can be one of an extension: it is in a schema that no migration creates anything in, or it has
        the name of the extension; in the history, also if no migration names it as new. An extension's function can have created it."""
        match = _RELATION.fullmatch(failure.message) if failure.sqlstate == _UNDEFINED_TABLE else None
        if match is None:
            return False
        schema, name = (match["schema"] or "").lower(), match["name"].lower()
        if has_run and not any(name == each.rpartition(".")[2] for each in self._created):
            return True
        is_unknown = bool(schema) and schema != "public" and not any(schema == each.partition(".")[0] for each in self._created)
        return is_unknown or name in self._used
