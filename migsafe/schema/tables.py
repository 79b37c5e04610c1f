"""CREATE TABLE in all its forms."""

from msgspec.structs import replace

from migsafe import versions
from migsafe.schema.catalog import TEMPORARY, Catalog
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
from migsafe.schema.indexes import part_for
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
    before = catalog.relation(name) or catalog.index(name)
    if before is None:
        return True
    if if_not_exists:
        return False
    catalog.add_refusal(f"relation {name} already exists")
    drop_parts(catalog, find_dropped_parts(catalog, [Part(before.oid)]).parts)
    return True


def is_surely_made(catalog: Catalog, name: Name, *, if_not_exists: bool) -> bool:
    """Whether a CREATE that succeeds certainly creates a relation, and does not find an existing one that no migration created."""
    return not if_not_exists or catalog.is_absent(name)


@SCHEMA_CHANGES.register(sql.CreateTable)
def create_table(catalog: Catalog, op: CreateTable) -> None:
    """CREATE TABLE, CREATE FOREIGN TABLE."""
    name = new_name(catalog, op.table, op.persistence)
    surely = is_surely_made(catalog, name, if_not_exists=op.if_not_exists)
    if not make_room(catalog, name, if_not_exists=op.if_not_exists):
        return
    parents = _parents(catalog, op)
    kind = RelationKind.PARTITIONED if op.partition_by else RelationKind.FOREIGN if op.server is not None else RelationKind.TABLE
    table = Relation(
        oid=catalog.new_oid(),
        name=name,
        kind=kind,
        complete=surely or not op.if_not_exists,
        persistence=op.persistence,
        partition_key=op.partition_by,
        bound=op.bound,
        parents=tuple(parent.oid for parent in parents),
        of_type=composite_name(catalog, op.of_type) if op.of_type else None,
        method=op.method,
        created_in=catalog.migration,
        may_have_rows=not surely,
    )
    if len(parents) < len(op.inherits) + bool(op.partition_of) or any(not parent.complete for parent in parents):
        table = replace(table, complete=False)
    catalog.store(table)
    _give_columns(catalog, table, op, parents)
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
    found: list[Relation] = []
    for name in (*op.inherits, *((op.partition_of,) if op.partition_of else ())):
        parent = catalog.relation(name)
        if parent is not None:
            found.append(parent)
        elif catalog.is_absent(name):
            catalog.add_refusal(f"relation {catalog.resolve(name)} does not exist")
    return found


def _give_columns(catalog: Catalog, table: Relation, op: CreateTable, parents: list[Relation]) -> None:
    key = next((one.columns for one in op.constraints if one.kind is ConstraintKind.PRIMARY_KEY), ())
    # 18 has NOT NULL as a table constraint too.
    not_null = {name for one in op.constraints if one.kind is ConstraintKind.NOT_NULL for name in one.columns}
    columns = _inherited(catalog, parents, is_partition=op.partition_of is not None)
    for column in composite_columns(catalog, op.of_type) if op.of_type else ():
        columns[column.name] = column
    for like in op.likes:
        for column in like_columns(catalog, like):
            above = columns.get(column.name)
            columns[column.name] = _over(above, column) if above is not None else replace(column, number=len(columns) + 1)
    needs: list[Column] = []
    for definition in op.columns:
        in_key = definition.name in key or any(one.kind is ConstraintKind.PRIMARY_KEY for one in definition.constraints)
        made = build_column(catalog, len(columns) + 1, definition, in_key or definition.name in not_null)
        made = _merged(catalog, columns[definition.name], made, definition) if definition.name in columns else made
        columns[definition.name] = made.column
        if made.sequence:
            needs.append(made.column)
    for name in (*key, *not_null):
        if name in columns:
            columns[name] = replace(columns[name], not_null=True)
    table = catalog.change(table, columns=bind_generated_columns(columns.values(), op.columns))
    for column in needs:
        sequence = add_sequence(catalog, table, column)
        if column.identity is None:
            its_name = catalog[sequence].name
            columns_now = tuple(with_sequence_default(one, sequence, its_name) if one.number == column.number else one for one in table.columns)
            table = catalog.change(table, columns=columns_now)


