"""The effects of inheritance and partitions on the parent, the child, the default partition and the other tables of foreign keys."""

from migsafe import versions
from migsafe.lock import LockMode
from migsafe.prediction.effects.constraints import referenced_table
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.known_facts import bound_is_proved, default_is_proved, some_key_is_proved
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.schema.constraints import constraint_of_index, matching_foreign_key
from migsafe.schema.indexes import has_same
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import Bound, ConstraintKind, CreateTable, Name

_EXCLUSIVE = LockMode.ACCESS_EXCLUSIVE
_SHARE_UPDATE = LockMode.SHARE_UPDATE_EXCLUSIVE


@EFFECTS.register(sql.CreateTable)
def create_table(context: EffectContext, op: CreateTable) -> Effects:
    """CREATE TABLE: locks the tables that it inherits from, copies, becomes a partition of, or references."""
    if op.if_not_exists and context.catalog.is_taken(context.catalog.resolve(op.table)):
        return
    for name in op.inherits:
        yield from context.effect_on_name(name, _SHARE_UPDATE)
    for like in op.likes:
        yield from context.effect_on_name(like.table, LockMode.ACCESS_SHARE)
    if op.partition_of is not None:
        yield from _create_partition(context, op.partition_of, op.bound)
    itself = context.catalog.in_first_schema(op.table)
    for constraint in (*(constraint for column in op.columns for constraint in column.constraints), *op.constraints):
        if constraint.references is not None and context.catalog.resolve(constraint.references.table) != itself:
            yield from referenced_table(context, constraint.references.table, checked=False)


def _create_partition(context: EffectContext, name: Name, bound: Bound | None) -> Effects:
    yield from context.effect_on_name(name, _EXCLUSIVE, "partitioned table")
    parent = context.catalog.relation(name)
    if parent is None:
        return
    if bound is not None and bound.kind != "default":
        yield from _default_partition(context, parent, bound)
    yield from _foreign_keys_of(context, parent, checked=False)


def _default_partition(context: EffectContext, parent: Relation, bound: Bound) -> Effects:
    """The effects on the default partition: it is read, because it may contain rows that belong in the new partition."""
    default = context.catalog.default_partition(parent.oid)
    if default is None:
        return
    proved = default_is_proved(context, parent, default, bound)
    for table in context.with_descendants(default):
        scan = context.has_rows(table) and not proved
        why = "rows that belong in the new partition may be in the default partition" if scan else ""
        yield from context.effect_on(table, _EXCLUSIVE, scan=scan, why=why)


def _foreign_keys_of(context: EffectContext, parent: Relation, *, checked: bool, child: Relation | None = None) -> Effects:
    """The effects of the parent's foreign keys: a partition gets them, and those that reference the parent will reference it. A matching
    foreign key of the child is attached to the parent's, and its triggers on the referenced table are dropped."""
    for constraint in context.catalog.constraints(parent.oid):
        referenced = context.catalog.get(constraint.references) if constraint.references is not None else None
        if not isinstance(referenced, Relation) or constraint.kind is not ConstraintKind.FOREIGN_KEY:
            continue
        if child is not None and matching_foreign_key(context.catalog, child, constraint) is not None:
            yield from referenced_table(context, referenced.name, checked=False, lock=_EXCLUSIVE)
        else:
            yield from referenced_table(context, referenced.name, checked=checked and constraint.enforced)
    for constraint in context.catalog.foreign_keys_to(parent.oid):
        yield from context.effect_on_oid(
            constraint.table,
            LockMode.SHARE_ROW_EXCLUSIVE if context.pg_version >= versions.ROOT_FOREIGN_KEY_TRIGGERS else LockMode.ACCESS_SHARE,
        )


@EFFECTS.register(sql.AttachPartition)
def attach(context: EffectContext, op: sql.AttachPartition) -> Effects:
    """ATTACH PARTITION: the new partition's rows are read, unless a valid CHECK proves that they belong in it."""
    index = context.catalog.index(op.target.name)
    if op.target.kind == "index" or index is not None:
        yield from _attach_index(context, op)
        return
    yield from context.effect_on_name(op.target.name, _SHARE_UPDATE, "partitioned table")
    parent, child = context.catalog.relation(op.target.name), context.catalog.relation(op.partition)
    yield from _ancestors(context, parent)
    why = "no valid CHECK proves that its rows belong in the partition"
    if child is None:
        yield from context.effect_on_name(op.partition, _EXCLUSIVE, scan=True, why=why)
    if parent is None:
        proved = child is not None and op.bound is not None and some_key_is_proved(context, child, op.bound)
        for table in context.with_descendants(child) if child is not None else ():
            yield from context.effect_on(table, _EXCLUSIVE, scan=not proved, why="" if proved else why)
        return
    if child is not None and op.bound is not None:
        yield from _attached(context, parent, child, op.bound, why)
    if op.bound is not None and op.bound.kind != "default":
        yield from _default_partition(context, parent, op.bound)
    checked = child is None or (context.has_rows(child) and not context.catalog.is_empty(child))
    yield from _foreign_keys_of(context, parent, checked=checked, child=child)


def _ancestors(context: EffectContext, relation: Relation | None) -> Effects:
    """The effects on the ancestors of a partition: their bounds apply to its rows."""
    while relation is not None and relation.bound is not None and relation.parents:
        parent = context.catalog.get(relation.parents[0])
        relation = parent if isinstance(parent, Relation) else None
        if relation is not None:
            yield from context.effect_on(relation, LockMode.ACCESS_SHARE)


