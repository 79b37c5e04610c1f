"""ALTER TABLE and similar statements."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from migsafe import versions
from migsafe.schema.altered_constraints import (
    apply_add_constraint,
    apply_alter_constraint,
    apply_drop_constraint,
    apply_rename_constraint,
    apply_validate,
    drop_or_refuse,
)
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists, note_removed_column
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.column_users import refuse_used
from migsafe.schema.columns import (
    add_sequence,
    alter_sequence_type,
    altered_column,
    build_column,
    composite_name,
    default_of,
    default_with_type,
    has_domain_default,
    has_unlogged_sequences,
    next_column_number,
    set_column,
    stored_type,
    with_sequence_default,
)
from migsafe.schema.constraints import add_constraint, distinct_constraints
from migsafe.schema.dependents import DropResult, Part, drop_parts, find_dropped_parts, forget_parts
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.formulas import formula, identifiers
from migsafe.schema.identity import add_identity, drop_identity, set_identity
from migsafe.schema.inheritance import attach, detach, inherit, no_inherit
from migsafe.schema.not_nulls import add_not_null, drop_not_null
from migsafe.schema.objects import Column, Relation, RelationKind
from migsafe.schema.older_relations import add_older_relation, kind_named
from migsafe.schema.partition_changes import merge_partitions, split_partition
from migsafe.schema.types import rename_in_type
from migsafe.schema.views import name_view_columns
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, ConstraintKind, Name
from migsafe.sql.operations.values import quoted


def altered_relation(catalog: Catalog, op: AlterRelation) -> Relation | None:
    """Returns the relation that an ALTER changes; adds an unknown one to the catalogue, as incomplete. None if IF EXISTS finds nothing,
    and for an index or a type."""
    target = op.target
    relation = catalog.relation(target.name)
    if relation is not None or target.kind in ("index", "type", "domain") or catalog.index(target.name) is not None:
        return relation
    if catalog.is_absent(target.name):
        if target.if_exists:
            return None
        catalog.add_refusal(f"relation {name_in_quotes(target.name)} does not exist")
    return add_older_relation(catalog, target.name, kind_named(target.kind))


def alter(catalog: Catalog, op: AlterRelation) -> None:
    """Applies one operation of ALTER TABLE."""
    if isinstance(op, sql.RenameColumn | sql.RenameConstraint) and op.target.kind in ("type", "domain"):
        rename_in_type(catalog, op)
        return
    change = _CHANGES.get(type(op))
    if change is None:
        return
    relation = altered_relation(catalog, op)
    if relation is not None or type(op) is sql.AttachPartition:
        change(catalog, op, relation)


def _below(catalog: Catalog, op: AlterRelation, table: Relation) -> list[Relation]:
    """Returns the table and, without ONLY, its descendants."""
    return [table] if op.target.only else [table, *catalog.descendants(table.oid)]


def _add_column(catalog: Catalog, op: sql.AddColumn, table: Relation) -> None:
    existing = table.column(op.column.name)
    if existing is not None:
        if op.if_not_exists:
            return
        if certainly_exists(catalog, table):
            catalog.add_refusal(f'column "{op.column.name}" of relation "{table.name.name}" already exists')
        drop_parts(catalog, find_dropped_parts(catalog, [Part(table.oid, existing.number)], cascade=True).parts)
        table = catalog.require(Relation, table.oid)
    if op.target.only and catalog.children(table.oid):
        catalog.add_refusal("column must be added to child tables too", help="-- leave out ONLY")
    column = op.column
    added = add_column(catalog, table, column)
    if added.not_null and catalog.pg_version >= versions.NOT_NULL_CONSTRAINTS:
        explicit = next((definition for definition in column.constraints if definition.kind is ConstraintKind.NOT_NULL), None)
        add_not_null(catalog, table.oid, added.number, explicit, is_new=True)
    names = tuple(definition.name for definition in column.constraints if definition.name is not None)
    for definition in distinct_constraints(column.constraints):
        add_constraint(catalog, table.oid, definition, only=op.target.only, reserved_names=names)


def add_column(catalog: Catalog, table: Relation, definition: sql.Column) -> Column:
    """Adds a column to a table and its descendants, without its constraints."""
    in_key = any(constraint.kind is ConstraintKind.PRIMARY_KEY for constraint in definition.constraints)
    built = build_column(catalog, next_column_number(table), definition, in_key)
    column = built.column
    if definition.generated is not None:
        column = replace(column, default=formula(definition.generated.expression, (*table.columns, column)))
    table = catalog.change(table, columns=(*table.columns, column), removed_columns=table.removed_columns - {column.name})
    if column.not_null and not (built.sequence or column.default or column.identity or has_domain_default(catalog, column.type)):
        # PostgreSQL refuses the column if the table has rows (ATRewriteTable in src/backend/commands/tablecmds.c).
        table = catalog.change(table, emptied=catalog.new_oid())
    if built.sequence:
        sequence = add_sequence(catalog, table, column, built.identity)
        if column.identity is None:
            column = with_sequence_default(column, sequence, catalog[sequence].name)
            set_column(catalog, table, column.number, default=column.default)
    for child in catalog.children(table.oid):
        inherit_column(catalog, child, column)
    return column


def inherit_column(catalog: Catalog, table: Relation, parent_column: Column) -> None:
    """Adds the parent's new column to a child; an existing column of that name becomes inherited."""
    existing = table.column(parent_column.name)
    if existing is not None:
        local = existing.local and table.bound is None
        set_column(catalog, table, existing.number, inherited=existing.inherited + 1, local=local)
        return
    # Partitions inherit identity since 17; other children never do.
    identity = parent_column.identity if table.bound is not None and catalog.pg_version >= versions.PARTITIONS_INHERIT_IDENTITY else None
    column = replace(parent_column, number=next_column_number(table), local=False, inherited=1, identity=identity)
    if parent_column.default is not None and parent_column.generated:
        column = replace(column, default=formula(parent_column.default.expression, (*table.columns, column)))
    catalog.change(table, columns=(*table.columns, column))
    for child in catalog.children(table.oid):
        inherit_column(catalog, child, column)


