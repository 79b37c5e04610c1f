"""UPDATE and INSERT … SELECT in their plainest forms, read from their tokens: constants and columns of one table, and at most one condition."""

from collections.abc import Iterator
from typing import NamedTuple

from migsafe.sql.lexer import NUMBER, PUNCTUATION, QUOTED, STRING, WORD, fold, token_spans
from migsafe.sql.operations.values import Name

_CONSTANTS = ("null", "true", "false")
_CLAUSES = frozenset("from where group order limit union join on as set returning having window fetch offset for values default".split())
_OF_ROW = frozenset(("now", "gen_random_uuid", "uuid_generate_v4", "clock_timestamp"))
"""Functions that neither aggregate rows nor return several."""
UNKNOWN_VALUE = "unknown()"
"""The SQL that stands for a value that is not known."""


class Condition(NamedTuple):
    """`column = value`, `column IS NULL` (the value is `null`), or `column IS NOT NULL` (it is `not null`)."""

    column: str
    value: str


class PlainUpdate(NamedTuple):
    """The constants that an UPDATE assigns, by column, in the rows that meet the condition; in all rows without one."""

    values: tuple[tuple[str, str], ...]
    condition: Condition | None


class PlainSelect(NamedTuple):
    """The query of an INSERT: constants, UNKNOWN_VALUE and columns (`columns` says which items are that) of one table, or without one."""

    items: tuple[str, ...]
    columns: frozenset[int]
    source: Name | None
    condition: Condition | None


class _NotPlainError(Exception):
    """A form that is not read here."""


class _Reader:
    """The tokens of a statement: their kinds, and their texts, of which words are folded."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text)]
        self._at = 0

    def accept(self, *words: str) -> bool:
        """Skips the words, if they come next."""
        found = all(
            kind != QUOTED and token == word for (kind, token), word in zip(self._tokens[self._at : self._at + len(words)], words, strict=False)
        )
        if found and self._at + len(words) <= len(self._tokens):
            self._at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        """Skips the words that must come next."""
        if not self.accept(*words):
            raise _NotPlainError

    def skip_to(self, word: str) -> None:
        """Skips what precedes a word, and the word."""
        while not self.accept(word):
            self._next()

    def end(self) -> None:
        """The statement must end here."""
        self.accept(";")
        if self._at < len(self._tokens):
            raise _NotPlainError

    def identifier(self) -> str:
        """Returns the name that must come next."""
        kind, token = self._next()
        if kind not in (WORD, QUOTED) or (kind == WORD and token in _CLAUSES):
            raise _NotPlainError
        return token

    def name(self) -> Name:
        """Returns the name of a table, which must come next."""
        first = self.identifier()
        return Name(self.identifier(), first) if self.accept(".") else Name(first)

    def alias(self) -> str:
        """Returns the alias of a table, if one comes next; else an empty text."""
        if self.accept("as"):
            return self.identifier()
        kind, token = self._tokens[self._at] if self._at < len(self._tokens) else (0, "")
        return self.identifier() if kind == QUOTED or (kind == WORD and token not in _CLAUSES) else ""

    def column(self, prefixes: tuple[str, ...]) -> str:
        """Returns the name of a column that must come next, with a table's name or alias before it or without."""
        first = self.identifier()
        if not self.accept("."):
            return first
        if first not in prefixes:
            raise _NotPlainError
        return self.identifier()

    def constant(self) -> str | None:
        """Returns the constant that comes next; None if it is something else."""
        start = self._at
        sign = "-" if self.accept("-") else ""
        if self._at < len(self._tokens):
            kind, token = self._next()
            if kind == NUMBER or (not sign and (kind == STRING or (kind == WORD and token in _CONSTANTS))):
                return sign + token
        self._at = start
        return None

    def calls(self) -> bool:
        """Whether the call of a function without arguments came next, whose value is that of one row."""
        kind, token = self._tokens[self._at] if self._at < len(self._tokens) else (0, "")
        if kind == WORD and token in _OF_ROW and self._tokens[self._at + 1 : self._at + 3] == [(PUNCTUATION, "("), (PUNCTUATION, ")")]:
            self._at += 3
            return True
        return kind == WORD and token in ("current_timestamp", "current_date", "localtimestamp") and self.accept(token)

    def _next(self) -> tuple[int, str]:
        if self._at >= len(self._tokens):
            raise _NotPlainError
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    for kind, start, end in token_spans(text):
        token = text[start:end]
        yield kind, fold(token) if kind == WORD else token[1:-1].replace('""', '"') if kind == QUOTED else token


def read_plain_update(text: str) -> PlainUpdate | None:
    """Returns what an UPDATE of constants does; None if it has another form."""
    reader = _Reader(text)
    try:
        reader.expect("update")
        reader.accept("only")
        table = reader.name()
        alias = table.name
        if not reader.accept("set"):
            reader.accept("as")
            alias = reader.identifier()
            reader.expect("set")
        values = []
        while True:
            column = reader.identifier()
            reader.expect("=")
            value = reader.constant()
            if value is None:
                return None
            values.append((column, value))
            if not reader.accept(","):
                break
        condition = _condition(reader, (alias,))
        reader.end()
    except _NotPlainError:
        return None
    return PlainUpdate(tuple(values), condition)


def read_plain_select(text: str) -> PlainSelect | None:
    """Returns the query of an INSERT … SELECT; None if it has another form."""
    reader = _Reader(text)
    try:
        reader.expect("insert", "into")
        reader.skip_to("select")
        items: list[tuple[str, str]] = []
        while True:
            items.append(_item(reader))
            if not reader.accept(","):
                break
        source, prefixes = None, ("",)
        if reader.accept("from"):
            source = reader.name()
            prefixes = (reader.alias() or source.name,)
        condition = _condition(reader, prefixes)
        reader.end()
    except _NotPlainError:
        return None
    columns = frozenset(position for position, (prefix, _) in enumerate(items) if prefix != "constant")
    if (source is None and (columns or condition)) or any(items[position][0] not in ("", *prefixes) for position in columns):
        return None
    return PlainSelect(tuple(item for _, item in items), columns, source, condition)


def _item(reader: _Reader) -> tuple[str, str]:
    """Returns an item of a SELECT: its value after `constant`, or a column after the name before it, which may be empty."""
    if reader.calls():
        item = ("constant", UNKNOWN_VALUE)
    elif (value := reader.constant()) is not None:
        item = ("constant", value)
    else:
        name = reader.name()
        item = (name.schema or "", name.name)
    if reader.accept("as"):
        reader.identifier()
    return item


def _condition(reader: _Reader, prefixes: tuple[str, ...]) -> Condition | None:
    if not reader.accept("where"):
        return None
    column = reader.column(prefixes)
    if reader.accept("is"):
        value: str | None = "not null" if reader.accept("not") else "null"
        reader.expect("null")
    else:
        reader.expect("=")
        value = reader.constant()
    if value is None or value in ("true", "false"):
        raise _NotPlainError
    return Condition(column, value)
