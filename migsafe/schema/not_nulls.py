"""NOT NULL: a property of a column, and from PostgreSQL 18 on also a named constraint."""

from collections.abc import Iterable, Iterator, Sequence

from migsafe import versions
from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import is_serial, set_column
from migsafe.schema.default_names import free_constraint_name
from migsafe.schema.objects import Column, Constraint, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, CreateTable, Name


def not_null_constraint(catalog: Catalog, oid: int, number: int) -> Constraint | None:
    """Returns the constraint of a NOT NULL column (PostgreSQL 18)."""
    for one in catalog.constraints(oid):
        if one.kind is ConstraintKind.NOT_NULL and one.columns == (number,):
            return one
    return None


def add_not_null(
    catalog: Catalog, oid: int, number: int, given: sql.Constraint | None = None, *, fresh: bool = False, only: bool = False
) -> None:
    """Makes a column NOT NULL, also in the descendants. If it is already NOT NULL, so is it in the descendants."""
    table = catalog.require(Relation, oid)
    column = table.column_numbered(number)
    if column is None:
        return
    if catalog.pg_version < versions.NOT_NULL_CONSTRAINTS:
        if not column.not_null:
            _flag(catalog, (table,) if only else (table, *catalog.descendants(oid)), column.name)
        return
    already = not_null_constraint(catalog, oid, number)
    if already is not None:
        _say_again(catalog, already, given)
        return
    if given is not None and given.name is not None:
        name = given.name
    else:
        name = free_constraint_name(catalog, table.name, (column.name,), "not_null").name
    valid = fresh or given is None or not given.not_valid
    # SET NOT NULL of ONLY a table that others inherit from is none of theirs from then on.
    alone = given is None and only and table.kind is not RelationKind.PARTITIONED and bool(catalog.children(oid))
    no_inherit = alone or (given is not None and given.no_inherit)
    _put(catalog, table, column, name, valid=valid, no_inherit=no_inherit)
    for child in () if only or no_inherit else catalog.children(oid):
        inherit_not_null(catalog, child, column.name, name, valid=valid)


def _flag(catalog: Catalog, tables: Iterable[Relation], column: str) -> None:
    for table in tables:
        theirs = table.column(column)
        if theirs is not None and not theirs.not_null:
            set_column(catalog, table, theirs.number, not_null=True)


def _say_again(catalog: Catalog, already: Constraint, given: sql.Constraint | None) -> None:
    """Handles NOT NULL for a column that already is: an inherited constraint becomes the table's own, an invalid one is validated."""
    if given is not None and given.name is not None and given.name != already.name.name:
        catalog.add_refusal(f"constraint {already.name.name} already makes the column NOT NULL")
    if already.no_inherit and (given is None or not given.no_inherit):
        catalog.add_refusal(f"constraint {already.name.name} is NO INHERIT")
    elif not already.local:
        table = catalog.require(Relation, already.table)
        catalog.change(already, local=given is None or table.bound is None)
    elif not already.valid and (given is None or not given.not_valid):
        for one in (already, *_all_below(catalog, already)):
            catalog.change(one, valid=True)


def inherit_not_null(catalog: Catalog, child: Relation, name: str, constraint: str, *, valid: bool) -> None:
    """Adds the parent's NOT NULL constraint to a child's column, under the same name; an existing one counts as inherited."""
    column = child.column(name)
    if column is None:
        return
    already = not_null_constraint(catalog, child.oid, column.number)
    if already is not None:
        catalog.change(already, inherited=already.inherited + 1)
        return
    _put(catalog, child, column, constraint, valid=valid, local=False, inherited=1)
    for grandchild in catalog.children(child.oid):
        inherit_not_null(catalog, grandchild, name, constraint, valid=valid)


def _put(
    catalog: Catalog,
    table: Relation,
    column: Column,
    name: str,
    *,
    valid: bool = True,
    no_inherit: bool = False,
    local: bool = True,
    inherited: int = 0,
) -> None:
    if not column.not_null:
        set_column(catalog, table, column.number, not_null=True)
    catalog.store(
        Constraint(
            oid=catalog.new_oid(),
            name=Name(name, table.name.schema),
            table=table.oid,
            kind=ConstraintKind.NOT_NULL,
            columns=(column.number,),
            valid=valid,
            no_inherit=no_inherit,
            local=local,
            inherited=inherited,
        )
    )


