"""String expressions whose value is known without a database, and the place of each of their characters in the script."""

import re
from array import array
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from migsafe.patterns import lazy_pattern
from migsafe.sql.grammar.cursor import Cursor
from migsafe.sql.lexer import DOLLAR_STRING, ESCAPE_STRING, STRING
from migsafe.sql.literals import unescape
from migsafe.sql.operations.values import quoted
from migsafe.text import MARK_START, Span


class StringConstant(NamedTuple):
    """The value of a string. `offsets` has, for each character, the offset in the script from which it comes."""

    value: str
    offsets: "array[int]"


class NotConstantError(Exception):
    """The value of an expression is known only to a running database."""


_DOUBLED_QUOTE = lazy_pattern(r"''")
_ESCAPE = lazy_pattern(r"''|\\(?:[0-7]{1,3}|x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_PLACEHOLDER = lazy_pattern(r"%(?:(\d+)\$)?([sIL%])")


def constant_at(c: Cursor, index: int) -> StringConstant:
    """Return the value of the token that is a string constant."""
    start, kind, raw = c.tokens.starts[index], c.kinds[index], c.raw(index)
    if kind == DOLLAR_STRING:
        tag = raw.index("$", 1) + 1
        return StringConstant(raw[tag:-tag], array("I", range(start + tag, start + len(raw) - tag)))
    value = c.string_at(index)
    special = {STRING: _DOUBLED_QUOTE, ESCAPE_STRING: _ESCAPE}.get(kind)
    if special is not None:
        constant = _unescaped(raw, start, special)
        if constant.value == value:
            return constant
    # A constant over several lines, or with Unicode escapes: every character gets the offset of the constant.
    return StringConstant(value, array("I", [start]) * len(value))


def _unescaped(raw: str, start: int, special: re.Pattern[str]) -> StringConstant:
    """Return a constant whose text begins at offset `start`; each match of `special` is replaced by the character that it means."""
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
    return StringConstant("".join(pieces), offsets)


KnownValues = Mapping[str, StringConstant]
"""The variables and parameters with known values."""


def evaluate(c: Cursor, end: int, known: KnownValues | None = None, *, marked: bool = False) -> StringConstant:
    """Return the value of the string expression from the cursor up to token `end`.

    It may consist of constants, variables that are `known`, `||`, and format(), concat(), quote_ident() and quote_literal() of such
    expressions. Raises NotConstantError for any other expression; if `marked`, the value has a mark of an unknown value in its place.
    """
    known = known or {}
    value, offsets = "", array("I")
    while True:
        stop = _operand_end(c, end) if marked else end
        operand = _operand_or_mark(c, stop, known) if marked else _operand(c, known)
        value, offsets = value + operand.value, offsets + operand.offsets
        if c.i >= end:
            return StringConstant(value, offsets)
        if not c.accept("||"):
            raise NotConstantError


def _operand_end(c: Cursor, end: int) -> int:
    """Return the first token after the operand of `||` at the cursor."""
    stop, depth = c.i, 0
    while stop < end and (depth or c.words[stop] != "||"):
        depth += (c.words[stop] in ("(", "[")) - (c.words[stop] in (")", "]"))
        stop += 1
    return stop


def _operand_or_mark(c: Cursor, stop: int, known: KnownValues) -> StringConstant:
    """Return the value of the operand up to token `stop`, or the mark of an unknown value."""
    at = c.i
    try:
        operand = _operand(c, known, marked=True)
        if c.i == stop:
            return operand
    except NotConstantError:
        pass
    c.i = stop
    start = c.tokens.starts[at]
    return StringConstant(f"{MARK_START}{start}⟩", array("I", [start]) * (len(str(start)) + 2))


def _operand(c: Cursor, known: KnownValues, *, marked: bool = False) -> StringConstant:
    at = c.i
    if c.words[at] == "'":
        c.i += 1
        constant = constant_at(c, at)
    elif (name := variable_at(c, at)) in known and c.words[at + 1] != "(":
        c.i += 1 if name == c.words[at] else 4 if name.endswith("]") else 3
        constant = known[name]
    elif c.words[at] == "(":
        c.skip_group()
        close = c.i
        c.i = at + 1
        constant = evaluate(c, close - 1, known, marked=marked)
        c.i = close
    elif c.words[at] in ("format", "concat", "quote_ident", "quote_literal") and c.words[at + 1] == "(":
        constant = _call(c, known, marked=marked)
    else:
        raise NotConstantError
    while c.words[c.i] == "::" and c.words[c.i + 1] in ("text", "varchar", "name", "regclass"):
        c.i += 2
    return constant


def variable_at(c: Cursor, at: int) -> str:
    """Return the variable at a token: `name`, `record.field` or `array[subscript]`; empty for an element or a field of another form."""
    words = c.words
    match words[at + 1]:
        case ".":
            return f"{words[at]}.{words[at + 2]}"
        case "[":
            return f"{words[at]}[{words[at + 2]}]" if words[at + 3] == "]" else ""
    return words[at]


_ELEMENT = lazy_pattern(r"[^\s{},\"\\][^{},\"\\]*")


def array_elements(constant: StringConstant) -> tuple[StringConstant, ...] | None:
    """Return the elements of an array constant `{a,b}`; None if it has quotes, escapes or inner arrays."""
    value = constant.value.strip()
    parts = value[1:-1].split(",")
    if value[:1] != "{" or value[-1:] != "}" or not all(_ELEMENT.fullmatch(part.strip()) for part in parts):
        return None
    return tuple(_with_origin(part.strip(), constant) for part in parts)


def list_items(c: Cursor, end: int) -> Iterator[int]:
    """Go through the list up to token `end`: yield the end of each item while the cursor is at its first token."""
    while c.i < end:
        stop, depth = c.i, 0
        while stop < end and (depth or c.words[stop] != ","):
            depth += (c.words[stop] in ("(", "[")) - (c.words[stop] in (")", "]"))
            stop += 1
        yield stop
        c.i = stop + 1


def _call(c: Cursor, known: KnownValues, *, marked: bool = False) -> StringConstant:
    name = c.words[c.i]
    c.i += 1
    at = c.i
    c.skip_group()
    close = c.i
    c.i = at + 1
    values = [evaluate(c, stop, known, marked=marked) for stop in list_items(c, close - 1)]
    c.i = close
    if not values:
        raise NotConstantError
    first = values[0]
    match name:
        case "format":
            return _format(first, values[1:])
        case "quote_ident":
            return _with_origin(quoted(first.value), first)
        case "quote_literal":
            return _with_origin(_literal(first.value), first)
    value = "".join(argument.value for argument in values)
    offsets = array("I")
    for argument in values:
        offsets += argument.offsets
    return StringConstant(value, offsets)


def _with_origin(value: str, origin: StringConstant) -> StringConstant:
    start = origin.offsets[0] if origin.offsets else 0
    return StringConstant(value, array("I", [start]) * len(value))


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _format(template: StringConstant, arguments: list[StringConstant]) -> StringConstant:
    """Return the result of format() with a constant template and constant arguments (manual, 9.4.1)."""
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
    return StringConstant("".join(pieces), offsets)


def relocate(value: Any, offsets: "array[int]") -> Any:
    """Return an operation, or a part of one, that was read from the value of a constant, with its spans converted to offsets in the script."""
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
