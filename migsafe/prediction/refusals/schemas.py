"""Objects in schemas that were dropped, and columns and owners that do not exist."""

from migsafe.prediction.refusals.definitions import complete_table
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.objects import SYSTEM_COLUMNS, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Persistence


@refuses(
    *(sql.CreateTable, sql.CreateTableAs, sql.CreateView, sql.CreateMaterializedView, sql.CreateSequence, sql.CreateFunction),
    *(sql.CreateEnum, sql.CreateDomain),
)
def create_in_schema(catalog: Catalog, op: sql.Operation) -> Refusal | None:
    """An object is created in a schema that exists."""
    match op:
        case sql.CreateTable(table=name) | sql.CreateTableAs(table=name) | sql.CreateView(view=name) | sql.CreateMaterializedView(view=name):
            schema = name.schema
        case sql.CreateSequence(sequence=name) | sql.CreateFunction(function=name) | sql.CreateEnum(type=name) | sql.CreateDomain(domain=name):
            schema = name.schema
        case _:
            schema = None
    if schema is None:
        is_temporary = getattr(op, "temporary", False) or getattr(op, "persistence", None) is Persistence.TEMPORARY
        return Refusal(error="no schema has been selected to create in") if catalog.has_no_schemas and not is_temporary else None
    if not catalog.is_dropped_schema(schema):
        return None
    return Refusal(error=f'schema "{schema}" does not exist', detail="a migration has dropped it", help=f"CREATE SCHEMA {Name(schema)};")


@refuses(sql.Comment)
def comment(catalog: Catalog, op: sql.Comment) -> Refusal | None:
    """A comment is on a relation, or a column, that exists."""
    if catalog.has_no_schemas:
        relation = op.table if op.kind == "column" else op.name if op.kind in ("table", "view", "materialized view", "sequence") else None
        if relation is not None and catalog.is_absent(relation):
            return Refusal(error=f"relation {name_in_quotes(relation)} does not exist")
    table = complete_table(catalog, op.table) if op.kind == "column" and op.table is not None else None
    if table is None or op.name is None or op.name.name in SYSTEM_COLUMNS or table.column(op.name.name) is not None:
        return None
    return Refusal(error=f'column "{op.name.name}" of relation "{table.name.name}" does not exist')


@refuses(sql.Grant)
def grant(catalog: Catalog, op: sql.Grant) -> Refusal | None:
    """Privileges on columns are on columns that exist, and privileges on relations that exist."""
    for name in op.objects if op.kind == "table" else ():
        table = complete_table(catalog, name)
        missing = next((column for column in op.columns if table is not None and table.column(column) is None), None)
        if table is not None and missing is not None and missing not in SYSTEM_COLUMNS:
            return Refusal(error=f'column "{missing}" of relation "{table.name.name}" does not exist')
        if catalog.is_absent(name):
            return Refusal(error=f"relation {name_in_quotes(name)} does not exist")
    return None


@refuses(sql.CreateSequence, sql.AlterSequence)
def owned_by(catalog: Catalog, op: sql.CreateSequence | sql.AlterSequence) -> Refusal | None:
    """A sequence belongs to a column of a table in its own schema."""
    if op.owned_by is None or op.owned_by.schema is None:
        return None
    owner = complete_table(catalog, Name(op.owned_by.schema, op.owned_by.catalog))
    if isinstance(op, sql.CreateSequence):
        schema = catalog.in_first_schema(op.sequence).schema
    else:
        sequence = catalog.relation(op.sequence)
        schema = sequence.name.schema if sequence is not None and sequence.kind is RelationKind.SEQUENCE else None
    if owner is None or schema is None:
        return None
    if owner.name.schema != schema:
        return Refusal(error="sequence must be in same schema as table it is linked to", detail=f"{owner.name} is in another schema")
    if owner.column(op.owned_by.name) is None:
        return Refusal(error=f'column "{op.owned_by.name}" of relation "{owner.name.name}" does not exist')
    return None
