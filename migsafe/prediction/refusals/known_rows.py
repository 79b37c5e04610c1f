"""The rows that the history has inserted into a table, and that are certainly still there."""

from collections.abc import Iterator, Mapping, Sequence

from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import default_value
from migsafe.schema.inserted_rows import Batch, plain_constant, written_rows
from migsafe.schema.objects import Relation, RelationKind

_MOST_ROWS = 500
_MOST_OF_A_STATEMENT = 100
"""Of an INSERT with more rows of one form, the splitter keeps no others (sql/equal_rows.py)."""
KnownRow = Mapping[str, str]
"""The constants of a row as SQL, by the names of their columns; `null` is one. Values that are not known are left out."""


def has_rows(catalog: Catalog, table: Relation) -> bool:
    """Whether a table certainly has a row."""
    return any(batch.exists for batch in catalog.inserted_rows.batches(table.oid))


def known_rows(catalog: Catalog, table: Relation) -> list[KnownRow]:
    """Returns the rows of a table that are known."""
    rows: list[KnownRow] = []
    for batch in catalog.inserted_rows.batches(table.oid):
        if batch.text:
            rows += [_values(catalog, table, batch, row) for row in written_rows(batch.text)[:_MOST_ROWS]]
        elif batch.exists:
            rows.append(dict(_later_values(table, batch)))
    return rows[:_MOST_ROWS]


def new_rows(catalog: Catalog, table: Relation, names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[KnownRow]:
    """Returns the known values of the rows of an INSERT."""
    batch = Batch(names=tuple(names), columns=table.columns)
    return [_values(catalog, table, batch, row) for row in rows[:_MOST_ROWS]]


def was_inserted(catalog: Catalog, table: Relation, columns: Sequence[str], key: Sequence[str]) -> bool:
    """Whether an earlier migration has inserted a row with these constants in some columns."""
    for batch in catalog.inserted_rows.batches(table.oid):
        if batch.migration == catalog.migration or not batch.text:
            continue
        for value in key:
            if value not in batch.text:
                break
        else:
            rows = (_values(catalog, table, batch, row) for row in written_rows(batch.text)[:_MOST_ROWS])
            if any(all(row.get(name) == value for name, value in zip(columns, key, strict=True)) for row in rows):
                return True
    return False


def all_rows(catalog: Catalog, table: Relation) -> list[KnownRow] | None:
    """Returns the rows of a table that the migration has created; None if it may have others."""
    has_parts = table.kind is not RelationKind.TABLE or table.parents or catalog.children(table.oid)
    if not catalog.is_created_now(table) or table.may_have_rows or has_parts or not catalog.inserted_rows.are_all(table.oid):
        return None
    batches = catalog.inserted_rows.batches(table.oid)
    if any(not 0 < len(written_rows(batch.text)) < _MOST_OF_A_STATEMENT for batch in batches):
        return None
    return known_rows(catalog, table)


def whose(catalog: Catalog, table: Relation) -> str:
    """Returns which migration has inserted the rows of a table, as the beginning of a sentence."""
    batches = catalog.inserted_rows.batches(table.oid)
    return "the migration" if any(batch.exists and batch.migration == catalog.migration for batch in batches) else "an earlier migration"


def _values(catalog: Catalog, table: Relation, batch: Batch, row: Sequence[str]) -> KnownRow:
    names = batch.names or tuple(column.name for column in batch.columns)
    given = dict(zip(names, row, strict=False))
    then = {column.number: column for column in batch.columns}
    values: dict[str, str] = dict(_later_values(table, batch))
    # A column that was added after another one was dropped may have its number.
    added = {number for number, _ in batch.added}
    for column in table.columns:
        written = then.get(column.number)
        if written is None or column.number in batch.changed or column.number in added or column.inherited:
            continue
        text = given.get(written.name, "default")
        value = default_value(catalog, written) if text.lower() == "default" else plain_constant(text)
        if value:
            values[column.name] = value
    return values


def _later_values(table: Relation, batch: Batch) -> Iterator[tuple[str, str]]:
    for number, value in dict(batch.added).items():
        column = table.column_numbered(number)
        if column is not None and value and number not in batch.changed:
            yield column.name, value
