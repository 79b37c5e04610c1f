"""Durations in PostgreSQL's settings (manual, 20.1.1; parse_int and convert_to_base_unit in guc.c)."""

import re
from math import isfinite

from migsafe.patterns import lazy_pattern

# A leading zero makes an octal number, as in C: 010 is 8, and 08 is refused.
_TIME = lazy_pattern(
    r"\s*(?P<sign>[+-](?=\d))?"
    r"(?:0[xX](?P<hex>[0-9a-fA-F]+)|(?=\.?\d)(?P<whole>0[0-7]*|[1-9]\d*)?(?P<rest>(?:\.\d*)?(?:[eE][+-]?\d+)?))"
    r"\s*(?P<unit>[a-z]*)\s*",
    re.ASCII,
)
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0}
_SMALLER = {"ms": "us", "s": "ms", "min": "s", "h": "min", "d": "h"}
_LARGEST = 2**31 - 1
_LONGEST = 100
"""More characters than any duration that PostgreSQL accepts needs."""


def milliseconds(value: str) -> int | None:
    """Returns the milliseconds of a value of a setting such as lock_timeout: `5s`, `1.5min`, `500`, `2 h`; None if PostgreSQL refuses it."""
    match = _TIME.fullmatch(value) if len(value) < _LONGEST else None
    unit = (match["unit"] or "ms") if match else ""
    if match is None or unit not in _UNITS:
        return None
    number = _number(match)
    duration = round(_whole(number, unit) * _UNITS[unit]) if isfinite(number) else -1
    return duration if 0 <= duration <= _LARGEST else None


def _number(match: "re.Match[str]") -> float:
    sign = -1 if match["sign"] == "-" else 1
    if match["hex"]:
        return sign * float(int(match["hex"], 16))
    whole, fraction = match["whole"] or "", match["rest"]
    if fraction:
        return sign * float(whole + fraction)
    return sign * float(int(whole, 8 if whole[0] == "0" else 10))


def _whole(number: float, unit: str) -> float:
    """Rounds a fraction to the next smaller unit: 1.0001h is 60 minutes."""
    if number == int(number) or unit not in _SMALLER:
        return number
    step = _UNITS[_SMALLER[unit]] / _UNITS[unit]
    return round(number / step) * step