def _drop_column(catalog: Catalog, op: sql.DropColumn, table: Relation) -> None:
    column = table.column(op.column)
    if column is None:
        if not op.if_exists and table.complete and not catalog.may_have_part(table.oid, "column", op.column):
            catalog.add_refusal(f'column "{op.column}" of relation "{table.name.name}" does not exist')
        note_removed_column(catalog, table.oid, op.column)
        return
    _refuse_key(catalog, table, column, "drop")
    if column.inherited:
        catalog.add_refusal(f'cannot drop inherited column "{op.column}"', help="-- drop it from the parent table")
    if op.target.only and table.kind is RelationKind.PARTITIONED and catalog.children(table.oid):
        catalog.add_refusal("cannot drop column from only the partitioned table when partitions exist", help="-- leave out ONLY")
    dropped, remaining = _column_tree(catalog, table, column, only=op.target.only)
    result = find_dropped_parts(catalog, dropped, cascade=op.cascade)
    if op.cascade:
        forget_parts(catalog, set(find_dropped_parts(catalog, dropped, cascade=True, possible=True).parts) - set(result.parts))
    drop_or_refuse(catalog, result, Part(table.oid, column.number))
    for part, lost_parents in remaining.items():
        child = catalog.get(part.oid)
        child_column = child.column_numbered(part.column) if isinstance(child, Relation) else None
        if isinstance(child, Relation) and child_column is not None:
            inherited = max(child_column.inherited - lost_parents, 0)
            set_column(catalog, child, part.column, inherited=inherited, local=child_column.local or op.target.only)
    note_removed_column(catalog, table.oid, op.column)


def _refuse_key(catalog: Catalog, table: Relation, column: Column, verb: str) -> None:
    """Refuses changes of a partition key's columns."""
    key = table.partition_key
    if key is not None and any(
        element.column == column.name or (element.expression is not None and column.name in identifiers(element.expression.sql))
        for element in key.elements
    ):
        catalog.add_refusal(
            f'cannot {verb} column "{column.name}" because it is part of the partition key of relation "{table.name.name}"',
            help="-- create another partitioned table, and copy the rows",
        )


