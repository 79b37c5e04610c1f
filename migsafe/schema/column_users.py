"""The objects that use a column so that PostgreSQL refuses to alter its type (RememberAllDependentForRebuilding in tablecmds.c)."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import refuse_because_of
from migsafe.schema.dependents import Part, is_type_named, uses_column
from migsafe.schema.descriptions import describe
from migsafe.schema.objects import Attached, Column, Function, PublishedColumns, Relation, RelationKind
from migsafe.sql.operations import Name


def refuse_used(catalog: Catalog, table: Relation, column: Column) -> None:
    """Refuses a change of a column's type because of an object that uses the column."""
    if not catalog.notes_refusals:
        return
    for relation in catalog.dependents(table.oid, Relation):
        if uses_column(catalog, relation, (table.oid, column.number)):
            kind = relation.kind.value.upper()
            refuse_because_of(
                catalog,
                relation,
                "cannot alter type of a column used by a view or rule",
                f'{describe(catalog, Part(relation.oid))} depends on column "{column.name}"',
                f"-- in one transaction: DROP {kind} {relation.name}, this statement, and CREATE {kind} {relation.name} with its indexes, "
                "comments and grants",
            )
            return
    for trigger in catalog.triggers(table.oid):
        if column.number in trigger.columns:
            refuse_because_of(
                catalog,
                trigger,
                "cannot alter type of a column used in a trigger definition",
                f'{describe(catalog, Part(trigger.oid))} depends on column "{column.name}"',
                f"-- in one transaction: DROP TRIGGER {Name(trigger.name.name)} ON {table.name}, this statement, and CREATE TRIGGER",
            )
            return
    for published in catalog.dependents(table.oid, PublishedColumns):
        if column.number in published.columns:
            refuse_because_of(
                catalog,
                published,
                "cannot alter type of a column used by a publication WHERE clause",
                f'{describe(catalog, Part(published.oid))} depends on column "{column.name}"',
                "-- in one transaction: take the table out of the publication (ALTER PUBLICATION … DROP TABLE), this statement, and ADD TABLE",
            )
            return
    for attached in catalog.dependents(table.oid, Attached):
        if uses_column(catalog, attached, (table.oid, column.number)):
            what = "in a policy definition" if attached.kind == "policy" else "by a view or rule"
            refuse_because_of(
                catalog,
                attached,
                f"cannot alter type of a column used {what}",
                f'{describe(catalog, Part(attached.oid))} depends on column "{column.name}"',
                f"-- in one transaction: DROP {attached.kind.upper()} {Name(attached.name.name)} ON {table.name}, this statement, and "
                f"CREATE {attached.kind.upper()}",
            )
            return
    for function in catalog.dependents(table.oid, Function):
        if uses_column(catalog, function, (table.oid, column.number)):
            refuse_because_of(
                catalog,
                function,
                "cannot alter type of a column used by a function or procedure",
                f'{describe(catalog, Part(function.oid))} depends on column "{column.name}"',
                f"-- in one transaction: DROP {function.kind.upper()} {function.name}, this statement, and CREATE {function.kind.upper()}",
            )
            return
    for other in table.columns:
        if other.generated and other.default is not None and column.number in other.default.columns:
            catalog.add_refusal(
                "cannot alter type of a column used by a generated column",
                f'column "{column.name}" is used by generated column "{other.name}"',
                f"-- drop the generated column {Name(other.name)} first, and add it again afterwards",
            )
            return
    _refuse_row_type(catalog, table)


def _refuse_row_type(catalog: Catalog, table: Relation) -> None:
    if table.oid not in catalog.row_types:
        return
    user = column_of_type(catalog, table.name)
    if user is not None:
        word = "foreign table" if table.kind is RelationKind.FOREIGN else "table"
        catalog.add_refusal(
            f'cannot alter {word} "{table.name.name}" because column "{user}" uses its row type', help=f"-- first drop the column {user}"
        )


def column_of_type(catalog: Catalog, name: Name) -> str | None:
    """Returns a column of a table that has a type, or an array of it, as PostgreSQL's messages name it: `table.column`."""
    for relation in catalog.relations():
        if relation.kind in (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATERIALIZED):
            for column in relation.columns:
                if is_type_named(column.type, name):
                    return f"{relation.name.name}.{column.name}"
    return None
