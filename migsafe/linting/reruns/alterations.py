"""The objects that ALTER TABLE and similar statements create, drop or need, in addition to their relation."""

from collections.abc import Iterator
from typing import Any

from migsafe import expressions
from migsafe.linting.reruns.object_use import Action, ObjectUse, Outcome, Path
from migsafe.linting.reruns.paths import NamedObject, column_of, constraint_of, object_in_schema, relation_named
from migsafe.linting.reruns.registry import OBJECT_USES, ObjectUses
from migsafe.schema.catalog import Catalog
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Constraint, ConstraintKind, Name

_WITH_INDEX = (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY, ConstraintKind.EXCLUDE)


def constraint_paths(table: NamedObject, constraint: Constraint) -> Iterator[Path]:
    """Yields the paths of a constraint: its name, and the place of the primary key."""
    if constraint.kind is ConstraintKind.PRIMARY_KEY:
        yield (*table.path, "primary key")
    if constraint.name is not None:
        yield constraint_of(table, constraint.name).path


def _table(op: AlterRelation, catalog: Catalog) -> NamedObject:
    return relation_named(op.target.name, catalog, op.target.kind)


@OBJECT_USES.register(sql.AddColumn)
def _add_column(op: sql.AddColumn, catalog: Catalog) -> ObjectUses:
    table = _table(op, catalog)
    place = column_of(table, op.column.name)
    parts = tuple(path for constraint in op.column.constraints for path in constraint_paths(table, constraint))
    yield ObjectUse(action=Action.CREATES, path=place.path, label=place.label, error="duplicate_column", lenient=op.if_not_exists, parts=parts)


@OBJECT_USES.register(sql.DropColumn)
def _drop_column(op: sql.DropColumn, catalog: Catalog) -> ObjectUses:
    place = column_of(_table(op, catalog), op.column)
    yield ObjectUse(action=Action.DROPS, path=place.path, label=place.label, error="undefined_column", lenient=op.if_exists)


@OBJECT_USES.register(sql.RenameColumn)
def _rename_column(op: sql.RenameColumn, catalog: Catalog) -> ObjectUses:
    if op.target.kind == "type":
        place = object_in_schema("type", op.target.name, catalog)
        path, new_path, label = (*place.path, f"attribute {op.column}"), (*place.path, f"attribute {op.new_name}"), f"attribute {op.column}"
    else:
        table = _table(op, catalog)
        (path, label), new_path = column_of(table, op.column), column_of(table, op.new_name).path
    yield ObjectUse(action=Action.RENAMES, path=path, label=label, new_path=new_path, error="undefined_column")


@OBJECT_USES.register(sql.RenameConstraint)
def _rename_constraint(op: sql.RenameConstraint, catalog: Catalog) -> ObjectUses:
    if op.target.kind == "domain":
        place = object_in_schema("domain", op.target.name, catalog)
        path, new_path, label = (
            (*place.path, f"constraint {op.constraint}"),
            (*place.path, f"constraint {op.new_name}"),
            f"constraint {op.constraint}",
        )
    else:
        table = _table(op, catalog)
        (path, label), new_path = constraint_of(table, op.constraint), constraint_of(table, op.new_name).path
    yield ObjectUse(action=Action.RENAMES, path=path, label=label, new_path=new_path, error="undefined_object")


_RECONVERSIONS = {
    "converts again": "its USING converts the values a second time, or fails on them",
    "expects the old type": "its USING expects values of the old type, but they already have the new type",
}


@OBJECT_USES.register(sql.AlterColumnType)
def _alter_type(op: sql.AlterColumnType, catalog: Catalog) -> ObjectUses:
    yield from _needs_column(op, catalog)
    relation = catalog.relation(op.target.name)
    column = relation.column(op.column) if relation is not None else None
    old_type = column.type if column is not None else None
    reconversion = expressions.converts_again(op, old_type, catalog.pg_version) if op.using is not None else None
    if reconversion is not None:
        place = column_of(_table(op, catalog), op.column)
        yield ObjectUse(action=Action.REPEATS, path=place.path, label=place.label, reason=_RECONVERSIONS[reconversion], outcome=Outcome.EITHER)


