"""Views, materialized views, tables from queries, sequences."""

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.column_uses import read_relations
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.objects import Column, Relation, RelationKind
from migsafe.schema.query_tables import columns_from_query, known_columns
from migsafe.schema.tables import is_certainly_created, make_room, new_name
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Option, Persistence, Query


def read_by(catalog: Catalog, query: Query) -> list[Relation]:
    """Returns the known relations that a query reads."""
    relations = (catalog.relation(name) for name in query.reads)
    return list({relation.oid: relation for relation in relations if relation is not None}.values())


def _reads_relation(catalog: Catalog, relation: Relation, oid: int) -> bool:
    """Whether a view reads another relation, itself or through other views."""
    waiting, seen = [relation.oid], set[int]()
    while waiting:
        relation_oid = waiting.pop()
        if relation_oid == oid:
            return True
        view = catalog.get(relation_oid)
        if relation_oid not in seen and isinstance(view, Relation):
            seen.add(relation_oid)
            waiting.extend(view.reads)
    return False


@SCHEMA_CHANGES.register(sql.CreateView)
def create_view(catalog: Catalog, op: sql.CreateView) -> None:
    """CREATE VIEW; a replaced view keeps its number and its dependents."""
    reads = read_by(catalog, op.query)
    # A view that reads a temporary relation is temporary itself.
    temporary = op.temporary or any(relation.persistence is Persistence.TEMPORARY for relation in reads)
    persistence = Persistence.TEMPORARY if temporary else Persistence.PERMANENT
    name = new_name(catalog, op.view, persistence)
    existing = catalog.relation(name)
    properties = {
        "kind": RelationKind.VIEW,
        "persistence": persistence,
        "columns": tuple(Column(number, column, None, None) for number, column in enumerate(op.columns, 1)),
        "complete": False,
        "removed_columns": frozenset[str](),
        "query": op.query,
        "reads": tuple(relation.oid for relation in reads),
        "read_relations": read_relations(catalog, op.query.reads),
    }
    if existing is not None and op.or_replace and existing.kind is RelationKind.VIEW:
        if any(_reads_relation(catalog, relation, existing.oid) for relation in reads):
            catalog.add_refusal(f'infinite recursion detected in rules for relation "{existing.name.name}"', "the view would read itself")
            return
        catalog.change(existing, **properties)
        return
    if not make_room(catalog, name, if_not_exists=False):
        return
    is_created = not op.or_replace or catalog.is_free(name)
    catalog.store(replace(Relation(oid=catalog.new_oid(), name=name, created_in=catalog.migration, may_be_older=not is_created), **properties))


def name_view_columns(catalog: Catalog, view: Relation) -> Relation:
    """Writes the names of all columns of a view into it, as far as its query tells them, so that they can be changed; returns the view."""
    columns = known_columns(catalog, view)
    if columns is None:
        return view
    return catalog.change(view, columns=tuple(Column(number, column.name, None, None) for number, column in enumerate(columns, 1)))


@SCHEMA_CHANGES.register(sql.CreateMaterializedView)
def create_materialized_view(catalog: Catalog, op: sql.CreateMaterializedView) -> None:
    """CREATE MATERIALIZED VIEW."""
    name = catalog.in_first_schema(op.view)
    is_created = is_certainly_created(catalog, name, if_not_exists=op.if_not_exists)
    if not make_room(catalog, name, if_not_exists=op.if_not_exists):
        return
    reads = read_by(catalog, op.query)
    catalog.store(
        Relation(
            oid=catalog.new_oid(),
            name=name,
            kind=RelationKind.MATERIALIZED,
            columns=tuple(Column(number, column, None, None) for number, column in enumerate(op.columns, 1)),
            complete=False,
            query=op.query,
            reads=tuple(relation.oid for relation in reads),
            read_relations=read_relations(catalog, op.query.reads),
            created_in=catalog.migration,
            may_be_older=not is_created,
            unpopulated=is_created and not op.with_data and not catalog.is_restored,
        )
    )


@SCHEMA_CHANGES.register(sql.RefreshMaterializedView)
def refresh_materialized_view(catalog: Catalog, op: sql.RefreshMaterializedView) -> None:
    """REFRESH MATERIALIZED VIEW."""
    view = catalog.relation(op.view)
    if view is not None and view.kind is RelationKind.MATERIALIZED and view.unpopulated == op.with_data:
        catalog.change(view, unpopulated=not op.with_data)


@SCHEMA_CHANGES.register(sql.CreateTableAs)
def create_table_as(catalog: Catalog, op: sql.CreateTableAs) -> None:
    """CREATE TABLE … AS, SELECT … INTO: the columns are those of the query, or unknown."""
    name = new_name(catalog, op.table, op.persistence)
    is_created = is_certainly_created(catalog, name, if_not_exists=op.if_not_exists)
    columns = columns_from_query(catalog, op.query, op.columns) if op.query is not None else None
    if not make_room(catalog, name, if_not_exists=op.if_not_exists):
        return
    catalog.store(
        Relation(
            oid=catalog.new_oid(),
            name=name,
            columns=columns or tuple(Column(number, column) for number, column in enumerate(op.columns, 1)),
            complete=columns is not None and is_created,
            from_query=True,
            persistence=op.persistence,
            created_in=catalog.migration,
            may_be_older=not is_created,
            may_have_rows=op.with_data and op.persistence is not Persistence.TEMPORARY,
        )
    )


@SCHEMA_CHANGES.register(sql.CreateSequence)
def create_sequence(catalog: Catalog, op: sql.CreateSequence) -> None:
    """CREATE SEQUENCE."""
    name = new_name(catalog, op.sequence, op.persistence)
    if not make_room(catalog, name, if_not_exists=op.if_not_exists):
        return
    catalog.store(
        Relation(
            oid=catalog.new_oid(),
            name=name,
            kind=RelationKind.SEQUENCE,
            owner=_owner(catalog, op.owned_by),
            created_in=catalog.migration,
            sequence_type=_sequence_type(op.options) or "bigint",
        )
    )


@SCHEMA_CHANGES.register(sql.AlterSequence)
def alter_sequence(catalog: Catalog, op: sql.AlterSequence) -> None:
    """ALTER SEQUENCE: only the owner and the type matter here."""
    sequence = catalog.relation(op.sequence)
    if sequence is None:
        if not op.if_exists and catalog.is_absent(op.sequence):
            catalog.add_refusal(f"relation {name_in_quotes(op.sequence)} does not exist")
        return
    if any(option.name == "owned by" for option in op.options):
        sequence = catalog.change(sequence, owner=_owner(catalog, op.owned_by))
    sequence_type = _sequence_type(op.options)
    if sequence_type is not None:
        catalog.change(sequence, sequence_type=sequence_type)


def _sequence_type(options: tuple[Option, ...]) -> str | None:
    return next((option.value for option in options if option.name == "as"), None)


def _owner(catalog: Catalog, column_name: Name | None) -> tuple[int, int] | None:
    """Returns the table and column of OWNED BY: `schema.table.column`, parsed as catalog, schema and name."""
    if column_name is None or column_name.schema is None:
        return None
    table = catalog.relation(Name(column_name.schema, column_name.catalog))
    own_column = table.column(column_name.name) if table is not None else None
    return (table.oid, own_column.number) if table is not None and own_column is not None else None
