"""The locks of the other ALTER TABLE operations (AlterTableGetLockLevel in PostgreSQL's src/backend/commands/tablecmds.c)."""

from migsafe import versions
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.schema.objects import RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Name

_EXCLUSIVE = LockMode.ACCESS_EXCLUSIVE
_SHARE_UPDATE = LockMode.SHARE_UPDATE_EXCLUSIVE
_SHARE_ROW = LockMode.SHARE_ROW_EXCLUSIVE

_LOCKS: dict[type[AlterRelation], LockMode] = {
    sql.SetStatistics: _SHARE_UPDATE,
    sql.ResetColumnOptions: _SHARE_UPDATE,
    sql.ClusterOn: _SHARE_UPDATE,
    sql.SetTrigger: _SHARE_ROW,
}
"""The operations with a weaker lock than ACCESS EXCLUSIVE."""

_RECURSE = frozenset((sql.SetDefault, sql.DropDefault, sql.DropNotNull, sql.DropExpression, sql.SetStatistics, sql.SetStorage))
"""The operations that also change the inheriting tables, unless ONLY is given."""

_STRONG_OPTIONS = frozenset(
    (
        *("user_catalog_table", "security_barrier", "security_invoker", "check_option"),
        *("fastupdate", "gin_pending_list_limit", "buffering", "pages_per_range", "autosummarize"),
    )
)
"""The storage parameters that need ACCESS EXCLUSIVE to be set (reloptions.c); the others need SHARE UPDATE EXCLUSIVE."""


@EFFECTS.register(
    *(sql.SetDefault, sql.DropDefault, sql.DropNotNull, sql.DropExpression, sql.SetStatistics, sql.SetStorage, sql.SetCompression),
    *(sql.SetColumnOptions, sql.ResetColumnOptions, sql.SetOptions, sql.SetTrigger, sql.SetRule, sql.SetRowSecurity, sql.ClusterOn),
    *(sql.SetWithoutOids, sql.SetOfType, sql.SetReplicaIdentity),
)
def alter(context: EffectContext, op: AlterRelation) -> Effects:
    """An operation of ALTER TABLE that neither rewrites nor scans."""
    lock = _lock(op)
    index = context.catalog.index(op.target.name)
    if op.target.kind in ("type", "domain", "sequence"):
        return
    if op.target.kind == "index" or index is not None:
        # Queries on the table wait for the index's lock when they are planned.
        if index is not None and lock is _EXCLUSIVE:
            yield from context.effect_on_oid(index.table, LockMode.ACCESS_SHARE, index_lock=lock)
        return
    relation = context.catalog.relation(op.target.name)
    if relation is None:
        yield from context.effect_on_name(op.target.name, lock, op.target.kind)
        return
    recurses = type(op) in _RECURSE and relation.kind is not RelationKind.VIEW
    if isinstance(op, sql.SetTrigger):
        # Partitions have clones of a row trigger.
        recurses = relation.kind is RelationKind.PARTITIONED
    elif isinstance(op, sql.DropNotNull) and context.pg_version >= versions.NOT_NULL_CONSTRAINTS:
        # NOT NULL is a constraint, so nothing changes below a column without one.
        column = relation.column(op.column)
        recurses = column is None or column.not_null is not False
    yield from context.effects_on(context.with_descendants(relation, only=op.target.only or not recurses), lock)


def _lock(op: AlterRelation) -> LockMode:
    match op:
        case sql.SetOptions(options=options, foreign=False):
            names = {option.name for option in options}
            return _EXCLUSIVE if names & _STRONG_OPTIONS or op.target.kind == "view" else _SHARE_UPDATE
        case sql.SetColumnOptions(foreign=False):
            return _SHARE_UPDATE
    return _LOCKS.get(type(op), _EXCLUSIVE)


