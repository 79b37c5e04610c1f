"""The operations of ALTER TABLE on constraints."""

from collections.abc import Iterator

from migsafe import versions
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.constraint_names import may_be_named, named_constraint
from migsafe.schema.constraints import add_constraint
from migsafe.schema.default_names import default_name
from migsafe.schema.dependents import DropResult, Part, drop_parts, find_dropped_parts
from migsafe.schema.descriptions import describe
from migsafe.schema.not_nulls import child_not_nulls as not_nulls_below
from migsafe.schema.not_nulls import drop_not_null, inherit_not_null
from migsafe.schema.objects import Constraint, Index, Relation, RelationKind
from migsafe.schema.refused_drops import drop_refused
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name
from migsafe.sql.operations.values import quoted

_NAME_IS_INHERITED = (ConstraintKind.CHECK, ConstraintKind.NOT_NULL)
"""The kinds of constraint that have the same name in the descendants, so that a rename applies to all of them."""


_LABELS = {
    ConstraintKind.PRIMARY_KEY: "pkey",
    ConstraintKind.UNIQUE: "key",
    ConstraintKind.FOREIGN_KEY: "fkey",
    ConstraintKind.CHECK: "check",
    ConstraintKind.EXCLUDE: "excl",
}


def drop_or_refuse(catalog: Catalog, result: DropResult, part: Part) -> None:
    """Drops a column or a constraint; refuses it if other objects depend on it."""
    certain = next((held for held in result.held_by if certainly_exists(catalog, catalog[held.oid])), None)
    if certain is not None:
        description, holders = describe(catalog, part), [describe(catalog, held) for held in result.held_by]
        catalog.add_refusal(
            f"cannot drop {description} because other objects depend on it",
            f"{describe(catalog, certain)} depends on {description}",
            f"-- first drop or change what depends on it: {', '.join(holders)}",
        )
        drop_refused(catalog, result)
    else:
        drop_parts(catalog, result.parts)


def apply_add_constraint(catalog: Catalog, op: sql.AddConstraint, table: Relation) -> None:
    """ADD CONSTRAINT."""
    definition = op.constraint
    if definition.kind is ConstraintKind.CHECK and op.target.only and not definition.no_inherit and catalog.children(table.oid):
        catalog.add_refusal("constraint must be added to child tables too", help="-- leave out ONLY")
    if (
        definition.references is not None
        and definition.not_valid
        and table.kind is RelationKind.PARTITIONED
        and catalog.pg_version < versions.NOT_VALID_FOREIGN_KEY_OF_PARTITIONED
    ):
        catalog.add_refusal(
            f'cannot add NOT VALID foreign key on partitioned table "{table.name.name}" '
            f'referencing relation "{definition.references.table.name}"',
            "PostgreSQL 18 supports it",
            "-- add the foreign key NOT VALID to each partition and validate it there, and only then add it to the partitioned table",
        )
    add_constraint(catalog, table.oid, op.constraint, only=op.target.only)


def is_known_missing(catalog: Catalog, table: Relation, name: str) -> bool:
    """Whether a table that has no constraint of this name here certainly has none."""
    return table.complete and not may_be_named(catalog, table, name) and not catalog.may_have_part(table.oid, "constraint", name)


def altered_constraint(catalog: Catalog, table: Relation, name: str) -> Constraint | None:
    """Returns the constraint that an ALTER changes."""
    constraint = named_constraint(catalog, table, name)
    if constraint is None and is_known_missing(catalog, table, name):
        catalog.add_refusal(f'constraint "{name}" of relation "{table.name.name}" does not exist')
    return constraint


def apply_alter_constraint(catalog: Catalog, op: sql.AlterConstraint, table: Relation) -> None:
    """ALTER CONSTRAINT."""
    constraint = altered_constraint(catalog, table, op.constraint)
    if constraint is None:
        return
    if op.inherited_by_children is not None:
        _set_inherit(catalog, constraint, inherit=op.inherited_by_children)
        return
    for altered in (constraint, *_all_below(catalog, constraint)):
        deferrable = op.deferrable if op.deferrable is not None else altered.deferrable or bool(op.initially_deferred)
        initially = op.initially_deferred if op.initially_deferred is not None else altered.initially_deferred and deferrable
        enforced = altered.enforced if op.enforced is None else op.enforced
        catalog.change(
            altered,
            deferrable=deferrable,
            initially_deferred=initially,
            enforced=enforced,
            valid=altered.valid if op.enforced is None else enforced,
        )


def _set_inherit(catalog: Catalog, constraint: Constraint, *, inherit: bool) -> None:
    """Makes the children of a table inherit its NOT NULL constraint, or keep only their own (PostgreSQL 18)."""
    if constraint.no_inherit != inherit:
        return
    children = list(_children_of(catalog, constraint))
    catalog.change(constraint, no_inherit=not inherit)
    if not inherit:
        for child_constraint in children:
            catalog.change(child_constraint, inherited=max(child_constraint.inherited - 1, 0), local=True)
        return
    column = catalog.require(Relation, constraint.table).column_numbered(constraint.columns[0])
    for child in catalog.children(constraint.table) if column is not None else ():
        inherit_not_null(catalog, child, column.name if column is not None else "", constraint.name.name, valid=constraint.valid)


def _children_of(catalog: Catalog, constraint: Constraint) -> Iterator[Constraint]:
    """Returns the constraints that the children of a table inherit from one of its own."""
    if constraint.kind is ConstraintKind.NOT_NULL:
        yield from not_nulls_below(catalog, constraint)
    elif constraint.kind is ConstraintKind.CHECK:
        for child in catalog.children(constraint.table) if not constraint.no_inherit else ():
            child_constraint = catalog.constraint(child.oid, constraint.name.name)
            if child_constraint is not None and child_constraint.kind is ConstraintKind.CHECK:
                yield child_constraint
    else:
        yield from (
            child_constraint for child_constraint in catalog.dependents(constraint.oid, Constraint) if child_constraint.parent == constraint.oid
        )


