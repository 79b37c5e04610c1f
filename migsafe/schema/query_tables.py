"""The columns of a table that CREATE TABLE AS or SELECT INTO creates, and of a view: those of its query."""

import re

from migsafe.patterns import lazy_pattern
from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import stored_type
from migsafe.schema.objects import Column, Relation, RelationKind
from migsafe.schema.query_columns import QueryColumn
from migsafe.sql.keywords import RESERVED
from migsafe.sql.operations import Name, Query

_DEEPEST_VIEW = 16
_NAME = r'(?:[^\W\d][\w$]*|"[^"]+")'
_PLAIN = lazy_pattern(
    rf"\s*select\s+(?P<list>\*|{_NAME}(?:\s*,\s*{_NAME})*)\s+from\s+(?:{_NAME}\.)?{_NAME}(?:\s+where\b(?P<where>.*))?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_FURTHER_QUERY = lazy_pattern(r"\b(?:union|intersect|except|select|with)\b", re.IGNORECASE)


def columns_from_query(catalog: Catalog, query: Query, names: tuple[str, ...]) -> tuple[Column, ...] | None:
    """Returns the columns of a table that is created from a query, of which the first have other `names`; None if they are not known."""
    found = _plain_columns(catalog, query)
    if found is None and catalog.type_query is not None:
        found = catalog.type_query(query, lambda name: table_columns(catalog, name))
    if found is None or len(names) > len(found):
        return None
    all_names = (*names, *(column.name for column in found[len(names) :]))
    if len(set(all_names)) < len(all_names):
        return None
    return tuple(
        Column(number, name, stored_type(catalog, column.type), collation=column.collation)
        for number, (name, column) in enumerate(zip(all_names, found, strict=True), 1)
    )


def _plain_columns(catalog: Catalog, query: Query) -> tuple[QueryColumn, ...] | None:
    """Returns the columns of a query that only names columns of one table, as a backup of its rows does; None for any other query.

    Such a query needs no tree: importing sqlglot takes longer than following a short history.
    """
    match = _PLAIN.fullmatch(query.sql)
    if match is None or len(query.reads) != 1 or (match["where"] is not None and _FURTHER_QUERY.search(match["where"]) is not None):
        return None
    columns = table_columns(catalog, query.reads[0])
    if match["list"] == "*":
        return columns
    listed = [name.strip() for name in match["list"].split(",")]
    if any(name.lower() in RESERVED for name in listed):  # user is a function
        return None
    by_name = {column.name: column for column in columns or ()}
    folded = (name[1:-1] if name.startswith('"') else name.lower() for name in listed)
    return tuple(by_name.get(name) or QueryColumn(name, None, None) for name in folded)


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
