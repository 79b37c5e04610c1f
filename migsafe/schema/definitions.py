"""The definitions of indexes and constraints of the simulated database, as operations that create the same."""

from collections.abc import Iterable

from migsafe.schema.objects import Constraint, Index, Key, Relation
from migsafe.sql import operations as sql
from migsafe.text import Span

_NOWHERE = Span(0, 0)


def index_definition(table: Relation, index: Index) -> sql.CreateIndex:
    """Returns the CREATE INDEX of an index, without its storage parameters and tablespace, which the database does not have."""
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


def key_definition(table: Relation, index: Index, constraint: Constraint) -> sql.Constraint:
    """Returns a UNIQUE, PRIMARY KEY or EXCLUDE constraint without a name; `index` is its index."""
    return sql.Constraint(
        kind=constraint.kind,
        span=_NOWHERE,
        columns=_column_names(table, (key.column for key in index.keys)),
        include=_column_names(table, index.include),
        nulls_not_distinct=index.nulls_not_distinct,
        deferrable=constraint.deferrable or None,
        initially_deferred=constraint.initially_deferred or None,
    )


def foreign_key_definition(table: Relation, referenced: Relation, key: Constraint) -> sql.Constraint:
    """Returns a foreign key of a table."""
    return sql.Constraint(
        kind=key.kind,
        span=_NOWHERE,
        name=key.name.name,
        columns=_column_names(table, key.columns),
        references=sql.Reference(
            table=referenced.name,
            columns=_column_names(referenced, key.referenced_columns),
            on_delete=key.on_delete,
            on_update=key.on_update,
        ),
        deferrable=key.deferrable or None,
        initially_deferred=key.initially_deferred or None,
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


def _column_names(table: Relation, numbers: Iterable[int | None]) -> tuple[str, ...]:
    return tuple(column.name for number in numbers if number is not None and (column := table.column_numbered(number)) is not None)
