"""The effects of building, rebuilding and maintaining tables and indexes."""

from migsafe import versions
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.queries import reads
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.prediction.effects.toast import has_toast
from migsafe.schema.indexes import has_same, sketched
from migsafe.schema.known_objects import TEMPORARY
from migsafe.schema.objects import Index, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

_EXCLUSIVE = LockMode.ACCESS_EXCLUSIVE
_SHARE_UPDATE = LockMode.SHARE_UPDATE_EXCLUSIVE


@EFFECTS.register(sql.CreateIndex)
def create_index(context: EffectContext, op: sql.CreateIndex) -> Effects:
    """CREATE INDEX: SHARE until the index is built; CONCURRENTLY waits for other transactions instead of blocking them."""
    concurrently = op.concurrently
    lock = _SHARE_UPDATE if concurrently else LockMode.SHARE
    why = "the index is built from every row"
    relation = context.catalog.relation(op.table)
    if relation is None:
        yield from context.effect_on_name(op.table, lock, scan=not op.only, why="" if op.only else why, waits=concurrently)
        return
    if concurrently and relation.name.schema == TEMPORARY:
        # PostgreSQL ignores CONCURRENTLY for a temporary table.
        lock, concurrently = LockMode.SHARE, False
    wanted = sketched(context.catalog, relation, op) if relation.kind is RelationKind.PARTITIONED else None
    exists = op.if_not_exists and op.name is not None and context.catalog.is_taken(Name(op.name, relation.name.schema))
    if exists or op.only:
        scan = not exists and context.has_rows(relation)
        yield from context.effect_on(relation, lock, scan=scan, why=why if scan else "", waits=concurrently and not exists)
        return
    for table in context.with_descendants(relation) if relation.kind is RelationKind.PARTITIONED else [relation]:
        has_rows = context.has_rows(table)
        # An identical index of the partition is attached instead of building one.
        is_attached = table is not relation and wanted is not None and has_same(context.catalog, relation, table, wanted)
        scan = has_rows and not is_attached
        yield from context.effect_on(table, lock, scan=scan, why=why if scan else "", waits=concurrently and has_rows)


@EFFECTS.register(sql.Reindex)
def reindex(context: EffectContext, op: sql.Reindex) -> Effects:
    """REINDEX: blocks readers too, because planning a query locks every index of its tables."""
    if op.kind == "index":
        index = context.catalog.index(op.name) if op.name is not None else None
        table = context.catalog.get(index.table) if index is not None else None
        if index is not None and isinstance(table, Relation):
            yield from _reindexed(context, table, op.concurrently, index)
        return
    if op.kind == "table" and op.name is not None:
        relation = context.catalog.relation(op.name)
        if relation is None:
            yield from _rebuilt(context, op.name, op.concurrently)
        # Partitions are rebuilt one by one, in transactions of their own; the children of an inheritance tree are not.
        for one in context.with_descendants(relation, only=relation.kind is not RelationKind.PARTITIONED) if relation is not None else ():
            yield from _reindexed(context, one, op.concurrently)
            if op.concurrently and one is not relation:
                # Before the first rebuild PostgreSQL looks the partitions up, and locks them against writes for that moment.
                yield from context.effect_on(one, LockMode.SHARE)
        return
    if op.kind == "system":
        return
    schema = op.name.name if op.kind == "schema" and op.name is not None else None
    for one in context.catalog.relations():
        if one.kind in (RelationKind.TABLE, RelationKind.MATERIALIZED) and schema in (None, one.name.schema):
            yield from _reindexed(context, one, op.concurrently)


def _reindexed(context: EffectContext, table: Relation, concurrently: bool, index: Index | None = None) -> Effects:
    weak = _SHARE_UPDATE if concurrently else LockMode.SHARE
    if table.kind is RelationKind.PARTITIONED:
        yield from context.effect_on(table, weak, index_lock=_EXCLUSIVE if index is not None and not concurrently else None)
        for part in context.catalog.dependents(index.oid, Index) if index is not None else ():
            partition = context.catalog.get(part.table)
            if isinstance(partition, Relation):
                yield from _reindexed(context, partition, concurrently, part)
        return
    indexes = [index] if index is not None else context.catalog.indexes(table.oid)
    # CONCURRENTLY skips the index of an exclusion constraint, which cannot be rebuilt that way.
    names = tuple(table_index.name.name for table_index in indexes if not (concurrently and any(key.operator for key in table_index.keys)))
    why = "every row is read to rebuild its indexes"
    yield from context.effect_on(
        table,
        weak,
        index_lock=_EXCLUSIVE if names and not concurrently else None,
        scan=bool(names),
        rebuilt=names,
        waits=concurrently and (bool(names) or has_toast(context, table)),
        why=why if names else "",
    )


