"""Publications."""

from collections.abc import Iterable, Iterator

from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.formulas import identifiers
from migsafe.schema.objects import Publication, PublishedColumns, Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Option, Persistence

_EVENTS = ("insert", "update", "delete", "truncate")


@SCHEMA_CHANGES.register(sql.Publication)
def publish(catalog: Catalog, op: sql.Publication) -> None:
    """CREATE PUBLICATION, ALTER PUBLICATION."""
    name = Name(op.publication)
    tables = tuple(table.oid for table_name in op.tables if (table := catalog.relation(table_name)) is not None)
    excluded = tuple(table.oid for table_name in op.excluded if (table := catalog.relation(table_name)) is not None)
    schemas = tuple(catalog.in_first_schema(Name("")).schema or "" if schema == "current_schema" else schema for schema in op.schemas)
    existing = catalog.object_named("publication", name)
    publication = existing if isinstance(existing, Publication) else None
    if op.action == "create":
        if publication is not None:
            catalog.add_refusal(f'publication "{op.publication}" already exists')
            _forget_columns(catalog, publication, publication.tables)
            catalog.drop(publication.oid)
        publication = Publication(
            oid=catalog.new_oid(),
            name=name,
            tables=tables,
            schemas=schemas,
            all_tables=op.all_tables,
            excluded=excluded,
            publishes=_published_events(op.options),
        )
        catalog.store(publication)
    if publication is None:
        return
    match op.action:
        case "options" if any(option.name == "publish" for option in op.options):
            catalog.change(publication, publishes=_published_events(op.options))
        case "set":
            _forget_columns(catalog, publication, publication.tables)
            catalog.change(publication, tables=tables, schemas=schemas, all_tables=op.all_tables, excluded=excluded)
        case "add":
            catalog.change(
                publication,
                tables=tuple(dict.fromkeys((*publication.tables, *tables))),
                schemas=tuple(dict.fromkeys((*publication.schemas, *schemas))),
            )
        case "drop":
            _forget_columns(catalog, publication, tables)
            catalog.change(
                publication,
                tables=tuple(oid for oid in publication.tables if oid not in tables),
                schemas=tuple(schema for schema in publication.schemas if schema not in schemas),
            )
    if op.action in ("create", "set", "add"):
        _note_columns(catalog, publication, op.limited)


def publications_of(catalog: Catalog, table: Relation) -> Iterator[Publication]:
    """Returns the publications that send the changes of a table."""
    for publication in catalog.objects_of(Publication):
        is_one_of_all = publication.all_tables and table.oid not in publication.excluded
        is_sent = is_one_of_all or table.oid in publication.tables or table.name.schema in publication.schemas
        if is_sent and table.persistence is Persistence.PERMANENT:
            yield publication


def _published_events(options: Iterable[Option]) -> tuple[str, ...]:
    """Returns the events that a publication sends: all, unless its option `publish` names some."""
    value = next((option.value for option in options if option.name == "publish"), None)
    return _EVENTS if value is None else tuple(event for event in _EVENTS if event in value.lower())


def _note_columns(catalog: Catalog, publication: Publication, limited: Iterable[sql.PublishedTable]) -> None:
    for published in limited:
        table = catalog.relation(published.name)
        if table is None:
            continue
        words = (*published.columns, *(identifiers(published.filter.sql) if published.filter is not None else ()))
        columns = tuple(column.number for column in table.columns if column.name in words)
        catalog.store(
            PublishedColumns(
                oid=catalog.new_oid(), name=Name(publication.name.name), table=table.oid, publication=publication.oid, columns=columns
            )
        )


def _forget_columns(catalog: Catalog, publication: Publication, tables: Iterable[int]) -> None:
    for published in catalog.dependents(publication.oid, PublishedColumns):
        if published.table in tables:
            catalog.drop(published.oid)
