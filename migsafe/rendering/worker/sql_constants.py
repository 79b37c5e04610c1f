"""Values of Python as constants in SQL."""

import datetime
import decimal
import json
import uuid
from collections.abc import Mapping


def as_literal(value: object) -> str:
    """Returns a value as a constant in SQL."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int() | float() | decimal.Decimal():
            return str(value)
        case str():
            return quote(str.__str__(value))
        case datetime.datetime():
            return f"{quote(value.isoformat(' '))}::timestamp{'tz' if value.tzinfo else ''}"
        case datetime.date() | datetime.time() | datetime.timedelta() | uuid.UUID():
            return quote(str(value))
        case bytes() | bytearray() | memoryview():
            return f"'\\x{bytes(value).hex()}'::bytea"
        case tuple() | set() | frozenset():
            return f"({', '.join(map(as_literal, value))})"
        case list():
            return f"ARRAY[{', '.join(map(as_literal, value))}]" if value else "'{}'"
        case Mapping():
            return quote(json.dumps(value, default=str))
    return quote(str(value))


def quote(text: str) -> str:
    """Returns a string as a constant in SQL."""
    inside = text.replace("'", "''")
    return f"'{inside}'"
