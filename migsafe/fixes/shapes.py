"""What operations say, wherever they stand."""

from collections.abc import Collection, Iterator
from typing import Any

from msgspec import Struct

from migsafe.sql.operations import Name, Operation
from migsafe.sql.statements import Statement


def shape(value: Any, ignored: Collection[str] = ()) -> Any:
    """Returns what an operation, or a part of one, says: without the places of its parts, and without the `ignored` fields."""
    if isinstance(value, Struct):
        fields = (name for name in value.__struct_fields__ if name != "span" and name not in ignored)
        return type(value), tuple(shape(getattr(value, name), ignored) for name in fields)
    if isinstance(value, tuple):
        return tuple(shape(each, ignored) for each in value)
    return value


def mentioned_names(statement: Statement) -> set[str]:
    """Returns the names of the objects that a statement mentions, without their schemas."""
    found: set[str] = set()
    for value in _parts_of(statement):
        name = value.name if isinstance(value, Name) else getattr(value, "name", None) if isinstance(value, Operation) else None
        if isinstance(name, str):
            found.add(name)
    return found


def has_unqualified_name(statement: Statement) -> bool:
    """Whether a statement mentions an object without its schema."""
    return any(isinstance(value, Name) and value.schema is None for value in _parts_of(statement))


def _parts_of(statement: Statement) -> Iterator[object]:
    """Yields the names, the operations and the other parts of which a statement consists."""
    waiting: list[object] = list(statement.operations)
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, tuple | list) and not isinstance(value, Name):
            waiting += value
        elif isinstance(value, Struct):
            waiting += [getattr(value, field) for field in value.__struct_fields__]
