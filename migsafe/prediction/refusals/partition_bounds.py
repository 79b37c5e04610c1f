"""The limits of partition keys and bounds, and what a partitioned table itself cannot do."""

from collections.abc import Iterator

from migsafe import versions
from migsafe.prediction.refusals.definitions import complete_table, may_make_nothing
from migsafe.prediction.refusals.partitions import comparable_values
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.constants import refused_constant
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.objects import Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Bound, Name

_KINDS = {"range": "range", "list": "in", "hash": "hash"}


@refuses(sql.CreateTable)
def partition_by(_: Catalog, op: sql.CreateTable) -> Refusal | None:
    """A list key has one column, and the columns of a key exist (ComputePartitionAttrs in tablecmds.c)."""
    key = op.partition_by
    if key is None or op.likes or op.inherits or op.of_type is not None or op.partition_of is not None:
        return None
    if key.strategy == "list" and len(key.elements) > 1:
        return Refusal(
            error='cannot use "list" partition strategy with more than one column',
            help="-- partition by one column, and each partition by the other (PARTITION BY in the partition)",
        )
    names = {column.name for column in op.columns}
    missing = next((element.column for element in key.elements if element.column is not None and element.column not in names), None)
    return Refusal(error=f'column "{missing}" named in partition key does not exist') if missing is not None else None


@refuses(sql.CreateTable, sql.AttachPartition)
def use_bound(catalog: Catalog, op: sql.CreateTable | sql.AttachPartition) -> Refusal | None:
    """A bound has the form of its parent's strategy, and holds rows (check_new_partition_bound in partbounds.c)."""
    if isinstance(op, sql.CreateTable):
        name, parent_name = op.table, op.partition_of
        if may_make_nothing(catalog, op):
            return None
    else:
        name, parent_name = op.partition, op.target.name
    parent = catalog.relation(parent_name) if parent_name is not None else None
    if parent_name is not None and isinstance(op, sql.CreateTable):
        table = complete_table(catalog, parent_name)
        if table is not None and table.kind is RelationKind.TABLE:
            return Refusal(
                error=f'"{table.name.name}" is not partitioned',
                help=f"-- a table cannot become a partitioned one: create another with PARTITION BY, and attach {table.name} to it",
            )
    if parent is None or parent.partition_key is None or op.bound is None or op.bound.kind == "default":
        return None
    strategy = parent.partition_key.strategy
    if _KINDS.get(strategy) != op.bound.kind:
        return Refusal(error=f"invalid bound specification for a {strategy} partition", detail=f"{parent.name} is partitioned by {strategy}")
    if op.bound.kind == "hash":
        return _refuse_hash(catalog, parent, name, op.bound)
    return _refuse_values(catalog, parent, name, op.bound)


def _refuse_hash(catalog: Catalog, parent: Relation, name: Name, bound: Bound) -> Refusal | None:
    own = _hash_bound(bound)
    if own is None:
        return None
    modulus, remainder = own
    if remainder >= modulus:
        return Refusal(error="remainder for hash partition must be less than modulus", detail="remainders count from 0")
    for other, (other_modulus, other_remainder) in _hash_partitions(catalog, parent):
        smaller, larger = sorted((modulus, other_modulus))
        if larger % smaller:
            return Refusal(
                error="every hash partition modulus must be a factor of the next larger modulus",
                detail=f"{other.name} has modulus {other_modulus}",
            )
        if remainder % smaller == other_remainder % smaller:
            return Refusal(error=f'partition "{name.name}" would overlap partition "{other.name.name}"')
    return None


def _hash_partitions(catalog: Catalog, parent: Relation) -> Iterator[tuple[Relation, tuple[int, int]]]:
    for other in catalog.children(parent.oid):
        found = _hash_bound(other.bound) if other.bound is not None else None
        if found is not None:
            yield other, found


def _hash_bound(bound: Bound) -> tuple[int, int] | None:
    """Returns the modulus and the remainder of a bound."""
    numbers = {word: number for value in bound.start for word, _, number in [value.partition(" ")] if number.isdigit()}
    if bound.kind != "hash" or numbers.keys() != {"modulus", "remainder"}:
        return None
    return int(numbers["modulus"]), int(numbers["remainder"])


