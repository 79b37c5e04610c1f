"""What operations say, wherever they stand."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct


def shape(value: Any, ignored: Collection[str] = ()) -> Any:
    """Returns what an operation, or a part of one, says: without the places of its parts, and without the `ignored` fields."""
    if isinstance(value, Struct):
        fields = (name for name in value.__struct_fields__ if name != "span" and name not in ignored)
        return type(value), tuple(shape(getattr(value, name), ignored) for name in fields)
    if isinstance(value, tuple):
        return tuple(shape(each, ignored) for each in value)
    return value
