"""ALTER TABLE of constraints."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import set_column
from migsafe.schema.constraints import add_constraint, not_null_constraint
from migsafe.schema.dependents import Fall, Part, described, fall, remove
from migsafe.schema.objects import Constraint, Index, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name


def no_longer_not_null(catalog: Catalog, table: Relation, name: str, *, only: bool) -> None:
    """Let a column be null again, and those below it that were NOT NULL for its sake alone."""
    table = catalog.the(Relation, table.oid)
    column = table.column(name)
    if column is None:
        return
    constraint = not_null_constraint(catalog, table.oid, column.number)
    if constraint is not None:
        catalog.drop(constraint.oid)
    set_column(catalog, table, column.number, not_null=False)
    if only:
        return
    for child in catalog.children(table.oid):
        below = child.column(name)
        if below is None:
            continue
        theirs = not_null_constraint(catalog, child.oid, below.number)
        if theirs is not None and (theirs.local or theirs.inherited > 1):
            catalog.change(theirs, inherited=theirs.inherited - 1)
        else:
            no_longer_not_null(catalog, child, name, only=False)


def refuse_held(catalog: Catalog, falling: Fall, what: str) -> None:
    """Refuse a drop that something holds up."""
    if falling.held_by:
        catalog.refuse(f"{described(catalog, falling.held_by[0])} depends on {what}")


def apply_add_constraint(catalog: Catalog, op: sql.AddConstraint, table: Relation) -> None:
    """ADD CONSTRAINT."""
    given = op.constraint
    if given.kind is ConstraintKind.CHECK and op.target.only and not given.no_inherit and catalog.children(table.oid):
        catalog.refuse(f"the constraint must be added to the children of {table.name} too")
    if given.references is not None and given.not_valid and table.kind is RelationKind.PARTITIONED and catalog.pg_version < 18:
        catalog.refuse(f"a NOT VALID foreign key cannot be added to the partitioned table {table.name}")
    add_constraint(catalog, table.oid, op.constraint, only=op.target.only)


def altered_constraint(catalog: Catalog, table: Relation, name: str) -> Constraint | None:
    """The constraint that an ALTER is about."""
    found = catalog.constraint(table.oid, name)
    if found is None and table.complete:
        catalog.refuse(f"constraint {name} of {table.name} does not exist")
    return found


def apply_alter_constraint(catalog: Catalog, op: sql.AlterConstraint, table: Relation) -> None:
    """ALTER CONSTRAINT."""
    found = altered_constraint(catalog, table, op.constraint)
    if found is None:
        return
    for one in (found, *_constraints_below(catalog, found)):
        deferrable = op.deferrable if op.deferrable is not None else one.deferrable or bool(op.initially_deferred)
        initially = op.initially_deferred if op.initially_deferred is not None else one.initially_deferred and deferrable
        enforced = one.enforced if op.enforced is None else op.enforced
        catalog.change(
            one, deferrable=deferrable, initially_deferred=initially, enforced=enforced, valid=one.valid if op.enforced is None else enforced
        )


def _constraints_below(catalog: Catalog, constraint: Constraint) -> list[Constraint]:
    found: list[Constraint] = []
    for child in catalog.descendants(constraint.table):
        one = catalog.constraint(child.oid, constraint.name.name)
        if one is not None and one.kind is constraint.kind:
            found.append(one)
    return found


def apply_validate(catalog: Catalog, op: sql.ValidateConstraint, table: Relation) -> None:
    """VALIDATE CONSTRAINT."""
    found = altered_constraint(catalog, table, op.constraint)
    if found is None:
        return
    for one in (found, *_constraints_below(catalog, found)):
        catalog.change(one, valid=True)


def apply_drop_constraint(catalog: Catalog, op: sql.DropConstraint, table: Relation) -> None:
    """DROP CONSTRAINT."""
    found = catalog.constraint(table.oid, op.constraint)
    if found is None:
        if not op.if_exists and table.complete:
            catalog.refuse(f"constraint {op.constraint} of {table.name} does not exist")
        return
    if found.inherited and not found.local:
        catalog.refuse(f"constraint {op.constraint} of {table.name} is inherited")
    falling = constraint_fall(catalog, found, cascade=op.cascade, only=op.target.only)
    refuse_held(catalog, falling, f"constraint {op.constraint} of {table.name}")
    if found.kind is ConstraintKind.NOT_NULL:
        column = table.numbered(found.columns[0])
        if column is not None:
            no_longer_not_null(catalog, table, column.name, only=op.target.only)
            return
    for below in _constraints_below(catalog, found) if found.kind is ConstraintKind.CHECK else ():
        if Part(below.oid) not in falling.parts:
            catalog.change(below, inherited=max(below.inherited - 1, 0), local=below.local or op.target.only)
    remove(catalog, falling.parts)


def constraint_fall(catalog: Catalog, constraint: Constraint, *, cascade: bool, only: bool = False) -> Fall:
    """What falls with a constraint: a CHECK goes from the tables below too, where nothing else keeps it."""
    parts = [Part(constraint.oid)]
    if constraint.kind is ConstraintKind.CHECK and not only:
        parts += [Part(one.oid) for one in _constraints_below(catalog, constraint) if one.inherited <= 1 and not one.local]
    return fall(catalog, parts, cascade=cascade)


def apply_rename_constraint(catalog: Catalog, op: sql.RenameConstraint, table: Relation) -> None:
    """RENAME CONSTRAINT."""
    found = altered_constraint(catalog, table, op.constraint)
    if found is None:
        return
    for one in (found, *(_constraints_below(catalog, found) if found.kind is ConstraintKind.CHECK else ())):
        name = Name(op.new_name, one.name.schema)
        catalog.change(one, name=name)
        if one.index is not None and one.kind is not ConstraintKind.FOREIGN_KEY:
            catalog.change(catalog.the(Index, one.index), name=name)