def _inherited(catalog: Catalog, parents: list[Relation], *, is_partition: bool) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for parent in parents:
        for column in parent.columns:
            before = found.get(column.name)
            if before is not None:
                not_null = before.not_null or column.not_null
                found[column.name] = replace(
                    before, inherited=before.inherited + 1, not_null=not_null, default=before.default or column.default
                )
                continue
            # Identity columns are inherited by partitions since 17 (release notes), by other children never.
            identity = column.identity if is_partition and catalog.pg_version >= versions.PARTITIONS_INHERIT_IDENTITY else None
            found[column.name] = replace(column, number=len(found) + 1, local=False, inherited=1, identity=identity)
    return found


def _merged(catalog: Catalog, above: Column, made: BuiltColumn, definition: sql.Column) -> BuiltColumn:
    """Merges a column of a parent, or of the composite type of the table, with its definition in the statement."""
    column = _over(above, made.column)
    if definition.default is not None:
        # DEFAULT NULL is none, whatever the parent's.
        column = replace(column, default=default_of(catalog, definition.default, above.type))
    return BuiltColumn(replace(column, local=above.local or definition.type is not None), made.sequence)


def _over(above: Column, own: Column) -> Column:
    """Merges an inherited column with the table's own definition of it."""
    return replace(
        above,
        local=True,
        not_null=above.not_null or own.not_null,
        default=own.default or above.default,
        generated=own.generated or above.generated,
        identity=own.identity or above.identity,
    )


def _inherit_checks(catalog: Catalog, oid: int, parent: Relation) -> None:
    for constraint in catalog.constraints(parent.oid):
        if constraint.kind is ConstraintKind.CHECK and not constraint.no_inherit:
            inherit_check(catalog, catalog.require(Relation, oid), constraint, fresh=True)


def _add_constraints(catalog: Catalog, oid: int, op: CreateTable) -> None:
    given = [one for column in op.columns for one in column.constraints] + list(op.constraints)
    names = tuple(one.name for one in given if one.name is not None)
    for one in distinct_constraints(given):
        add_constraint(catalog, oid, one, fresh=True, others=names)


def clone_to_partition(catalog: Catalog, parent: Relation, oid: int) -> None:
    """Adds the parts of the parent's indexes, its foreign keys and row triggers to a partition."""
    for index in catalog.indexes(parent.oid):
        behind = constraint_of_index(catalog, index)
        label = LABELS[behind.kind] if behind else "idx"
        part = part_for(catalog, catalog.require(Relation, oid), index, label, constraint=behind is not None)
        if part is not None and behind:
            _constrain_part(catalog, part, behind)
    for constraint in catalog.constraints(parent.oid):
        if constraint.kind is ConstraintKind.FOREIGN_KEY:
            inherit_foreign_key(catalog, catalog.require(Relation, oid), constraint)
    for trigger in catalog.triggers(parent.oid):
        if trigger.row:
            add_trigger_part(catalog, trigger, catalog.require(Relation, oid))


def _constrain_part(catalog: Catalog, part: Index, above: Constraint) -> None:
    already = constraint_of_index(catalog, part)
    if already is not None:
        catalog.change(already, parent=above.oid, local=False, inherited=1)
        return
    given = sql.Constraint(
        kind=above.kind, span=sql.Column(name="").span, deferrable=above.deferrable, initially_deferred=above.initially_deferred
    )
    add_index_constraint(catalog, part.table, part, given, above.oid)


def add_trigger_part(catalog: Catalog, trigger: Trigger, child: Relation) -> None:
    """Adds a row trigger of the parent to a partition and its descendants."""
    part = replace(trigger, oid=catalog.new_oid(), table=child.oid, parent=trigger.oid, name=Name(trigger.name.name, child.name.schema))
    catalog.store(part)
    for grandchild in catalog.children(child.oid):
        add_trigger_part(catalog, part, grandchild)
