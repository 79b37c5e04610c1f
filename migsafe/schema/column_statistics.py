"""The columns whose statistics a type change has removed."""

from collections.abc import Collection

from migsafe.schema.journal import Journal
from migsafe.schema.release import ColumnKey


class ColumnStatistics:
    """The columns that have no statistics until the next ANALYZE. A transaction that is rolled back takes back what it did, through the
    catalogue's journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lost: dict[ColumnKey, bool] = {}

    def lacks(self, column: ColumnKey) -> bool:
        """Whether a type change has removed the statistics of a column, and no ANALYZE has followed."""
        return column in self._lost

    def record_lost(self, column: ColumnKey) -> None:
        """Records that a type change has removed the statistics of a column."""
        self._journal.write(self._lost, column, True)

    def record_analyzed(self, table: int, numbers: Collection[int]) -> None:
        """Records that ANALYZE has read the columns of a table with some numbers."""
        for number in numbers:
            self._journal.remove(self._lost, (table, number))

    def record_all_analyzed(self) -> None:
        """Records that ANALYZE has read all tables."""
        for column in list(self._lost):
            self._journal.remove(self._lost, column)
