"""A script that runs on a server: what it sends is executed there, and what the server says goes back to it."""

import datetime
import decimal
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

_AS_TEXT: tuple[tuple[str, type, Callable[[Any], str], Callable[[str], Any]], ...] = (
    ("datetime", datetime.datetime, datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    ("date", datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    ("time", datetime.time, datetime.time.isoformat, datetime.time.fromisoformat),
    ("decimal", decimal.Decimal, str, decimal.Decimal),
    ("uuid", uuid.UUID, str, uuid.UUID),
    ("seconds", datetime.timedelta, lambda value: str(value.total_seconds()), lambda text: datetime.timedelta(seconds=float(text))),
)
"""What a message cannot hold as it is; a datetime is a date, and comes first."""
_PLAIN = (type(None), bool, int, float, str, bytes)


class ExecutionResult(Struct, frozen=True):
    """What a server said to a statement: the columns of its rows, the rows, each value `packed`, and how many rows it was about."""

    columns: list[str]
    rows: list[list[Any]]
    count: int


def pack(value: Any) -> Any:
    """A value as a message can hold it: one that is not plain by its kind and as text."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list | tuple):
        return ["list", *map(pack, value)]
    if isinstance(value, dict):
        return ["dict", *([key, pack(one)] for key, one in value.items())]
    for kind, type_, write, _ in _AS_TEXT:
        if isinstance(value, type_):
            return [kind, write(value)]
    return str(value)


def unpack(value: Any) -> Any:
    """The value that was packed."""
    if not isinstance(value, list):
        return value
    kind, *inner = value
    if kind == "list":
        return [unpack(one) for one in inner]
    if kind == "dict":
        return {key: unpack(one) for key, one in inner}
    return next(read(inner[0]) for name, _, _, read in _AS_TEXT if name == kind)


def pack_result(columns: Sequence[str], rows: Sequence[Sequence[Any]], count: int) -> ExecutionResult:
    """What a server said, packed."""
    return ExecutionResult(list(columns), [[pack(value) for value in row] for row in rows], count)
