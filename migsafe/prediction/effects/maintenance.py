"""What building, rebuilding and looking after tables and indexes costs."""

from migsafe.lock import LockMode
from migsafe.prediction.effects.queries import reads
from migsafe.prediction.effects.scene import Effects, Scene
from migsafe.prediction.effects.toast import has_toast
from migsafe.schema.catalog import TEMPORARY
from migsafe.schema.indexes import has_same, sketched
from migsafe.schema.objects import Index, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

_EXCLUSIVE = LockMode.ACCESS_EXCLUSIVE
_SHARE_UPDATE = LockMode.SHARE_UPDATE_EXCLUSIVE


def create_index(scene: Scene, op: sql.CreateIndex) -> Effects:
    """CREATE INDEX: SHARE until it is built; CONCURRENTLY waits for others rather than block them."""
    concurrently = op.concurrently
    lock = _SHARE_UPDATE if concurrently else LockMode.SHARE
    why = "the index is built from every row"
    relation = scene.catalog.relation(op.table)
    if relation is None:
        yield from scene.on(op.table, lock, scan=not op.only, why="" if op.only else why, waits=concurrently)
        return
    if concurrently and relation.name.schema == TEMPORARY:
        # PostgreSQL builds a temporary table's index the ordinary way.
        lock, concurrently = LockMode.SHARE, False
    wanted = sketched(scene.catalog, relation, op) if relation.kind is RelationKind.PARTITIONED else None
    exists = op.if_not_exists and op.name is not None and scene.catalog.is_taken(Name(op.name, relation.name.schema))
    if exists or op.only:
        scan = not exists and scene.has_rows(relation)
        yield from scene.of(relation, lock, scan=scan, why=why if scan else "", waits=concurrently and not exists)
        return
    for one in scene.tree(relation) if relation.kind is RelationKind.PARTITIONED else [relation]:
        has_rows = scene.has_rows(one)
        # A partition's own index that is the same becomes the part.
        there = one is not relation and wanted is not None and has_same(scene.catalog, relation, one, wanted)
        scan = has_rows and not there
        yield from scene.of(one, lock, scan=scan, why=why if scan else "", waits=concurrently and has_rows)


def reindex(scene: Scene, op: sql.Reindex) -> Effects:
    """REINDEX: readers stop too, because planning any query takes every index's lock."""
    if op.kind == "index":
        index = scene.catalog.index(op.name) if op.name is not None else None
        table = scene.catalog.get(index.table) if index is not None else None
        if index is not None and isinstance(table, Relation):
            yield from _reindexed(scene, table, op.concurrently, index)
        return
    if op.kind == "table" and op.name is not None:
        relation = scene.catalog.relation(op.name)
        if relation is None:
            yield from _rebuilt(scene, op.name, op.concurrently)
        # Partitions are rebuilt one by one, in transactions of their own; the children of an inheritance tree are not.
        for one in scene.tree(relation, only=relation.kind is not RelationKind.PARTITIONED) if relation is not None else ():
            yield from _reindexed(scene, one, op.concurrently)
            if op.concurrently and one is not relation:
                # Before the first is begun they are looked up, and locked for that moment so that nobody can write.
                yield from scene.of(one, LockMode.SHARE)
        return
    if op.kind == "system":
        return
    schema = op.name.name if op.kind == "schema" and op.name is not None else None
    for one in scene.catalog.relations():
        if one.kind in (RelationKind.TABLE, RelationKind.MATERIALIZED) and schema in (None, one.name.schema):
            yield from _reindexed(scene, one, op.concurrently)


