"""The placeholders of drivers and tools, written as parameters of PostgreSQL: `%s`, `:name`, `$name`, `@name`, `sqlc.arg(name)` → `$1`."""

import re
from collections.abc import Iterator

from msgspec import Struct

from migsafe.patterns import lazy_pattern
from migsafe.sql import lexer
from migsafe.sql.split import RawStatement, split

_PERCENT = lazy_pattern(r"%(?:(%)|(?:\((?P<name>[^()]+)\))?[sbt])")
_NUMBERED = lazy_pattern(r"\$(\d+)")
_DOLLAR_NAME = lazy_pattern(r"(?<![\w$])\$[A-Za-z_]\w*+(?!\$)")
# Names of Clojure contain hyphens, and may end in a question mark; one before another operand is an operator of jsonb.
_NAME_WITH_HYPHENS = lazy_pattern(r"(?:-[A-Za-z_]\w*)*(?:\?(?![|&?]|\s*(?:[\'$(]|:\w)))?")
_NAME = lazy_pattern(r"[A-Za-z_]\w*")
_TYPED = lazy_pattern(r"(?P<type>[A-Za-z]+)(?P<many>\*?):(?P<name>[\w.-]+)")
_VALUE_TYPES = ("v", "value")
_FUNCTIONS = ("arg", "narg", "slice", "embed")


class Prepared(Struct, frozen=True):
    """A text with parameters of PostgreSQL. `hole` says why it is not a whole query, as the end of a sentence; empty if it is."""

    text: str
    hole: str = ""


class _Numbers:
    """The numbers of named parameters, above those that the text has."""

    def __init__(self, text: str) -> None:
        self.last = max((int(number) for number in _NUMBERED.findall(text)), default=0)
        self.names: dict[str, int] = {}

    def of(self, name: str | None) -> str:
        """Returns the parameter of a name; a new one without a name."""
        known = self.names.get(name) if name else None
        if known is None:
            self.last = known = self.last + 1
            if name:
                self.names[name] = known
        return f"${known}"


def from_percent(text: str) -> str:
    """Returns a text with the placeholders of psycopg, which replaces them everywhere, and `%%` by `%`."""
    numbers = _Numbers("")

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return "%"
        before = text[match.start() - 1 : match.start()]
        after = text[match.end() : match.end() + 1]
        # A parameter must not become part of a word: LIMIT%s.
        return f"{' ' if _joins(before) else ''}{numbers.of(match['name'])}{' ' if _joins(after) else ''}"

    return _PERCENT.sub(replace, text)


def from_colons(text: str) -> Prepared:
    """Returns a text with the placeholders `:name` of SQLAlchemy's text(), aiosql, HugSQL, PugSQL and yesql.

    A backslash before a colon means a colon. HugSQL's identifiers (`:i:name`), fragments (`:sql:name`, `:snip:name`), rows (`:t*:name`) and
    expressions are holes.
    """
    text = text.replace("\\:", ":")
    numbers = _Numbers(text)
    hole = "it contains an expression of Clojure" if "--~" in text or "/*~" in text else ""
    edits: list[tuple[int, int, str]] = []
    after = 0
    for statement, index in _tokens(text):
        start = statement.starts[index]
        in_brackets = statement.words[index] == ":" and text[start - 1 : start] == "[" and _NAME.match(text, start + 1) is not None
        if start < after or not (in_brackets or (statement.kinds[index] == lexer.PLACEHOLDER and text[start + 1] not in "'\"{")):
            continue
        typed = _TYPED.match(text, start + 1)
        if typed is not None:
            after = typed.end()
            if typed["type"] not in _VALUE_TYPES:
                hole = hole or f"{text[start:after]} is filled in when it is sent"
            edits.append((start, after, numbers.of(typed["name"])))
            continue
        match = _NAME_WITH_HYPHENS.match(text, statement.end_of(index + in_brackets))
        assert match is not None  # it matches everywhere
        after = match.end()
        edits.append((start, after, numbers.of(text[start + 1 : after])))
    return Prepared(_edited(text, edits), hole)


def from_sqlc(text: str) -> Prepared:
    """Returns a text with the placeholders of sqlc: `@name`, `sqlc.arg(name)`, `sqlc.narg(name)`, `sqlc.slice(name)`; `sqlc.embed(t)` means
    `t.*`."""
    numbers = _Numbers(text)
    edits: list[tuple[int, int, str]] = []
    for statement, index in _tokens(text):
        words, start = statement.words, statement.starts[index]
        if words[index] == "@" and statement.kinds[index + 1] == lexer.WORD and statement.starts[index + 1] == start + 1:
            edits.append((start, statement.end_of(index + 1), numbers.of(words[index + 1])))
        elif words[index] == "sqlc" and words[index + 1] == "." and words[index + 2] in _FUNCTIONS and words[index + 5] == ")":
            end = statement.end_of(index + 5)
            name = text[statement.starts[index + 4] : statement.end_of(index + 4)]
            edits.append((start, end, f"{name}.*" if words[index + 2] == "embed" else numbers.of(name.strip("'\""))))
    return Prepared(_edited(text, edits))


def from_dollars(text: str) -> str:
    """Returns a text with the placeholders `$name`, which projects replace themselves, because PostgreSQL has only `$1`."""
    numbers = _Numbers(text)
    edits = [
        (statement.starts[index], statement.end_of(index + 1), numbers.of(statement.words[index + 1]))
        for statement, index in _tokens(text)
        if statement.words[index] == "$"
        and statement.kinds[index + 1] == lexer.WORD
        and statement.starts[index + 1] == statement.starts[index] + 1
    ]
    return _edited(text, edits)


def from_any(text: str) -> Prepared:
    """Returns a text whose placeholders have the form that it shows: `%s`, `:name`, `$name`, or none but `$1`."""
    if re.search(r"%(?:\([^()]+\))?s", text):
        return Prepared(from_percent(text))
    if _DOLLAR_NAME.search(text):
        return Prepared(from_dollars(text))
    prepared = from_colons(text)
    return prepared if "$1" not in text else Prepared(text)


def _tokens(text: str) -> Iterator[tuple[RawStatement, int]]:
    """Yields the tokens of a text: their statements, and their indexes there."""
    for statement in split(text, pattern=lexer.pattern_for("")):
        if isinstance(statement, RawStatement):
            for index in range(len(statement.words) - lexer.LOOK_AHEAD):
                yield statement, index


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    at = 0
    for start, end, replacement in edits:
        parts += (text[at:start], replacement)
        if _joins(text[end : end + 1]):
            parts.append(" ")
        at = end
    return "".join((*parts, text[at:]))


def _joins(character: str) -> bool:
    """Whether a character would be part of the word next to it."""
    return character.isalnum() or character in ("_", "$")
