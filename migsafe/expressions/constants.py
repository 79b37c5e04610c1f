"""Constants in conditions: their values when they are compared with a column of some type, and the order of two of them.

A constant has a value here only where PostgreSQL compares the column with it without a conversion. `x >= 10.0` converts an integer x to
numeric first, and the comparison of a date with a timestamp with time zone depends on the session's TimeZone, so neither proves anything.
"""

import re
import struct
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal

from msgspec import Struct

from migsafe.patterns import lazy_pattern
from migsafe.sql.operations import TypeName

Order = Literal["<", "=", ">", "<>"]
"""How a constant compares with another one. `<>`: they differ, and their order is not known."""


class Constant(Struct, frozen=True):
    """The value of a constant. Only constants of the same `kind` can be compared.

    Kinds are `number`, `moment`, `local` (a moment whose offset depends on the TimeZone), `instant`, `text`, `uuid` and `boolean`. For any
    other type the kind contains the name of the type.
    """

    kind: str
    value: Decimal | datetime | str | bool


class WrittenConstant(Struct, frozen=True):
    """A constant in SQL: its text, whether the text is quoted, and the types that it is cast to, the innermost first."""

    text: str
    quoted: bool
    casts: tuple[str, ...] = ()


_INTEGERS = frozenset(("smallint", "integer", "bigint"))
_TEXTS = frozenset(("text", "character varying"))
_MOMENTS = frozenset(("date", "timestamp without time zone"))
_INSTANT = "timestamp with time zone"
_NOW = frozenset(("now", "today", "tomorrow", "yesterday"))
_WHOLE = lazy_pattern(r"[+-]?[0-9]+")
_MOMENT = lazy_pattern(
    r"(\d{4})-?(\d{1,2})-?(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)? *(?:(Z|UTC|GMT)|([+-])(\d{1,2})(?::?(\d{2}))?)?"
)


def evaluate(constant: WrittenConstant, type_name: TypeName | None, *, utc: bool = False) -> Constant | None:
    """Return the value of a constant that is compared with a column of a type; None where PostgreSQL converts the column first.

    `utc`: the session's TimeZone is UTC.
    """
    name = "" if type_name is None or type_name.dimensions else type_name.name
    casts = frozenset(constant.casts)
    match name:
        case "smallint" | "integer" | "bigint" | "serial" | "smallserial" | "bigserial":
            return _number(constant, whole=True) if casts <= _INTEGERS else None
        case "numeric":
            return _number(constant, whole=bool(casts & _INTEGERS)) if casts <= _INTEGERS | {"numeric"} else None
        case "double precision" | "real":
            return _float(constant, single=name == "real") if casts <= _INTEGERS | {"numeric", name} else None
        case "date" | "timestamp without time zone":
            return _moment(constant, casts or {name}, utc) if casts <= _MOMENTS else None
        case "timestamp with time zone":
            return _moment(constant, {name}, utc) if casts <= {name} else None
        case "text" | "character varying":
            return Constant("text", constant.text) if constant.quoted and casts <= _TEXTS else None
        case "character":
            return Constant("text", constant.text.rstrip(" ")) if constant.quoted and casts <= {"bpchar"} else None
        case "uuid":
            digits = re.sub(r"[-{}]", "", constant.text).lower()
            return Constant("uuid", digits) if casts <= {name} and len(digits) == 32 else None
        case "boolean":
            return _boolean(constant) if casts <= {name} else None
    is_own_type = type_name is not None and casts <= {type_name.name}
    # A number with a fraction may convert the column to numeric; the value of now and today depends on when the constant was read.
    if (casts and not is_own_type) or constant.text.lower() in _NOW or not (constant.quoted or _WHOLE.fullmatch(constant.text)):
        return None
    return Constant(f"{name} as text", constant.text)


def _number(constant: WrittenConstant, *, whole: bool) -> Constant | None:
    if len(constant.casts) > 1 or (whole and not _WHOLE.fullmatch(constant.text)):
        return None
    try:
        value = Decimal(constant.text)
    except InvalidOperation:
        return None
    return Constant("number", value) if value.is_finite() else None


def _float(constant: WrittenConstant, *, single: bool) -> Constant | None:
    """Return a floating-point number that is the same in every precision in which PostgreSQL may compare it."""
    number = _number(constant, whole=bool(_INTEGERS & set(constant.casts)))
    if number is None or not isinstance(number.value, Decimal):
        return None
    try:
        value = float(number.value)
        if single and struct.unpack("f", struct.pack("f", value))[0] != value:
            return None
    except OverflowError:
        return None
    return Constant("number", Decimal(value))


