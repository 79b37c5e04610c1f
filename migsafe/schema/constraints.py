"""Constraints, and the indexes that belong to them."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists, refuse_because_of
from migsafe.schema.columns import stub_column
from migsafe.schema.default_names import free_constraint_name
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.formulas import formula
from migsafe.schema.indexes import add_index, free_index_name, index_key
from migsafe.schema.not_nulls import add_not_null, not_null_constraint
from migsafe.schema.objects import Constraint, Formula, Index, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name

__all__ = ["not_null_constraint"]
LABELS = {ConstraintKind.PRIMARY_KEY: "pkey", ConstraintKind.UNIQUE: "key", ConstraintKind.EXCLUDE: "excl"}
"""The constraints that have an index, and the suffix of the names that PostgreSQL chooses for them."""


def column_numbers(
    catalog: Catalog, oid: int, names: Iterable[str], missing: str = 'column "{}" named in key does not exist'
) -> tuple[int, ...]:
    """Returns the numbers of a relation's columns. An unknown column is added to an incomplete table; otherwise it is refused with the
    message `missing`."""
    numbers: list[int] = []
    for name in names:
        table = catalog.require(Relation, oid)
        column = table.column(name)
        if column is None:
            if table.complete:
                catalog.add_refusal(missing.format(name))
            column = stub_column(catalog, table, name)
        numbers.append(column.number)
    return tuple(numbers)


def distinct_constraints(definitions: Iterable[sql.Constraint]) -> list[sql.Constraint]:
    """Returns the constraints of one statement other than NOT NULL, in the order in which PostgreSQL creates them. Of several with the same
    index only one remains, a primary key first (transformIndexConstraints in src/backend/parser/parse_utilcmd.c)."""
    distinct: list[sql.Constraint] = []
    check, key, unique = ConstraintKind.CHECK, ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE
    for kinds in ((check,), (key,), (unique, ConstraintKind.EXCLUDE), (ConstraintKind.FOREIGN_KEY,)):
        for definition in (definition for definition in definitions if definition.kind in kinds):
            same_position = next(
                (position for position, earlier in enumerate(distinct) if definition.kind in LABELS and _key(earlier) == _key(definition)), None
            )
            if same_position is None:
                distinct.append(definition)
            elif distinct[same_position].name is None and definition.name is not None:
                distinct[same_position] = replace(distinct[same_position], name=definition.name)
    return distinct


def _key(definition: sql.Constraint) -> object:
    """Returns the keys of a constraint's index."""
    if definition.kind not in LABELS or definition.index is not None:
        return definition
    elements = tuple(
        (element.column, element.expression.sql if element.expression else None, element.operator, element.opclass)
        for element in definition.elements
    )
    where = definition.where.sql if definition.where is not None else None
    deferral = (bool(definition.deferrable) or bool(definition.initially_deferred), bool(definition.initially_deferred))
    columns = tuple((name, None, None, None) for name in definition.columns)
    return elements or columns, definition.include, where, definition.method or "btree", definition.nulls_not_distinct, deferral


def add_constraint(
    catalog: Catalog, oid: int, definition: sql.Constraint, *, is_new: bool = False, only: bool = False, reserved_names: Sequence[str] = ()
) -> None:
    """Adds a constraint to a table and its descendants. `is_new`: the statement also creates the table, so that no row needs to be
    checked. `reserved_names` are names that the same statement gives to other constraints."""
    table = catalog.require(Relation, oid)
    existing = catalog.constraint(oid, definition.name) if definition.name is not None else None
    if (
        existing is not None
        and existing.kind is definition.kind is ConstraintKind.CHECK
        and existing.inherited
        and (is_new or not existing.local)
    ):
        # A table may repeat a CHECK that it inherits.
        catalog.change(existing, local=table.bound is None)
        return
    if existing is not None and not existing.kind is definition.kind is ConstraintKind.NOT_NULL:
        if certainly_exists(catalog, existing):
            catalog.add_refusal(f'constraint "{definition.name}" for relation "{table.name.name}" already exists')
        catalog.drop(existing.oid)
    match definition.kind:
        case ConstraintKind.CHECK:
            _add_check(catalog, table, definition, is_new, only, reserved_names)
        case ConstraintKind.NOT_NULL:
            add_not_null(catalog, oid, column_numbers(catalog, oid, definition.columns)[0], definition, is_new=is_new, only=only)
        case ConstraintKind.FOREIGN_KEY:
            _add_foreign_key(catalog, oid, definition, is_new, reserved_names)
        case _:
            _add_constraint_with_index(catalog, oid, definition)