def _rebuilt(context: EffectContext, name: Name, concurrently: bool) -> Effects:
    yield from context.effect_on_name(
        name,
        _SHARE_UPDATE if concurrently else LockMode.SHARE,
        index_lock=None if concurrently else _EXCLUSIVE,
        scan=True,
        waits=concurrently,
        why="every row is read to rebuild its indexes",
    )


def rewritten(context: EffectContext, relation: Relation, why: str) -> Effects:
    """Yields the effect on a table that is rewritten with its indexes."""
    has_index = bool(context.catalog.indexes(relation.oid))
    yield from context.effect_on(relation, _EXCLUSIVE, index_lock=_EXCLUSIVE if has_index else None, rewrite=True, scan=True, why=why)


@EFFECTS.register(sql.Cluster)
def cluster(context: EffectContext, op: sql.Cluster) -> Effects:
    """CLUSTER: of one table, or of every table that was clustered before."""
    why = "CLUSTER rewrites the rows in the order of the index"
    if op.table is not None:
        relation = context.catalog.relation(op.table)
        if relation is None:
            yield from context.effect_on_name(op.table, _EXCLUSIVE, rewrite=True, scan=True, why=why)
            return
        yield from _reordered(context, relation, why, by_index=True)
        return
    for table in context.catalog.relations():
        if table.clustered_on is not None:
            yield from rewritten(context, table, why)


@EFFECTS.register(sql.Repack)
def repack(context: EffectContext, op: sql.Repack) -> Effects:
    """REPACK: like CLUSTER with USING INDEX, else like VACUUM FULL. With CONCURRENTLY it takes ACCESS EXCLUSIVE only to swap the files, after
    the rows have been copied under SHARE UPDATE EXCLUSIVE (manual, REPACK). It waits for every transaction of the server that has written;
    while its last request waits for a reader, later queries wait behind it, and a lock_timeout ends it (all measured on 19beta2)."""
    if op.concurrently and op.table is not None:
        why = "REPACK copies the rows"
        yield from context.effect_on_name(op.table, _SHARE_UPDATE, final_lock=_EXCLUSIVE, rewrite=True, scan=True, waits=True, why=why)
        return
    why = "REPACK rewrites the rows in the order of the index" if op.by_index else "REPACK rewrites the rows"
    relation = context.catalog.relation(op.table) if op.table is not None else None
    if op.table is not None and relation is None:
        yield from context.effect_on_name(op.table, _EXCLUSIVE, rewrite=True, scan=True, why=why)
        return
    if relation is not None:
        yield from _reordered(context, relation, why, by_index=op.by_index)
        return
    kinds = (RelationKind.TABLE, RelationKind.MATERIALIZED)
    for table in context.catalog.relations():
        if table.kind in kinds and (table.clustered_on is not None or not op.by_index):
            yield from rewritten(context, table, why) if context.has_rows(table) else context.effect_on(table, _EXCLUSIVE)


def _reordered(context: EffectContext, relation: Relation, why: str, *, by_index: bool) -> Effects:
    """The effects of CLUSTER and REPACK on a table and its partitions."""
    for table in context.with_descendants(relation) if relation.kind is RelationKind.PARTITIONED else [relation]:
        if context.has_rows(table):
            yield from rewritten(context, table, why)
            continue
        locks_index = by_index and table is relation and context.pg_version >= versions.CLUSTER_LOCKS_PARTITIONED_INDEX
        yield from context.effect_on(table, _EXCLUSIVE, index_lock=_EXCLUSIVE if locks_index else None)


def _tables(context: EffectContext, named: tuple[sql.Relation, ...]) -> list[Relation | Name]:
    """Returns the tables of VACUUM and ANALYZE, with their partitions; all known tables if the statement names none."""
    if not named:
        return [
            one for one in context.catalog.relations() if one.kind in (RelationKind.TABLE, RelationKind.MATERIALIZED, RelationKind.PARTITIONED)
        ]
    tables: list[Relation | Name] = []
    for one in named:
        relation = context.catalog.relation(one.name)
        if relation is None:
            tables.append(one.name)
        elif relation.kind is not RelationKind.VIEW:
            goes_down = relation.kind is RelationKind.PARTITIONED or context.pg_version >= versions.VACUUM_RECURSES_TO_CHILDREN
            tables.extend(context.with_descendants(relation, only=one.only or not goes_down))
    return tables


@EFFECTS.register(sql.Vacuum)
def vacuum(context: EffectContext, op: sql.Vacuum) -> Effects:
    """VACUUM, VACUUM FULL."""
    why = "VACUUM FULL rewrites the rows"
    for table in _tables(context, op.tables):
        if isinstance(table, Name):
            yield from context.effect_on_name(
                table, _EXCLUSIVE if op.full else _SHARE_UPDATE, rewrite=op.full, scan=op.full, why=why if op.full else ""
            )
        elif op.full and context.has_rows(table):
            yield from rewritten(context, table, why)
        else:
            yield from context.effect_on(table, _EXCLUSIVE if op.full else _SHARE_UPDATE)


