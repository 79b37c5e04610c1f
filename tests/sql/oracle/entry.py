"""Entries, of which signatures consist: tuples of strings that both readings of a statement must share."""

from collections.abc import Iterable

Entry = tuple[str, ...]
"""A part of a statement: its kind, its object, and its details in alphabetical order."""

Signature = tuple[Entry, ...]
"""A statement's entries, in the order in which it names them."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_$")


class UnmappedError(Exception):
    """A node or an operation without a registered reader."""


def entry(kind: str, target: str | None = None, /, **details: object) -> Entry:
    """Return an entry without details that are None, False or empty."""
    said = (f"{key.replace('_', ' ')}{_value(value)}" for key, value in sorted(details.items()) if value not in (None, False, (), "", []))
    return (kind, target or "", *said)


def _value(value: object) -> str:
    if value is True:
        return ""
    if isinstance(value, (tuple, list)):
        return f" ({', '.join('-' if item is None else str(item) for item in value)})"
    return f" {value}"


def dotted(parts: Iterable[str | None]) -> str:
    """Return a qualified name, the outermost part first, with quotes where a part needs them."""
    return ".".join(part if part and _PLAIN.issuperset(part) else '"' + part.replace('"', '""') + '"' for part in parts if part is not None)


def gathered(entries: Iterable[Signature]) -> Signature:
    """Return the entries of several parts of a statement in a normal order, because the two readings may order them differently."""
    return tuple(line for signature in sorted(entries) for line in signature)
