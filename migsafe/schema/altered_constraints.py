"""The operations of ALTER TABLE on constraints."""

from collections.abc import Iterator

from migsafe import versions
from migsafe.schema.catalog import Catalog
from migsafe.schema.constraints import add_constraint
from migsafe.schema.dependents import DropResult, Part, drop_parts, find_dropped_parts, object_description
from migsafe.schema.not_nulls import below as not_nulls_below
from migsafe.schema.not_nulls import drop_not_null, inherit_not_null
from migsafe.schema.objects import Constraint, Index, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name

_NAMED_ALIKE = (ConstraintKind.CHECK, ConstraintKind.NOT_NULL)
"""Returns the descendants' constraints of the same name."""


def refuse_held(catalog: Catalog, falling: DropResult, what: str) -> None:
    """Refuses a drop on which other objects depend."""
    if falling.held_by:
        catalog.add_refusal(f"{object_description(catalog, falling.held_by[0])} depends on {what}")


def apply_add_constraint(catalog: Catalog, op: sql.AddConstraint, table: Relation) -> None:
    """ADD CONSTRAINT."""
    given = op.constraint
    if given.kind is ConstraintKind.CHECK and op.target.only and not given.no_inherit and catalog.children(table.oid):
        catalog.add_refusal(f"the constraint must be added to the children of {table.name} too")
    if (
        given.references is not None
        and given.not_valid
        and table.kind is RelationKind.PARTITIONED
        and catalog.pg_version < versions.NOT_VALID_FOREIGN_KEY_OF_PARTITIONED
    ):
        catalog.add_refusal(f"a NOT VALID foreign key cannot be added to the partitioned table {table.name}")
    add_constraint(catalog, table.oid, op.constraint, only=op.target.only)


def altered_constraint(catalog: Catalog, table: Relation, name: str) -> Constraint | None:
    """Returns the constraint that an ALTER changes."""
    found = catalog.constraint(table.oid, name)
    if found is None and table.complete:
        catalog.add_refusal(f"constraint {name} of {table.name} does not exist")
    return found


def apply_alter_constraint(catalog: Catalog, op: sql.AlterConstraint, table: Relation) -> None:
    """ALTER CONSTRAINT."""
    found = altered_constraint(catalog, table, op.constraint)
    if found is None:
        return
    if op.inherit is not None:
        _set_inherit(catalog, found, inherit=op.inherit)
        return
    for one in (found, *_all_below(catalog, found)):
        deferrable = op.deferrable if op.deferrable is not None else one.deferrable or bool(op.initially_deferred)
        initially = op.initially_deferred if op.initially_deferred is not None else one.initially_deferred and deferrable
        enforced = one.enforced if op.enforced is None else op.enforced
        catalog.change(
            one, deferrable=deferrable, initially_deferred=initially, enforced=enforced, valid=one.valid if op.enforced is None else enforced
        )


def _set_inherit(catalog: Catalog, constraint: Constraint, *, inherit: bool) -> None:
    """Makes the children of a table inherit its NOT NULL constraint, or keep only their own (PostgreSQL 18)."""
    if constraint.no_inherit != inherit:
        return
    children = list(_children_of(catalog, constraint))
    catalog.change(constraint, no_inherit=not inherit)
    if not inherit:
        for one in children:
            catalog.change(one, inherited=max(one.inherited - 1, 0), local=True)
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
            one = catalog.constraint(child.oid, constraint.name.name)
            if one is not None and one.kind is ConstraintKind.CHECK:
                yield one
    else:
        yield from (one for one in catalog.dependents(constraint.oid, Constraint) if one.parent == constraint.oid)


def _all_below(catalog: Catalog, constraint: Constraint) -> Iterator[Constraint]:
    waiting, seen = [constraint], {constraint.oid}
    while waiting:
        for one in list(_children_of(catalog, waiting.pop())):
            if one.oid not in seen:
                seen.add(one.oid)
                waiting.append(one)
                yield one


def apply_validate(catalog: Catalog, op: sql.ValidateConstraint, table: Relation) -> None:
    """VALIDATE CONSTRAINT."""
    found = altered_constraint(catalog, table, op.constraint)
    if found is None or found.valid:
        return
    for one in (found, *_all_below(catalog, found)):
        catalog.change(one, valid=True)


def apply_drop_constraint(catalog: Catalog, op: sql.DropConstraint, table: Relation) -> None:
    """DROP CONSTRAINT."""
    found = catalog.constraint(table.oid, op.constraint)
    if found is None:
        if not op.if_exists and table.complete:
            catalog.add_refusal(f"constraint {op.constraint} of {table.name} does not exist")
        return
    if found.inherited:
        catalog.add_refusal(f"constraint {op.constraint} of {table.name} is inherited")
    if found.kind is ConstraintKind.NOT_NULL:
        column = table.column_numbered(found.columns[0])
        if column is not None:
            drop_not_null(catalog, table, column.name, only=op.target.only)
            return
    going, staying = _constraint_tree(catalog, found, only=op.target.only)
    falling = find_dropped_parts(catalog, going, cascade=op.cascade)
    refuse_held(catalog, falling, f"constraint {op.constraint} of {table.name}")
    drop_parts(catalog, falling.parts)
    for oid, fewer in staying.items():
        one = catalog.get(oid)
        if isinstance(one, Constraint):
            catalog.change(one, inherited=max(one.inherited - fewer, 0), local=one.local or op.target.only)


def constraint_drop_result(catalog: Catalog, constraint: Constraint, *, cascade: bool, only: bool = False) -> DropResult:
    """Returns the objects that are dropped with a constraint: a CHECK also in the descendants, unless something else keeps it."""
    return find_dropped_parts(catalog, _constraint_tree(catalog, constraint, only=only)[0], cascade=cascade)


def _constraint_tree(catalog: Catalog, constraint: Constraint, *, only: bool) -> tuple[list[Part], dict[int, int]]:
    """Returns the constraints that are dropped with one, and those of descendants that remain, each with the number of parents it loses."""
    going = [Part(constraint.oid)]
    fewer: dict[int, int] = {}
    waiting = [constraint]
    while waiting:
        above = waiting.pop()
        for one in _children_of(catalog, above) if above.kind is ConstraintKind.CHECK else ():
            if Part(one.oid) in going:
                continue
            fewer[one.oid] = fewer.get(one.oid, 0) + 1
            if not only and not one.local and one.inherited <= fewer[one.oid]:
                going.append(Part(one.oid))
                waiting.append(one)
    return going, {oid: count for oid, count in fewer.items() if Part(oid) not in going}


def apply_rename_constraint(catalog: Catalog, op: sql.RenameConstraint, table: Relation) -> None:
    """RENAME CONSTRAINT."""
    found = altered_constraint(catalog, table, op.constraint)
    if found is None:
        return
    for one in (found, *(_all_below(catalog, found) if found.kind in _NAMED_ALIKE else ())):
        name = Name(op.new_name, one.name.schema)
        catalog.change(one, name=name)
        if one.index is not None and one.kind is not ConstraintKind.FOREIGN_KEY:
            catalog.change(catalog.require(Index, one.index), name=name)
