"""The columns of a table that CREATE TABLE AS or SELECT INTO creates, and of a view: those of its query."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import stored_type
from migsafe.schema.objects import Column, Relation, RelationKind
from migsafe.schema.query_columns import QueryColumn
from migsafe.sql.operations import Name, Query

_DEEPEST_VIEW = 16


def columns_from_query(catalog: Catalog, query: Query, names: tuple[str, ...]) -> tuple[Column, ...] | None:
    """Returns the columns of a table that is created from a query, of which the first have other `names`; None if they are not known."""
    found = catalog.type_query(query, lambda name: table_columns(catalog, name)) if catalog.type_query is not None else None
    if found is None or len(names) > len(found):
        return None
    all_names = (*names, *(column.name for column in found[len(names) :]))
    if len(set(all_names)) < len(all_names):
        return None
    return tuple(
        Column(number, name, stored_type(catalog, column.type), collation=column.collation)
        for number, (name, column) in enumerate(zip(all_names, found, strict=True), 1)
    )


def table_columns(catalog: Catalog, name: Name) -> tuple[QueryColumn, ...] | None:
    """Returns all columns of the table or view of this name; None if they are not known."""
    relation = catalog.relation(name)
    return known_columns(catalog, relation) if relation is not None else None


def known_columns(catalog: Catalog, relation: Relation, depth: int = 0) -> tuple[QueryColumn, ...] | None:
    """Returns all columns of a table or of a view; None if they are not known. `depth` is the number of views that read it."""
    if relation.kind not in (RelationKind.VIEW, RelationKind.MATERIALIZED):
        if not relation.complete or relation.may_be_older:
            return None
        return tuple(QueryColumn(column.name, column.type, column.collation) for column in relation.columns)
    if relation.query is None or relation.may_be_older or catalog.type_query is None or depth >= _DEEPEST_VIEW:
        return None
    # The names in its query mean what they meant when it was created.
    read = {reading.name: reading for reading in relation.read_relations}

    def columns_then(name: Name) -> tuple[QueryColumn, ...] | None:
        reading = read.get(name)
        source = catalog.get(reading.oid) if reading is not None else None
        columns = known_columns(catalog, source, depth + 1) if isinstance(source, Relation) else None
        if reading is None or columns is None or not isinstance(source, Relation):
            return None
        if not reading.complete:
            return columns
        now = {column.number: column for column in source.columns}
        return tuple(QueryColumn(old_name, now[number].type, now[number].collation) for number, old_name in reading.columns if number in now)

    found = catalog.type_query(relation.query, columns_then)
    if found is None or len(relation.columns) > len(found):
        return None
    renamed = tuple(QueryColumn(own.name, column.type, column.collation) for own, column in zip(relation.columns, found, strict=False))
    return (*renamed, *found[len(renamed) :])
