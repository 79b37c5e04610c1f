"""The limits of publications (check_publication_add_relation and pub_collist_validate in src/backend/catalog/pg_publication.c)."""

from migsafe import versions
from migsafe.prediction.refusals.definitions import complete_table
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Publication, Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Persistence

_WORDS = {RelationKind.VIEW: "views", RelationKind.MATERIALIZED: "materialized views", RelationKind.FOREIGN: "foreign tables"}
_STATES = {Persistence.TEMPORARY: "temporary tables", Persistence.UNLOGGED: "unlogged tables"}


@refuses(sql.Publication)
def publish(catalog: Catalog, op: sql.Publication) -> Refusal | None:
    """A publication has permanent tables, each once, and columns that they have."""
    existing = catalog.object_named("publication", sql.Name(op.publication))
    if op.action == "create" and existing is not None:
        return None  # the database's own refusal
    for name in op.tables:
        relation = catalog.relation(name)
        if relation is None:
            continue
        if op.action == "drop":
            if isinstance(existing, Publication) and relation.complete and relation.oid not in existing.tables:
                return Refusal(error=f'relation "{relation.name.name}" is not part of the publication')
            continue
        refusal = _refuse_kind(catalog, relation)
        if refusal is None and op.action == "add" and isinstance(existing, Publication) and relation.oid in existing.tables:
            refusal = Refusal(error=f'relation "{relation.name.name}" is already member of publication "{op.publication}"')
        if refusal is not None:
            return refusal
    return next((refusal for limited in op.limited if (refusal := _refuse_columns(catalog, limited)) is not None), None)


def _refuse_kind(catalog: Catalog, relation: Relation) -> Refusal | None:
    name, is_table = relation.name.name, relation.kind in (RelationKind.TABLE, RelationKind.PARTITIONED)
    words = _STATES.get(relation.persistence) if is_table else _WORDS.get(relation.kind)
    if words is None or relation.created_in < 0 or relation.may_be_older:
        return None
    if catalog.pg_version >= versions.PUBLICATION_LIMITS_NAMED:
        return Refusal(error=f'cannot add relation "{name}" to publication', detail=f"this operation is not supported for {words}")
    if is_table:
        return Refusal(error=f'table "{name}" cannot be replicated', detail="temporary and unlogged relations cannot be replicated")
    return Refusal(error=f'"{name}" is not a table', detail="only tables can be added to publications")


def _refuse_columns(catalog: Catalog, limited: sql.PublishedTable) -> Refusal | None:
    table = complete_table(catalog, limited.name)
    seen: set[str] = set()
    for name in limited.columns if table is not None else ():
        column = table.column(name) if table is not None else None
        if table is not None and column is None:
            return Refusal(error=f'column "{name}" of relation "{table.name.name}" does not exist')
        if name in seen:
            return Refusal(error=f'duplicate column "{name}" in publication column list')
        if column is not None and column.generated is not None:
            if catalog.pg_version < versions.VIRTUAL_GENERATED_COLUMNS:
                error, detail = f'cannot use generated column "{name}" in publication column list', "PostgreSQL 18 publishes stored ones"
                return Refusal(error=error, detail=detail)
            if column.generated == "virtual":
                return Refusal(error=f'cannot use virtual generated column "{name}" in publication column list')
        seen.add(name)
    return None
