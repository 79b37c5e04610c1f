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
    for constraint in catalog.constraints(oid):
        if constraint.kind is ConstraintKind.NOT_NULL and constraint.columns == (number,):
            return constraint
    return None


def add_not_null(
    catalog: Catalog, oid: int, number: int, definition: sql.Constraint | None = None, *, is_new: bool = False, only: bool = False
) -> None:
    """Makes a column NOT NULL, also in the descendants. If it is already NOT NULL, it is in the descendants too. `is_new`: the statement also
    creates the column or its table, so that no row needs to be checked."""
    table = catalog.require(Relation, oid)
    column = table.column_numbered(number)
    if column is None:
        return
    if catalog.pg_version < versions.NOT_NULL_CONSTRAINTS:
        if not column.not_null:
            _set_flag(catalog, (table,) if only else (table, *catalog.descendants(oid)), column.name)
        return
    existing = not_null_constraint(catalog, oid, number)
    if existing is not None:
        _repeat_not_null(catalog, existing, definition)
        return
    if definition is not None and definition.name is not None:
        name = definition.name
    else:
        name = free_constraint_name(catalog, table.name, (column.name,), "not_null").name
    valid = is_new or definition is None or not definition.not_valid
    # SET NOT NULL on ONLY a parent table creates a constraint that later children do not inherit.
    parent_only = definition is None and only and table.kind is not RelationKind.PARTITIONED and bool(catalog.children(oid))
    no_inherit = parent_only or (definition is not None and definition.no_inherit)
    _store_not_null(catalog, table, column, name, valid=valid, no_inherit=no_inherit)
    for child in () if only or no_inherit else catalog.children(oid):
        inherit_not_null(catalog, child, column.name, name, valid=valid)


def _set_flag(catalog: Catalog, tables: Iterable[Relation], column: str) -> None:
    for table in tables:
        own_column = table.column(column)
        if own_column is not None and not own_column.not_null:
            set_column(catalog, table, own_column.number, not_null=True)


def _repeat_not_null(catalog: Catalog, existing: Constraint, definition: sql.Constraint | None) -> None:
    """Handles NOT NULL for a column that already is: an inherited constraint becomes the table's own, an invalid one is validated."""
    if definition is not None and definition.name is not None and definition.name != existing.name.name:
        table, column = catalog.require(Relation, existing.table), existing.columns[0]
        named = table.column_numbered(column)
        catalog.add_refusal(
            f'cannot create not-null constraint "{definition.name}" on column "{named.name if named else "?"}" of table "{table.name.name}"',
            f'a not-null constraint named "{existing.name.name}" already exists for this column',
        )
    if existing.no_inherit and (definition is None or not definition.no_inherit):
        catalog.add_refusal(
            f'cannot change NO INHERIT status of NOT NULL constraint "{existing.name.name}" on relation '
            f'"{catalog.require(Relation, existing.table).name.name}"'
        )
    elif not existing.local:
        table = catalog.require(Relation, existing.table)
        catalog.change(existing, local=definition is None or table.bound is None)
    elif not existing.valid and (definition is None or not definition.not_valid):
        for constraint in (existing, *_all_below(catalog, existing)):
            catalog.change(constraint, valid=True)


def inherit_not_null(catalog: Catalog, child: Relation, name: str, constraint: str, *, valid: bool) -> None:
    """Adds the parent's NOT NULL constraint to a child's column, under the same name; an existing one counts as inherited."""
    column = child.column(name)
    if column is None:
        return
    existing = not_null_constraint(catalog, child.oid, column.number)
    if existing is not None:
        catalog.change(existing, inherited=existing.inherited + 1)
        return
    _store_not_null(catalog, child, column, constraint, valid=valid, local=False, inherited=1)
    for grandchild in catalog.children(child.oid):
        inherit_not_null(catalog, grandchild, name, constraint, valid=valid)


