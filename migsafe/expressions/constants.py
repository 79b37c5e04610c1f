"""Constants in conditions: what one is worth beside a column of some type, and how two of them compare.

A constant is only taken where PostgreSQL compares the column itself with it, and at once: `x >= 10.0` turns an integer x into a numeric
first, and a date beside a timestamp with time zone is compared by the session's TimeZone, so neither proves anything.
"""

import re
import struct
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal

from msgspec import Struct

from migsafe.sql.operations import TypeName

Relation = Literal["<", "=", ">", "<>"]


class Constant(Struct, frozen=True):
    """A constant's value. `kind` says which others it compares with: `number`, `moment`, `local` (a moment whose offset the TimeZone decides),
    `instant`, `text`, `boolean`, or, of types that are not understood here, the type's own name."""

    kind: str
    value: Decimal | datetime | str | bool


class Written(Struct, frozen=True):
    """A constant as it was written: its text, whether that was in quotes, and the types it is cast to, the innermost first."""

    text: str
    quoted: bool
    casts: tuple[str, ...] = ()


_INTEGERS = frozenset(("smallint", "integer", "bigint"))
_TEXTS = frozenset(("text", "character varying"))
_SERIALS = frozenset(("serial", "smallserial", "bigserial"))
_MOMENTS = frozenset(("date", "timestamp without time zone"))
_INSTANT = "timestamp with time zone"
_NOW = frozenset(("now", "today", "tomorrow", "yesterday"))
_WHOLE = re.compile(r"[+-]?[0-9]+")
_MOMENT = re.compile(
    r"(\d{4})-?(\d{1,2})-?(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)? *(?:(Z|UTC|GMT)|([+-])(\d{1,2})(?::?(\d{2}))?)?"
)


def constant(written: Written, type_name: TypeName | None, *, utc: bool = False) -> Constant | None:
    """What a constant is worth beside a column of a type; None where it is not compared with the column as it is.

    `utc`: the session's TimeZone is UTC.
    """
    name = "" if type_name is None or type_name.dimensions else type_name.name
    casts = frozenset(written.casts)
    match name:
        case "smallint" | "integer" | "bigint" | "serial" | "smallserial" | "bigserial":
            return _number(written, whole=True) if casts <= _INTEGERS else None
        case "numeric":
            return _number(written, whole=bool(casts & _INTEGERS)) if casts <= _INTEGERS | {"numeric"} else None
        case "double precision" | "real":
            return _float(written, single=name == "real") if casts <= _INTEGERS | {"numeric", name} else None
        case "date" | "timestamp without time zone":
            return _moment(written, casts or {name}, utc) if casts <= _MOMENTS else None
        case "timestamp with time zone":
            return _moment(written, {name}, utc) if casts <= {name} else None
        case "text" | "character varying":
            return Constant("text", written.text) if written.quoted and casts <= _TEXTS else None
        case "character":
            return Constant("text", written.text.rstrip(" ")) if written.quoted and casts <= {"bpchar"} else None
        case "uuid":
            digits = re.sub(r"[-{}]", "", written.text).lower()
            return Constant("uuid", digits) if casts <= {name} and len(digits) == 32 else None
        case "boolean":
            return _boolean(written) if casts <= {name} else None
    own = type_name is not None and casts <= {type_name.name}
    # A number that is not whole may turn the column into a numeric; what depends on the clock was another value at another time.
    if (casts and not own) or written.text.lower() in _NOW or not (written.quoted or _WHOLE.fullmatch(written.text)):
        return None
    return Constant(f"{name} as written", written.text)


def _number(written: Written, *, whole: bool) -> Constant | None:
    if len(written.casts) > 1 or (whole and not _WHOLE.fullmatch(written.text)):
        return None
    try:
        value = Decimal(written.text)
    except InvalidOperation:
        return None
    return Constant("number", value) if value.is_finite() else None


def _float(written: Written, *, single: bool) -> Constant | None:
    """A floating-point number that is the same in every precision that PostgreSQL may compare it in."""
    found = _number(written, whole=bool(_INTEGERS & set(written.casts)))
    if found is None or not isinstance(found.value, Decimal):
        return None
    try:
        value = float(found.value)
        if single and struct.unpack("f", struct.pack("f", value))[0] != value:
            return None
    except OverflowError:
        return None
    return Constant("number", Decimal(value))


def _boolean(written: Written) -> Constant | None:
    word = written.text.lower()
    if word in ("true", "t"):
        return Constant("boolean", True)
    return Constant("boolean", False) if word in ("false", "f") else None


def _moment(written: Written, casts: "frozenset[str] | set[str]", utc: bool) -> Constant | None:
    if not written.quoted or len(casts) > 1 or len(written.casts) > 1:
        return None
    (name,) = casts
    word = written.text.strip()
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
        return Constant("moment", value)  # PostgreSQL passes over the offset
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


def fits(value: Constant, type_name: TypeName | None) -> bool:
    """Whether a partition's bound stays as it is when it becomes the column's type, with that one's length or precision."""
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


def relation(one: Constant, other: Constant) -> Relation | None:
    """How the first stands to the second; None where that cannot be known without the server."""
    first, second = one.value, other.value
    if isinstance(first, datetime) and isinstance(second, datetime) and "local" in (one.kind, other.kind):
        return _local_relation(first.replace(tzinfo=None), second.replace(tzinfo=None), same_zone=one.kind == other.kind)
    if one.kind != other.kind:
        return None
    if first == second:
        return "="
    match one.kind:
        case "number" | "moment" | "instant" | "uuid":
            return "<" if first < second else ">"  # type: ignore[operator]  # values of one kind are of one type
        case "text":
            return _text_relation(str(first), str(second))
        case "boolean":
            return "<>"
    return None


def _local_relation(one: datetime, other: datetime, *, same_zone: bool) -> Relation | None:
    """Of moments whose offset only the server knows. In one zone, clocks go forward while nobody counts on them: 02:30 may come after
    03:10 then. What is before a midnight is taken to be so."""
    if not same_zone:
        known = abs(one - other) >= _FURTHEST_OFFSET
    elif one == other:
        return "="
    else:
        known = abs(one - other) >= _LARGEST_CLOCK_CHANGE or max(one, other).time() == time()
    return None if not known else "<" if one < other else ">"


def _text_relation(one: str, other: str) -> Relation:
    """Only a collation can order texts; but every one orders digits alike, with the same signs between them."""
    if re.sub(r"[0-9]", "0", one) == re.sub(r"[0-9]", "0", other):
        return "<" if one < other else ">"
    return "<>"
