"""The objects that an operation requires; without them, PostgreSQL refuses it."""

from collections.abc import Callable, Iterator
from typing import Any

from migsafe.schema import objects
from migsafe.schema.catalog import Catalog
from migsafe.schema.known_objects import SYSTEM_SCHEMAS, TEMPORARY
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import Constraint, Name, Operation
from migsafe.text import MARK_START


def missing_relation(catalog: Catalog, operation: Operation) -> Name | None:
    """Returns the first relation that an operation requires and that certainly does not exist."""
    required = _REQUIRED.get(type(operation))
    for name in required(operation) if required is not None else ():
        if catalog.is_absent(name):
            return name
    return None


def unmade_relations(catalog: Catalog, operation: Operation) -> list[Name]:
    """Returns the relations that an operation needs and that no migration made, so that they existed before the history."""
    return [
        catalog.resolve(name)
        for name in _needed(operation)
        if catalog.relation(name) is None and catalog.index(name) is None and not _is_foreign(catalog, name)
    ]


def _is_foreign(catalog: Catalog, name: Name) -> bool:
    """Whether a relation belongs to PostgreSQL itself or to the runner, or is not known."""
    if MARK_START in name.name:
        return True
    resolved = catalog.resolve(name)
    if resolved.schema in (*SYSTEM_SCHEMAS, TEMPORARY) or name.name in _OF_RUNNERS:
        return True
    return catalog.is_absent(name) or catalog.may_have_part(0, "relation", str(resolved))


def _needed(operation: Operation) -> Iterator[Name]:
    match operation:
        case sql.AlterRelation(target=target) if target.if_exists:
            return
        case sql.AddConstraint(target=target, constraint=Constraint(references=sql.Reference(table=table))):
            yield from (target.name, table)
        case sql.AlterRelation(target=target):
            yield target.name
        case sql.CreateTable():
            yield from (name for name in _referenced_by_table(operation) if name != operation.table)
        case sql.Drop(kind="table" | "view" | "materialized view" | "sequence" | "index", names=names, if_exists=False):
            yield from (name for name in names if isinstance(name, Name))
        case sql.Rename(kind="table" | "view" | "materialized view" | "sequence" | "index", name=Name() as name, if_exists=False):
            yield name
        case _:
            required = _REQUIRED.get(type(operation))
            yield from required(operation) if required is not None else ()


def _referenced_by_table(op: sql.CreateTable) -> Iterator[Name]:
    yield from op.inherits
    if op.partition_of is not None:
        yield op.partition_of
    for constraint in (*op.constraints, *(constraint for column in op.columns for constraint in column.constraints)):
        if constraint.references is not None:
            yield constraint.references.table


_OF_RUNNERS = frozenset(("alembic_version",))


def _relations_of_query(op: sql.CreateView | sql.CreateMaterializedView | sql.CreateTableAs | sql.Select) -> tuple[Name, ...]:
    return op.query.reads if op.query is not None else ()


_REQUIRED: dict[type[Operation], Callable[[Any], tuple[Name, ...]]] = {
    sql.CreateIndex: lambda op: (op.table,),
    sql.CreateTrigger: lambda op: (op.table,),
    sql.CreatePolicy: lambda op: (op.table,),
    sql.CreateRule: lambda op: (op.table,),
    sql.Insert: lambda op: (op.table, *op.reads),
    sql.Update: lambda op: (op.table, *op.reads),
    sql.Delete: lambda op: (op.table, *op.reads),
    sql.Merge: lambda op: (op.table, *op.reads),
    sql.CreateView: _relations_of_query,
    sql.CreateMaterializedView: _relations_of_query,
    sql.CreateTableAs: _relations_of_query,
    sql.Select: _relations_of_query,
    sql.Copy: lambda op: (op.table,) if op.table is not None else (),
    sql.Truncate: lambda op: tuple(table.name for table in op.tables),
    sql.LockTable: lambda op: tuple(table.name for table in op.tables),
    sql.RefreshMaterializedView: lambda op: (op.view,),
}


def keys_that_reach(catalog: Catalog, table: Relation) -> Iterator[objects.Constraint]:
    """Yields the foreign keys to a table, and those to the partitioned tables that it is a partition of: they have parts for each partition."""
    partition: Relation | None = table
    while partition is not None:
        yield from catalog.foreign_keys_to(partition.oid)
        parent = catalog.get(partition.parents[0]) if partition.bound is not None and partition.parents else None
        partition = parent if isinstance(parent, Relation) else None


def truncated_without(catalog: Catalog, op: sql.Truncate) -> str | None:
    """Returns why a foreign key prevents TRUNCATE: a table that refers to the truncated one must be truncated with it."""
    if op.cascade:
        return None
    truncated = [relation for target in op.tables if (relation := catalog.relation(target.name)) is not None]
    truncated_tables: dict[int, Relation] = {
        table.oid: table for relation in truncated for table in (relation, *catalog.descendants(relation.oid))
    }
    for table in truncated_tables.values():
        for constraint in keys_that_reach(catalog, table):
            if constraint.table not in truncated_tables:
                referencing = catalog.get(constraint.table)
                return f"table {referencing.name if referencing else '?'} references {table.name} (constraint {constraint.name.name})"
    return None