def _store_not_null(
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


def child_not_nulls(catalog: Catalog, constraint: Constraint) -> Iterator[Constraint]:
    """Returns the constraints that the children of a table inherit from its own (PostgreSQL 18)."""
    parent_column = catalog.require(Relation, constraint.table).column_numbered(constraint.columns[0])
    for child in catalog.children(constraint.table) if parent_column is not None and not constraint.no_inherit else ():
        column = child.column(parent_column.name) if parent_column is not None else None
        child_constraint = not_null_constraint(catalog, child.oid, column.number) if column is not None else None
        if child_constraint is not None:
            yield child_constraint


def _all_below(catalog: Catalog, constraint: Constraint) -> Iterator[Constraint]:
    for child_constraint in list(child_not_nulls(catalog, constraint)):
        yield child_constraint
        yield from _all_below(catalog, child_constraint)


def drop_not_null(catalog: Catalog, table: Relation, name: str, *, only: bool) -> None:
    """Makes a column nullable, also in the descendants that are NOT NULL only because of it."""
    column = table.column(name)
    if column is None:
        return
    constraint = not_null_constraint(catalog, table.oid, column.number)
    if constraint is None:
        for relation in (table,) if only else (table, *catalog.descendants(table.oid)):
            own_column = relation.column(name)
            if own_column is not None:
                set_column(catalog, relation, own_column.number, not_null=False)
        return
    children = list(child_not_nulls(catalog, constraint))
    catalog.drop(constraint.oid)
    set_column(catalog, table, column.number, not_null=False)
    for child_constraint in children:
        if only or child_constraint.inherited > 1 or child_constraint.local:
            catalog.change(child_constraint, inherited=max(child_constraint.inherited - 1, 0), local=child_constraint.local or only)
        else:
            drop_not_null(catalog, catalog.require(Relation, child_constraint.table), name, only=False)


def name_not_nulls(catalog: Catalog, oid: int, op: CreateTable, parents: Sequence[Relation]) -> None:
    """Adds 18's constraints of the NOT NULL columns of a new table (AddRelationNotNullConstraints in src/backend/catalog/heap.c)."""
    table = catalog.require(Relation, oid)
    sources = [source for like in op.likes if (source := catalog.relation(like.table)) is not None]
    written = _written_not_nulls(op)
    inherited: list[Column] = []
    for column in table.columns:
        if not column.not_null:
            continue
        parent_constraints, copied = _not_nulls_of(catalog, parents, column.name), _not_nulls_of(catalog, sources, column.name)
        if column.name not in written and not copied:
            inherited.append(column)
            continue
        definition = written.get(column.name)
        name = definition.name if definition is not None else None
        if name is None and copied:
            name = copied[0].name.name
        if name is None:
            name = free_constraint_name(catalog, table.name, (column.name,), "not_null").name
        no_inherit = definition is not None and definition.no_inherit
        _store_not_null(catalog, table, column, name, no_inherit=no_inherit, inherited=len(parent_constraints))
    for column in inherited:
        parent_constraints = _not_nulls_of(catalog, parents, column.name)
        name = parent_constraints[0].name.name if parent_constraints else None
        if name is None or catalog.constraint(oid, name) is not None:
            name = free_constraint_name(catalog, table.name, (column.name,), "not_null").name
        _store_not_null(catalog, table, column, name, local=not parent_constraints, inherited=len(parent_constraints))


def _written_not_nulls(op: CreateTable) -> dict[str, sql.Constraint | None]:
    """Returns the columns that a statement makes NOT NULL, with the constraint if it has one of its own."""
    definitions: dict[str, sql.Constraint | None] = {}
    constraints = [constraint for column in op.columns for constraint in column.constraints] + list(op.constraints)
    for constraint in constraints:
        if constraint.kind is ConstraintKind.PRIMARY_KEY:
            definitions.update((name, None) for name in constraint.columns if name not in definitions)
    for column in op.columns:
        if column.not_null or column.identity is not None or is_serial(column.type):
            definitions[column.name] = None
    for constraint in constraints:
        if (
            constraint.kind is ConstraintKind.NOT_NULL
            and constraint.columns
            and (definitions.get(constraint.columns[0]) is None or constraint.name is not None)
        ):
            definitions[constraint.columns[0]] = constraint
    return definitions


def _not_nulls_of(catalog: Catalog, relations: Iterable[Relation], column: str) -> list[Constraint]:
    """Returns the constraints of a NOT NULL column of some relations, which later created relations inherit."""
    pairs = ((relation, relation.column(column)) for relation in relations)
    constraints = (not_null_constraint(catalog, relation.oid, own_column.number) for relation, own_column in pairs if own_column is not None)
    return [constraint for constraint in constraints if constraint is not None and not constraint.no_inherit]
