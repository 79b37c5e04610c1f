"""Rows of INSERT … VALUES with a key that the migration has inserted before."""

import re
from collections.abc import Sequence

from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.definitions import complete_table, is_built_in
from migsafe.prediction.refusals.known_rows import has_rows, known_rows, was_inserted, whose
from migsafe.prediction.refusals.partition_rows import refuse_unplaced
from migsafe.prediction.refusals.registry import refuses
from migsafe.prediction.row_changes import has_effects
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.default_names import free_constraint_name
from migsafe.schema.objects import Attached, Index, Relation
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.lexer import fold
from migsafe.sql.operations import ConstraintKind, Name, Persistence

_MOST_COLUMNS = 4
_TARGET = lazy_pattern(r"\s*on\s+conflict\s*\(([\w\s,\"]+)\)\s*do\s+update\b", re.IGNORECASE)
_WHERE = lazy_pattern(r"\bwhere\b", re.IGNORECASE)


def refuse_duplicates(catalog: Catalog, op: sql.Insert, table: Relation, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Refusal | None:
    """Returns why a row of constants violates a unique index, and records the keys of the rows. A row with the same constants in the columns of
    the index was inserted before, by the same statement or by one of the same migration."""
    is_plain = op.on_conflict is None and op.overriding != "user" and table.persistence is not Persistence.TEMPORARY
    rules: list[Attached] = catalog.dependents(table.oid, Attached)
    if not is_plain or rules or catalog.triggers(table.oid):
        return None
    refusal = refuse_unplaced(catalog, table, names, rows)
    if refusal is not None:
        return refusal
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
            is_known = entry in found or catalog.inserted_keys.contains(*entry, catalog.migration)
            if is_known or was_inserted(catalog, table, [names[position] for position in positions], key):
                columns = ", ".join(names[position] for position in positions)
                return Refusal(
                    error=f'duplicate key value violates unique constraint "{index.name.name}"',
                    detail=f"({columns})=({', '.join(key)}) is inserted twice{'' if is_known else ', also by an earlier migration'}",
                    help="-- leave out one of the rows; or ON CONFLICT DO NOTHING",
                )
            found[entry] = None
    for oid, key in found:
        catalog.inserted_keys.add(oid, key, catalog.migration)
    return None


def refuse_repeated_update(catalog: Catalog, op: sql.Insert, rows: Sequence[Sequence[str]], clause: str) -> Refusal | None:
    """Returns why an INSERT of constants with ON CONFLICT DO UPDATE is refused: two of its rows have the same key. `clause` is the text after
    the rows."""
    target, table = _TARGET.match(clause), complete_table(catalog, op.table)
    if target is None or table is None or has_effects(catalog, table):
        return None
    names = op.columns or tuple(column.name for column in table.columns)
    columns = [fold(word) if '"' not in word else word.strip('"') for word in (each.strip() for each in target[1].split(","))]
    if not all(column in names for column in columns) or _WHERE.search(clause):
        return None
    keys: set[tuple[str, ...]] = set()
    for row in rows:
        key = tuple(_constant(row[names.index(column)]) for column in columns)
        if all(key) and key in keys:
            return Refusal(
                error="ON CONFLICT DO UPDATE command cannot affect row a second time",
                detail=f"two rows have ({', '.join(columns)})=({', '.join(key)})",
                help="-- leave out one of the two rows",
            )
        keys.add(key)
    return None


@refuses(sql.CreateIndex)
def index_rows(catalog: Catalog, op: sql.CreateIndex) -> Refusal | None:
    """No two rows have the key of a new unique index."""
    columns = [element.column for element in op.elements]
    if not op.unique or op.where is not None or op.if_not_exists or op.name is None:
        return None
    return _refuse_index(catalog, op.table, op.name, [column for column in columns if column is not None], is_whole=None not in columns)


@refuses(sql.AddConstraint)
def constrain_rows(catalog: Catalog, op: sql.AddConstraint) -> Refusal | None:
    """No two rows have the key of a new constraint, and no row has NULL in a new primary key."""
    constraint = op.constraint
    table = complete_table(catalog, op.target.name)
    if table is None or constraint.index is not None or constraint.kind not in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY):
        return None
    if constraint.kind is ConstraintKind.PRIMARY_KEY:
        for column in constraint.columns:
            if _has_null(catalog, table, column):
                return _contains_null(catalog, table, column)
    is_primary = constraint.kind is ConstraintKind.PRIMARY_KEY
    columns = () if is_primary else constraint.columns
    name = constraint.name or free_constraint_name(catalog, table.name, columns, "pkey" if is_primary else "key").name
    return _refuse_index(catalog, op.target.name, name, constraint.columns)


