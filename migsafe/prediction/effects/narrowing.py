"""Type changes that can refuse or truncate values."""

from migsafe.prediction.effects.column_types import ColumnType, Length, UserType, keeps_every_value
from migsafe.schema.casts import COLLATABLE, RANGES, comparison_type

_INTEGERS = {"smallint": 5, "integer": 10, "bigint": 19}
"""The number of digits of the largest value."""
_TEXT_LENGTHS = {"boolean": 5, "smallint": 6, "integer": 11, "bigint": 20, "uuid": 36, "char": 1, "name": 63, "macaddr": 17, "oid": 10}
"""The largest length of the text form."""
_WIDER = frozenset(
    (
        *(("smallint", "real"), ("smallint", "double precision"), ("integer", "double precision"), ("real", "double precision")),
        *(("smallint", "oid"), ("integer", "oid"), ("oid", "integer"), ("oid", "bigint"), ("boolean", "integer")),
        *(("integer", "money"), ("smallint", "money"), ("money", "numeric")),
        *(("date", "timestamp with time zone"), ("date", "timestamp without time zone")),
        *(("timestamp with time zone", "timestamp without time zone"), ("timestamp without time zone", "timestamp with time zone")),
        *(("time without time zone", "time with time zone"), ("time without time zone", "interval")),
        # jsonb refuses \u0000 and removes duplicate keys, which is not counted as data loss.
        *(("json", "jsonb"), ("jsonb", "json")),
        *(("cidr", "inet"), ("macaddr", "macaddr8"), ("box", "polygon"), ("path", "polygon"), ("polygon", "path"), ("point", "box")),
    )
)


def narrows(before: ColumnType, after: ColumnType) -> bool:
    """Whether a value of the old type may be invalid in the new type, or lose information."""
    if after.constrained and before.declared != after.declared:
        return True
    if not before.known or not after.known:
        return False
    if before.array != after.array:
        return before.array and not (after.base in COLLATABLE and after.length is None)
    if before.base == after.base:
        return _shorter(before, after)
    return _loses(before, after)


def _shorter(before: ColumnType, after: ColumnType) -> bool:
    old, new = before.length, after.length
    if before.base == "character":  # a longer type only pads the value
        return new is not None and (old is None or new.size < old.size)
    if before.base == "numeric" and old is not None and new is not None:
        return new.scale < old.scale or new.size - new.scale < old.size - old.scale
    return not keeps_every_value(before.base, old, new)


def _loses(before: ColumnType, after: ColumnType) -> bool:
    if after.base in COLLATABLE:
        return _longer_than(_longest(before), 63 if after.base == "name" else None if after.length is None else after.length.size)
    old, new = before.base, after.base
    if old in _INTEGERS and new in _INTEGERS:
        return _INTEGERS[old] > _INTEGERS[new]
    if old in _INTEGERS and new == "numeric":
        return after.length is not None and after.length.size - after.length.scale < _INTEGERS[old]
    if old == "bit" and new == "bit varying":
        return _longer_than(1 if before.length is None else before.length.size, None if after.length is None else after.length.size)
    if (old, new) in _WIDER:
        return old != "date" and _fewer_digits(before.length, after.length)  # a date has no fraction of a second
    same_storage = comparison_type(old) == comparison_type(new) == "oid"
    to_multirange = old in RANGES and new == old.replace("range", "multirange")
    return not (same_storage or to_multirange) and UserType.OTHER not in (before.kind, after.kind)


def _longest(of: ColumnType) -> int | None:
    if of.kind is UserType.ENUM:
        return _TEXT_LENGTHS["name"]
    if of.base in COLLATABLE and of.base != "name":
        return None if of.length is None else of.length.size
    return _TEXT_LENGTHS.get(of.base)


def _longer_than(longest: int | None, limit: int | None) -> bool:
    return limit is not None and (longest is None or longest > limit)


def _fewer_digits(old: Length | None, new: Length | None) -> bool:
    """Whether the new type keeps fewer digits of the seconds; only types of time have a length here."""
    return new is not None and new.size < (6 if old is None else old.size)
