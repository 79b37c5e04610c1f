"""The rows that a migration has inserted itself, and that are certainly still there."""

from collections.abc import Iterable

from migsafe.schema.journal import Journal

Key = tuple[str, ...]
Row = tuple[tuple[str, str], ...]
"""The constants of a row, by the names of their columns; `null` is one."""
_MOST_ROWS = 1000


class InsertedKeys:
    """The constants in the columns of unique indexes. A transaction that is rolled back takes them back, through the catalogue's journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._keys: dict[tuple[int, Key], int] = {}
        self._rows: dict[int, tuple[Row, ...]] = {}
        self._migration = 0

    def contains(self, index: int, key: Key, migration: int) -> bool:
        """Whether the migration has inserted a row with this key."""
        return self._keys.get((index, key)) == migration

    def add(self, index: int, key: Key, migration: int) -> None:
        """Records that the migration has inserted a row with this key."""
        self._begin(migration)
        self._journal.write(self._keys, (index, key), migration)

    def _begin(self, migration: int) -> None:
        if migration != self._migration:
            self._keys, self._rows = {}, {}
            self._migration = migration

    def rows(self, table: int, migration: int) -> tuple[Row, ...]:
        """Returns the rows that the migration has inserted into a table."""
        return self._rows.get(table, ()) if migration == self._migration else ()

    def add_rows(self, table: int, rows: Iterable[Row], migration: int) -> None:
        """Records that the migration has inserted rows into a table. Of very many, the first ones are kept."""
        self._begin(migration)
        before = self._rows.get(table, ())
        if len(before) < _MOST_ROWS:
            self._journal.write(self._rows, table, (*before, *rows)[:_MOST_ROWS])

    def forget(self) -> None:
        """Removes all keys and rows, because rows may have been changed or deleted."""
        for entry in list(self._keys):
            self._journal.remove(self._keys, entry)
        for table in list(self._rows):
            self._journal.remove(self._rows, table)
