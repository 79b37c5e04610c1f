"""What signatures are made of: entries, lines of strings that two readings of one statement must share."""

from collections.abc import Iterable

Entry = tuple[str, ...]
"""One part of a statement: its kind, what it is about, and its details in alphabetical order."""

Signature = tuple[Entry, ...]
"""A statement's entries, in the order in which it names them."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_$")


class UnmappedError(Exception):
    """A node or an operation that nobody has said how to compare."""


def entry(kind: str, target: str | None = None, /, **details: object) -> Entry:
    """An entry. Details that are None, False or empty are left out, so that only what a statement says is compared."""
    said = (f"{key.replace('_', ' ')}{_value(value)}" for key, value in sorted(details.items()) if value not in (None, False, (), "", []))
    return (kind, target or "", *said)


def _value(value: object) -> str:
    if value is True:
        return ""
    if isinstance(value, (tuple, list)):
        return f" ({', '.join('-' if item is None else str(item) for item in value)})"
    return f" {value}"


def dotted(parts: Iterable[str | None]) -> str:
    """A qualified name, the outermost part first, unambiguous whatever its parts hold."""
    return ".".join(part if part and _PLAIN.issuperset(part) else '"' + part.replace('"', '""') + '"' for part in parts if part is not None)


def gathered(entries: Iterable[Signature]) -> Signature:
    """What several parts of a statement, whose order two readings may see differently, are to be compared by."""
    return tuple(line for signature in sorted(entries) for line in signature)
