"""CREATE TABLE in all its forms."""

from collections.abc import Iterable

from msgspec.structs import replace

from migsafe.schema.catalog import TEMPORARY, Catalog
from migsafe.schema.columns import Built, add_sequence, built, composite_columns, drawing, generate
from migsafe.schema.constraints import (
    LABELS,
    add_constraint,
    add_not_null_constraint,
    behind_index,
    inherit_check,
    inherit_foreign_key,
    not_null_constraint,
    put_behind_index,
)
from migsafe.schema.dependents import Part, fall, remove
from migsafe.schema.formulas import formula
from migsafe.schema.indexes import add_index, for_partition, free_index_name, part_for
from migsafe.schema.objects import Column, Constraint, Index, Relation, RelationKind, Trigger
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, CreateTable, Like, Name, Persistence


def new_name(catalog: Catalog, name: Name, persistence: Persistence) -> Name:
    """The name under which CREATE makes a relation."""
    return Name(name.name, TEMPORARY) if persistence is Persistence.TEMPORARY else catalog.in_first_schema(name)


def make_room(catalog: Catalog, name: Name, *, if_not_exists: bool) -> bool:
    """Whether CREATE makes a relation of this name. One that exists is refused, and gone: the later statement is believed."""
    before = catalog.relation(name) or catalog.index(name)
    if before is None:
        return True
    if if_not_exists:
        return False
    catalog.refuse(f"relation {name} already exists")
    remove(catalog, fall(catalog, [Part(before.oid)]).parts)
    return True


def is_surely_made(catalog: Catalog, name: Name, *, if_not_exists: bool) -> bool:
    """Whether a CREATE that PostgreSQL takes surely makes something new, and does not find an old one that no migration made."""
    return not if_not_exists or catalog.is_absent(name)


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
        of_type=catalog.in_first_schema(op.of_type) if op.of_type else None,
        method=op.method,
        made_in=catalog.migration,
        filled=not surely,
    )
    if len(parents) < len(op.inherits) + bool(op.partition_of) or any(not parent.complete for parent in parents):
        table = replace(table, complete=False)
    catalog.put(table)
    _give_columns(catalog, table, op, parents)
    for parent in parents:
        _inherit_checks(catalog, table.oid, parent)
    for like in op.likes:
        _copy_like(catalog, table.oid, like)
    _add_constraints(catalog, table.oid, op)
    if catalog.pg_version >= 18:
        _name_not_nulls(catalog, table.oid, op, parents)
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
            catalog.refuse(f"relation {catalog.resolve(name)} does not exist")
    return found


def _give_columns(catalog: Catalog, table: Relation, op: CreateTable, parents: list[Relation]) -> None:
    key = next((one.columns for one in op.constraints if one.kind is ConstraintKind.PRIMARY_KEY), ())
    # 18 has NOT NULL as a table constraint too.
    not_null = {name for one in op.constraints if one.kind is ConstraintKind.NOT_NULL for name in one.columns}
    columns = _inherited(catalog, parents, is_partition=op.partition_of is not None)
    for column in composite_columns(catalog, op.of_type) if op.of_type else ():
        columns[column.name] = column
    for like in op.likes:
        for column in _like_columns(catalog, like):
            columns[column.name] = replace(column, number=len(columns) + 1)
    needs: list[Column] = []
    for definition in op.columns:
        in_key = definition.name in key or any(one.kind is ConstraintKind.PRIMARY_KEY for one in definition.constraints)
        made = built(catalog, len(columns) + 1, definition, in_key or definition.name in not_null)
        made = _merged(columns[definition.name], made, definition) if definition.name in columns else made
        columns[definition.name] = made.column
        if made.sequence:
            needs.append(made.column)
    for name in (*key, *not_null):
        if name in columns:
            columns[name] = replace(columns[name], not_null=True)
    table = catalog.change(table, columns=generate(columns.values(), op.columns))
    for column in needs:
        sequence = add_sequence(catalog, table, column)
        if column.identity is None:
            its_name = catalog[sequence].name
            columns_now = tuple(drawing(one, sequence, its_name) if one.number == column.number else one for one in table.columns)
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
            identity = column.identity if is_partition and catalog.pg_version >= 17 else None
            found[column.name] = replace(column, number=len(found) + 1, local=False, inherited=1, identity=identity)
    return found


def _merged(inherited: Column, made: Built, definition: sql.Column) -> Built:
    """An inherited column that the statement mentions too: what it says comes on top."""
    own = made.column
    column = replace(
        inherited,
        local=definition.type is not None,
        not_null=inherited.not_null or own.not_null,
        default=own.default or inherited.default,
        generated=own.generated or inherited.generated,
        identity=own.identity or inherited.identity,
    )
    return Built(column, made.sequence)


def _inherit_checks(catalog: Catalog, oid: int, parent: Relation) -> None:
    for constraint in catalog.constraints(parent.oid):
        if constraint.kind is ConstraintKind.CHECK and not constraint.no_inherit:
            inherit_check(catalog, catalog.the(Relation, oid), constraint)


def _add_constraints(catalog: Catalog, oid: int, op: CreateTable) -> None:
    given = [one for column in op.columns for one in column.constraints] + list(op.constraints)
    names = tuple(one.name for one in given if one.name is not None)
    for kinds in (
        (ConstraintKind.CHECK,),
        (ConstraintKind.PRIMARY_KEY,),
        (ConstraintKind.UNIQUE, ConstraintKind.EXCLUDE),
        (ConstraintKind.FOREIGN_KEY,),
    ):
        for one in given:
            if one.kind in kinds:
                add_constraint(catalog, oid, one, fresh=True, others=names)


