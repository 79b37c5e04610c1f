"""The limits of INSERT and UPDATE."""

from collections.abc import Iterator

from migsafe.prediction.refusals.definitions import complete_table
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import SYSTEM_COLUMNS, Column, Relation, RelationKind
from migsafe.schema.privileges import has_replica_identity
from migsafe.schema.publications import publications_of
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql


@refuses(sql.Insert, sql.Update)
def write(catalog: Catalog, op: sql.Insert | sql.Update) -> Refusal | None:
    """A statement names each column once, and only columns that the table has."""
    table = complete_table(catalog, op.table)
    for name in op.columns if table is not None else ():
        if table is not None and table.column(name) is None and name not in SYSTEM_COLUMNS:
            return Refusal(error=f'column "{name}" of relation "{table.name.name}" does not exist')
    if op.repeated is None:
        return None
    if isinstance(op, sql.Insert):
        return Refusal(error=f'column "{op.repeated}" specified more than once', help="-- leave out one of the two")
    return Refusal(error=f'multiple assignments to same column "{op.repeated}"', help="-- keep one of the assignments")


@refuses(sql.Insert)
def insert_value(catalog: Catalog, op: sql.Insert) -> Refusal | None:
    """Only PostgreSQL gives values to generated columns; those of GENERATED ALWAYS AS IDENTITY need OVERRIDING (rewriteTargetListIU in
    rewriteHandler.c)."""
    table = complete_table(catalog, op.table)
    for column in _inserted_columns(table, op) if table is not None else ():
        if column.identity == "always" and op.overriding is None:
            return Refusal(
                error=f'cannot insert a non-DEFAULT value into column "{column.name}"',
                detail="it is an identity column defined as GENERATED ALWAYS",
                help="-- use OVERRIDING SYSTEM VALUE before VALUES or SELECT, and set the sequence afterwards; or leave the column out",
            )
        if column.generated is not None:
            return Refusal(
                error=f'cannot insert a non-DEFAULT value into column "{column.name}"',
                detail="it is a generated column",
                help="-- leave the column out",
            )
    return None


def _inserted_columns(table: Relation, op: sql.Insert) -> Iterator[Column]:
    """Returns the columns that get another value than DEFAULT, in the order of the table. Without a list of columns, a query may give fewer
    values than the table has columns."""
    names = op.columns or tuple(column.name for column in table.columns)
    given = set(op.columns) if op.source == "query" else {names[position] for position in op.given if position < len(names)}
    return (column for column in table.columns if column.name in given)


@refuses(sql.Update)
def update_value(catalog: Catalog, op: sql.Update) -> Refusal | None:
    """UPDATE can only set generated columns, and those GENERATED ALWAYS AS IDENTITY, to DEFAULT."""
    table = complete_table(catalog, op.table)
    for column in table.columns if table is not None else ():
        is_identity = column.identity == "always"
        if column.name in op.columns and column.name not in op.defaults and (is_identity or column.generated is not None):
            return Refusal(
                error=f'column "{column.name}" can only be updated to DEFAULT',
                detail="it is an identity column defined as GENERATED ALWAYS" if is_identity else "it is a generated column",
            )
    return None


@refuses(sql.Update, sql.Delete)
def identity_of_row(catalog: Catalog, op: sql.Update | sql.Delete) -> Refusal | None:
    """A publication can send an UPDATE or a DELETE only if a row has a replica identity (CheckCmdReplicaIdentity in execReplication.c)."""
    table = complete_table(catalog, op.table)
    if table is None or table.kind is not RelationKind.TABLE or has_replica_identity(catalog, table) is not False:
        return None
    verb, action, event = ("update", "updates", "update") if isinstance(op, sql.Update) else ("delete from", "deletes", "delete")
    publication = next((found for found in publications_of(catalog, table) if event in found.publishes), None)
    if publication is None:
        return None
    return Refusal(
        error=f'cannot {verb} table "{table.name.name}" because it does not have a replica identity and publishes {action}',
        detail=f"it is in the publication {publication.name.name}",
        help=f"-- first add a primary key; or: ALTER TABLE {table.name} REPLICA IDENTITY FULL;",
    )
