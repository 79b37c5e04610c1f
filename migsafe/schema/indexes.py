"""Indexes, with their parts on partitions."""

from collections.abc import Iterable

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.columns import stub_column
from migsafe.schema.default_names import free_relation_name, index_columns
from migsafe.schema.formulas import formula, output_name
from migsafe.schema.objects import Column, Constraint, Formula, Index, Key, Relation, RelationKind
from migsafe.schema.older_relations import add_older_relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, CreateIndex, Name

_HAVE_INDEXES = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATERIALIZED)


def index_key(catalog: Catalog, relation: Relation, element: sql.IndexElement) -> Key:
    """Returns a key as in the catalogue."""
    number: int | None = None
    bound: Formula | None = None
    if element.column is not None:
        column = relation.column(element.column)
        if column is None:
            current = catalog.require(Relation, relation.oid)
            column = current.column(element.column)
            if column is None:
                if current.complete:
                    catalog.add_refusal(f'column "{element.column}" does not exist')
                column = stub_column(catalog, current, element.column)
        number = column.number
    elif element.expression is not None:
        bound = formula(element.expression, relation.columns)
    return Key(number, bound, element.collation, element.opclass, element.descending, element.nulls_first, element.operator)


def free_index_name(
    catalog: Catalog, relation: Relation, keys: Iterable[Key], include: Iterable[int], label: str, *, constraint: bool = False
) -> Name:
    """Returns the name that PostgreSQL chooses for an unnamed index. The name for a primary key contains no columns."""
    names: list[str] = []
    for key in (*keys, *(Key(number) for number in include)):
        column = relation.column_numbered(key.column) if key.column is not None else None
        names.append(column.name if column is not None else output_name(key.formula.expression.sql) if key.formula is not None else "expr")
    return free_relation_name(catalog, relation.name, () if label == "pkey" else index_columns(names), label, constraint=constraint)


@SCHEMA_CHANGES.register(sql.CreateIndex)
def create_index(catalog: Catalog, op: CreateIndex) -> None:
    """CREATE INDEX."""
    relation = catalog.relation(op.table)
    if relation is None:
        if catalog.is_absent(op.table):
            return
        # The relation existed before the history began; this index is the first thing that the history tells about it.
        kind = RelationKind.PARTITIONED if op.only else RelationKind.TABLE
        relation = add_older_relation(catalog, op.table, kind)
    if op.name is not None:
        name = Name(op.name, relation.name.schema)
        if catalog.is_taken(name):
            if op.if_not_exists:
                return
            existing = catalog.index(name)
            if existing is None or certainly_exists(catalog, existing):
                catalog.add_refusal(
                    f'relation "{name.name}" already exists', help="-- give the index another name, or drop the existing one first"
                )
            if catalog.keeps_existing:
                return
            if existing is not None:
                catalog.drop(existing.oid)
    for element in (*op.elements, *op.include):
        index_key(catalog, relation, element)
    relation = catalog.require(Relation, relation.oid)
    index = sketched(catalog, relation, op)
    assert index is not None  # every column is known by now
    if op.name is None:
        name = free_index_name(catalog, relation, index.keys, index.include, "idx")
    add_index(catalog, replace(index, oid=catalog.new_oid(), name=name), only=op.only)


def add_index(catalog: Catalog, index: Index, *, only: bool = False, label: str = "idx", constraint: bool = False) -> Index:
    """Adds an index; on a partitioned table also each partition's part. With ONLY it is invalid while the table has partitions."""
    relation = catalog.require(Relation, index.table)
    partitions = catalog.children(relation.oid) if relation.kind is RelationKind.PARTITIONED else []
    if only and partitions:
        index = replace(index, valid=False)
    catalog.store(index)
    if not only:
        for child in partitions:
            part_for(catalog, child, index, label, constraint=constraint)
    return index


def part_for(catalog: Catalog, child: Relation, index: Index, label: str, *, constraint: bool = False) -> Index | None:
    """Returns a partition's part of a partitioned index: a matching index of its own, or a new one. None for a partition that cannot have
    indexes."""
    if child.kind not in _HAVE_INDEXES:
        return None
    parent = catalog.require(Relation, index.table)
    required = for_partition(parent, child, index)
    for candidate in catalog.indexes(child.oid):
        if _can_be_part(catalog, candidate, required, constraint=constraint):
            return catalog.change(candidate, parent=index.oid)
    name = free_index_name(catalog, child, required.keys, required.include, label, constraint=constraint)
    return add_index(catalog, replace(required, oid=catalog.new_oid(), name=name, parent=index.oid), label=label, constraint=constraint)


