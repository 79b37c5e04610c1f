"""What dropping something locks: whatever falls with it, and the tables on which that stood."""

from collections.abc import Iterable

from migsafe.lock import LockMode
from migsafe.prediction.effects.scene import Effects, Scene
from migsafe.schema.dependents import Part
from migsafe.schema.objects import Attached, Composite, Constraint, Domain, EnumType, Index, Relation, RelationKind, Trigger
from migsafe.schema.removals import drop_fall
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind

_EXCLUSIVE = LockMode.ACCESS_EXCLUSIVE


def fallen(scene: Scene, parts: Iterable[Part]) -> Effects:
    """What the fall of some objects locks."""
    for part in parts:
        one = scene.catalog.get(part.oid)
        match one:
            case Relation() if part.column:
                yield from scene.of(one, _EXCLUSIVE)
            case Relation():
                yield from _relation(scene, one)
            case Index():
                yield from scene.on_oid(one.table, _EXCLUSIVE, index_lock=_EXCLUSIVE)
            case Constraint():
                yield from _constraint(scene, one)
            case Trigger():
                yield from scene.on_oid(one.table, _EXCLUSIVE)
            case Attached():
                yield from scene.on_oid(one.table, LockMode.SHARE_UPDATE_EXCLUSIVE if one.kind == "statistics" else _EXCLUSIVE)
            case EnumType() | Domain() | Composite():
                pass


def _relation(scene: Scene, relation: Relation) -> Effects:
    has_indexes = bool(scene.catalog.indexes(relation.oid))
    yield from scene.of(relation, _EXCLUSIVE, index_lock=_EXCLUSIVE if has_indexes else None)
    if relation.bound is None:
        return
    # A partition's going changes what its parent and the default partition may hold (heap_drop_with_catalog).
    for oid in relation.parents:
        yield from scene.on_oid(oid, _EXCLUSIVE)
        default = scene.catalog.default_partition(oid)
        if default is not None:
            yield from scene.of(default, _EXCLUSIVE)


def _constraint(scene: Scene, constraint: Constraint) -> Effects:
    yield from scene.on_oid(constraint.table, _EXCLUSIVE)
    if constraint.kind is not ConstraintKind.FOREIGN_KEY or constraint.parent is not None:
        return  # the triggers on the referenced table are those of the partitioned table's own foreign key
    # Its triggers on the referenced table go too; up to 14 a partitioned one has none itself.
    referenced = scene.catalog.get(constraint.references) if constraint.references is not None else None
    if isinstance(referenced, Relation):
        is_partitioned = referenced.kind is RelationKind.PARTITIONED
        if not is_partitioned or scene.pg_version >= 15:
            yield from scene.of(referenced, _EXCLUSIVE)
        yield from scene.all_of(scene.catalog.descendants(referenced.oid) if is_partitioned else (), _EXCLUSIVE)


def drop(scene: Scene, op: sql.Drop) -> Effects:
    """DROP."""
    if op.kind == "index" and op.concurrently:
        for name in op.names:
            index = scene.catalog.index(name)
            if index is not None:
                yield from scene.on_oid(index.table, LockMode.SHARE_UPDATE_EXCLUSIVE, waits=True)
        return
    yield from fallen(scene, drop_fall(scene.catalog, op).parts)
    if op.kind in ("table", "foreign table", "view", "materialized view"):
        for name in op.names:
            if scene.catalog.relation(name) is None and not scene.catalog.is_absent(name):
                yield from scene.on(name, _EXCLUSIVE, kind=op.kind)
    elif op.kind in ("trigger", "rule", "policy") and op.table is not None:
        table = scene.catalog.relation(op.table)
        known = table.complete if table is not None else scene.catalog.is_absent(op.table)
        if not known or not op.if_exists:
            yield from scene.on(op.table, _EXCLUSIVE)