def column_drop_result(catalog: Catalog, table: Relation, column: Column, *, cascade: bool, only: bool = False) -> DropResult:
    """Returns the objects that are dropped with a column: also in the descendants, unless another parent or their own definition keeps it."""
    return find_dropped_parts(catalog, _column_tree(catalog, table, column, only=only)[0], cascade=cascade)


def _column_tree(catalog: Catalog, table: Relation, column: Column, *, only: bool) -> tuple[list[Part], dict[Part, int]]:
    """Returns the column and the descendants' columns that are dropped with it, and those that remain, with the number of parents that each
    loses."""
    dropped = [Part(table.oid, column.number)]
    lost_parents: dict[Part, int] = {}
    waiting = [table.oid]
    while waiting:
        for child in catalog.children(waiting.pop()):
            child_column = child.column(column.name)
            part = Part(child.oid, child_column.number) if child_column is not None else None
            if child_column is None or part is None or part in dropped:
                continue
            lost_parents[part] = lost_parents.get(part, 0) + 1
            if not only and not child_column.local and child_column.inherited <= lost_parents[part]:
                dropped.append(part)
                waiting.append(child.oid)
    return dropped, {part: count for part, count in lost_parents.items() if part not in dropped}


def _alter_type(catalog: Catalog, op: sql.AlterColumnType, table: Relation) -> None:
    if table.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED):
        catalog.add_refusal(
            f'ALTER action ALTER COLUMN ... SET DATA TYPE cannot be performed on relation "{table.name.name}"'
            if catalog.pg_version >= versions.ACTION_NAMED_IN_ERRORS
            else f'"{table.name.name}" is not a table, composite type, or foreign table',
            help="-- drop the view, and create it with the new type",
        )
    altered = altered_column(catalog, table, op.column)
    if altered.inherited:
        catalog.add_refusal(f'cannot alter inherited column "{op.column}"', help="-- alter it in the parent table")
    _refuse_key(catalog, table, altered, "alter")
    table = catalog.require(Relation, table.oid)
    refuse_used(catalog, table, altered_column(catalog, table, op.column))
    for relation in _below(catalog, op, catalog.require(Relation, table.oid)):
        column = relation.column(op.column)
        if column is not None:
            # Without COLLATE the column takes the collation of its new type.
            default = default_with_type(catalog, column, op.type)
            set_column(catalog, relation, column.number, type=stored_type(catalog, op.type), collation=op.collation, default=default)
            catalog.statistics.record_lost((relation.oid, column.number))
            if column.identity is not None:
                alter_sequence_type(catalog, relation, column.number, op.type.name)


def _set_default(catalog: Catalog, op: sql.SetDefault, table: Relation) -> None:
    altered_column(catalog, table, op.column)
    for relation in _below(catalog, op, catalog.require(Relation, table.oid)):
        column = relation.column(op.column)
        if column is not None:
            set_column(catalog, relation, column.number, default=default_of(catalog, op.default, column.type))


def _drop_default(catalog: Catalog, op: sql.DropDefault, table: Relation) -> None:
    altered_column(catalog, table, op.column)
    for relation in _below(catalog, op, catalog.require(Relation, table.oid)):
        column = relation.column(op.column)
        if column is not None:
            set_column(catalog, relation, column.number, default=None)


def _set_not_null(catalog: Catalog, op: sql.SetNotNull, table: Relation) -> None:
    column = altered_column(catalog, table, op.column)
    if op.target.only and table.kind is RelationKind.PARTITIONED and catalog.children(table.oid):
        catalog.add_refusal("constraint must be added to child tables too", "partitions have the NOT NULL of their parent", "-- leave out ONLY")
    add_not_null(catalog, table.oid, column.number, only=op.target.only)


def _drop_not_null(catalog: Catalog, op: sql.DropNotNull, table: Relation) -> None:
    column = altered_column(catalog, table, op.column)
    key = catalog.primary_key(table.oid)
    if key is not None and column.number in key.columns:
        catalog.add_refusal(f'column "{op.column}" is in a primary key', help="-- first drop the primary key")
    if column.identity:
        catalog.add_refusal(
            f'column "{op.column}" of relation "{table.name.name}" is an identity column',
            help=f"-- first: ALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)} DROP IDENTITY;",
        )
    drop_not_null(catalog, catalog.require(Relation, table.oid), op.column, only=op.target.only)


