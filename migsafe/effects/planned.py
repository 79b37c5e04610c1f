"""What statements lock that are analysed or planned, and not run: PREPARE, EXPLAIN, the bodies of views, rules and functions."""

from migsafe.effects.queries import READ, changed, query, row_locked
from migsafe.effects.scene import Effects, Scene
from migsafe.lock import LockMode
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation, Query


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
        yield from analysed(scene, operation)


def explain(scene: Scene, op: sql.Explain) -> Effects:
    """EXPLAIN without ANALYZE, with which the statement runs."""
    for operation in op.explained:
        yield from planned(scene, operation)
