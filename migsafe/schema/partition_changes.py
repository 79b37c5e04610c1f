"""MERGE PARTITIONS and SPLIT PARTITION (PostgreSQL 19): partitions are dropped, and new ones get their rows."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import Bound, Name, Operation


def merge_partitions(catalog: Catalog, op: sql.MergePartitions, table: Relation) -> None:
    """MERGE PARTITIONS."""
    merged = [catalog.relation(name) for name in op.partitions]
    _replace(catalog, op, op.partitions, ((op.into, _union([one.bound if one is not None else None for one in merged])),))


def split_partition(catalog: Catalog, op: sql.SplitPartition, table: Relation) -> None:
    """SPLIT PARTITION."""
    _replace(catalog, op, (op.partition,), op.into)


def _union(bounds: list[Bound | None]) -> Bound | None:
    """Returns the bound of the merged partition: all values of lists, or the outer ends of adjacent ranges."""
    known = [bound for bound in bounds if bound is not None]
    if len(known) < len(bounds) or not known:
        return None
    if any(bound.kind == "default" for bound in known):
        return Bound("default")
    if all(bound.kind == "in" for bound in known):
        return Bound("in", tuple(value for bound in known for value in bound.start))
    starts, ends = {bound.start for bound in known}, {bound.end for bound in known}
    lowest, highest = starts - ends, ends - starts
    return Bound("range", min(lowest), max(highest)) if len(lowest) == len(highest) == 1 else None


def _replace(catalog: Catalog, op: sql.AlterRelation, old: tuple[Name, ...], new: tuple[tuple[Name, Bound | None], ...]) -> None:
    for name in old:
        # A foreign key that references the partitioned table does not hold its partitions.
        _apply(catalog, sql.DetachPartition(op.span, target=op.target, partition=name))
    _apply(catalog, sql.Drop(op.span, kind="table", names=old))
    for name, bound in new:
        _apply(catalog, sql.CreateTable(op.span, table=name, partition_of=op.target.name, bound=bound))
        partition = catalog.relation(name)
        if partition is not None:
            catalog.change(partition, may_have_rows=True)


def _apply(catalog: Catalog, op: Operation) -> None:
    handler = SCHEMA_CHANGES.handler(op)
    if handler is not None:
        handler(catalog, op)