def _reindexed(scene: Scene, table: Relation, concurrently: bool, index: Index | None = None) -> Effects:
    weak = _SHARE_UPDATE if concurrently else LockMode.SHARE
    if table.kind is RelationKind.PARTITIONED:
        yield from scene.of(table, weak, index_lock=_EXCLUSIVE if index is not None and not concurrently else None)
        for part in scene.catalog.mentioning(index.oid, Index) if index is not None else ():
            below = scene.catalog.get(part.table)
            if isinstance(below, Relation):
                yield from _reindexed(scene, below, concurrently, part)
        return
    indexes = [index] if index is not None else scene.catalog.indexes(table.oid)
    # That of an exclusion constraint cannot be rebuilt concurrently, and is passed over.
    names = tuple(one.name.name for one in indexes if not (concurrently and any(key.operator for key in one.keys)))
    why = "every row is read to build its indexes anew"
    yield from scene.of(
        table,
        weak,
        index_lock=_EXCLUSIVE if names and not concurrently else None,
        scan=bool(names),
        rebuilt=names,
        waits=concurrently and (bool(names) or has_toast(scene, table)),
        why=why if names else "",
    )


def _rebuilt(scene: Scene, name: Name, concurrently: bool) -> Effects:
    yield from scene.on(
        name,
        _SHARE_UPDATE if concurrently else LockMode.SHARE,
        index_lock=None if concurrently else _EXCLUSIVE,
        scan=True,
        waits=concurrently,
        why="every row is read to build its indexes anew",
    )


def rewritten(scene: Scene, relation: Relation, why: str) -> Effects:
    """A table that is written anew, with its indexes."""
    has_index = bool(scene.catalog.indexes(relation.oid))
    yield from scene.of(relation, _EXCLUSIVE, index_lock=_EXCLUSIVE if has_index else None, rewrite=True, scan=True, why=why)


def cluster(scene: Scene, op: sql.Cluster) -> Effects:
    """CLUSTER: of one table, or of every table clustered before."""
    why = "CLUSTER writes the rows anew in the order of the index"
    if op.table is not None:
        relation = scene.catalog.relation(op.table)
        if relation is None:
            yield from scene.on(op.table, _EXCLUSIVE, rewrite=True, scan=True, why=why)
            return
        for one in scene.tree(relation) if relation.kind is RelationKind.PARTITIONED else [relation]:
            yield from rewritten(scene, one, why) if scene.has_rows(one) else scene.of(one, _EXCLUSIVE)
        return
    for one in scene.catalog.relations():
        if one.clustered_on is not None:
            yield from rewritten(scene, one, why)


def _tables(scene: Scene, given: tuple[sql.Relation, ...]) -> list[Relation | Name]:
    """The tables of VACUUM and ANALYZE, with their partitions; all that are known where none are named."""
    if not given:
        return [
            one for one in scene.catalog.relations() if one.kind in (RelationKind.TABLE, RelationKind.MATERIALIZED, RelationKind.PARTITIONED)
        ]
    found: list[Relation | Name] = []
    for one in given:
        relation = scene.catalog.relation(one.name)
        if relation is None:
            found.append(one.name)
        elif relation.kind is not RelationKind.VIEW:
            # From 18 on, VACUUM and ANALYZE go down an inheritance tree too unless ONLY is said.
            goes_down = relation.kind is RelationKind.PARTITIONED or scene.pg_version >= 18
            found.extend(scene.tree(relation, only=one.only or not goes_down))
    return found


def vacuum(scene: Scene, op: sql.Vacuum) -> Effects:
    """VACUUM, VACUUM FULL."""
    why = "VACUUM FULL writes the rows anew"
    for one in _tables(scene, op.tables):
        if isinstance(one, Name):
            yield from scene.on(one, _EXCLUSIVE if op.full else _SHARE_UPDATE, rewrite=op.full, scan=op.full, why=why if op.full else "")
        elif op.full and scene.has_rows(one):
            yield from rewritten(scene, one, why)
        else:
            yield from scene.of(one, _EXCLUSIVE if op.full else _SHARE_UPDATE)