def for_partition(parent: Relation, child: Relation, index: Index) -> Index:
    """Returns a partition's version of a partitioned index: on its own columns of the same names."""

    def number(parent_number: int) -> int:
        column = parent.column_numbered(parent_number)
        child_column = child.column(column.name) if column is not None else None
        return child_column.number if child_column is not None else parent_number

    def bound(parent_formula: Formula | None) -> Formula | None:
        return formula(parent_formula.expression, child.columns) if parent_formula is not None else None

    keys = tuple(replace(key, column=number(key.column) if key.column is not None else None, formula=bound(key.formula)) for key in index.keys)
    return replace(
        index,
        table=child.oid,
        keys=keys,
        include=tuple(number(column) for column in index.include),
        predicate=bound(index.predicate),
        valid=True,
    )


def same_index(index: Index, other: Index) -> bool:
    """Whether two indexes of one table are equivalent (PostgreSQL's CompareIndexInfo)."""
    return (
        (index.unique, index.method, index.include, index.nulls_not_distinct)
        == (other.unique, other.method, other.include, other.nulls_not_distinct)
        and len(index.keys) == len(other.keys)
        and all(same_key(key, other_key) for key, other_key in zip(index.keys, other.keys, strict=True))
        and same_predicate(index, other)
    )


def same_predicate(index: Index, other: Index) -> bool:
    """Whether two indexes have the same rows."""
    return _normalized_sql(index.predicate) == _normalized_sql(other.predicate)


def index_beginning_with(catalog: Catalog, table: Relation, column: Column) -> Index | None:
    """Returns a B-tree index of all rows of a table whose first key is a column."""
    return next(
        (
            index
            for index in catalog.indexes(table.oid)
            if index.method == "btree" and index.valid and index.predicate is None and index.keys[0].column == column.number
        ),
        None,
    )


def same_key(key: Key, other: Key) -> bool:
    """Whether two keys of indexes store and compare the same values, in any order."""
    return (key.column, _normalized_sql(key.formula), key.collation, key.opclass, key.operator) == (
        other.column,
        _normalized_sql(other.formula),
        other.collation,
        other.opclass,
        other.operator,
    )


def _normalized_sql(bound: Formula | None) -> str | None:
    return None if bound is None else " ".join(bound.expression.sql.split())


def has_same(catalog: Catalog, parent: Relation, child: Relation, index: Index) -> bool:
    """Whether a partition has an index of its own that can be its part of a partitioned one."""
    required, constraint = for_partition(parent, child, index), _has_constraint(catalog, index)
    return any(_can_be_part(catalog, candidate, required, constraint=constraint) for candidate in catalog.indexes(child.oid))


def _can_be_part(catalog: Catalog, index: Index, required: Index, *, constraint: bool) -> bool:
    """Whether an index can be a part of a partitioned one; if that belongs to a constraint, the index must belong to one as well."""
    fits = index.parent is None and index.valid and same_index(index, required)
    return fits and (not constraint or _has_constraint(catalog, index))


def _has_constraint(catalog: Catalog, index: Index) -> bool:
    return any(
        constraint.index == index.oid and constraint.kind is not ConstraintKind.FOREIGN_KEY
        for constraint in catalog.dependents(index.oid, Constraint)
    )


def sketched(catalog: Catalog, relation: Relation, op: CreateIndex) -> Index | None:
    """Returns the index that CREATE INDEX would create, without creating it; None if one of its columns is unknown."""
    if any(element.column is not None and relation.column(element.column) is None for element in (*op.elements, *op.include)):
        return None
    include = tuple(number for element in op.include if (number := index_key(catalog, relation, element).column) is not None)
    return Index(
        oid=0,
        name=Name(op.name or "", relation.name.schema),
        table=relation.oid,
        keys=tuple(index_key(catalog, relation, element) for element in op.elements),
        include=include,
        unique=op.unique,
        method=op.method or "btree",
        predicate=formula(op.where, relation.columns) if op.where is not None else None,
        nulls_not_distinct=op.nulls_not_distinct,
    )


def attach_index(catalog: Catalog, parent: Index, part: Index) -> None:
    """ALTER INDEX … ATTACH PARTITION: the last missing part makes the index valid."""
    catalog.change(part, parent=parent.oid)
    make_valid(catalog, parent)


def make_valid(catalog: Catalog, index: Index) -> None:
    """Marks a partitioned index as valid if every partition has a valid part."""
    parts = {part.table for part in catalog.dependents(index.oid, Index) if part.valid and part.parent == index.oid}
    if not index.valid and all(child.oid in parts for child in catalog.children(index.table)):
        index = catalog.change(index, valid=True)
        if index.parent is not None:
            make_valid(catalog, catalog.require(Index, index.parent))


@SCHEMA_CHANGES.register(sql.Cluster)
def cluster(catalog: Catalog, op: sql.Cluster) -> None:
    """CLUSTER with an index: the next CLUSTER of the table takes it as well."""
    table = catalog.relation(op.table) if op.table is not None and op.index is not None else None
    index = catalog.index(Name(op.index, table.name.schema)) if table is not None and op.index is not None else None
    if table is not None and index is not None:
        catalog.change(table, clustered_on=index.oid)
