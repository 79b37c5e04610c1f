"""The keys of the rows that a migration has inserted itself, and that are certainly still there."""

from migsafe.schema.journal import Journal

Key = tuple[str, ...]


class InsertedKeys:
    """The constants in the columns of unique indexes. A transaction that is rolled back takes them back, through the catalogue's journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._keys: dict[tuple[int, Key], int] = {}
        self._migration = 0

    def contains(self, index: int, key: Key, migration: int) -> bool:
        """Whether the migration has inserted a row with this key."""
        return self._keys.get((index, key)) == migration

    def add(self, index: int, key: Key, migration: int) -> None:
        """Records that the migration has inserted a row with this key."""
        if migration != self._migration:
            self._keys = {}
            self._migration = migration
        self._journal.write(self._keys, (index, key), migration)

    def forget(self) -> None:
        """Removes all keys, because rows may have been changed or deleted."""
        for entry in list(self._keys):
            self._journal.remove(self._keys, entry)
