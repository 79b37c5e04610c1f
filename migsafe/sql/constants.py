"""Strings whose value can be known without running anything, and where each of their characters stands in the script."""

import re
from array import array
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from migsafe.sql.grammar.cursor import Cursor
from migsafe.sql.lexer import DOLLAR_STRING, ESCAPE_STRING, STRING
from migsafe.sql.literals import unescape
from migsafe.sql.operations.values import quoted
from migsafe.text import Span


class Constant(NamedTuple):
    """A string's value. `offsets` has, for each character of it, the offset in the script that it comes from."""

    value: str
    offsets: "array[int]"


class NotConstantError(Exception):
    """The expression's value depends on what only a running database knows."""


_DOUBLED_QUOTE = re.compile(r"''")
_ESCAPE = re.compile(r"''|\\(?:[0-7]{1,3}|x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_PLACEHOLDER = re.compile(r"%(?:(\d+)\$)?([sIL%])")


def constant_at(c: Cursor, index: int) -> Constant:
    """The value of the string constant that a token is."""
    start, kind, raw = c.tokens.starts[index], c.kinds[index], c.raw(index)
    if kind == DOLLAR_STRING:
        tag = raw.index("$", 1) + 1
        return Constant(raw[tag:-tag], array("I", range(start + tag, start + len(raw) - tag)))
    value = c.string_at(index)
    special = {STRING: _DOUBLED_QUOTE, ESCAPE_STRING: _ESCAPE}.get(kind)
    if special is not None:
        found = _unescaped(raw, start, special)
        if found.value == value:
            return found
    # A constant continued over lines, or with Unicode escapes: every character stands where the constant begins.
    return Constant(value, array("I", [start]) * len(value))


def _unescaped(raw: str, start: int, special: re.Pattern[str]) -> Constant:
    """A constant whose text begins at offset `start`, with what `special` matches replaced by the character that it stands for."""
    at = raw.index("'") + 1
    pieces: list[str] = []
    offsets = array("I")
    for match in special.finditer(raw, at, len(raw) - 1):
        text = unescape(match[0])
        pieces += (raw[at : match.start()], text)
        offsets.extend(range(start + at, start + match.start()))
        offsets.extend([start + match.start()] * len(text))
        at = match.end()
    pieces.append(raw[at:-1])
    offsets.extend(range(start + at, start + len(raw) - 1))
    return Constant("".join(pieces), offsets)


KnownValues = Mapping[str, Constant]
"""The variables and parameters whose values are known."""


def evaluate(c: Cursor, end: int, known: KnownValues | None = None) -> Constant:
    """The value of the string expression from the cursor up to token `end`: constants, variables that are `known`, `||`, and format(),
    concat(), quote_ident() and quote_literal() of such. Raises NotConstantError for anything else."""
    known = known or {}
    value, offsets = _operand(c, known)
    while c.i < end:
        if not c.accept("||"):
            raise NotConstantError
        more = _operand(c, known)
        value, offsets = value + more.value, offsets + more.offsets
    return Constant(value, offsets)


def _operand(c: Cursor, known: KnownValues) -> Constant:
    at = c.i
    if c.words[at] == "'":
        c.i += 1
        found = constant_at(c, at)
    elif c.words[at] in known and c.words[at + 1] not in ("(", ".", "["):
        c.i += 1
        found = known[c.words[at]]
    elif c.words[at] == "(":
        c.skip_group()
        close = c.i
        c.i = at + 1
        found = evaluate(c, close - 1, known)
        c.i = close
    elif c.words[at] in ("format", "concat", "quote_ident", "quote_literal") and c.words[at + 1] == "(":
        found = _call(c, known)
    else:
        raise NotConstantError
    while c.words[c.i] == "::" and c.words[c.i + 1] in ("text", "varchar", "name", "regclass"):
        c.i += 2
    return found


def list_items(c: Cursor, end: int) -> Iterator[int]:
    """Step through a list up to token `end`: where each item ends, with the cursor at its first token."""
    while c.i < end:
        stop, depth = c.i, 0
        while stop < end and (depth or c.words[stop] != ","):
            depth += (c.words[stop] in ("(", "[")) - (c.words[stop] in (")", "]"))
            stop += 1
        yield stop
        c.i = stop + 1


def _call(c: Cursor, known: KnownValues) -> Constant:
    name = c.words[c.i]
    c.i += 1
    at = c.i
    c.skip_group()
    close = c.i
    c.i = at + 1
    given = [evaluate(c, stop, known) for stop in list_items(c, close - 1)]
    c.i = close
    if not given:
        raise NotConstantError
    first = given[0]
    match name:
        case "format":
            return _format(first, given[1:])
        case "quote_ident":
            return _spelt(quoted(first.value), first)
        case "quote_literal":
            return _spelt(_literal(first.value), first)
    value = "".join(argument.value for argument in given)
    offsets = array("I")
    for argument in given:
        offsets += argument.offsets
    return Constant(value, offsets)


def _spelt(value: str, origin: Constant) -> Constant:
    start = origin.offsets[0] if origin.offsets else 0
    return Constant(value, array("I", [start]) * len(value))


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _format(template: Constant, arguments: list[Constant]) -> Constant:
    """format() of a constant template with constant arguments (manual, 9.4.1)."""
    pieces: list[str] = []
    offsets = array("I")
    at, following = 0, 0
    for match in _PLACEHOLDER.finditer(template.value):
        pieces.append(template.value[at : match.start()])
        offsets += template.offsets[at : match.start()]
        at = match.end()
        number, kind = match.groups()
        if kind == "%":
            text = "%"
        else:
            following = int(number) if number else following + 1
            if not 0 < following <= len(arguments):
                raise NotConstantError
            value = arguments[following - 1].value
            text = {"s": value, "I": quoted(value), "L": _literal(value)}[kind]
        pieces.append(text)
        first, last = template.offsets[match.start()], template.offsets[match.end() - 1]
        offsets.extend(last if i == len(text) - 1 else min(first + i, last) for i in range(len(text)))
    pieces.append(template.value[at:])
    offsets += template.offsets[at:]
    return Constant("".join(pieces), offsets)


def relocate(value: Any, offsets: "array[int]") -> Any:
    """An operation (or a part of one) that was read from a constant's value, with every span where its text stands in the script."""
    if isinstance(value, Span):
        return Span(
            _offset(offsets, value.start), _offset(offsets, value.end - 1) + 1 if value.end > value.start else _offset(offsets, value.start)
        )
    if isinstance(value, Struct):
        changes = {name: relocate(getattr(value, name), offsets) for name in value.__struct_fields__}
        return replace(value, **changes)
    if type(value) is tuple:
        return tuple(relocate(item, offsets) for item in value)
    return value


def _offset(offsets: "array[int]", at: int) -> int:
    return offsets[min(at, len(offsets) - 1)] if offsets else 0