def _add_check(catalog: Catalog, table: Relation, definition: sql.Constraint, is_new: bool, only: bool, reserved_names: Sequence[str]) -> None:
    assert definition.check is not None
    bound = formula(definition.check, table.columns)
    name = Name(definition.name, table.name.schema) if definition.name is not None else _free_check_name(catalog, table, bound, reserved_names)
    constraint = Constraint(
        oid=catalog.new_oid(),
        name=name,
        table=table.oid,
        kind=ConstraintKind.CHECK,
        columns=bound.columns,
        check=bound,
        valid=definition.enforced and (is_new or not definition.not_valid),
        enforced=definition.enforced,
        no_inherit=definition.no_inherit,
    )
    catalog.store(constraint)
    if not definition.no_inherit and not only:
        for child in catalog.children(table.oid):
            inherit_check(catalog, child, constraint)


def _free_check_name(catalog: Catalog, table: Relation, check: Formula, reserved_names: Sequence[str] = ()) -> Name:
    """Names a CHECK on one column after that column, any other after the table only."""
    column_names = [column.name for column in table.columns if column.number in check.columns]
    return free_constraint_name(catalog, table.name, column_names if len(column_names) == 1 else (), "check", reserved_names)


def check_name(catalog: Catalog, table: Name, definition: sql.Constraint, column: str | None = None) -> str:
    """Returns the name that PostgreSQL would choose for a table's CHECK; `column` is the new column in whose definition it is."""
    relation = catalog.relation(table)
    if column is not None or relation is None or definition.check is None:
        return free_constraint_name(catalog, catalog.resolve(table), (column,) if column is not None else (), "check").name
    return _free_check_name(catalog, relation, formula(definition.check, relation.columns)).name


def inherit_check(catalog: Catalog, child: Relation, parent_constraint: Constraint, *, is_new: bool = False) -> None:
    """Adds the parent's CHECK to a child table; its own of that name becomes inherited. `is_new`: the child has no rows yet."""
    existing = catalog.constraint(child.oid, parent_constraint.name.name)
    if existing is not None:
        is_partition = child.bound is not None
        enforced = existing.enforced or parent_constraint.enforced
        catalog.change(
            existing,
            inherited=1 if is_partition else existing.inherited + 1,
            local=existing.local and not is_partition,
            enforced=enforced,
            valid=existing.valid
            or (enforced and (is_new or (parent_constraint.enforced and parent_constraint.valid and not existing.enforced))),
        )
        return
    assert parent_constraint.check is not None
    bound = formula(parent_constraint.check.expression, child.columns)
    copy = replace(
        parent_constraint,
        oid=catalog.new_oid(),
        name=Name(parent_constraint.name.name, child.name.schema),
        table=child.oid,
        columns=bound.columns,
        check=bound,
        valid=parent_constraint.enforced and (is_new or parent_constraint.valid),
        local=False,
        inherited=1,
    )
    catalog.store(copy)
    for grandchild in catalog.children(child.oid):
        inherit_check(catalog, grandchild, copy)


