"""Inheritance and partitions: attaching a table to a tree, and detaching it."""

from msgspec.structs import replace

from migsafe import versions
from migsafe.schema.catalog import Catalog
from migsafe.schema.constraints import inherit_check
from migsafe.schema.indexes import attach_index
from migsafe.schema.not_nulls import not_null_constraint
from migsafe.schema.objects import Column, Relation, RelationKind
from migsafe.schema.tables import clone_to_partition
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind


def inherit(catalog: Catalog, op: sql.Inherit, table: Relation) -> None:
    """INHERIT parent."""
    parent = catalog.relation(op.parent)
    if parent is None or refuse_cycle(catalog, table, parent):
        return
    table = catalog.change(table, parents=(*table.parents, parent.oid))
    _adopt(catalog, table, parent)


def refuse_cycle(catalog: Catalog, child: Relation, parent: Relation) -> bool:
    """Refuses a table that would inherit from itself."""
    if child.oid != parent.oid and all(descendant.oid != parent.oid for descendant in catalog.descendants(child.oid)):
        return False
    catalog.add_refusal("circular inheritance not allowed", f"{child.name} would inherit from itself")
    return True


def _adopt(catalog: Catalog, child: Relation, parent: Relation) -> None:
    """Counts the columns and constraints that a child shares with its new parent as inherited."""
    is_partition = parent.kind is RelationKind.PARTITIONED
    columns = tuple(_with_parent(catalog, column, parent.column(column.name), is_partition=is_partition) for column in child.columns)
    child = catalog.change(child, columns=columns)
    for constraint in catalog.constraints(parent.oid):
        if constraint.kind is ConstraintKind.CHECK and not constraint.no_inherit:
            inherit_check(catalog, child, constraint)
        elif constraint.kind is ConstraintKind.NOT_NULL and not constraint.no_inherit:
            parent_column = parent.column_numbered(constraint.columns[0])
            child_column = child.column(parent_column.name) if parent_column is not None else None
            child_constraint = not_null_constraint(catalog, child.oid, child_column.number) if child_column is not None else None
            if child_constraint is not None:
                catalog.change(child_constraint, inherited=child_constraint.inherited + 1, local=child_constraint.local and not is_partition)


def _with_parent(catalog: Catalog, column: Column, parent_column: Column | None, *, is_partition: bool) -> Column:
    if parent_column is None:
        return column
    # Partitions have the identity of their parent since 17.
    identity = parent_column.identity if is_partition and catalog.pg_version >= versions.PARTITIONS_INHERIT_IDENTITY else column.identity
    return replace(column, inherited=column.inherited + 1, local=column.local and not is_partition, identity=identity)


def no_inherit(catalog: Catalog, op: sql.NoInherit, table: Relation) -> None:
    """NO INHERIT parent."""
    parent = catalog.relation(op.parent)
    if parent is not None:
        _leave(catalog, table, parent)


def _leave(catalog: Catalog, child: Relation, parent: Relation) -> None:
    """Removes a parent: columns and constraints that came only from it become the child's own (RemoveInheritance in tablecmds.c)."""
    is_partition = child.bound is not None
    columns = tuple(
        _without_parent(catalog, column, is_partition=is_partition) if parent.column(column.name) and column.inherited else column
        for column in child.columns
    )
    checks = {constraint.name.name for constraint in catalog.constraints(parent.oid) if constraint.kind is ConstraintKind.CHECK}
    not_null = {
        column.name
        for constraint in catalog.constraints(parent.oid)
        if constraint.kind is ConstraintKind.NOT_NULL
        and not constraint.no_inherit
        and (column := parent.column_numbered(constraint.columns[0])) is not None
    }
    child = catalog.change(child, parents=tuple(oid for oid in child.parents if oid != parent.oid), bound=None, columns=columns)
    for constraint in catalog.constraints(child.oid):
        if constraint.kind is ConstraintKind.NOT_NULL:
            column = child.column_numbered(constraint.columns[0])
            is_inherited = column is not None and column.name in not_null
        else:
            is_inherited = constraint.parent is not None or (constraint.kind is ConstraintKind.CHECK and constraint.name.name in checks)
        if is_inherited and constraint.inherited:
            remaining = constraint.inherited - 1
            catalog.change(constraint, parent=None, inherited=remaining, local=constraint.local or remaining == 0)
    for index in catalog.indexes(child.oid):
        if index.parent is not None:
            catalog.change(index, parent=None)
    for trigger in catalog.triggers(child.oid):
        if trigger.parent is not None:
            catalog.drop(trigger.oid)


def _without_parent(catalog: Catalog, column: Column, *, is_partition: bool) -> Column:
    remaining = column.inherited - 1
    identity = None if is_partition and catalog.pg_version >= versions.PARTITIONS_INHERIT_IDENTITY else column.identity
    return replace(column, inherited=remaining, local=column.local or remaining == 0, identity=identity)


def attach(catalog: Catalog, op: sql.AttachPartition, table: Relation | None) -> None:
    """ATTACH PARTITION, of a table or of an index."""
    index, part = catalog.index(op.target.name), catalog.index(op.partition)
    if index is not None:
        if part is not None:
            attach_index(catalog, index, part)
        return
    child = catalog.relation(op.partition)
    if table is None:
        return
    if child is None:
        catalog.change(table, may_have_rows=True, emptied=0)
        return
    if refuse_cycle(catalog, child, table):
        return
    if child.parents:
        catalog.add_refusal(
            f'"{child.name.name}" is already a partition' if child.bound is not None else "cannot attach inheritance child as partition"
        )
    if table.kind is not RelationKind.PARTITIONED:
        if table.complete:
            catalog.add_refusal(
                f'ALTER action ATTACH PARTITION cannot be performed on relation "{table.name.name}"'
                if catalog.pg_version >= versions.ACTION_NAMED_IN_ERRORS
                else f'table "{table.name.name}" is not partitioned'
            )
        table = catalog.change(table, kind=RelationKind.PARTITIONED)
    child = catalog.change(child, parents=(table.oid,), bound=op.bound)
    _adopt(catalog, child, table)
    if not catalog.is_empty(child):
        catalog.change(table, may_have_rows=True, emptied=0)
    clone_to_partition(catalog, catalog.require(Relation, table.oid), child.oid)


def detach(catalog: Catalog, op: sql.DetachPartition, table: Relation) -> None:
    """DETACH PARTITION."""
    child = catalog.relation(op.partition)
    if child is not None and table.oid in child.parents:
        _leave(catalog, child, table)
