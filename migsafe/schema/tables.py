"""CREATE TABLE in all its forms."""

from msgspec.structs import replace

from migsafe import versions
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.columns import (
    BuiltColumn,
    add_sequence,
    bind_generated_columns,
    build_column,
    composite_columns,
    composite_name,
    default_of,
    with_sequence_default,
)
from migsafe.schema.constraints import (
    LABELS,
    add_constraint,
    add_index_constraint,
    constraint_of_index,
    distinct_constraints,
    inherit_check,
    inherit_foreign_key,
)
from migsafe.schema.dependents import Part, drop_parts, find_dropped_parts
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.indexes import part_for
from migsafe.schema.known_objects import TEMPORARY
from migsafe.schema.likes import copy_like, like_columns
from migsafe.schema.not_nulls import name_not_nulls
from migsafe.schema.objects import Column, Constraint, Index, Relation, RelationKind, Trigger
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, CreateTable, Name, Persistence


def new_name(catalog: Catalog, name: Name, persistence: Persistence) -> Name:
    """Returns the qualified name under which CREATE creates a relation."""
    return Name(name.name, TEMPORARY) if persistence is Persistence.TEMPORARY else catalog.in_first_schema(name)


def make_room(catalog: Catalog, name: Name, *, if_not_exists: bool) -> bool:
    """Whether CREATE creates a relation of this name. If one exists, the statement is refused, but still replaces the existing one."""
    existing = catalog.relation(name) or catalog.index(name)
    if existing is None:
        return True
    if if_not_exists:
        return False
    if certainly_exists(catalog, existing) and not _is_used_before(catalog, existing):
        catalog.add_refusal(f'relation "{name.name}" already exists')
    if catalog.keeps_existing:
        return False
    drop_parts(catalog, find_dropped_parts(catalog, [Part(existing.oid)]).parts)
    return True


def _is_used_before(catalog: Catalog, existing: Relation | Index) -> bool:
    """Whether only an earlier statement of the migration shows that a relation exists: that statement is the one that is refused."""
    is_made = not isinstance(existing, Relation) or existing.created_in >= 0
    return not is_made and any(catalog.in_first_schema(name) == existing.name for name in catalog.created_relations)


def is_certainly_created(catalog: Catalog, name: Name, *, if_not_exists: bool) -> bool:
    """Whether a CREATE that succeeds certainly creates a relation, and does not find an existing one that no migration created."""
    return not if_not_exists or catalog.is_free(name)


@SCHEMA_CHANGES.register(sql.CreateTable)
def create_table(catalog: Catalog, op: CreateTable) -> None:
    """CREATE TABLE, CREATE FOREIGN TABLE."""
    name = new_name(catalog, op.table, op.persistence)
    is_created = is_certainly_created(catalog, name, if_not_exists=op.if_not_exists)
    may_be_older = not is_created and not catalog.origin.presumes_absent(name, catalog.migration)
    if not make_room(catalog, name, if_not_exists=op.if_not_exists):
        return
    parents = _parents(catalog, op)
    kind = RelationKind.PARTITIONED if op.partition_by else RelationKind.FOREIGN if op.server is not None else RelationKind.TABLE
    table = Relation(
        oid=catalog.new_oid(),
        name=name,
        kind=kind,
        complete=is_created or not op.if_not_exists,
        persistence=op.persistence,
        partition_key=op.partition_by,
        bound=op.bound,
        parents=tuple(parent.oid for parent in parents),
        of_type=composite_name(catalog, op.of_type) if op.of_type else None,
        method=op.method,
        server=op.server,
        created_in=catalog.migration,
        may_be_older=may_be_older,
    )
    if len(parents) < len(op.inherits) + bool(op.partition_of) or any(not parent.complete for parent in parents):
        table = replace(table, complete=False)
    catalog.store(table)
    _add_columns(catalog, table, op, parents)
    for parent in parents:
        _inherit_checks(catalog, table.oid, parent)
    if catalog.pg_version >= versions.NOT_NULL_CONSTRAINTS:
        name_not_nulls(catalog, table.oid, op, parents)
    _add_constraints(catalog, table.oid, op)
    for like in op.likes:
        copy_like(catalog, table.oid, like)
    if op.partition_of is not None:
        for parent in parents:
            clone_to_partition(catalog, parent, table.oid)


def _parents(catalog: Catalog, op: CreateTable) -> list[Relation]:
    parents: list[Relation] = []
    for name in (*op.inherits, *((op.partition_of,) if op.partition_of else ())):
        parent = catalog.relation(name)
        if parent is not None:
            parents.append(parent)
        elif catalog.is_absent(name):
            catalog.add_refusal(f"relation {name_in_quotes(name)} does not exist")
    return parents