@EFFECTS.register(sql.AddIdentity, sql.SetIdentity, sql.DropIdentity)
def identity(context: EffectContext, op: sql.AddIdentity | sql.SetIdentity | sql.DropIdentity) -> Effects:
    """ADD GENERATED … AS IDENTITY, SET and DROP IDENTITY: since 17 the partitions of a partitioned table have its identity too."""
    relation = context.catalog.relation(op.target.name)
    if relation is None:
        yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind)
        return
    recurses = context.pg_version >= versions.PARTITIONS_INHERIT_IDENTITY and relation.kind is RelationKind.PARTITIONED
    yield from context.effects_on(context.with_descendants(relation, only=not recurses), _EXCLUSIVE)


@EFFECTS.register(sql.RenameConstraint)
def rename_constraint(context: EffectContext, op: sql.RenameConstraint) -> Effects:
    """RENAME CONSTRAINT."""
    if op.target.kind == "domain":
        return
    relation = context.catalog.relation(op.target.name)
    constraint = context.catalog.constraint(relation.oid, op.constraint) if relation is not None else None
    if relation is None or constraint is None:
        yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind)
        return
    recurses = constraint.check is not None and not op.target.only
    yield from context.effects_on(context.with_descendants(relation, only=not recurses), _EXCLUSIVE)


@EFFECTS.register(sql.Rename)
def rename(context: EffectContext, op: sql.Rename) -> Effects:
    """ALTER … RENAME TO: renaming an index locks only the index."""
    if op.kind in ("trigger", "rule", "policy") and op.table is not None:
        yield from context.effect_on_name(op.table, _EXCLUSIVE)
        if op.kind == "trigger":
            relation = context.catalog.relation(op.table)
            if (
                relation is not None
                and relation.kind is RelationKind.PARTITIONED
                and context.pg_version >= versions.ROW_TRIGGER_RENAME_RECURSES
            ):
                yield from context.effects_on(context.catalog.descendants(relation.oid), _EXCLUSIVE)
    elif op.kind in ("table", "foreign table", "view", "materialized view", "index"):
        # PostgreSQL renames by the kind of the object, but only ALTER INDEX takes the weaker lock on an index.
        index = context.catalog.index(op.name)
        if index is not None and op.kind != "index":
            yield from context.effect_on_oid(index.table, LockMode.ACCESS_SHARE, index_lock=_EXCLUSIVE)
        elif index is None and (op.kind != "index" or context.catalog.relation(op.name) is not None):
            yield from _named(context, op.name, op.kind, if_exists=op.if_exists)


@EFFECTS.register(sql.SetSchema)
def set_schema(context: EffectContext, op: sql.SetSchema) -> Effects:
    """ALTER … SET SCHEMA."""
    if op.kind in ("table", "foreign table", "view", "materialized view"):
        yield from _named(context, op.name, op.kind, if_exists=op.if_exists)


@EFFECTS.register(sql.SetOwner)
def set_owner(context: EffectContext, op: sql.SetOwner) -> Effects:
    """ALTER … OWNER TO: locks a table with its indexes."""
    if op.kind in ("table", "foreign table", "view", "materialized view"):
        relation = context.catalog.relation(op.name)
        has_index = relation is not None and bool(context.catalog.indexes(relation.oid))
        yield from _named(context, op.name, op.kind, if_exists=op.if_exists, index_lock=_EXCLUSIVE if has_index else None)


@EFFECTS.register(sql.AlterObject)
def alter_object(context: EffectContext, op: sql.AlterObject) -> Effects:
    """Other ALTER commands: the lock on an index blocks the planning of queries on its table; the table of a trigger is locked with ACCESS
    SHARE."""
    index = context.catalog.index(op.name) if op.kind == "index" and op.name is not None else None
    if index is not None:
        yield from context.effect_on_oid(index.table, LockMode.ACCESS_SHARE, index_lock=_EXCLUSIVE)
    elif op.table is not None:
        yield from context.effect_on_name(op.table, LockMode.ACCESS_SHARE)


def _named(context: EffectContext, name: Name, kind: str, *, if_exists: bool, index_lock: LockMode | None = None) -> Effects:
    if not (if_exists and context.catalog.is_absent(name)):
        yield from context.effect_on_name(name, _EXCLUSIVE, kind, index_lock=index_lock)
