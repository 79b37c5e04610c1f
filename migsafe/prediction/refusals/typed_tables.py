"""The columns of a table OF a composite type are those of the type (CREATE TABLE … OF)."""

from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.objects import Composite, Relation
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Operation
from migsafe.sql.operations.values import quoted

_CHANGES: dict[type[Operation], tuple[str, str]] = {
    sql.AddColumn: ("cannot add column to typed table", "ADD ATTRIBUTE …"),
    sql.DropColumn: ("cannot drop column from typed table", "DROP ATTRIBUTE {column}"),
    sql.RenameColumn: ("cannot rename column of typed table", "RENAME ATTRIBUTE {column} TO …"),
    sql.AlterColumnType: ("cannot alter column type of typed table", "ALTER ATTRIBUTE {column} TYPE …"),
}
"""What PostgreSQL refuses on a typed table, and what does the same to its type."""


@refuses(*_CHANGES)
def change_column(catalog: Catalog, op: AlterRelation) -> Refusal | None:
    """A column changes with the attribute of the type (ATPrepAddColumn, ATPrepDropColumn, renameatt and ATPrepAlterColumnType in
    tablecmds.c)."""
    table = catalog.relation(op.target.name) if op.target.kind != "type" else None
    if table is None or table.of_type is None or table.may_be_older or not certainly_exists(catalog, table):
        return None
    error, change = _CHANGES[type(op)]
    column = getattr(op, "column", "")
    change = change.format(column=quoted(column) if isinstance(column, str) else "")
    return Refusal(error=error, detail=f"{table.name} is a table of {table.of_type}", help=f"-- ALTER TYPE {table.of_type} {change} CASCADE;")


@refuses(sql.AlterCompositeType, sql.RenameColumn)
def change_attribute(catalog: Catalog, op: sql.AlterCompositeType | sql.RenameColumn) -> Refusal | None:
    """An attribute of the type of a table changes with CASCADE (find_typed_table_dependencies in tablecmds.c)."""
    if op.cascade or (isinstance(op, sql.RenameColumn) and op.target.kind != "type"):
        return None
    composite = catalog.type_named(op.type if isinstance(op, sql.AlterCompositeType) else op.target.name)
    if not isinstance(composite, Composite):
        return None
    for table in catalog.objects_of(Relation):
        if table.of_type == composite.name and not table.may_be_older and certainly_exists(catalog, table):
            return Refusal(
                error=f'cannot alter type "{composite.name.name}" because it is the type of a typed table',
                detail=f"it is the type of {table.name}",
                help=f"-- with CASCADE at its end, the statement changes {table.name}, too",
            )
    return None