def below(catalog: Catalog, constraint: Constraint) -> Iterator[Constraint]:
    """Returns the constraints that the children of a table inherit from its own (PostgreSQL 18)."""
    above = catalog.require(Relation, constraint.table).column_numbered(constraint.columns[0])
    for child in catalog.children(constraint.table) if above is not None and not constraint.no_inherit else ():
        column = child.column(above.name) if above is not None else None
        found = not_null_constraint(catalog, child.oid, column.number) if column is not None else None
        if found is not None:
            yield found


def _all_below(catalog: Catalog, constraint: Constraint) -> Iterator[Constraint]:
    for one in list(below(catalog, constraint)):
        yield one
        yield from _all_below(catalog, one)


def drop_not_null(catalog: Catalog, table: Relation, name: str, *, only: bool) -> None:
    """Makes a column nullable, also in the descendants that are NOT NULL only because of it."""
    column = table.column(name)
    if column is None:
        return
    constraint = not_null_constraint(catalog, table.oid, column.number)
    if constraint is None:
        for one in (table,) if only else (table, *catalog.descendants(table.oid)):
            its = one.column(name)
            if its is not None:
                set_column(catalog, one, its.number, not_null=False)
        return
    children = list(below(catalog, constraint))
    catalog.drop(constraint.oid)
    set_column(catalog, table, column.number, not_null=False)
    for theirs in children:
        if only or theirs.inherited > 1 or theirs.local:
            catalog.change(theirs, inherited=max(theirs.inherited - 1, 0), local=theirs.local or only)
        else:
            drop_not_null(catalog, catalog.require(Relation, theirs.table), name, only=False)


def name_not_nulls(catalog: Catalog, oid: int, op: CreateTable, parents: Sequence[Relation]) -> None:
    """Adds 18's constraints of the NOT NULL columns of a new table (AddRelationNotNullConstraints in src/backend/catalog/heap.c)."""
    table = catalog.require(Relation, oid)
    sources = [source for like in op.likes if (source := catalog.relation(like.table)) is not None]
    own = _written(op)
    inherited: list[Column] = []
    for column in table.columns:
        if not column.not_null:
            continue
        above, copied = _of(catalog, parents, column.name), _of(catalog, sources, column.name)
        if column.name not in own and not copied:
            inherited.append(column)
            continue
        written = own.get(column.name)
        name = written.name if written is not None else None
        if name is None and copied:
            name = copied[0].name.name
        if name is None:
            name = free_constraint_name(catalog, table.name, (column.name,), "not_null").name
        no_inherit = written is not None and written.no_inherit
        # A partition's constraint is never its own where the partitioned table has it.
        _put(catalog, table, column, name, no_inherit=no_inherit, inherited=len(above))
    for column in inherited:
        above = _of(catalog, parents, column.name)
        name = above[0].name.name if above else None
        if name is None or catalog.constraint(oid, name) is not None:
            name = free_constraint_name(catalog, table.name, (column.name,), "not_null").name
        _put(catalog, table, column, name, local=not above, inherited=len(above))


def _written(op: CreateTable) -> dict[str, sql.Constraint | None]:
    """Returns the columns that a statement makes NOT NULL, with the constraint if it has one of its own."""
    found: dict[str, sql.Constraint | None] = {}
    constraints = [one for column in op.columns for one in column.constraints] + list(op.constraints)
    for one in constraints:
        if one.kind is ConstraintKind.PRIMARY_KEY:
            found.update((name, None) for name in one.columns if name not in found)
    for column in op.columns:
        if column.not_null or column.identity is not None or is_serial(column.type):
            found[column.name] = None
    for one in constraints:
        if one.kind is ConstraintKind.NOT_NULL and one.columns and (found.get(one.columns[0]) is None or one.name is not None):
            found[one.columns[0]] = one
    return found


def _of(catalog: Catalog, relations: Iterable[Relation], column: str) -> list[Constraint]:
    """Returns the constraints of a NOT NULL column of some relations, which later created relations inherit."""
    found = ((one, one.column(column)) for one in relations)
    constraints = (not_null_constraint(catalog, one.oid, theirs.number) for one, theirs in found if theirs is not None)
    return [constraint for constraint in constraints if constraint is not None and not constraint.no_inherit]
