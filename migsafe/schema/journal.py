"""Changes of dictionaries that can be undone."""

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MISSING: Any = object()


class Journal:
    """The changes of any number of dictionaries since the last `commit`. The cost of a change does not depend on their size."""

    __slots__ = ("_changes", "_committed", "_trials")

    def __init__(self) -> None:
        self._changes: list[tuple[dict[Any, Any], Any, Any]] = []
        self._committed = 0
        """The number of changes that only the end of a trial undoes."""
        self._trials = 0

    @property
    def mark(self) -> int:
        """The number of changes so far: a point to which `undo` can return."""
        return len(self._changes)

    def write(self, entries: dict[K, V], key: K, value: V) -> None:
        """Sets an entry."""
        self._changes.append((entries, key, entries.get(key, _MISSING)))
        entries[key] = value

    def remove(self, entries: dict[K, V], key: K) -> None:
        """Removes an entry if there is one."""
        if key in entries:
            self._changes.append((entries, key, entries.pop(key)))

    def changed_keys(self) -> Iterator[Any]:
        """The keys whose entries were changed."""
        return (key for _, key, _ in self._changes)

    def undo(self, mark: int = 0) -> None:
        """Undoes the changes since the mark, the last one first; in a trial, only those that it has not committed."""
        self._undo(max(mark, self._committed))

    def _undo(self, mark: int) -> None:
        while len(self._changes) > mark:
            entries, key, before = self._changes.pop()
            if before is _MISSING:
                del entries[key]
            else:
                entries[key] = before

    def commit(self) -> None:
        """Makes the changes final: none of the marks is valid any more. In a trial, they are final until it ends."""
        if self._trials:
            self._committed = len(self._changes)
        else:
            self._changes.clear()

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Returns a context in which changes may be made and committed, and that undoes them all when it is left. A rollback in it does not
        undo what was changed before it."""
        mark, committed = len(self._changes), self._committed
        self._committed = mark
        self._trials += 1
        try:
            yield
        finally:
            self._undo(mark)
            self._committed = committed
            self._trials -= 1


class JournaledMapping(Generic[K, V]):
    """A mapping with a journal of its own."""

    __slots__ = ("_entries", "_journal")

    def __init__(self) -> None:
        self._entries: dict[K, V] = {}
        self._journal = Journal()

    @property
    def entries(self) -> Mapping[K, V]:
        """The current entries."""
        return self._entries

    @property
    def mark(self) -> int:
        """The number of changes so far: a point to which `undo` can return."""
        return self._journal.mark

    def set(self, key: K, value: V) -> None:
        """Sets an entry."""
        self._journal.write(self._entries, key, value)

    def remove(self, key: K) -> None:
        """Removes an entry if there is one."""
        self._journal.remove(self._entries, key)

    def changed_keys(self) -> Iterator[K]:
        """The keys whose entries were changed since the last `commit`."""
        return self._journal.changed_keys()

    def undo(self, mark: int = 0) -> None:
        """Undoes the changes since the mark."""
        self._journal.undo(mark)

    def commit(self) -> None:
        """Makes the changes final."""
        self._journal.commit()

    def clear(self) -> None:
        """Removes all entries; this cannot be undone."""
        self._entries.clear()
        self._journal.commit()
