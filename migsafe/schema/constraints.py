"""Constraints, and the indexes behind them."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import stub_column
from migsafe.schema.default_names import free_constraint_name
from migsafe.schema.formulas import formula
from migsafe.schema.indexes import add_index, free_index_name, index_key
from migsafe.schema.not_nulls import add_not_null, not_null_constraint
from migsafe.schema.objects import Constraint, Formula, Index, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name

__all__ = ["not_null_constraint"]
LABELS = {ConstraintKind.PRIMARY_KEY: "pkey", ConstraintKind.UNIQUE: "key", ConstraintKind.EXCLUDE: "excl"}
"""The constraints that have an index, and the suffix of the names that PostgreSQL chooses for them."""


def column_numbers(catalog: Catalog, oid: int, names: Iterable[str]) -> tuple[int, ...]:
    """Returns the numbers of a relation's columns. An unknown column is added to an incomplete table; otherwise it is refused."""
    numbers: list[int] = []
    for name in names:
        table = catalog.require(Relation, oid)
        column = table.column(name)
        if column is None:
            if table.complete:
                catalog.add_refusal(f"column {name} of {table.name} does not exist")
            column = stub_column(catalog, table, name)
        numbers.append(column.number)
    return tuple(numbers)


def distinct_constraints(given: Iterable[sql.Constraint]) -> list[sql.Constraint]:
    """Returns the constraints of one statement other than NOT NULL, in the order in which PostgreSQL creates them. Of several with the same
    index only one remains, a primary key first (transformIndexConstraints in src/backend/parser/parse_utilcmd.c)."""
    found: list[sql.Constraint] = []
    check, key, unique = ConstraintKind.CHECK, ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE
    for kinds in ((check,), (key,), (unique, ConstraintKind.EXCLUDE), (ConstraintKind.FOREIGN_KEY,)):
        for one in (one for one in given if one.kind in kinds):
            same = next((at for at, before in enumerate(found) if one.kind in LABELS and _key(before) == _key(one)), None)
            if same is None:
                found.append(one)
            elif found[same].name is None and one.name is not None:
                found[same] = replace(found[same], name=one.name)
    return found


def _key(given: sql.Constraint) -> object:
    """Returns the keys of a constraint's index."""
    if given.kind not in LABELS or given.index is not None:
        return given
    elements = tuple((one.column, one.expression.sql if one.expression else None, one.operator, one.opclass) for one in given.elements)
    where = given.where.sql if given.where is not None else None
    deferral = (bool(given.deferrable) or bool(given.initially_deferred), bool(given.initially_deferred))
    columns = tuple((name, None, None, None) for name in given.columns)
    return elements or columns, given.include, where, given.method or "btree", given.nulls_not_distinct, deferral


def add_constraint(
    catalog: Catalog, oid: int, given: sql.Constraint, *, fresh: bool = False, only: bool = False, others: Sequence[str] = ()
) -> None:
    """Adds a constraint to a table and its descendants. `fresh`: with the table itself, so that no row needs to be checked. `others` are
    names that the same statement gives to other constraints."""
    table = catalog.require(Relation, oid)
    before = catalog.constraint(oid, given.name) if given.name is not None else None
    if before is not None and before.kind is given.kind is ConstraintKind.CHECK and before.inherited and (fresh or not before.local):
        # What its parents say already, a table may say too.
        catalog.change(before, local=table.bound is None)
        return
    if before is not None and not before.kind is given.kind is ConstraintKind.NOT_NULL:
        catalog.add_refusal(f"constraint {given.name} of {table.name} already exists")
        catalog.drop(before.oid)
    match given.kind:
        case ConstraintKind.CHECK:
            _add_check(catalog, table, given, fresh, only, others)
        case ConstraintKind.NOT_NULL:
            add_not_null(catalog, oid, column_numbers(catalog, oid, given.columns)[0], given, fresh=fresh, only=only)
        case ConstraintKind.FOREIGN_KEY:
            _add_foreign_key(catalog, oid, given, fresh, others)
        case _:
            _add_behind_index(catalog, oid, given)


def _add_check(catalog: Catalog, table: Relation, given: sql.Constraint, fresh: bool, only: bool, others: Sequence[str]) -> None:
    assert given.check is not None
    bound = formula(given.check, table.columns)
    name = Name(given.name, table.name.schema) if given.name is not None else _free_check_name(catalog, table, bound, others)
    constraint = Constraint(
        oid=catalog.new_oid(),
        name=name,
        table=table.oid,
        kind=ConstraintKind.CHECK,
        columns=bound.columns,
        check=bound,
        valid=given.enforced and (fresh or not given.not_valid),
        enforced=given.enforced,
        no_inherit=given.no_inherit,
    )
    catalog.store(constraint)
    if not given.no_inherit and not only:
        for child in catalog.children(table.oid):
            inherit_check(catalog, child, constraint)