def _set_expression(catalog: Catalog, op: sql.SetExpression, table: Relation) -> None:
    column = altered_column(catalog, table, op.column)
    table = catalog.require(Relation, table.oid)
    for relation in _below(catalog, op, table):
        own_column = relation.column(column.name)
        if own_column is not None:
            set_column(catalog, relation, own_column.number, default=formula(op.expression, relation.columns))


def _drop_expression(catalog: Catalog, op: sql.DropExpression, table: Relation) -> None:
    column = altered_column(catalog, table, op.column)
    for relation in _below(catalog, op, catalog.require(Relation, table.oid)):
        own_column = relation.column(column.name)
        if own_column is not None and own_column.generated:
            set_column(catalog, relation, own_column.number, default=None, generated=None)


def _rename_column(catalog: Catalog, op: sql.RenameColumn, table: Relation) -> None:
    if table.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED):
        table = name_view_columns(catalog, table)
    for relation in _below(catalog, op, table):
        column = relation.column(op.column)
        if column is None:
            if relation.oid == table.oid and table.complete and table.kind is not RelationKind.VIEW:
                catalog.add_refusal(f'column "{op.column}" does not exist')
            note_removed_column(catalog, relation.oid, op.column, op.new_name)
            continue
        if relation.oid == table.oid and column.inherited:
            catalog.add_refusal(f'cannot rename inherited column "{op.column}"', help="-- rename it in the parent table")
        if relation.column(op.new_name) is not None:
            catalog.add_refusal(f'column "{op.new_name}" of relation "{relation.name.name}" already exists')
        set_column(catalog, relation, column.number, name=op.new_name)
        note_removed_column(catalog, relation.oid, op.column, op.new_name)


def _cluster_on(catalog: Catalog, op: sql.ClusterOn, table: Relation) -> None:
    index = catalog.index(Name(op.index, table.name.schema)) if op.index is not None else None
    catalog.change(table, clustered_on=index.oid if index is not None else None)


def _set_of_type(catalog: Catalog, op: sql.SetOfType, table: Relation) -> None:
    catalog.change(table, of_type=composite_name(catalog, op.type) if op.type is not None else None)


def _set_access_method(catalog: Catalog, op: sql.SetAccessMethod, table: Relation) -> None:
    catalog.change(table, method=op.method)


def _set_logged(catalog: Catalog, op: sql.SetLogged, table: Relation) -> None:
    persistence = sql.Persistence.PERMANENT if op.logged else sql.Persistence.UNLOGGED
    catalog.change(table, persistence=persistence)
    for sequence in tuple(catalog.dependents(table.oid, Relation)) if has_unlogged_sequences(catalog) else ():
        if sequence.owner and sequence.owner[0] == table.oid:
            catalog.change(sequence, persistence=persistence)


_CHANGES: dict[type[AlterRelation], Callable[[Catalog, Any, Any], None]] = {
    sql.AddColumn: _add_column,
    sql.DropColumn: _drop_column,
    sql.AlterColumnType: _alter_type,
    sql.SetDefault: _set_default,
    sql.DropDefault: _drop_default,
    sql.SetNotNull: _set_not_null,
    sql.DropNotNull: _drop_not_null,
    sql.SetExpression: _set_expression,
    sql.DropExpression: _drop_expression,
    sql.AddIdentity: add_identity,
    sql.SetIdentity: set_identity,
    sql.DropIdentity: drop_identity,
    sql.AddConstraint: apply_add_constraint,
    sql.AlterConstraint: apply_alter_constraint,
    sql.ValidateConstraint: apply_validate,
    sql.DropConstraint: apply_drop_constraint,
    sql.Inherit: inherit,
    sql.NoInherit: no_inherit,
    sql.AttachPartition: attach,
    sql.DetachPartition: detach,
    sql.MergePartitions: merge_partitions,
    sql.SplitPartition: split_partition,
    sql.RenameColumn: _rename_column,
    sql.RenameConstraint: apply_rename_constraint,
    sql.ClusterOn: _cluster_on,
    sql.SetOfType: _set_of_type,
    sql.SetAccessMethod: _set_access_method,
    sql.SetLogged: _set_logged,
}

SCHEMA_CHANGES.register(*_CHANGES)(alter)
