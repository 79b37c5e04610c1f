"""The indexes and constraints that a table needs to become a partition of another, as operations that create them."""

from collections.abc import Iterable, Iterator

from migsafe.schema.catalog import Catalog
from migsafe.schema.constraints import constraint_of_index, matching_foreign_key
from migsafe.schema.indexes import has_same
from migsafe.schema.objects import Constraint, Index, Key, Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind
from migsafe.text import Span

_NOWHERE = Span(0, 0)


def missing_indexes(catalog: Catalog, parent: Relation, child: Relation) -> Iterator[tuple[sql.CreateIndex, sql.Constraint | None]]:
    """Returns the parent's indexes that ATTACH PARTITION would build on a table, each with its constraint."""
    for index in catalog.indexes(parent.oid):
        if not has_same(catalog, parent, child, index):
            constraint = constraint_of_index(catalog, index)
            yield _create_index(parent, index), _index_constraint(parent, index, constraint) if constraint is not None else None


def missing_foreign_keys(catalog: Catalog, parent: Relation, child: Relation) -> Iterator[sql.Constraint]:
    """Returns the parent's foreign keys that ATTACH PARTITION would check on a table."""
    for constraint in catalog.constraints(parent.oid):
        referenced = catalog.get(constraint.references) if constraint.references is not None else None
        is_foreign_key = constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.enforced and isinstance(referenced, Relation)
        if is_foreign_key and isinstance(referenced, Relation) and matching_foreign_key(catalog, child, constraint) is None:
            yield sql.Constraint(
                kind=constraint.kind,
                span=_NOWHERE,
                name=constraint.name.name,
                columns=_column_names(parent, constraint.columns),
                references=sql.Reference(
                    table=referenced.name,
                    columns=_column_names(referenced, constraint.referenced_columns),
                    on_delete=constraint.on_delete,
                    on_update=constraint.on_update,
                ),
                deferrable=constraint.deferrable or None,
                initially_deferred=constraint.initially_deferred or None,
            )


def _create_index(table: Relation, index: Index) -> sql.CreateIndex:
    return sql.CreateIndex(
        span=_NOWHERE,
        name=index.name.name,
        table=table.name,
        elements=tuple(_index_element(table, key) for key in index.keys),
        unique=index.unique,
        method=None if index.method == "btree" else index.method,
        include=tuple(sql.IndexElement(column=name) for name in _column_names(table, index.include)),
        nulls_not_distinct=index.nulls_not_distinct,
        where=index.predicate.expression if index.predicate is not None else None,
    )


def _index_element(table: Relation, key: Key) -> sql.IndexElement:
    column = table.column_numbered(key.column) if key.column is not None else None
    return sql.IndexElement(
        column=column.name if column is not None else None,
        expression=key.formula.expression if key.formula is not None else None,
        collation=key.collation,
        opclass=key.opclass,
        descending=key.descending,
        nulls_first=key.nulls_first,
    )


def _index_constraint(table: Relation, index: Index, constraint: Constraint) -> sql.Constraint:
    return sql.Constraint(
        kind=constraint.kind,
        span=_NOWHERE,
        columns=_column_names(table, (key.column for key in index.keys)),
        include=_column_names(table, index.include),
        nulls_not_distinct=index.nulls_not_distinct,
        deferrable=constraint.deferrable or None,
        initially_deferred=constraint.initially_deferred or None,
    )


def _column_names(table: Relation, numbers: Iterable[int | None]) -> tuple[str, ...]:
    return tuple(column.name for number in numbers if number is not None and (column := table.column_numbered(number)) is not None)