def _add_foreign_key(catalog: Catalog, oid: int, definition: sql.Constraint, is_new: bool, reserved_names: Sequence[str]) -> None:
    assert definition.references is not None
    missing = 'column "{}" referenced in foreign key constraint does not exist'
    columns = column_numbers(catalog, oid, definition.columns, missing)
    table = catalog.require(Relation, oid)
    referenced = catalog.relation(definition.references.table)
    if referenced is None and catalog.is_absent(definition.references.table):
        catalog.add_refusal(f"relation {name_in_quotes(definition.references.table)} does not exist")
    referenced_columns: tuple[int, ...] = ()
    index: int | None = None
    if referenced is not None:
        referenced_columns = column_numbers(catalog, referenced.oid, definition.references.columns, missing)
        index = referenced_index(catalog, referenced, referenced_columns)
        if not referenced_columns and index is not None:
            referenced_columns = tuple(key.column for key in catalog.require(Index, index).keys if key.column is not None)
        if index is None and referenced.complete:
            key = "unique constraint matching given keys" if referenced_columns else "primary key"
            catalog.add_refusal(
                f'there is no {key} for referenced table "{referenced.name.name}"',
                help=f"-- first add a UNIQUE constraint on the referenced columns of {referenced.name}, which is not partial",
            )
        if index is not None and not _is_immediate(catalog, referenced, index):
            key = "unique constraint" if definition.references.columns else "primary key"
            catalog.add_refusal(
                f'cannot use a deferrable {key} for referenced table "{referenced.name.name}"',
                help="-- first add a UNIQUE constraint on the referenced columns that is NOT DEFERRABLE",
            )
    name = (
        Name(definition.name, table.name.schema)
        if definition.name
        else free_constraint_name(catalog, table.name, definition.columns, "fkey", reserved_names)
    )
    constraint = Constraint(
        oid=catalog.new_oid(),
        name=name,
        table=oid,
        kind=ConstraintKind.FOREIGN_KEY,
        columns=columns,
        references=referenced.oid if referenced is not None else None,
        referenced_columns=referenced_columns,
        on_delete=definition.references.on_delete,
        on_update=definition.references.on_update,
        index=index,
        valid=definition.enforced and (is_new or not definition.not_valid),
        enforced=definition.enforced,
        deferrable=bool(definition.deferrable) or bool(definition.initially_deferred),
        initially_deferred=bool(definition.initially_deferred),
    )
    catalog.store(constraint)
    if table.kind is RelationKind.PARTITIONED:
        for child in catalog.children(oid):
            inherit_foreign_key(catalog, child, constraint)


def referenced_index(catalog: Catalog, table: Relation, columns: tuple[int, ...]) -> int | None:
    """Returns the unique index that a foreign key to these columns needs, one that is not deferrable if there is one; without columns, that of
    the primary key."""
    if not columns:
        primary = catalog.primary_key(table.oid)
        return primary.index if primary is not None else None
    found = None
    for index in sorted(catalog.indexes(table.oid), key=lambda index: index.oid):
        keys = [key.column for key in index.keys]
        if index.unique and index.predicate is None and None not in keys and sorted(columns) == sorted(key for key in keys if key is not None):
            if _is_immediate(catalog, table, index.oid):
                return index.oid
            found = found or index.oid
    return found


def _is_immediate(catalog: Catalog, table: Relation, index: int) -> bool:
    """Whether a unique index is checked at once: it does not belong to a constraint that is DEFERRABLE."""
    own = (each for each in catalog.constraints(table.oid) if each.kind is not ConstraintKind.FOREIGN_KEY and each.index == index)
    return not any(constraint.deferrable for constraint in own)


def matching_foreign_key(catalog: Catalog, child: Relation, parent_constraint: Constraint) -> Constraint | None:
    """Returns a table's own foreign key that is equal to one of the table whose partition it becomes."""
    parent = catalog.require(Relation, parent_constraint.table)
    names = [column.name for number in parent_constraint.columns if (column := parent.column_numbered(number)) is not None]
    columns = tuple(column.number for name in names if (column := child.column(name)) is not None)
    for constraint in catalog.constraints(child.oid):
        same = (constraint.references, constraint.columns, constraint.referenced_columns) == (
            parent_constraint.references,
            columns,
            parent_constraint.referenced_columns,
        )
        if same and constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.parent is None:
            return constraint
    return None


def inherit_foreign_key(catalog: Catalog, child: Relation, parent_constraint: Constraint) -> None:
    """Adds the parent's foreign key to a partition, or uses an equal one that the partition already has."""
    parent = catalog.require(Relation, parent_constraint.table)
    columns = column_numbers(
        catalog, child.oid, (column.name for number in parent_constraint.columns if (column := parent.column_numbered(number)) is not None)
    )
    existing = matching_foreign_key(catalog, child, parent_constraint)
    if existing is not None:
        copy = catalog.change(existing, parent=parent_constraint.oid, inherited=1, local=False)
    else:
        name = parent_constraint.name.name
        if catalog.constraint(child.oid, name) is not None:
            names = [column.name for number in columns if (column := catalog.require(Relation, child.oid).column_numbered(number)) is not None]
            name = free_constraint_name(catalog, child.name, names, "fkey").name
        copy = replace(
            parent_constraint,
            oid=catalog.new_oid(),
            name=Name(name, child.name.schema),
            table=child.oid,
            columns=columns,
            parent=parent_constraint.oid,
            local=False,
            inherited=1,
        )
        catalog.store(copy)
    for grandchild in catalog.children(child.oid):
        inherit_foreign_key(catalog, grandchild, copy)


