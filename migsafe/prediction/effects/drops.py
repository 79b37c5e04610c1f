"""The locks of DROP: on the dropped relations, on those that are dropped with them, and on the tables of dropped constraints and triggers."""

from collections.abc import Iterable

from migsafe import versions
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.schema.dependents import Part
from migsafe.schema.objects import Attached, Composite, Constraint, Domain, EnumType, Index, Relation, RelationKind, Trigger
from migsafe.schema.removals import drop_result
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind

_EXCLUSIVE = LockMode.ACCESS_EXCLUSIVE


def drop_effects(context: EffectContext, parts: Iterable[Part]) -> Effects:
    """Yields the locks of dropping objects."""
    for part in parts:
        dropped = context.catalog.get(part.oid)
        match dropped:
            case Relation() if part.column:
                yield from context.effect_on(dropped, _EXCLUSIVE)
            case Relation():
                yield from _relation(context, dropped)
            case Index():
                yield from context.effect_on_oid(dropped.table, _EXCLUSIVE, index_lock=_EXCLUSIVE)
            case Constraint():
                yield from _constraint(context, dropped)
            case Trigger():
                yield from context.effect_on_oid(dropped.table, _EXCLUSIVE)
            case Attached():
                yield from context.effect_on_oid(dropped.table, LockMode.SHARE_UPDATE_EXCLUSIVE if dropped.kind == "statistics" else _EXCLUSIVE)
            case EnumType() | Domain() | Composite():
                pass


def _relation(context: EffectContext, relation: Relation) -> Effects:
    has_indexes = bool(context.catalog.indexes(relation.oid))
    yield from context.effect_on(relation, _EXCLUSIVE, index_lock=_EXCLUSIVE if has_indexes else None)
    if relation.bound is None:
        return
    # Dropping a partition changes which rows its parent and the default partition accept (heap_drop_with_catalog).
    for oid in relation.parents:
        yield from context.effect_on_oid(oid, _EXCLUSIVE)
        default = context.catalog.default_partition(oid)
        if default is not None:
            yield from context.effect_on(default, _EXCLUSIVE)


def _constraint(context: EffectContext, constraint: Constraint) -> Effects:
    yield from context.effect_on_oid(constraint.table, _EXCLUSIVE)
    if constraint.kind is not ConstraintKind.FOREIGN_KEY or constraint.parent is not None:
        return  # the triggers on the referenced table are those of the partitioned table's own foreign key
    # Its triggers on the referenced table are dropped too.
    referenced = context.catalog.get(constraint.references) if constraint.references is not None else None
    if isinstance(referenced, Relation):
        is_partitioned = referenced.kind is RelationKind.PARTITIONED
        if not is_partitioned or context.pg_version >= versions.ROOT_FOREIGN_KEY_TRIGGERS:
            yield from context.effect_on(referenced, _EXCLUSIVE)
        yield from context.effects_on(context.catalog.descendants(referenced.oid) if is_partitioned else (), _EXCLUSIVE)


def _has_known_triggers(context: EffectContext, table: Relation) -> bool:
    """Whether all triggers, rules and policies of a relation are known. Of a view, the columns may be unknown nevertheless."""
    is_view = table.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED)
    return table.complete or (is_view and table.oid > context.catalog.origin.opaque_until)


@EFFECTS.register(sql.Drop)
def drop(context: EffectContext, op: sql.Drop) -> Effects:
    """DROP."""
    if op.kind == "index" and op.concurrently:
        for name in op.names:
            index = context.catalog.index(name)
            if index is not None:
                yield from context.effect_on_oid(index.table, LockMode.SHARE_UPDATE_EXCLUSIVE, waits=True)
        return
    yield from drop_effects(context, drop_result(context.catalog, op).parts)
    if op.kind in ("table", "foreign table", "view", "materialized view"):
        for name in op.names:
            is_missing = context.catalog.is_never_found(name) if op.if_exists else context.catalog.is_absent(name)
            if context.catalog.relation(name) is None and not is_missing:
                yield from context.effect_on_name(name, _EXCLUSIVE, kind=op.kind)
    elif op.kind in ("trigger", "rule", "policy") and op.table is not None:
        table = context.catalog.relation(op.table)
        known = _has_known_triggers(context, table) if table is not None else context.catalog.is_absent(op.table)
        if not known or not op.if_exists:
            yield from context.effect_on_name(op.table, _EXCLUSIVE)
