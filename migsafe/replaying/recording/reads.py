"""How many rows of a table a statement read, from the backend's counters of the table and of its indexes."""


class TableReads:
    """The rows that a statement read of one table.

    A scan of the table counts in `returned` of the table. An index scan counts in `returned` of the index and, for each row that it finds in
    the table, in `fetched` of the index; a bitmap scan counts the latter in `fetched` of the table. An index-only scan finds no rows in the
    table where all is visible, and reads its index all the same (pgstat.h; indexam.c, index_getnext_tid and index_fetch_heap).
    """

    def __init__(self) -> None:
        self._scanned = self._found = self._only_in_index = self._fetched = 0

    def add_table(self, returned: int, fetched: int) -> None:
        """Adds what the counters of the table have risen by."""
        self._scanned += returned
        self._fetched += fetched

    def add_index(self, returned: int, fetched: int) -> None:
        """Adds what the counters of one of its indexes have risen by."""
        self._found += fetched
        self._only_in_index += max(returned - fetched, 0)

    @property
    def rows(self) -> int:
        """The number of rows that were read."""
        return self._scanned + self._found + max(self._fetched, self._only_in_index)
