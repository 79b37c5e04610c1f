"""The purposes of indexes and constraints: which foreign keys an index serves, which indexes and constraints another one makes redundant."""

from collections.abc import Collection

from migsafe.schema.alterations import column_drop_result
from migsafe.schema.catalog import Catalog
from migsafe.schema.constraints import constraint_of_index
from migsafe.schema.default_names import default_name
from migsafe.schema.dependents import Part
from migsafe.schema.formulas import not_nulls
from migsafe.schema.indexes import same_key, same_predicate
from migsafe.schema.objects import Column, Constraint, Index, Key, Relation
from migsafe.sql.operations import ConstraintKind, DropConstraint

_FINDS_VALUES = frozenset(("btree", "hash", "gist", "gin"))
"""The index methods that find a few rows of one value quickly; with a BRIN index, PostgreSQL still reads whole ranges of the table."""


def serves(index: Index, constraint: Constraint, relation: Relation) -> bool:
    """Whether an index finds the rows that refer to a key: its first columns are the foreign key's, in any order among themselves, or it is
    unique and has no other columns, so that it finds one row at most.

    A partial index does so only if its condition is that some of these columns are not null, which `column = value` implies.
    """
    columns = set(constraint.columns)
    keys = {key.column for key in index.keys}
    first = {key.column for key in index.keys[: len(columns)]}
    if index.method not in _FINDS_VALUES or not (first == columns or (index.unique and index.valid and keys <= columns)):
        return False
    if index.predicate is None:
        return True
    names = not_nulls(index.predicate.expression.sql)
    column_names = {column.name for column in relation.columns if column.number in columns}
    return names is not None and column_names.issuperset(names)


def narrowing_index(catalog: Catalog, constraint: Constraint) -> tuple[Index, int] | None:
    """Returns an index that finds the rows with equal values in some columns of a foreign key, and how many of its first columns these are:
    that with the most of them."""
    best: tuple[Index, int] | None = None
    for index in catalog.indexes(constraint.table):
        first = [key.column in constraint.columns for key in index.keys]
        count = first.index(False) if False in first else len(first)
        if index.method == "btree" and index.valid and index.predicate is None and count > (best[1] if best is not None else 0):
            best = index, count
    return best


def is_served(catalog: Catalog, constraint: Constraint, without: Collection[int] = ()) -> bool:
    """Whether an index of the referencing table finds the rows that refer to a key, apart from some of its indexes."""
    table = catalog.require(Relation, constraint.table)
    return any(serves(index, constraint, table) for index in catalog.indexes(table.oid) if index.oid not in without)


def unserved_foreign_keys(catalog: Catalog, parts: Collection[Part]) -> list[Constraint]:
    """Returns the remaining foreign keys that no index serves any more after some objects are dropped."""
    dropped = {part.oid for part in parts if not part.column}
    dropped_indexes = [index for oid in dropped if isinstance(index := catalog.get(oid), Index)]
    unserved: dict[int, Constraint] = {}
    for index in dropped_indexes:
        table = catalog.require(Relation, index.table)
        for constraint in catalog.constraints(table.oid) if table.oid not in dropped else ():
            remains = constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.parent is None and constraint.oid not in dropped
            if remains and serves(index, constraint, table) and not is_served(catalog, constraint, dropped):
                unserved[constraint.oid] = constraint
    return list(unserved.values())


def dropped_with_column(catalog: Catalog, table: Relation, column: Column, *, only: bool = False) -> list[Index | Constraint]:
    """Returns the objects that are dropped with a column and also use other columns, except for indexes that another index replaces."""
    parts = column_drop_result(catalog, table, column, cascade=False, only=only).parts
    dropped = {part.oid for part in parts if not part.column}
    missed: list[Index | Constraint] = []
    for oid in dropped:
        dependent = catalog.get(oid)
        if not isinstance(dependent, Index | Constraint) or dependent.table != table.oid or set(dependent.columns) <= {column.number}:
            continue
        if isinstance(dependent, Constraint):
            is_missed = dependent.kind is not ConstraintKind.NOT_NULL
        else:
            is_missed = constraint_of_index(catalog, dependent) is None and not _has_replacement(catalog, dependent, column.number, dropped)
        if is_missed:
            missed.append(dependent)
    return sorted(missed, key=lambda dependent: dependent.oid)


