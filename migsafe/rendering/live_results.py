"""Results of a server for a script that runs against it, as messages can hold them."""

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
"""Types that a message cannot hold directly. A datetime is a date, so it comes first."""
_PLAIN = (type(None), bool, int, float, str, bytes)


class ExecutionResult(Struct, frozen=True):
    """The result of a statement: the columns of its rows, the rows with packed values (see `pack`), and the number of rows."""

    columns: list[str]
    rows: list[list[Any]]
    count: int


def pack(value: Any) -> Any:
    """Returns a value as a message can hold it: one of another type as its kind and its text."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list | tuple):
        return ["list", *map(pack, value)]
    if isinstance(value, dict):
        return ["dict", *([key, pack(item)] for key, item in value.items())]
    for kind, type_, write, _ in _AS_TEXT:
        if isinstance(value, type_):
            return [kind, write(value)]
    return str(value)


def unpack(value: Any) -> Any:
    """Returns the value that was packed."""
    if not isinstance(value, list):
        return value
    kind, *inner = value
    if kind == "list":
        return [unpack(item) for item in inner]
    if kind == "dict":
        return {key: unpack(item) for key, item in inner}
    return next(read(inner[0]) for name, _, _, read in _AS_TEXT if name == kind)


def pack_result(columns: Sequence[str], rows: Sequence[Sequence[Any]], count: int) -> ExecutionResult:
    """Returns a server's result with packed values."""
    return ExecutionResult(list(columns), [[pack(value) for value in row] for row in rows], count)
