"""What the input functions of less usual built-in types refuse, and their errors.

Only forms that PostgreSQL certainly refuses are named: many types accept far more than their documentation shows
(`tests/schema/test_input_syntax.py` compares with servers).
"""

import re
from collections.abc import Callable

from migsafe.patterns import lazy_pattern

_CLOCK = lazy_pattern(r"\s*(\d{1,2}):(\d\d)(?::(\d\d))?\s*")
_QUAD = lazy_pattern(r"(\d{1,5})\.(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?:/(\d{1,3}))?")
_NOT_OF_ADDRESS = lazy_pattern(r"[g-wyzG-WYZ_'!?#@&*;,]")
_OCTETS = lazy_pattern(r"[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2})*")
_WORD = lazy_pattern(r"[a-z]+")
_INTEGER_RANGE = lazy_pattern(r"\s*[\[(]\s*([+-]?\d{1,9})\s*,\s*([+-]?\d{1,9})\s*[\])]\s*")
_UNITS = frozenset(
    """ago at c cent centuries century d day days dec decade decades decs h hour hours hr hrs inf infinity m microsecon mil millennia millennium
    mils millisecon min mins minute minutes mon mons month months ms msec msecond mseconds msecs qtr quarter s sec second seconds secs timezone
    us usec usecond useconds usecs w week weeks y year years yr yrs""".split()
)
"""The words of an interval (deltatktbl in utils/adt/datetime.c), of which ten letters count."""
_LONGEST_WORD = 10
_BITS = {"b": "01", "x": "0123456789abcdefABCDEF"}


def _time(value: str) -> str | None:
    clock = _CLOCK.fullmatch(value)
    if clock is None:
        return None
    hour, minute, second = (int(part or 0) for part in clock.groups())
    is_valid = (hour < 24 and minute < 60 and second <= 60) or (hour, minute, second) == (24, 0, 0)
    return None if is_valid else f'date/time field value out of range: "{value}"'


def _interval(value: str) -> str | None:
    text = value.strip().lower()
    if text.startswith(("p", "-p")) or not re.fullmatch(r"[a-z0-9 .:+-]*", text):
        return None
    has_unknown = any(word[:_LONGEST_WORD] not in _UNITS for word in _WORD.findall(text))
    return f'invalid input syntax for type interval: "{value}"' if has_unknown or not text else None


def _inet(value: str, name: str = "inet") -> str | None:
    quad = _QUAD.fullmatch(value)
    is_wrong = not value or _NOT_OF_ADDRESS.search(value) is not None
    if quad is not None:
        is_wrong = any(int(part) > 255 for part in quad.groups()[:4]) or int(quad[5] or 0) > 32
    return f'invalid input syntax for type {name}: "{value}"' if is_wrong else None


def _cidr(value: str) -> str | None:
    quad, error = _QUAD.fullmatch(value), _inet(value, "cidr")
    if quad is None or error is not None or quad[5] is None:
        return error
    address = sum(int(part) << shift for part, shift in zip(quad.groups()[:4], (24, 16, 8, 0), strict=True))
    return f'invalid cidr value: "{value}"' if address & ((1 << (32 - int(quad[5]))) - 1) else None


def _macaddr(value: str) -> str | None:
    octets = _OCTETS.fullmatch(value)
    is_wrong = not value or _NOT_OF_ADDRESS.search(value) is not None
    if octets is not None and ":" in value:
        is_wrong = value.count(":") != 5
    return f'invalid input syntax for type macaddr: "{value}"' if is_wrong else None


def _bytea(value: str) -> str | None:
    if not value.startswith("\\x"):
        return None
    digits = re.sub(r"\s", "", value[2:])
    wrong = next((each for each in digits if each not in _BITS["x"]), None)
    if wrong is not None:
        return f'invalid hexadecimal digit: "{wrong}"'
    return "invalid hexadecimal data: odd number of digits" if len(digits) % 2 and digits == value[2:] else None


def _bit(value: str) -> str | None:
    kind = value[:1].lower() if value[:1].lower() in _BITS else "b"
    digits = value[1:] if value[:1].lower() in _BITS else value
    wrong = next((each for each in digits if each not in _BITS[kind]), None)
    return None if wrong is None else f'"{wrong}" is not a valid {"binary" if kind == "b" else "hexadecimal"} digit'


def _range(value: str) -> str | None:
    text = value.strip()
    if text.lower() != "empty" and not text.startswith(("[", "(")):
        return f'malformed range literal: "{value}"'
    return None


def _integer_range(value: str) -> str | None:
    bounds = _INTEGER_RANGE.fullmatch(value)
    is_reversed = bounds is not None and int(bounds[1]) > int(bounds[2])
    return "range lower bound must be less than or equal to range upper bound" if is_reversed else _range(value)


_INPUTS: dict[str, Callable[[str], str | None]] = {
    **dict.fromkeys(("time without time zone", "time with time zone"), _time),
    "interval": _interval,
    "inet": _inet,
    "cidr": _cidr,
    "macaddr": _macaddr,
    "bytea": _bytea,
    **dict.fromkeys(("bit", "bit varying"), _bit),
    **dict.fromkeys(("numrange", "daterange", "tsrange", "tstzrange"), _range),
    **dict.fromkeys(("int4range", "int8range"), _integer_range),
}


def refused_input(data_type: str, value: str) -> str | None:
    """Returns the error with which PostgreSQL certainly refuses a text as a value of a built-in type; None if it may accept it, or if the type
    is not one of those of this module."""
    check = _INPUTS.get(data_type)
    return check(value) if check is not None else None
