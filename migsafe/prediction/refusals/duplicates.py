"""Rows of INSERT … VALUES with a key that the migration has inserted before."""

from collections.abc import Sequence

from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.objects import Attached, Index, Relation
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Persistence

_MOST_COLUMNS = 4


def refuse_duplicates(catalog: Catalog, op: sql.Insert, table: Relation, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Refusal | None:
    """Returns why a row of constants violates a unique index, and records the keys of the rows. A row with the same constants in the columns of
    the index was inserted before, by the same statement or by one of the same migration."""
    is_plain = op.on_conflict is None and op.overriding != "user" and table.persistence is not Persistence.TEMPORARY
    rules: list[Attached] = catalog.dependents(table.oid, Attached)
    if not is_plain or rules or catalog.triggers(table.oid):
        return None
    indexes = [(index, positions) for index in catalog.indexes(table.oid) if (positions := _positions(catalog, table, index, names))]
    found: dict[tuple[int, tuple[str, ...]], None] = {}
    for row in rows:
        for index, positions in indexes:
            if any(position >= len(row) for position in positions):
                continue
            key = tuple(_constant(row[position]) for position in positions)
            if not all(key):
                continue
            entry = (index.oid, key)
            if entry in found or catalog.inserted_keys.contains(*entry, catalog.migration):
                columns = ", ".join(names[position] for position in positions)
                return Refusal(
                    error=f'duplicate key value violates unique constraint "{index.name.name}"',
                    detail=f"({columns})=({', '.join(row[position] for position in positions)}) is inserted twice",
                    help="-- leave out one of the rows; or ON CONFLICT DO NOTHING",
                )
            found[entry] = None
    for oid, key in found:
        catalog.inserted_keys.add(oid, key, catalog.migration)
    return None


def _positions(catalog: Catalog, table: Relation, index: Index, names: Sequence[str]) -> tuple[int, ...]:
    """Returns where the columns of a unique index stand in the rows; nothing if the index does not decide by plain columns."""
    if not index.unique or index.predicate is not None or not index.valid or len(index.keys) > _MOST_COLUMNS:
        return ()
    is_checked_later = any(constraint.deferrable for constraint in catalog.constraints(table.oid) if constraint.index == index.oid)
    columns = [table.column_numbered(key.column) if key.column is not None else None for key in index.keys]
    if is_checked_later or not certainly_exists(catalog, index) or any(column is None or column.name not in names for column in columns):
        return ()
    return tuple(names.index(column.name) for column in columns if column is not None)


def _constant(value: str) -> str:
    """Returns a number or a string literal; empty for another value."""
    text = value.strip()
    is_string = len(text) > 1 and text[0] == text[-1] == "'" and "'" not in text[1:-1].replace("''", "")
    return text if is_string or text.removeprefix("-").isdigit() else ""


@refuses(sql.Update, sql.Delete, sql.Merge, sql.Truncate, sql.Do, sql.Call, sql.OpaqueCode, sql.Select, sql.DropColumn, sql.AlterColumnType)
def change_rows(catalog: Catalog, op: sql.Operation) -> None:
    """Forget the inserted keys, because rows may have other values or be gone."""
    if not isinstance(op, sql.Select) or op.query.calls:
        catalog.inserted_keys.forget()