def _all_below(catalog: Catalog, constraint: Constraint) -> Iterator[Constraint]:
    waiting, seen = [constraint], {constraint.oid}
    while waiting:
        for descendant in list(_children_of(catalog, waiting.pop())):
            if descendant.oid not in seen:
                seen.add(descendant.oid)
                waiting.append(descendant)
                yield descendant


def apply_validate(catalog: Catalog, op: sql.ValidateConstraint, table: Relation) -> None:
    """VALIDATE CONSTRAINT."""
    constraint = altered_constraint(catalog, table, op.constraint)
    if constraint is None or constraint.valid:
        return
    for validated in (constraint, *_all_below(catalog, constraint)):
        catalog.change(validated, valid=True)


def _drop_of_absent(catalog: Catalog, op: sql.DropConstraint, table: Relation) -> str:
    """Returns what to write in place of DROP CONSTRAINT of one that does not exist: with the name that PostgreSQL has made of the given one, if
    the table has such constraints, or with the name that a constraint has kept or got when its table or index was renamed. Other databases name
    the constraint after its column. IF EXISTS would leave all of these."""
    name = op.constraint.lower()
    constraints = catalog.constraints(table.oid)
    alike = [each.name.name for each in constraints if f"_{name}_" in f"_{each.name.name}_"]
    alike = alike or [each.name.name for each in constraints if _usual_name(table, each) == op.constraint]
    if not alike:
        return f"ALTER TABLE {op.target.name} DROP CONSTRAINT IF EXISTS {quoted(op.constraint)};"
    return "\n".join(("-- perhaps:", *(f"ALTER TABLE {op.target.name} DROP CONSTRAINT {quoted(each)};" for each in alike)))


def _usual_name(table: Relation, constraint: Constraint) -> str:
    """Returns the name that PostgreSQL would give to a constraint now."""
    columns = [column.name for number in constraint.columns if (column := table.column_numbered(number)) is not None]
    is_key = constraint.kind is ConstraintKind.PRIMARY_KEY
    return default_name(table.name.name, () if is_key else columns, _LABELS.get(constraint.kind, ""))


def apply_drop_constraint(catalog: Catalog, op: sql.DropConstraint, table: Relation) -> None:
    """DROP CONSTRAINT."""
    constraint = named_constraint(catalog, table, op.constraint)
    if constraint is None:
        if not op.if_exists and is_known_missing(catalog, table, op.constraint):
            catalog.add_refusal(
                f'constraint "{op.constraint}" of relation "{table.name.name}" does not exist',
                help=_drop_of_absent(catalog, op, table),
            )
        return
    if constraint.inherited:
        catalog.add_refusal(
            f'cannot drop inherited constraint "{op.constraint}" of relation "{table.name.name}"', help="-- drop it from the parent table"
        )
    if constraint.kind is ConstraintKind.NOT_NULL:
        column = table.column_numbered(constraint.columns[0])
        if column is not None:
            drop_not_null(catalog, table, column.name, only=op.target.only)
            return
    dropped, remaining = _constraint_tree(catalog, constraint, only=op.target.only)
    result = find_dropped_parts(catalog, dropped, cascade=op.cascade)
    drop_or_refuse(catalog, result, Part(constraint.oid))
    for oid, lost_parents in remaining.items():
        descendant = catalog.get(oid)
        if isinstance(descendant, Constraint):
            catalog.change(descendant, inherited=max(descendant.inherited - lost_parents, 0), local=descendant.local or op.target.only)


def constraint_drop_result(catalog: Catalog, constraint: Constraint, *, cascade: bool, only: bool = False) -> DropResult:
    """Returns the objects that are dropped with a constraint: a CHECK also in the descendants, unless something else keeps it."""
    return find_dropped_parts(catalog, _constraint_tree(catalog, constraint, only=only)[0], cascade=cascade)


def _constraint_tree(catalog: Catalog, constraint: Constraint, *, only: bool) -> tuple[list[Part], dict[int, int]]:
    """Returns the constraint and the descendants' constraints that are dropped with it, and those that remain, with the number of parents that
    each loses."""
    dropped = [Part(constraint.oid)]
    lost_parents: dict[int, int] = {}
    waiting = [constraint]
    while waiting:
        ancestor = waiting.pop()
        for descendant in _children_of(catalog, ancestor) if ancestor.kind is ConstraintKind.CHECK else ():
            if Part(descendant.oid) in dropped:
                continue
            lost_parents[descendant.oid] = lost_parents.get(descendant.oid, 0) + 1
            if not only and not descendant.local and descendant.inherited <= lost_parents[descendant.oid]:
                dropped.append(Part(descendant.oid))
                waiting.append(descendant)
    return dropped, {oid: count for oid, count in lost_parents.items() if Part(oid) not in dropped}


def apply_rename_constraint(catalog: Catalog, op: sql.RenameConstraint, table: Relation) -> None:
    """RENAME CONSTRAINT."""
    constraint = altered_constraint(catalog, table, op.constraint)
    if constraint is None:
        return
    for renamed in (constraint, *(_all_below(catalog, constraint) if constraint.kind in _NAME_IS_INHERITED else ())):
        name = Name(op.new_name, renamed.name.schema)
        catalog.change(renamed, name=name)
        if renamed.index is not None and renamed.kind is not ConstraintKind.FOREIGN_KEY:
            catalog.change(catalog.require(Index, renamed.index), name=name)