def _name_not_nulls(catalog: Catalog, oid: int, op: CreateTable, parents: list[Relation]) -> None:
    """18's constraints behind the NOT NULL columns of a new table."""
    given = [one for column in op.columns for one in column.constraints] + list(op.constraints)
    named = {one.columns[0]: one for one in given if one.kind is ConstraintKind.NOT_NULL and one.columns}
    table = catalog.the(Relation, oid)
    sources = [source for like in op.likes if (source := catalog.relation(like.table)) is not None]
    for column in table.columns:
        if not column.not_null:
            continue
        above, copied = _not_nulls_of(catalog, parents, column.name), _not_nulls_of(catalog, sources, column.name)
        written = named.get(column.name)
        name = written.name if written is not None and written.name else next((one.name.name for one in (*above, *copied)), None)
        add_not_null_constraint(catalog, table, column, name, inherited=bool(above))


def _not_nulls_of(catalog: Catalog, relations: list[Relation], column: str) -> list[Constraint]:
    """The constraints behind a NOT NULL column of some relations."""
    found = ((one, one.column(column)) for one in relations)
    constraints = (not_null_constraint(catalog, one.oid, theirs.number) for one, theirs in found if theirs is not None)
    return [constraint for constraint in constraints if constraint is not None]


def clone_to_partition(catalog: Catalog, parent: Relation, oid: int) -> None:
    """Give a partition its parts of the parent's indexes, its foreign keys and row triggers."""
    for index in catalog.indexes(parent.oid):
        behind = behind_index(catalog, index)
        label = LABELS[behind.kind] if behind else "idx"
        part = part_for(catalog, catalog.the(Relation, oid), index, label, constraint=behind is not None)
        if part is not None and behind:
            _constrain_part(catalog, part, behind)
    for constraint in catalog.constraints(parent.oid):
        if constraint.kind is ConstraintKind.FOREIGN_KEY:
            inherit_foreign_key(catalog, catalog.the(Relation, oid), constraint)
    for trigger in catalog.triggers(parent.oid):
        if trigger.row:
            add_trigger_part(catalog, trigger, catalog.the(Relation, oid))


def _constrain_part(catalog: Catalog, part: Index, above: Constraint) -> None:
    already = behind_index(catalog, part)
    if already is not None:
        catalog.change(already, parent=above.oid, local=False, inherited=1)
        return
    given = sql.Constraint(above.kind, sql.Column("").span, deferrable=above.deferrable, initially_deferred=above.initially_deferred)
    put_behind_index(catalog, part.table, part, given, above.oid)


def add_trigger_part(catalog: Catalog, trigger: Trigger, child: Relation) -> None:
    """Give a partition, and those below it, a row trigger of its parent."""
    part = replace(trigger, oid=catalog.new_oid(), table=child.oid, parent=trigger.oid, name=Name(trigger.name.name, child.name.schema))
    catalog.put(part)
    for grandchild in catalog.children(child.oid):
        add_trigger_part(catalog, part, grandchild)


def _wanted(like: Like) -> set[str]:
    """What LIKE's options include: all but comments and storage are of interest here."""
    every = {"constraints", "defaults", "identity", "generated", "indexes", "statistics"}
    found: set[str] = set()
    for option in like.options:
        verb, what = option.split(" ", 1)
        names = every if what == "all" else {what}
        found = found | names if verb == "including" else found - names
    return found


def _like_columns(catalog: Catalog, like: Like) -> Iterable[Column]:
    source = catalog.relation(like.table)
    if source is None:
        if catalog.is_absent(like.table):
            catalog.refuse(f"relation {catalog.resolve(like.table)} does not exist")
        return
    wanted = _wanted(like)
    for column in source.columns:
        keeps_default = "generated" in wanted if column.generated else "defaults" in wanted
        yield replace(
            column,
            default=column.default if keeps_default else None,
            generated=column.generated if keeps_default else None,
            identity=column.identity if "identity" in wanted else None,
            local=True,
            inherited=0,
        )


def _copy_like(catalog: Catalog, oid: int, like: Like) -> None:
    """What LIKE copies beside the columns: CHECKs under their names, indexes under names of the new table."""
    source = catalog.relation(like.table)
    table = catalog.the(Relation, oid)
    if source is None or not source.complete:
        catalog.change(table, complete=False)
        return
    wanted = _wanted(like)
    for column in table.columns:
        if column.identity and source.column(column.name) is not None:
            add_sequence(catalog, table, column)
    if "constraints" in wanted:
        for constraint in catalog.constraints(source.oid):
            if constraint.kind is ConstraintKind.CHECK and constraint.check is not None:
                bound = formula(constraint.check.expression, table.columns)
                copy = replace(constraint, oid=catalog.new_oid(), name=Name(constraint.name.name, table.name.schema), table=oid)
                catalog.put(replace(copy, check=bound, columns=bound.columns, local=True, inherited=0, parent=None))
    if "indexes" in wanted:
        for index in catalog.indexes(source.oid):
            _copy_index(catalog, table, source, index)


def _copy_index(catalog: Catalog, table: Relation, source: Relation, index: Index) -> None:
    behind = behind_index(catalog, index)
    copy = for_partition(source, table, index)
    label = LABELS[behind.kind] if behind else "idx"
    name = free_index_name(catalog, table, copy.keys, copy.include, label, constraint=behind is not None)
    index = add_index(catalog, replace(copy, oid=catalog.new_oid(), name=name, parent=None, table=table.oid))
    if behind:
        given = sql.Constraint(behind.kind, sql.Column("").span, deferrable=behind.deferrable)
        put_behind_index(catalog, table.oid, index, given)