@OBJECT_USES.register(sql.SetDefault, sql.DropDefault, sql.SetNotNull, sql.DropNotNull, sql.SetExpression, sql.SetIdentity)
def _needs_column(op: Any, catalog: Catalog) -> ObjectUses:
    place = column_of(_table(op, catalog), op.column)
    yield ObjectUse(action=Action.REQUIRES, path=place.path, label=place.label, error="undefined_column")


@OBJECT_USES.register(sql.DropExpression)
def _drop_expression(op: sql.DropExpression, catalog: Catalog) -> ObjectUses:
    place = column_of(_table(op, catalog), op.column)
    label = f"the expression of {place.label}"
    yield ObjectUse(
        action=Action.DROPS, path=(*place.path, "expression"), label=label, error="object_not_in_prerequisite_state", lenient=op.if_exists
    )


@OBJECT_USES.register(sql.AddIdentity)
def _add_identity(op: sql.AddIdentity, catalog: Catalog) -> ObjectUses:
    place = column_of(_table(op, catalog), op.column)
    label = f"an identity of {place.label}"
    yield ObjectUse(action=Action.CREATES, path=(*place.path, "identity"), label=label, error="object_not_in_prerequisite_state")


@OBJECT_USES.register(sql.DropIdentity)
def _drop_identity(op: sql.DropIdentity, catalog: Catalog) -> ObjectUses:
    place = column_of(_table(op, catalog), op.column)
    label = f"the identity of {place.label}"
    yield ObjectUse(
        action=Action.DROPS, path=(*place.path, "identity"), label=label, error="object_not_in_prerequisite_state", lenient=op.if_exists
    )


@OBJECT_USES.register(sql.AddConstraint)
def _add_constraint(op: sql.AddConstraint, catalog: Catalog) -> ObjectUses:
    table, constraint = _table(op, catalog), op.constraint
    if constraint.kind is ConstraintKind.NOT_NULL:
        return
    if constraint.kind is ConstraintKind.PRIMARY_KEY:
        label = f"a primary key of {table.label.rpartition(' ')[2]}"
        yield ObjectUse(action=Action.CREATES, path=(*table.path, "primary key"), label=label, error="invalid_table_definition")
        # It is refused as a second primary key before its name matters.
        place = constraint_of(table, constraint.name or default_name(op.target.name.name, (), "pkey"))
        yield ObjectUse(action=Action.CREATES, path=place.path, label=place.label, lenient=True)
        return
    if constraint.name is None:
        yield ObjectUse(
            action=Action.REPEATS,
            path=table.path,
            label=table.label,
            reason="it adds the same constraint a second time, under a numbered name",
        )
        return
    place = constraint_of(table, constraint.name)
    error = "" if constraint.index is not None else "duplicate_table" if constraint.kind in _WITH_INDEX else "duplicate_object"
    yield ObjectUse(action=Action.CREATES, path=place.path, label=place.label, error=error)
    if constraint.index is not None and constraint.index.name != constraint.name:
        # The index takes the constraint's name.
        index = relation_named(Name(constraint.index.name, catalog.resolve(op.target.name).schema), catalog, "index")
        yield ObjectUse(action=Action.DROPS, path=index.path, label=index.label, error="undefined_object")


@OBJECT_USES.register(sql.DropConstraint)
def _drop_constraint(op: sql.DropConstraint, catalog: Catalog) -> ObjectUses:
    table = _table(op, catalog)
    place = constraint_of(table, op.constraint)
    yield ObjectUse(action=Action.DROPS, path=place.path, label=place.label, error="undefined_object", lenient=op.if_exists)
    if _is_primary_key(op, catalog):
        yield ObjectUse(action=Action.DROPS, path=(*table.path, "primary key"), label=f"the primary key of {table.label}", lenient=True)