def _boolean(constant: WrittenConstant) -> Constant | None:
    word = constant.text.lower()
    if word in ("true", "t"):
        return Constant("boolean", True)
    return Constant("boolean", False) if word in ("false", "f") else None


def _moment(constant: WrittenConstant, casts: frozenset[str] | set[str], utc: bool) -> Constant | None:
    if not constant.quoted or len(casts) > 1 or len(constant.casts) > 1:
        return None
    (name,) = casts
    word = constant.text.strip()
    if word in ("infinity", "-infinity"):
        end = datetime.min if word[0] == "-" else datetime.max
        return Constant("instant" if name == _INSTANT else "moment", end.replace(tzinfo=UTC) if name == _INSTANT else end)
    match = _MOMENT.fullmatch(word)
    value = None if match is None else _datetime(match)
    if match is None or value is None:
        return None
    if name == "date":
        return Constant("moment", value.replace(hour=0, minute=0, second=0, microsecond=0))
    if name != _INSTANT:
        return Constant("moment", value)  # PostgreSQL ignores the offset
    if match[8] is None and match[9] is None:
        return Constant("instant", value.replace(tzinfo=UTC)) if utc else Constant("local", value)
    offset = timedelta(hours=int(match[10] or 0), minutes=int(match[11] or 0))
    return Constant("instant", (value + (offset if match[9] == "-" else -offset)).replace(tzinfo=UTC))


def _datetime(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = (int(match[group] or 0) for group in range(1, 7))
    try:
        midnight = hour == 24 and not minute and not second
        value = datetime(year, month, day, 0 if midnight else hour, minute, second, int((match[7] or "").ljust(6, "0")))
        return value + timedelta(days=1) if midnight else value
    except (ValueError, OverflowError):
        return None


def fits_type(value: Constant, type_name: TypeName | None) -> bool:
    """Whether the bound of a partition keeps its value when it is converted to the column's type, with its length or precision."""
    modifiers = () if type_name is None else type_name.modifiers
    if not modifiers:
        return True
    match value.value:
        case Decimal():
            exponent = value.value.as_tuple().exponent
            scale = int(modifiers[1]) if len(modifiers) > 1 and modifiers[1].isdigit() else 0
            return isinstance(exponent, int) and -exponent <= scale
        case datetime():
            return value.value.microsecond == 0
        case str():
            return modifiers[0].isdigit() and len(value.value) <= int(modifiers[0])
    return True


_FURTHEST_OFFSET = timedelta(hours=16)
_LARGEST_CLOCK_CHANGE = timedelta(hours=3)


def compare(first: Constant, second: Constant) -> Order | None:
    """Return how the first constant compares with the second; None where only the server can know."""
    left, right = first.value, second.value
    if isinstance(left, datetime) and isinstance(right, datetime) and "local" in (first.kind, second.kind):
        return _compare_local(left.replace(tzinfo=None), right.replace(tzinfo=None), same_zone=first.kind == second.kind)
    if first.kind != second.kind:
        return None
    if left == right:
        return "="
    match first.kind:
        case "number" | "moment" | "instant" | "uuid":
            return "<" if left < right else ">"  # type: ignore[operator]  # values of one kind are of one type
        case "text":
            return _compare_texts(str(left), str(right))
        case "boolean":
            return "<>"
    return None


def _compare_local(first: datetime, second: datetime, *, same_zone: bool) -> Order | None:
    """Compare moments whose offset only the server knows.

    Clocks change in most time zones: 02:30 may come after 03:10. An exact midnight is assumed to come after all earlier times.
    """
    if not same_zone:
        is_known = abs(first - second) >= _FURTHEST_OFFSET
    elif first == second:
        return "="
    else:
        is_known = abs(first - second) >= _LARGEST_CLOCK_CHANGE or max(first, second).time() == time()
    return None if not is_known else "<" if first < second else ">"


def _compare_texts(first: str, second: str) -> Order:
    """Compare texts. Their order depends on the collation, but every collation orders texts that differ only in digits alike."""
    if re.sub(r"[0-9]", "0", first) == re.sub(r"[0-9]", "0", second):
        return "<" if first < second else ">"
    return "<>"