def _free_check_name(catalog: Catalog, table: Relation, check: Formula, others: Sequence[str] = ()) -> Name:
    """Names a CHECK on one column after that column, any other after the table only."""
    used = [column.name for column in table.columns if column.number in check.columns]
    return free_constraint_name(catalog, table.name, used if len(used) == 1 else (), "check", others)


def check_name(catalog: Catalog, table: Name, given: sql.Constraint, column: str | None = None) -> str:
    """Returns the name that PostgreSQL would choose for a table's CHECK; `column` is the new column in whose definition it is."""
    relation = catalog.relation(table)
    if column is not None or relation is None or given.check is None:
        return free_constraint_name(catalog, catalog.resolve(table), (column,) if column is not None else (), "check").name
    return _free_check_name(catalog, relation, formula(given.check, relation.columns)).name


def inherit_check(catalog: Catalog, child: Relation, above: Constraint, *, fresh: bool = False) -> None:
    """Adds the parent's CHECK to a child table; its own of that name becomes inherited. `fresh`: the child has no rows yet."""
    already = catalog.constraint(child.oid, above.name.name)
    if already is not None:
        is_partition = child.bound is not None
        enforced = already.enforced or above.enforced
        catalog.change(
            already,
            inherited=1 if is_partition else already.inherited + 1,
            local=already.local and not is_partition,
            enforced=enforced,
            valid=already.valid or (enforced and (fresh or (above.enforced and above.valid and not already.enforced))),
        )
        return
    assert above.check is not None
    bound = formula(above.check.expression, child.columns)
    copy = replace(
        above,
        oid=catalog.new_oid(),
        name=Name(above.name.name, child.name.schema),
        table=child.oid,
        columns=bound.columns,
        check=bound,
        valid=above.enforced and (fresh or above.valid),
        local=False,
        inherited=1,
    )
    catalog.store(copy)
    for grandchild in catalog.children(child.oid):
        inherit_check(catalog, grandchild, copy)


def _add_foreign_key(catalog: Catalog, oid: int, given: sql.Constraint, fresh: bool, others: Sequence[str]) -> None:
    assert given.references is not None
    columns = column_numbers(catalog, oid, given.columns)
    table = catalog.require(Relation, oid)
    referenced = catalog.relation(given.references.table)
    if referenced is None and catalog.is_absent(given.references.table):
        catalog.add_refusal(f"relation {catalog.resolve(given.references.table)} does not exist")
    far: tuple[int, ...] = ()
    key: int | None = None
    if referenced is not None:
        far = column_numbers(catalog, referenced.oid, given.references.columns)
        key = referenced_index(catalog, referenced, far)
        if not far and key is not None:
            far = tuple(one.column for one in catalog.require(Index, key).keys if one.column is not None)
        if key is None and referenced.complete:
            catalog.add_refusal(f"there is no unique constraint on the referenced columns of {referenced.name}")
    name = Name(given.name, table.name.schema) if given.name else free_constraint_name(catalog, table.name, given.columns, "fkey", others)
    constraint = Constraint(
        oid=catalog.new_oid(),
        name=name,
        table=oid,
        kind=ConstraintKind.FOREIGN_KEY,
        columns=columns,
        references=referenced.oid if referenced is not None else None,
        referenced_columns=far,
        on_delete=given.references.on_delete,
        on_update=given.references.on_update,
        index=key,
        valid=given.enforced and (fresh or not given.not_valid),
        enforced=given.enforced,
        deferrable=bool(given.deferrable) or bool(given.initially_deferred),
        initially_deferred=bool(given.initially_deferred),
    )
    catalog.store(constraint)
    if table.kind is RelationKind.PARTITIONED:
        for child in catalog.children(oid):
            inherit_foreign_key(catalog, child, constraint)


def referenced_index(catalog: Catalog, table: Relation, columns: tuple[int, ...]) -> int | None:
    """Returns the unique index that a foreign key to these columns needs; without columns, the one of the primary key."""
    if not columns:
        primary = catalog.primary_key(table.oid)
        return primary.index if primary is not None else None
    for index in sorted(catalog.indexes(table.oid), key=lambda one: one.oid):
        keys = [key.column for key in index.keys]
        if index.unique and index.predicate is None and None not in keys and sorted(columns) == sorted(key for key in keys if key is not None):
            return index.oid
    return None


def matching_foreign_key(catalog: Catalog, child: Relation, above: Constraint) -> Constraint | None:
    """Returns a table's own foreign key that is equal to one of the table whose partition it becomes."""
    parent = catalog.require(Relation, above.table)
    names = [column.name for number in above.columns if (column := parent.column_numbered(number)) is not None]
    columns = tuple(column.number for name in names if (column := child.column(name)) is not None)
    for one in catalog.constraints(child.oid):
        same = (one.references, one.columns, one.referenced_columns) == (above.references, columns, above.referenced_columns)
        if same and one.kind is ConstraintKind.FOREIGN_KEY and one.parent is None:
            return one
    return None


