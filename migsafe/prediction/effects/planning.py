"""What statements lock that are analysed or planned, and not run: PREPARE, EXPLAIN, the bodies of views, rules and functions."""

from collections.abc import Iterable

from migsafe.lock import LockMode
from migsafe.prediction.effects.queries import READ, behind, changed, query, row_locked
from migsafe.prediction.effects.scene import Effects, Scene
from migsafe.schema.objects import RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation, Query


def named(scene: Scene, one: Query) -> Effects:
    """A query that is analysed: the relations that it names, and none behind them."""
    for name in one.reads:
        yield from scene.on(name, READ)
    for name in row_locked(one):
        yield from scene.on(name, LockMode.ROW_SHARE)


def analysed(scene: Scene, operation: Operation) -> Effects:
    """A statement that is analysed."""
    match operation:
        case sql.Select(query=one) | sql.CreateTableAs(query=Query() as one):
            yield from named(scene, one)
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield from scene.on(operation.table, LockMode.ROW_EXCLUSIVE)
            for name in operation.reads:
                yield from scene.on(name, READ)


def rewritten(scene: Scene, operation: Operation) -> Effects:
    """A statement that is analysed, and views in it replaced by their queries; what is below tables is not looked for yet."""
    match operation:
        case sql.Select(query=one) | sql.CreateTableAs(query=Query() as one):
            yield from _unfolded(scene, one.reads, READ)
            yield from _unfolded(scene, row_locked(one), LockMode.ROW_SHARE)
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield from _unfolded(scene, (operation.table,), LockMode.ROW_EXCLUSIVE)
            yield from _unfolded(scene, operation.reads, READ)


def _unfolded(scene: Scene, names: Iterable[Name], lock: LockMode) -> Effects:
    for name in names:
        yield from scene.on(name, lock)
        relation = scene.catalog.relation(name)
        if relation is not None and relation.kind is RelationKind.VIEW:
            yield from behind(scene, relation, lock, only=True)


def planned(scene: Scene, operation: Operation) -> Effects:
    """A statement that is planned: what is behind views and below tables is locked too, but no row is looked up."""
    match operation:
        case sql.Select(query=one) | sql.CreateTableAs(query=Query() as one):
            yield from query(scene, one, runs=False)
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield from changed(scene, operation)
        case sql.Execute(name=name):
            for prepared in scene.prepared(name):
                yield from planned(scene, prepared)


def prepare(scene: Scene, op: sql.Prepare) -> Effects:
    """PREPARE."""
    for operation in op.prepared:
        yield from rewritten(scene, operation)


def explain(scene: Scene, op: sql.Explain) -> Effects:
    """EXPLAIN without ANALYZE, with which the statement runs."""
    for operation in op.explained:
        yield from planned(scene, operation)
