"""The rows that the history has put into its own tables with INSERT … VALUES, as far as no later statement can have changed them.

A transaction that is rolled back takes them back, through the catalogue's journal. The values are read from the statements only when a question
about them is asked.
"""

from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from migsafe.schema.journal import Journal
from migsafe.schema.objects import Column
from migsafe.sql.row_values import read_row_values

_MOST_BATCHES = 50
_MOST_CHANGES = 20


class Change(Struct, frozen=True):
    """An UPDATE of the rows that have a value in one column (`null`, or `not null`, for IS NULL and IS NOT NULL): the constants that it
    assigns, by the numbers of columns. The column is None if it is not known any more which rows have changed."""

    column: int | None
    value: str
    values: tuple[tuple[int, str], ...]


class Batch(Struct, frozen=True, kw_only=True):
    """The rows of one INSERT. `text` is the statement, empty if the values are not known; `names` are the columns that it names, `columns`
    those of the table at that time. `exists`: at least one row is certainly there. `changed` are the numbers of columns whose values later
    statements may have changed; `added` are the values of columns that were added later, or that all rows got, by their numbers; `changes` are
    the UPDATEs of some rows, in their order."""

    text: str = ""
    names: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    exists: bool = False
    migration: int = 0
    changed: frozenset[int] = frozenset()
    added: tuple[tuple[int, str], ...] = ()
    changes: tuple[Change, ...] = ()


UNKNOWN = Batch()
"""Rows that may or may not be there."""


class InsertedRows:
    """The rows of each table."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._batches: dict[int, tuple[Batch, ...]] = {}
        self._marks: dict[str, int] = {}

    def batches(self, table: int) -> tuple[Batch, ...]:
        """Returns what is known about the rows of a table."""
        return self._batches.get(table, ())

    def are_all(self, table: int) -> bool:
        """Whether the table has no other rows than those of its batches, if the history has created it and no query has filled it."""
        batches = self.batches(table)
        is_known = table > self._marks.get("until", 0) and len(batches) < _MOST_BATCHES
        return is_known and all(batch.text and not batch.changed for batch in batches)

    def add(self, table: int, batch: Batch) -> None:
        """Records an INSERT. Of very many, the first ones are kept."""
        batches = self.batches(table)
        if len(batches) < _MOST_BATCHES:
            self._journal.write(self._batches, table, (*batches, batch))

    def change_columns(self, table: int, numbers: frozenset[int]) -> None:
        """Records that the values of columns may have changed."""
        if table in self._batches:
            changed = (replace(batch, changed=batch.changed | numbers) for batch in self.batches(table))
            self._journal.write(self._batches, table, tuple(changed))

    def assign(self, table: int, values: tuple[tuple[int, str], ...]) -> None:
        """Records that all rows have got these constants, by the numbers of columns."""
        if table in self._batches:
            numbers = frozenset(number for number, _ in values)
            batches = (
                replace(each, added=(*each.added, *values), changed=each.changed - numbers, changes=_without(each.changes, numbers))
                for each in self.batches(table)
            )
            self._journal.write(self._batches, table, tuple(batches))

    def change_some(self, table: int, change: Change) -> None:
        """Records an UPDATE of some rows. Of very many, the columns of the later ones are not known any more."""
        if any(len(batch.changes) >= _MOST_CHANGES for batch in self.batches(table)):
            self.change_columns(table, frozenset(number for number, _ in change.values))
        elif table in self._batches:
            batches = (replace(batch, changes=(*batch.changes, change)) for batch in self.batches(table))
            self._journal.write(self._batches, table, tuple(batches))

    def change_values(self, table: int) -> None:
        """Records that any value of the rows may have changed, while all of them are still there."""
        if table in self._batches:
            self._journal.write(self._batches, table, tuple(_with_unknown_values(batch) for batch in self.batches(table)))

    def add_column(self, table: int, number: int, value: str) -> None:
        """Records the value that a new column has in all rows; empty if it is not known."""
        if table in self._batches:
            self.assign(table, ((number, value),))

    def forget_table(self, table: int) -> None:
        """Records that any row of a table may have changed or is gone."""
        self._journal.write(self._batches, table, (UNKNOWN,))

    def forget(self, oid: int) -> None:
        """Records that any row of any table may have changed. `oid` is the number of the newest object."""
        for table in list(self._batches):
            self._journal.remove(self._batches, table)
        self._journal.write(self._marks, "until", oid)

    def stop_checks(self, migration: int) -> None:
        """Records that a migration may switch off the checks of foreign keys, with session_replication_role."""
        self._journal.write(self._marks, "unchecked", migration)

    def are_checked(self, migration: int) -> bool:
        """Whether foreign keys are checked in a migration."""
        return self._marks.get("unchecked") != migration


def _with_unknown_values(batch: Batch) -> Batch:
    assigned = frozenset(number for number, _ in batch.added)
    return replace(batch, text="", changed=batch.changed | assigned, changes=())


def _without(changes: tuple[Change, ...], numbers: frozenset[int]) -> tuple[Change, ...]:
    """Returns the changes without what they assign to columns that all rows have got another value in. Which rows had been changed is not known
    if that depended on one of them."""
    kept = []
    for change in changes:
        values = tuple((number, value) for number, value in change.values if number not in numbers)
        column = None if change.column in numbers else change.column
        kept += [Change(column, change.value, values)] if values else []
    return tuple(kept)


@lru_cache(512)
def written_rows(text: str) -> tuple[tuple[str, ...], ...]:
    """Returns the rows of an INSERT … VALUES as SQL; none if they cannot be read."""
    values = read_row_values(text)
    return values.rows if values is not None else ()


def plain_constant(value: str) -> str:
    """Returns a number, a string literal, TRUE, FALSE or NULL (the words in lower case); empty for another value."""
    text = value.strip()
    if text.lower() in ("null", "true", "false"):
        return text.lower()
    is_string = len(text) > 1 and text[0] == text[-1] == "'" and "'" not in text[1:-1].replace("''", "")
    return text if is_string or text.removeprefix("-").isdigit() else ""
