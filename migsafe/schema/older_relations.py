"""Relations that existed before the history began, and of which it tells nothing until a statement uses them."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.operations import Name

_KINDS = {
    "sequence": RelationKind.SEQUENCE,
    "view": RelationKind.VIEW,
    "materialized view": RelationKind.MATERIALIZED,
    "foreign table": RelationKind.FOREIGN,
}


def kind_named(keyword: str) -> RelationKind:
    """Returns the kind of relation that a statement's keyword names; a table for `table`, and for any other keyword."""
    return _KINDS.get(keyword, RelationKind.TABLE)


def add_older_relation(catalog: Catalog, name: Name, kind: RelationKind = RelationKind.TABLE) -> Relation:
    """Adds a relation that no migration made: incomplete, with rows, and older than every migration. Returns it, or the one that the name finds
    once search_path is no longer empty."""
    if name.schema is None and catalog.has_no_schemas:
        namesake = catalog.namesake(name.name) or catalog.relation(catalog.resolve(name))
        if isinstance(namesake, Relation):
            return namesake
    relation = Relation(oid=catalog.new_oid(), name=catalog.resolve(name), kind=kind, complete=False, created_in=-1, may_have_rows=True)
    catalog.store(relation)
    return relation
