"""A mapping whose changes can be taken back."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Journal(Generic[K, V]):
    """A mapping that remembers what its entries were before, back to the last `settle`. A change costs the same however many there are."""

    __slots__ = ("_changes", "_entries")

    def __init__(self) -> None:
        self._entries: dict[K, V] = {}
        self._changes: list[tuple[K, V | None]] = []

    @property
    def entries(self) -> Mapping[K, V]:
        """The mapping as it is now."""
        return self._entries

    @property
    def mark(self) -> int:
        """The present, for `back_to`."""
        return len(self._changes)

    def set(self, key: K, value: V) -> None:
        """Set an entry."""
        self._changes.append((key, self._entries.get(key)))
        self._entries[key] = value

    def changed_keys(self) -> Iterator[K]:
        """The keys whose entries have been set since the last `settle`."""
        return (key for key, _ in self._changes)

    def undo(self, mark: int = 0) -> None:
        """Take back what has changed since the mark."""
        while len(self._changes) > mark:
            key, before = self._changes.pop()
            if before is None:
                del self._entries[key]
            else:
                self._entries[key] = before

    def commit(self) -> None:
        """Make the changes final."""
        self._changes.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._changes.clear()