def _add_columns(catalog: Catalog, table: Relation, op: CreateTable, parents: list[Relation]) -> None:
    key = next((constraint.columns for constraint in op.constraints if constraint.kind is ConstraintKind.PRIMARY_KEY), ())
    # Since 18, NOT NULL can also be a table constraint.
    not_null = {name for constraint in op.constraints if constraint.kind is ConstraintKind.NOT_NULL for name in constraint.columns}
    columns = _inherited_columns(catalog, parents, is_partition=op.partition_of is not None)
    for column in composite_columns(catalog, op.of_type) if op.of_type else ():
        columns[column.name] = column
    for like in op.likes:
        for column in like_columns(catalog, like):
            earlier = columns.get(column.name)
            columns[column.name] = _override_column(earlier, column) if earlier is not None else replace(column, number=len(columns) + 1)
    serial_columns: list[BuiltColumn] = []
    for definition in op.columns:
        in_key = definition.name in key or any(constraint.kind is ConstraintKind.PRIMARY_KEY for constraint in definition.constraints)
        built = build_column(catalog, len(columns) + 1, definition, in_key or definition.name in not_null)
        built = _merge_definition(catalog, columns[definition.name], built, definition) if definition.name in columns else built
        columns[definition.name] = built.column
        if built.sequence:
            serial_columns.append(built)
    for name in (*key, *not_null):
        if name in columns:
            columns[name] = replace(columns[name], not_null=True)
    table = catalog.change(table, columns=bind_generated_columns(columns.values(), op.columns))
    for built in serial_columns:
        column = built.column
        sequence = add_sequence(catalog, table, column, built.identity)
        if column.identity is None:
            sequence_name = catalog[sequence].name
            changed_columns = tuple(
                with_sequence_default(table_column, sequence, sequence_name) if table_column.number == column.number else table_column
                for table_column in table.columns
            )
            table = catalog.change(table, columns=changed_columns)


def _inherited_columns(catalog: Catalog, parents: list[Relation], *, is_partition: bool) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for parent in parents:
        for column in parent.columns:
            earlier = columns.get(column.name)
            if earlier is not None:
                not_null = earlier.not_null or column.not_null
                columns[column.name] = replace(
                    earlier, inherited=earlier.inherited + 1, not_null=not_null, default=earlier.default or column.default
                )
                continue
            # Identity columns are inherited by partitions since 17 (release notes), by other children never.
            identity = column.identity if is_partition and catalog.pg_version >= versions.PARTITIONS_INHERIT_IDENTITY else None
            columns[column.name] = replace(column, number=len(columns) + 1, local=False, inherited=1, identity=identity)
    return columns


def _merge_definition(catalog: Catalog, inherited_column: Column, built: BuiltColumn, definition: sql.Column) -> BuiltColumn:
    """Merges a column of a parent, or of the composite type of the table, with its definition in the statement."""
    column = _override_column(inherited_column, built.column)
    if definition.default is not None:
        # DEFAULT NULL means no default, even if the parent has one.
        column = replace(column, default=default_of(catalog, definition.default, inherited_column.type))
    return BuiltColumn(replace(column, local=inherited_column.local or definition.type is not None), built.sequence, built.identity)


def _override_column(inherited_column: Column, own_column: Column) -> Column:
    """Merges an inherited column with the table's own definition of it."""
    return replace(
        inherited_column,
        local=True,
        not_null=inherited_column.not_null or own_column.not_null,
        default=own_column.default or inherited_column.default,
        generated=own_column.generated or inherited_column.generated,
        identity=own_column.identity or inherited_column.identity,
    )


def _inherit_checks(catalog: Catalog, oid: int, parent: Relation) -> None:
    for constraint in catalog.constraints(parent.oid):
        if constraint.kind is ConstraintKind.CHECK and not constraint.no_inherit:
            inherit_check(catalog, catalog.require(Relation, oid), constraint, is_new=True)


def _add_constraints(catalog: Catalog, oid: int, op: CreateTable) -> None:
    definitions = [definition for column in op.columns for definition in column.constraints] + list(op.constraints)
    names = tuple(definition.name for definition in definitions if definition.name is not None)
    for definition in distinct_constraints(definitions):
        add_constraint(catalog, oid, definition, is_new=True, reserved_names=names)


def clone_to_partition(catalog: Catalog, parent: Relation, oid: int) -> None:
    """Adds the parts of the parent's indexes, its foreign keys and row triggers to a partition."""
    for index in catalog.indexes(parent.oid):
        index_constraint = constraint_of_index(catalog, index)
        label = LABELS[index_constraint.kind] if index_constraint else "idx"
        part = part_for(catalog, catalog.require(Relation, oid), index, label, constraint=index_constraint is not None)
        if part is not None and index_constraint:
            _constrain_part(catalog, part, index_constraint)
    for constraint in catalog.constraints(parent.oid):
        if constraint.kind is ConstraintKind.FOREIGN_KEY:
            inherit_foreign_key(catalog, catalog.require(Relation, oid), constraint)
    for trigger in catalog.triggers(parent.oid):
        if trigger.row:
            add_trigger_part(catalog, trigger, catalog.require(Relation, oid))


def _constrain_part(catalog: Catalog, part: Index, parent_constraint: Constraint) -> None:
    existing = constraint_of_index(catalog, part)
    if existing is not None:
        catalog.change(existing, parent=parent_constraint.oid, local=False, inherited=1)
        return
    definition = sql.Constraint(
        kind=parent_constraint.kind,
        span=sql.Column(name="").span,
        deferrable=parent_constraint.deferrable,
        initially_deferred=parent_constraint.initially_deferred,
    )
    add_index_constraint(catalog, part.table, part, definition, parent_constraint.oid)


def add_trigger_part(catalog: Catalog, trigger: Trigger, child: Relation) -> None:
    """Adds a row trigger of the parent to a partition and its descendants."""
    part = replace(trigger, oid=catalog.new_oid(), table=child.oid, parent=trigger.oid, name=Name(trigger.name.name, child.name.schema))
    catalog.store(part)
    for grandchild in catalog.children(child.oid):
        add_trigger_part(catalog, part, grandchild)