def inherit_foreign_key(catalog: Catalog, child: Relation, above: Constraint) -> None:
    """Adds the parent's foreign key to a partition, or uses an equal one that the partition already has."""
    parent = catalog.require(Relation, above.table)
    columns = column_numbers(
        catalog, child.oid, (column.name for number in above.columns if (column := parent.column_numbered(number)) is not None)
    )
    already = matching_foreign_key(catalog, child, above)
    if already is not None:
        copy = catalog.change(already, parent=above.oid, inherited=1, local=False)
    else:
        name = above.name.name
        if catalog.constraint(child.oid, name) is not None:
            names = [column.name for number in columns if (column := catalog.require(Relation, child.oid).column_numbered(number)) is not None]
            name = free_constraint_name(catalog, child.name, names, "fkey").name
        copy = replace(
            above,
            oid=catalog.new_oid(),
            name=Name(name, child.name.schema),
            table=child.oid,
            columns=columns,
            parent=above.oid,
            local=False,
            inherited=1,
        )
        catalog.store(copy)
    for grandchild in catalog.children(child.oid):
        inherit_foreign_key(catalog, grandchild, copy)


def _add_behind_index(catalog: Catalog, oid: int, given: sql.Constraint) -> None:
    table = catalog.require(Relation, oid)
    if given.kind is ConstraintKind.PRIMARY_KEY and (before := catalog.primary_key(oid)) is not None:
        catalog.add_refusal(f"multiple primary keys for table {table.name} are not allowed")
        catalog.drop(before.oid)
    index = _taken_index(catalog, table, given) if given.index is not None else _built_index(catalog, table, given)
    columns = tuple(key.column for key in index.keys if key.column is not None)
    if given.kind is ConstraintKind.PRIMARY_KEY:
        for number in columns:
            add_not_null(catalog, oid, number, only=False)
    add_index_constraint(catalog, oid, index, given)


def constraint_of_index(catalog: Catalog, index: Index) -> Constraint | None:
    """Returns the constraint that an index belongs to."""
    for one in catalog.dependents(index.oid, Constraint):
        if one.index == index.oid and one.kind is not ConstraintKind.FOREIGN_KEY:
            return one
    return None


def add_index_constraint(catalog: Catalog, oid: int, index: Index, given: sql.Constraint, parent: int | None = None) -> None:
    """Adds the constraint of an index, and those of its parts on partitions."""
    constraint = Constraint(
        oid=catalog.new_oid(),
        name=index.name,
        table=oid,
        kind=given.kind,
        columns=tuple(number for key in index.keys for number in key.columns),
        index=index.oid,
        deferrable=bool(given.deferrable) or bool(given.initially_deferred),
        initially_deferred=bool(given.initially_deferred),
        parent=parent,
        local=parent is None,
        inherited=int(parent is not None),
    )
    catalog.store(constraint)
    for part in catalog.dependents(index.oid, Index):
        behind = constraint_of_index(catalog, part)
        if behind is not None:
            catalog.change(behind, parent=constraint.oid, local=False, inherited=1)
        else:
            add_index_constraint(catalog, part.table, part, given, constraint.oid)


def _taken_index(catalog: Catalog, table: Relation, given: sql.Constraint) -> Index:
    """Returns the index of USING INDEX, renamed to the constraint's name."""
    assert given.index is not None
    index = catalog.index(Name(given.index.name, table.name.schema))
    if index is None:
        if table.complete:
            catalog.add_refusal(f"index {given.index.name} does not exist")
        index = Index(oid=catalog.new_oid(), name=Name(given.index.name, table.name.schema), table=table.oid, keys=(), unique=True)
        catalog.store(index)
    if given.name is not None and given.name != index.name.name:
        index = catalog.change(index, name=Name(given.name, table.name.schema))
    return index


def _built_index(catalog: Catalog, table: Relation, given: sql.Constraint) -> Index:
    keys = [index_key(catalog, table, element) for element in given.elements]
    if not given.elements:
        keys = [index_key(catalog, table, sql.IndexElement(column=column)) for column in given.columns]
    table = catalog.require(Relation, table.oid)
    include = column_numbers(catalog, table.oid, given.include)
    label = LABELS[given.kind]
    if given.name is not None:
        name = Name(given.name, table.name.schema)
        if catalog.is_taken(name):
            catalog.add_refusal(f"relation {name} already exists")
    else:
        name = free_index_name(catalog, table, keys, include, label, constraint=True)
    index = Index(
        oid=catalog.new_oid(),
        name=name,
        table=table.oid,
        keys=tuple(keys),
        include=include,
        unique=given.kind is not ConstraintKind.EXCLUDE,
        method=given.method or "btree",
        predicate=formula(given.where, table.columns) if given.where is not None else None,
        nulls_not_distinct=given.nulls_not_distinct,
    )
    return add_index(catalog, index, label=label, constraint=True)