def _has_replacement(catalog: Catalog, index: Index, without: int, dropped: Collection[int]) -> bool:
    """Whether a remaining index begins with the other keys of an index, or the index has no other keys."""
    remaining_keys = [key for key in index.keys if key.column != without]
    if index.unique and len(remaining_keys) < len(index.keys):
        return False
    return not remaining_keys or any(
        replacement.oid not in dropped
        and replacement.method == index.method
        and len(replacement.keys) >= len(remaining_keys)
        and all(same_key(key, replacement_key) for key, replacement_key in zip(remaining_keys, replacement.keys, strict=False))
        for replacement in catalog.indexes(index.table)
    )


def is_primary_key(catalog: Catalog, op: DropConstraint) -> bool:
    """Whether DROP CONSTRAINT drops a primary key; on an unknown table, the name that PostgreSQL chooses for it decides."""
    table = catalog.relation(op.target.name)
    constraint = catalog.constraint(table.oid, op.constraint) if table is not None else None
    if constraint is not None:
        return constraint.kind is ConstraintKind.PRIMARY_KEY
    unknown = not catalog.is_absent(op.target.name) if table is None else not table.complete
    return unknown and op.constraint == default_name(op.target.name.name, (), "pkey")


def is_replaced(catalog: Catalog, op: DropConstraint, constraint: Constraint | None) -> bool:
    """Whether a table has a replacement for a dropped constraint, or is dropped itself."""
    table = catalog.relation(op.target.name)
    if table is None or catalog.constraint(table.oid, op.constraint) is not None:
        return True
    if constraint is None:
        return False
    if not all(table.column_numbered(number) is not None for number in constraint.columns):
        return True  # a DROP COLUMN has dropped it already
    same_kind = (other_constraint for other_constraint in catalog.constraints(table.oid) if other_constraint.kind is constraint.kind)
    if any(set(other_constraint.columns) == set(constraint.columns) for other_constraint in same_kind):
        return True
    return constraint.kind is ConstraintKind.UNIQUE and any(
        index.unique and index.predicate is None and {key.column for key in index.keys} == set(constraint.columns)
        for index in catalog.indexes(table.oid)
    )


def says_only_not_null(catalog: Catalog, constraint: Constraint) -> bool:
    """Whether a CHECK only requires that columns are not null, and all of them are already NOT NULL."""
    table = catalog.require(Relation, constraint.table)
    names = not_nulls(constraint.check.expression.sql) if constraint.check is not None else None
    return names is not None and all((column := table.column(name)) is not None and column.not_null for name in names)


def makes_redundant(catalog: Catalog, index: Index, other: Index) -> bool:
    """Whether an index is redundant because another index of its table serves all its purposes.

    The other index begins with the same keys, has the same method, operator classes and condition, and contains the included columns of this
    one. A unique index is redundant only if the other one is unique on the same keys. Of two equivalent indexes, the one that belongs to a
    constraint or, if both or neither do, the older one remains.
    """
    if index.oid == other.oid or index.table != other.table or index.method != other.method or not (index.valid and other.valid):
        return False
    same_length = len(index.keys) == len(other.keys)
    if len(index.keys) > len(other.keys) or (not same_length and index.method != "btree") or not index.keys:
        return False
    if not all(same_key(key, other_key) for key, other_key in zip(index.keys, other.keys, strict=False)) or not _same_order(index, other):
        return False
    if not same_predicate(index, other) or any(key.operator is not None for key in (*index.keys, *other.keys)):
        return False
    if not set(index.include) <= {*other.include, *(key.column for key in other.keys)}:
        return False
    if index.unique and not (other.unique and same_length and index.nulls_not_distinct == other.nulls_not_distinct):
        return False
    if not same_length or index.unique != other.unique or set(index.include) != set(other.include):
        return constraint_of_index(catalog, index) is None
    constraint, other_constraint = constraint_of_index(catalog, index), constraint_of_index(catalog, other)
    return other.oid < index.oid if (constraint is None) == (other_constraint is None) else constraint is None


def _same_order(index: Index, other: Index) -> bool:
    """Whether the shared keys are in the same order, or all in the opposite one: an index can be read backwards as well."""
    pairs = list(zip(map(_order, index.keys), map(_order, other.keys), strict=False))
    return all(order == other_order for order, other_order in pairs) or all(
        order == (not other_order[0], not other_order[1]) for order, other_order in pairs
    )


def _order(key: Key) -> tuple[bool, bool]:
    return key.descending, key.descending if key.nulls_first is None else key.nulls_first