def _is_primary_key(op: sql.DropConstraint, catalog: Catalog) -> bool:
    table = catalog.relation(op.target.name)
    constraint = catalog.constraint(table.oid, op.constraint) if isinstance(table, Relation) else None
    return constraint.kind is ConstraintKind.PRIMARY_KEY if constraint is not None else op.constraint == f"{op.target.name.name}_pkey"


@OBJECT_USES.register(sql.ValidateConstraint, sql.AlterConstraint)
def _needs_constraint(op: sql.ValidateConstraint | sql.AlterConstraint, catalog: Catalog) -> ObjectUses:
    place = constraint_of(_table(op, catalog), op.constraint)
    yield ObjectUse(action=Action.REQUIRES, path=place.path, label=place.label, error="undefined_object")


@OBJECT_USES.register(sql.AttachPartition)
def _attach(op: sql.AttachPartition, catalog: Catalog) -> ObjectUses:
    if op.bound is None:
        return  # PostgreSQL skips an index that is already attached
    table = _table(op, catalog)
    part = relation_named(op.partition, catalog, "table")
    path, label = (*part.path, "partition"), f"{part.label} as a partition of {table.label.rpartition(' ')[2]}"
    yield ObjectUse(action=Action.CREATES, path=path, label=label, error="wrong_object_type")


@OBJECT_USES.register(sql.DetachPartition)
def _detach(op: sql.DetachPartition, catalog: Catalog) -> ObjectUses:
    table = _table(op, catalog)
    part = relation_named(op.partition, catalog, "table")
    path, label = (*part.path, "partition"), f"{part.label} as a partition of {table.label.rpartition(' ')[2]}"
    yield ObjectUse(action=Action.DROPS, path=path, label=label, error="undefined_table")


@OBJECT_USES.register(sql.MergePartitions, sql.SplitPartition)
def _merge_or_split(op: sql.MergePartitions | sql.SplitPartition, catalog: Catalog) -> ObjectUses:
    for name in op.partitions if isinstance(op, sql.MergePartitions) else (op.partition,):
        part = relation_named(name, catalog, "table")
        yield ObjectUse(action=Action.DROPS, path=part.path, label=part.label, error="undefined_table")
    for name in (op.into,) if isinstance(op, sql.MergePartitions) else tuple(name for name, _ in op.into):
        part = relation_named(name, catalog, "table")
        yield ObjectUse(action=Action.CREATES, path=part.path, label=part.label, error="duplicate_table")


@OBJECT_USES.register(sql.Inherit, sql.NoInherit)
def _inherit(op: sql.Inherit | sql.NoInherit, catalog: Catalog) -> ObjectUses:
    table, parent = _table(op, catalog), relation_named(op.parent, catalog, "table")
    path = (*table.path, f"parent {'.'.join(parent.path)}")
    label = f"{table.label} as a child of {parent.label.rpartition(' ')[2]}"
    action, error = (Action.CREATES, "duplicate_table") if isinstance(op, sql.Inherit) else (Action.DROPS, "undefined_table")
    yield ObjectUse(action=action, path=path, label=label, error=error)


@OBJECT_USES.register(sql.SetOptions, sql.SetColumnOptions)
def _options(op: sql.SetOptions | sql.SetColumnOptions, catalog: Catalog) -> ObjectUses:
    if not op.foreign:
        return
    table = _table(op, catalog)
    place = column_of(table, op.column) if isinstance(op, sql.SetColumnOptions) else table
    for option in op.options:
        yield from foreign_option(place, option.name)


def foreign_option(place: NamedObject, words: str) -> ObjectUses:
    """Yields the use of an option of a foreign-data object by ADD or DROP; without a verb it is ADD."""
    verb, _, name = words.rpartition(" ")
    if verb != "set":
        action = Action.DROPS if verb == "drop" else Action.CREATES
        yield ObjectUse(action=action, path=(*place.path, f"option {name}"), label=f"the option {name} of {place.label}")