def analyze(scene: Scene, op: sql.Analyze) -> Effects:
    """ANALYZE: the tables below are sampled with their parent, even where they are not analysed themselves."""
    for one in _tables(scene, op.tables):
        if isinstance(one, Name):
            yield from scene.on(one, _SHARE_UPDATE)
            continue
        yield from scene.of(one, _SHARE_UPDATE)
        if one.kind in (RelationKind.TABLE, RelationKind.PARTITIONED):
            yield from scene.all_of(scene.catalog.descendants(one.oid), LockMode.ACCESS_SHARE)


def refresh(scene: Scene, op: sql.RefreshMaterializedView) -> Effects:
    """REFRESH MATERIALIZED VIEW: EXCLUSIVE with CONCURRENTLY, which lets readers go on."""
    view = scene.catalog.relation(op.view)
    kind = "materialized view"
    why = "the view's rows are computed anew"
    if op.concurrently:
        yield from scene.on(op.view, LockMode.EXCLUSIVE, kind, scan=True, why="the new rows are compared with every old one")
    else:
        has_index = view is not None and bool(scene.catalog.indexes(view.oid))
        index_lock = _EXCLUSIVE if has_index else None
        yield from scene.on(op.view, _EXCLUSIVE, kind, rewrite=True, scan=has_index and op.with_data, index_lock=index_lock, why=why)
    if view is not None and view.query is not None and op.with_data:
        yield from reads(scene, view.query.reads, scan=view.query.whole, only=view.query.only)


def set_logged(scene: Scene, op: sql.SetLogged) -> Effects:
    """SET LOGGED, SET UNLOGGED."""
    relation = scene.catalog.relation(op.target.name)
    why = f"SET {'LOGGED' if op.logged else 'UNLOGGED'} writes the rows anew"
    wanted = sql.Persistence.PERMANENT if op.logged else sql.Persistence.UNLOGGED
    if relation is None:
        yield from scene.on(op.target.name, _EXCLUSIVE, op.target.kind, rewrite=True, scan=True, why=why)
    elif relation.persistence is wanted or not scene.has_rows(relation):
        yield from scene.of(relation, _EXCLUSIVE)
    else:
        yield from rewritten(scene, relation, why)


def set_access_method(scene: Scene, op: sql.SetAccessMethod) -> Effects:
    """SET ACCESS METHOD; to the method that the table has it does nothing."""
    relation = scene.catalog.relation(op.target.name)
    why = "SET ACCESS METHOD writes the rows anew"
    if relation is None:
        yield from scene.on(op.target.name, _EXCLUSIVE, op.target.kind, rewrite=True, scan=True, why=why)
    elif (relation.method or "heap") == (op.method or "heap") or not scene.has_rows(relation):
        yield from scene.of(relation, _EXCLUSIVE)
    else:
        yield from rewritten(scene, relation, why)


def set_tablespace(scene: Scene, op: sql.SetTablespace) -> Effects:
    """SET TABLESPACE: the files are copied under the lock."""
    index = scene.catalog.index(op.target.name)
    if index is not None:
        yield from scene.on_oid(index.table, LockMode.ACCESS_SHARE, index_lock=_EXCLUSIVE, rebuilt=(index.name.name,))
        return
    relation = scene.catalog.relation(op.target.name)
    copied = relation is None or scene.has_rows(relation)
    why = f"the rows are copied to the tablespace {op.tablespace}" if copied else ""
    yield from scene.on(op.target.name, _EXCLUSIVE, op.target.kind, rewrite=copied, why=why)


def move_all(scene: Scene, op: sql.MoveAllInTablespace) -> Effects:
    """ALTER … ALL IN TABLESPACE: which relations stand there is not known, so that it may be any."""
    kinds = {"table": RelationKind.TABLE, "materialized view": RelationKind.MATERIALIZED}
    for one in scene.catalog.relations():
        if one.kind is kinds.get(op.kind):
            yield from scene.of(one, _EXCLUSIVE, rewrite=True, why=f"the rows are copied to the tablespace {op.destination}")