def _attached(context: EffectContext, parent: Relation, child: Relation, bound: Bound, why: str) -> Effects:
    proved = bound_is_proved(context, parent, child, bound)
    missing = [index for index in context.catalog.indexes(parent.oid) if not has_same(context.catalog, parent, child, index)]
    has_new_foreign_key = any(
        constraint.kind is ConstraintKind.FOREIGN_KEY and matching_foreign_key(context.catalog, child, constraint) is None
        for constraint in context.catalog.constraints(parent.oid)
    )
    if proved and missing:
        why = (
            f"{'a unique index' if constraint_of_index(context.catalog, missing[0]) else 'an index'} like {missing[0].name.name} is built on it"
        )
    elif proved and has_new_foreign_key:
        why = "its rows are looked up in the table that the parent references"
    for table in context.with_descendants(child):
        scan = context.has_rows(table) and (not proved or bool(missing) or has_new_foreign_key)
        yield from context.effect_on(table, _EXCLUSIVE, scan=scan, why=why if scan else "")


def _attach_index(context: EffectContext, op: sql.AttachPartition) -> Effects:
    """ALTER INDEX … ATTACH PARTITION: locks the partition's index; on the tables it takes only ACCESS SHARE."""
    for name, index_lock in ((op.target.name, None), (op.partition, _EXCLUSIVE)):
        index = context.catalog.index(name)
        if index is not None:
            yield from context.effect_on_oid(index.table, LockMode.ACCESS_SHARE, index_lock=index_lock)


@EFFECTS.register(sql.DetachPartition)
def detach(context: EffectContext, op: sql.DetachPartition) -> Effects:
    """DETACH PARTITION: CONCURRENTLY takes the strong lock only on the partition, after all transactions that use the parent have ended."""
    weak = op.concurrently or op.finalize
    yield from context.effect_on_name(op.target.name, _SHARE_UPDATE if weak else _EXCLUSIVE, "partitioned table", waits=weak)
    parent, child = context.catalog.relation(op.target.name), context.catalog.relation(op.partition)
    if child is None:
        yield from context.effect_on_name(op.partition, _EXCLUSIVE)
    if parent is None or child is None:
        return
    # The command fails if a foreign key references rows of the partition through the parent, so both tables are read.
    referring = context.catalog.foreign_keys_to(parent.oid)
    why = "rows of other tables may reference it through the parent" if referring else ""
    for partition in context.with_descendants(child):
        has_part = any(index.parent is not None for index in context.catalog.indexes(partition.oid)) and partition is child
        scan = bool(referring) and context.has_rows(partition)
        yield from context.effect_on(partition, _EXCLUSIVE, index_lock=_EXCLUSIVE if has_part else None, scan=scan, why=why if scan else "")
    for constraint in referring:
        yield from context.effect_on_oid(constraint.table, _EXCLUSIVE, scan=True, why=why)
    default = context.catalog.default_partition(parent.oid)
    if default is not None:
        yield from context.effect_on(default, _EXCLUSIVE)
    for constraint in context.catalog.constraints(child.oid):
        if constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.parent is not None:
            yield from context.effect_on_oid(constraint.references, LockMode.SHARE_ROW_EXCLUSIVE)


@EFFECTS.register(sql.MergePartitions, sql.SplitPartition)
def merge_or_split(context: EffectContext, op: sql.MergePartitions | sql.SplitPartition) -> Effects:
    """MERGE and SPLIT PARTITION: ACCESS EXCLUSIVE on the parent and the partitions until their rows are copied (manual, ALTER TABLE)."""
    yield from context.effect_on_name(op.target.name, _EXCLUSIVE, "partitioned table")
    merged = isinstance(op, sql.MergePartitions)
    why = f"its rows are copied to the new partition{'' if merged else 's'}"
    for name in op.partitions if isinstance(op, sql.MergePartitions) else (op.partition,):
        partition = context.catalog.relation(name)
        if partition is None:
            yield from context.effect_on_name(name, _EXCLUSIVE, scan=True, why=why)
            continue
        scan = context.has_rows(partition)
        index_lock = _EXCLUSIVE if context.catalog.indexes(partition.oid) else None
        yield from context.effect_on(partition, _EXCLUSIVE, index_lock=index_lock, scan=scan, why=why if scan else "")
    parent = context.catalog.relation(op.target.name)
    if parent is not None:
        # The foreign keys of the partitions that are dropped have triggers on the other tables.
        for constraint in context.catalog.constraints(parent.oid):
            if constraint.kind is ConstraintKind.FOREIGN_KEY:
                yield from context.effect_on_oid(constraint.references, _EXCLUSIVE)
        for constraint in context.catalog.foreign_keys_to(parent.oid):
            yield from context.effect_on_oid(constraint.table, _EXCLUSIVE)


@EFFECTS.register(sql.Inherit)
def inherit(context: EffectContext, op: sql.Inherit) -> Effects:
    """INHERIT."""
    yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind)
    yield from context.effect_on_name(op.parent, _SHARE_UPDATE)


@EFFECTS.register(sql.NoInherit)
def no_inherit(context: EffectContext, op: sql.NoInherit) -> Effects:
    """NO INHERIT."""
    yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind)
    yield from context.effect_on_name(op.parent, LockMode.ACCESS_SHARE)
