"""The rows that the history has inserted into a table, and that are certainly still there."""

import re
from collections.abc import Iterator, Mapping, Sequence

from migsafe.patterns import lazy_pattern
from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import default_value
from migsafe.schema.inserted_rows import Batch, plain_constant, written_rows
from migsafe.schema.objects import Attached, Column, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.plain_writes import UNKNOWN_VALUE, read_plain_select
from migsafe.text import MARK_START

_LONGEST_QUERY = 4_000
_MOST_ROWS = 500
_MOST_OF_A_STATEMENT = 100
"""Of an INSERT with more rows of one form, the splitter keeps no others (sql/equal_rows.py)."""
_INTEGER, _STRING, _UUID = (
    lazy_pattern(r"-?[1-9]\d*|0"),
    lazy_pattern(r"'[^'\\]*[^'\\ ]'"),
    lazy_pattern(r"'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'"),
)
_COMPARABLE = {
    **dict.fromkeys(("smallint", "integer", "bigint"), _INTEGER),
    **dict.fromkeys(("text", "character varying"), _STRING),
    "uuid": _UUID,
}
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
            rows.append(_changed(table, batch, dict(_later_values(table, batch))))
    return rows[:_MOST_ROWS]


def new_rows(catalog: Catalog, table: Relation, names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[KnownRow]:
    """Returns the known values of the rows of an INSERT."""
    batch = Batch(names=tuple(names), columns=table.columns)
    return [_values(catalog, table, batch, row) for row in rows[:_MOST_ROWS]]


def copied_rows(catalog: Catalog, op: sql.Insert, text: str) -> list[tuple[str, ...]]:
    """Returns the rows that an INSERT … SELECT of the plainest form certainly inserts, with UNKNOWN_VALUE for what is not known of them."""
    is_readable = op.source == "query" and MARK_START not in text and len(text) < _LONGEST_QUERY
    select, target = read_plain_select(text) if is_readable else None, catalog.relation(op.table)
    if select is None or target is None or not target.complete:
        return []
    if select.source is None:
        return [select.items]
    source = catalog.relation(select.source)
    if source is None or not source.complete or source.kind is not RelationKind.TABLE or catalog.dependents(source.oid, Attached):
        return []
    condition, rows = select.condition, known_rows(catalog, source)
    if condition is not None:
        column = source.column(condition.column)
        rows = [row for row in rows if column is not None and meets_condition(column, row, condition.value)]
    names = op.columns or tuple(column.name for column in target.columns)
    if any(source.column(select.items[position]) is None for position in select.columns) or len(select.items) > len(names):
        return []
    same = [_have_same_type(source, item, target, name) for item, name in zip(select.items, names, strict=False)]
    return [
        tuple(
            (row.get(item, UNKNOWN_VALUE) if same[position] else UNKNOWN_VALUE) if position in select.columns else item
            for position, item in enumerate(select.items)
        )
        for row in rows[:_MOST_OF_A_STATEMENT]
    ]


def _have_same_type(source: Relation, column: str, target: Relation, other: str) -> bool:
    """Whether a value of a column is stored in another one as it is."""
    given, taken = source.column(column), target.column(other)
    return given is not None and taken is not None and given.type is not None and given.type == taken.type


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
    return _changed(table, batch, values)


def _changed(table: Relation, batch: Batch, values: dict[str, str]) -> KnownRow:
    """Returns the values of a row after the UPDATEs of some rows."""
    for change in batch.changes:
        column = table.column_numbered(change.column) if change.column is not None else None
        meets = meets_condition(column, values, change.value) if column is not None else None
        for number, value in change.values if meets is not False else ():
            changed = table.column_numbered(number)
            if changed is None or number in batch.changed:
                continue
            if meets and value:
                values[changed.name] = value
            else:
                values.pop(changed.name, None)
    return values


def meets_condition(column: Column, row: KnownRow, value: str) -> bool | None:
    """Whether a column of a row has a value (`null` and `not null` for IS NULL and IS NOT NULL); None if that is not known."""
    own = row.get(column.name)
    if own is None:
        return None
    if value in ("null", "not null"):
        return (own == "null") is (value == "null")
    if own == "null":
        return False
    pattern = comparable(column)
    return own == value if pattern is not None and pattern.fullmatch(own) and pattern.fullmatch(value) else None


def comparable(column: Column) -> re.Pattern[str] | None:
    """Returns the form of constants of a column's type that are equal only if their texts are; None if it has none."""
    return _COMPARABLE.get(column.type.name) if column.type is not None and not column.type.dimensions else None


def _later_values(table: Relation, batch: Batch) -> Iterator[tuple[str, str]]:
    for number, value in dict(batch.added).items():
        column = table.column_numbered(number)
        if column is not None and value and number not in batch.changed:
            yield column.name, value