@refuses(sql.SetNotNull)
def forbid_nulls(catalog: Catalog, op: sql.SetNotNull) -> Refusal | None:
    """No row has NULL in the column."""
    table = complete_table(catalog, op.target.name)
    return _contains_null(catalog, table, op.column) if table is not None and _has_null(catalog, table, op.column) else None


@refuses(sql.AddColumn)
def require_value(catalog: Catalog, op: sql.AddColumn) -> Refusal | None:
    """The rows get a value in a new column that is NOT NULL."""
    table, column = complete_table(catalog, op.target.name), op.column
    has_value = column.default is not None or column.identity is not None or column.generated is not None
    if table is None or has_value or not column.not_null or op.if_not_exists or column.type is None or not is_built_in(column.type):
        return None
    return _contains_null(catalog, table, column.name) if has_rows(catalog, table) else None


def _has_null(catalog: Catalog, table: Relation, column: str) -> bool:
    return any(row.get(column) == "null" for row in known_rows(catalog, table))


def _contains_null(catalog: Catalog, table: Relation, column: str) -> Refusal:
    return Refusal(
        error=f'column "{column}" of relation "{table.name.name}" contains null values',
        detail=f"{whose(catalog, table)} inserts a row without a value for it",
        help="-- first fill the column in all rows",
    )


def _refuse_index(catalog: Catalog, name: Name, index: str, columns: Sequence[str], *, is_whole: bool = True) -> Refusal | None:
    table = complete_table(catalog, name)
    keys: set[tuple[str, ...]] = set()
    for row in known_rows(catalog, table) if table is not None and is_whole else ():
        key = tuple(row.get(column, "") for column in columns)
        if not all(key) or "null" in key:
            continue
        if key in keys:
            shown = f"({', '.join(columns)})=({', '.join(key)})"
            return Refusal(
                error=f'could not create unique index "{index}"',
                detail=f"{whose(catalog, table)} inserts two rows with {shown}" if table is not None else "",
                help="-- first delete or change the duplicate rows",
            )
        keys.add(key)
    return None


def _positions(catalog: Catalog, table: Relation, index: Index, names: Sequence[str]) -> tuple[int, ...]:
    """Returns where the columns of a unique index stand in the rows; nothing if the index does not decide by plain columns."""
    if not index.unique or index.predicate is not None or not index.valid or len(index.keys) > _MOST_COLUMNS:
        return ()
    own = (each for each in catalog.constraints(table.oid) if each.kind is not ConstraintKind.FOREIGN_KEY and each.index == index.oid)
    is_checked_later = any(constraint.deferrable for constraint in own)
    columns = [table.column_numbered(key.column) if key.column is not None else None for key in index.keys]
    if is_checked_later or not certainly_exists(catalog, index) or any(column is None or column.name not in names for column in columns):
        return ()
    return tuple(names.index(column.name) for column in columns if column is not None)


def _constant(value: str) -> str:
    """Returns a number or a string literal; empty for another value."""
    text = value.strip()
    is_string = len(text) > 1 and text[0] == text[-1] == "'" and "'" not in text[1:-1].replace("''", "")
    return text if is_string or text.removeprefix("-").isdigit() else ""


@refuses(
    *(sql.Update, sql.Delete, sql.Merge, sql.Truncate, sql.Do, sql.Call, sql.OpaqueCode, sql.Select, sql.Drop),
    *(sql.DropColumn, sql.AlterColumnType, sql.RenameColumn, sql.DetachPartition),
)
def change_rows(catalog: Catalog, op: sql.Operation) -> None:
    """Forget the inserted keys, because rows may have other values or be gone."""
    if not isinstance(op, sql.Select) or op.query.calls:
        catalog.inserted_keys.forget()


@refuses(sql.Insert)
def insert_or_change(catalog: Catalog, op: sql.Insert) -> None:
    """Forget the inserted keys where an INSERT may change rows: it updates those that conflict, or a trigger or a rule does something else."""
    table = catalog.relation(op.table)
    if table is None or op.on_conflict == "update" or has_effects(catalog, table):
        catalog.inserted_keys.forget()