def _refuse_values(catalog: Catalog, parent: Relation, name: Name, bound: Bound) -> Refusal | None:
    assert parent.partition_key is not None
    if bound.kind == "range":
        if bound.start == bound.end or _ends_before_start(parent, bound):
            return Refusal(error=f'empty range bound specified for partition "{name.name}"', detail="the end of a range is not part of it")
        count = len(parent.partition_key.elements)
        for word, values in (("FROM", bound.start), ("TO", bound.end)):
            if len(values) != count:
                return Refusal(error=f"{word} must specify exactly one value per partitioning column", detail=f"the key has {count}")
    key = parent.partition_key.elements[0].column
    column = parent.column(key) if key is not None else None
    if column is not None and column.type is not None:
        for value in bound.start if bound.kind == "in" else (*bound.start[:1], *bound.end[:1]):
            error = refused_constant(catalog, column.name, column.type, value) if value not in ("minvalue", "maxvalue") else None
            if error is not None:
                return Refusal(error=error)
    if bound.kind == "in" and any(value.lower() == "null" for value in bound.start):
        for other in catalog.children(parent.oid):
            if other.bound is not None and other.bound.kind == "in" and any(value.lower() == "null" for value in other.bound.start):
                return Refusal(error=f'partition "{name.name}" would overlap partition "{other.name.name}"', detail="NULL")
    return None


def _ends_before_start(parent: Relation, bound: Bound) -> bool:
    """Whether the end of a range of dates or integers on one column is smaller than its start."""
    key = parent.partition_key.elements if parent.partition_key is not None else ()
    column = parent.column(key[0].column) if len(key) == 1 and key[0].column is not None else None
    values = list(comparable_values(bound, column.type.name)) if column is not None and column.type is not None else []
    start, end = values if len(values) == 2 else (None, None)
    return start is not None and end is not None and end < start


def _partitioned(catalog: Catalog, name: Name) -> Relation | None:
    table = catalog.relation(name)
    return table if table is not None and table.kind is RelationKind.PARTITIONED else None


@refuses(sql.ClusterOn)
def cluster_on(catalog: Catalog, op: sql.ClusterOn) -> Refusal | None:
    """A partitioned table has no rows of its own to cluster."""
    if op.index is None or _partitioned(catalog, op.target.name) is None:
        return None
    return Refusal(error="cannot mark index clustered in partitioned table", help="-- mark the index of each partition")


@refuses(sql.CreateTable)
def inherit(catalog: Catalog, op: sql.CreateTable) -> Refusal | None:
    """Only partitions belong to a partitioned table."""
    for name in op.inherits if not op.if_not_exists else ():
        parent = _partitioned(catalog, name)
        if parent is not None:
            return Refusal(error=f'cannot inherit from partitioned table "{parent.name.name}"', help=f"-- use PARTITION OF {parent.name}")
        if parent is None and (relation := catalog.relation(name)) is not None and relation.bound is not None:
            return Refusal(error=f'cannot inherit from partition "{relation.name.name}"')
    return None


@refuses(sql.RenameColumn)
def rename_column(catalog: Catalog, op: sql.RenameColumn) -> Refusal | None:
    """ONLY does not rename a column that children have from their parent (renameatt_internal in tablecmds.c)."""
    table = complete_table(catalog, op.target.name)
    if table is None or not op.target.only or table.column(op.column) is None or not catalog.children(table.oid):
        return None
    return Refusal(
        error=f'inherited column "{op.column}" must be renamed in child tables too',
        help=f"ALTER TABLE {op.target.name} RENAME COLUMN {Name(op.column)} TO {Name(op.new_name)};",
    )


@refuses(sql.DetachPartition)
def detach(catalog: Catalog, op: sql.DetachPartition) -> Refusal | None:
    """A detached table exists."""
    is_skipped = op.target.if_exists and catalog.relation(op.target.name) is None
    if is_skipped or not catalog.is_absent(op.partition):
        return None
    return Refusal(error=f"relation {name_in_quotes(op.partition)} does not exist")


@refuses(sql.ValidateConstraint)
def validate(catalog: Catalog, op: sql.ValidateConstraint) -> Refusal | None:
    """Foreign keys and CHECKs can be validated, and from 18 on NOT NULL constraints."""
    table = complete_table(catalog, op.target.name)
    constraint = catalog.constraint(table.oid, op.constraint) if table is not None else None
    if table is None or constraint is None or constraint.index is None or constraint.kind is sql.ConstraintKind.FOREIGN_KEY:
        return None
    name = f'constraint "{op.constraint}" of relation "{table.name.name}"'
    if catalog.pg_version >= versions.NOT_NULL_CONSTRAINTS:
        return Refusal(error=f"cannot validate {name}", detail="it is valid already")
    return Refusal(error=f"{name} is not a foreign key or check constraint", detail="it is valid already")