@EFFECTS.register(sql.Analyze)
def analyze(context: EffectContext, op: sql.Analyze) -> Effects:
    """ANALYZE: the tables below are sampled with their parent, even if they are not analysed themselves."""
    for table in _tables(context, op.tables):
        if isinstance(table, Name):
            yield from context.effect_on_name(table, _SHARE_UPDATE)
            continue
        yield from context.effect_on(table, _SHARE_UPDATE)
        if table.kind in (RelationKind.TABLE, RelationKind.PARTITIONED):
            yield from context.effects_on(context.catalog.descendants(table.oid), LockMode.ACCESS_SHARE)


@EFFECTS.register(sql.RefreshMaterializedView)
def refresh(context: EffectContext, op: sql.RefreshMaterializedView) -> Effects:
    """REFRESH MATERIALIZED VIEW: with CONCURRENTLY only EXCLUSIVE, which does not block readers."""
    view = context.catalog.relation(op.view)
    kind = "materialized view"
    why = "the view's rows are recomputed"
    if op.concurrently:
        yield from context.effect_on_name(op.view, LockMode.EXCLUSIVE, kind, scan=True, why="the new rows are compared with every old one")
    else:
        has_index = view is not None and bool(context.catalog.indexes(view.oid))
        index_lock = _EXCLUSIVE if has_index else None
        yield from context.effect_on_name(
            op.view, _EXCLUSIVE, kind, rewrite=True, scan=has_index and op.with_data, index_lock=index_lock, why=why
        )
    if view is not None and view.query is not None and op.with_data:
        yield from reads(context, view.query.reads, scan=view.query.whole, only=view.query.only)


def _is_from_history(relation: Relation) -> bool:
    """Whether a statement of the history created the relation, so that its persistence and access method are known."""
    return relation.created_in >= 0 and not relation.may_be_older


@EFFECTS.register(sql.SetLogged)
def set_logged(context: EffectContext, op: sql.SetLogged) -> Effects:
    """SET LOGGED, SET UNLOGGED."""
    relation = context.catalog.relation(op.target.name)
    why = f"SET {'LOGGED' if op.logged else 'UNLOGGED'} rewrites the rows"
    wanted = sql.Persistence.PERMANENT if op.logged else sql.Persistence.UNLOGGED
    if relation is None:
        yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind, rewrite=True, scan=True, why=why)
    elif (relation.persistence is wanted and _is_from_history(relation)) or not context.has_rows(relation):
        yield from context.effect_on(relation, _EXCLUSIVE)
    else:
        yield from rewritten(context, relation, why)


@EFFECTS.register(sql.SetAccessMethod)
def set_access_method(context: EffectContext, op: sql.SetAccessMethod) -> Effects:
    """SET ACCESS METHOD; does nothing if the table already has that method."""
    relation = context.catalog.relation(op.target.name)
    why = "SET ACCESS METHOD rewrites the rows"
    if relation is None:
        yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind, rewrite=True, scan=True, why=why)
    elif ((relation.method or "heap") == (op.method or "heap") and _is_from_history(relation)) or not context.has_rows(relation):
        yield from context.effect_on(relation, _EXCLUSIVE)
    else:
        yield from rewritten(context, relation, why)


@EFFECTS.register(sql.SetTablespace)
def set_tablespace(context: EffectContext, op: sql.SetTablespace) -> Effects:
    """SET TABLESPACE: copies the files under the lock."""
    index = context.catalog.index(op.target.name)
    if index is not None:
        yield from context.effect_on_oid(index.table, LockMode.ACCESS_SHARE, index_lock=_EXCLUSIVE, rebuilt=(index.name.name,))
        return
    relation = context.catalog.relation(op.target.name)
    copied = relation is None or context.has_rows(relation)
    why = f"the rows are copied to the tablespace {op.tablespace}" if copied else ""
    yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind, rewrite=copied, why=why)


@EFFECTS.register(sql.MoveAllInTablespace)
def move_all(context: EffectContext, op: sql.MoveAllInTablespace) -> Effects:
    """ALTER … ALL IN TABLESPACE: may move any relation, because it is unknown which ones are in the tablespace."""
    kinds = {"table": RelationKind.TABLE, "materialized view": RelationKind.MATERIALIZED}
    for relation in context.catalog.relations():
        if relation.kind is kinds.get(op.kind):
            yield from context.effect_on(relation, _EXCLUSIVE, rewrite=True, why=f"the rows are copied to the tablespace {op.destination}")