def _add_constraint_with_index(catalog: Catalog, oid: int, definition: sql.Constraint) -> None:
    table = catalog.require(Relation, oid)
    if definition.kind is ConstraintKind.PRIMARY_KEY and (existing := catalog.primary_key(oid)) is not None:
        refuse_because_of(
            catalog,
            existing,
            f'multiple primary keys for table "{table.name.name}" are not allowed',
            help=f"-- first: ALTER TABLE {table.name} DROP CONSTRAINT {Name(existing.name.name)};",
        )
        if catalog.is_created_now(table) and certainly_exists(catalog, existing):
            return  # no other change can have dropped the key of a table that this migration creates
        catalog.drop(existing.oid)
    index = _existing_index(catalog, table, definition) if definition.index is not None else _new_index(catalog, table, definition)
    columns = tuple(key.column for key in index.keys if key.column is not None)
    if definition.kind is ConstraintKind.PRIMARY_KEY:
        for number in columns:
            add_not_null(catalog, oid, number, only=False)
    add_index_constraint(catalog, oid, index, definition)


def constraint_of_index(catalog: Catalog, index: Index) -> Constraint | None:
    """Returns the constraint that an index belongs to."""
    for constraint in catalog.dependents(index.oid, Constraint):
        if constraint.index == index.oid and constraint.kind is not ConstraintKind.FOREIGN_KEY:
            return constraint
    return None


def add_index_constraint(catalog: Catalog, oid: int, index: Index, definition: sql.Constraint, parent: int | None = None) -> None:
    """Adds the constraint of an index, and those of its parts on partitions."""
    constraint = Constraint(
        oid=catalog.new_oid(),
        name=index.name,
        table=oid,
        kind=definition.kind,
        columns=tuple(number for key in index.keys for number in key.columns),
        index=index.oid,
        deferrable=bool(definition.deferrable) or bool(definition.initially_deferred),
        initially_deferred=bool(definition.initially_deferred),
        parent=parent,
        local=parent is None,
        inherited=int(parent is not None),
    )
    catalog.store(constraint)
    for part in catalog.dependents(index.oid, Index):
        part_constraint = constraint_of_index(catalog, part)
        if part_constraint is not None:
            catalog.change(part_constraint, parent=constraint.oid, local=False, inherited=1)
        else:
            add_index_constraint(catalog, part.table, part, definition, constraint.oid)


def _existing_index(catalog: Catalog, table: Relation, definition: sql.Constraint) -> Index:
    """Returns the index of USING INDEX, renamed to the constraint's name."""
    assert definition.index is not None
    index = catalog.index(Name(definition.index.name, table.name.schema))
    if index is None:
        if table.complete:
            catalog.add_refusal(f'index "{definition.index.name}" does not exist')
        index = Index(oid=catalog.new_oid(), name=Name(definition.index.name, table.name.schema), table=table.oid, keys=(), unique=True)
        catalog.store(index)
    if definition.name is not None and definition.name != index.name.name:
        index = catalog.change(index, name=Name(definition.name, table.name.schema))
    return index


def _new_index(catalog: Catalog, table: Relation, definition: sql.Constraint) -> Index:
    keys = [index_key(catalog, table, element) for element in definition.elements]
    if not definition.elements:
        column_numbers(catalog, table.oid, definition.columns)
        table = catalog.require(Relation, table.oid)
        keys = [index_key(catalog, table, sql.IndexElement(column=column)) for column in definition.columns]
    table = catalog.require(Relation, table.oid)
    include = column_numbers(catalog, table.oid, definition.include)
    label = LABELS[definition.kind]
    if definition.name is not None:
        name = Name(definition.name, table.name.schema)
        taken = catalog.relation(name) or catalog.index(name)
        if taken is not None and certainly_exists(catalog, taken):
            catalog.add_refusal(f'relation "{name.name}" already exists')
    else:
        name = free_index_name(catalog, table, keys, include, label, constraint=True)
    index = Index(
        oid=catalog.new_oid(),
        name=name,
        table=table.oid,
        keys=tuple(keys),
        include=include,
        unique=definition.kind is not ConstraintKind.EXCLUDE,
        method=definition.method or "btree",
        predicate=formula(definition.where, table.columns) if definition.where is not None else None,
        nulls_not_distinct=definition.nulls_not_distinct,
    )
    return add_index(catalog, index, label=label, constraint=True)
