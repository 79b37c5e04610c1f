"""ALTER COLUMN … ADD GENERATED AS IDENTITY, SET GENERATED and DROP IDENTITY."""

from msgspec.structs import replace

from migsafe import versions
from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import add_sequence, altered_column, set_column
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations.values import quoted


def _change_identity(catalog: Catalog, table: Relation, column: str, identity: str | None) -> None:
    """Sets a column's identity; since PostgreSQL 17 also in the partitions."""
    for relation in (
        table,
        *(
            catalog.descendants(table.oid)
            if table.kind is RelationKind.PARTITIONED and catalog.pg_version >= versions.PARTITIONS_INHERIT_IDENTITY
            else ()
        ),
    ):
        own_column = relation.column(column)
        if own_column is not None:
            set_column(catalog, relation, own_column.number, identity=identity)


def add_identity(catalog: Catalog, op: sql.AddIdentity, table: Relation) -> None:
    """Applies ADD GENERATED AS IDENTITY, which needs a column that is NOT NULL."""
    column = altered_column(catalog, table, op.column)
    if column.not_null is False:
        catalog.add_refusal(
            f'column "{op.column}" of relation "{table.name.name}" must be declared NOT NULL before identity can be added',
            help=f"-- first: ALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)} SET NOT NULL;",
        )
    identity = "always" if op.identity.always else "by default"
    _change_identity(catalog, catalog.require(Relation, table.oid), op.column, identity)
    if column.default is None or column.generated is not None:  # otherwise it is refused, and keeps the default and its sequence
        add_sequence(catalog, table, replace(column, identity=identity), op.identity)


def set_identity(catalog: Catalog, op: sql.SetIdentity, table: Relation) -> None:
    """Applies SET GENERATED ALWAYS or BY DEFAULT; other changes are those of the sequence."""
    altered_column(catalog, table, op.column)
    if op.always is not None:
        _change_identity(catalog, catalog.require(Relation, table.oid), op.column, "always" if op.always else "by default")


def drop_identity(catalog: Catalog, op: sql.DropIdentity, table: Relation) -> None:
    """Applies DROP IDENTITY, which drops the column's sequence."""
    column = altered_column(catalog, table, op.column)
    if column.identity is None:
        return
    _change_identity(catalog, catalog.require(Relation, table.oid), op.column, None)
    for sequence in catalog.dependents(table.oid, Relation):
        if sequence.of_identity and sequence.owner == (table.oid, column.number):
            catalog.drop(sequence.oid)
