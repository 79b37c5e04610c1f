"""The locks of statements that are only analysed or planned: PREPARE, EXPLAIN, the bodies of views, rules and functions."""

from collections.abc import Iterable

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.queries import READ, behind, changed, query, row_locked
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.schema.objects import RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation, Query


def named(context: EffectContext, one: Query) -> Effects:
    """Yields the locks of a query that is only analysed: those on the relations that it names."""
    for name in one.reads:
        yield from context.effect_on_name(name, READ)
    for name in row_locked(one):
        yield from context.effect_on_name(name, LockMode.ROW_SHARE)


def analysed(context: EffectContext, operation: Operation) -> Effects:
    """Yields the locks of a statement that is only analysed."""
    match operation:
        case sql.Select(query=one) | sql.CreateTableAs(query=Query() as one):
            yield from named(context, one)
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield from context.effect_on_name(operation.table, LockMode.ROW_EXCLUSIVE)
            for name in operation.reads:
                yield from context.effect_on_name(name, READ)


def rewritten(context: EffectContext, operation: Operation) -> Effects:
    """Yields the locks of a statement that is analysed and whose views are replaced by their queries; child tables are not locked yet."""
    match operation:
        case sql.Select(query=one) | sql.CreateTableAs(query=Query() as one):
            yield from _unfolded(context, one.reads, READ)
            yield from _unfolded(context, row_locked(one), LockMode.ROW_SHARE)
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield from _unfolded(context, (operation.table,), LockMode.ROW_EXCLUSIVE)
            yield from _unfolded(context, operation.reads, READ)


def _unfolded(context: EffectContext, names: Iterable[Name], lock: LockMode) -> Effects:
    for name in names:
        yield from context.effect_on_name(name, lock)
        relation = context.catalog.relation(name)
        if relation is not None and relation.kind is RelationKind.VIEW:
            yield from behind(context, relation, lock, only=True)


def planned(context: EffectContext, operation: Operation) -> Effects:
    """Yields the locks of a statement that is planned: also on the relations of its views and on child tables, but no row is read."""
    match operation:
        case sql.Select(query=one) | sql.CreateTableAs(query=Query() as one):
            yield from query(context, one, runs=False)
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield from changed(context, operation)
        case sql.Execute(name=name):
            for prepared in context.prepared_operations(name):
                yield from planned(context, prepared)


@EFFECTS.register(sql.Prepare)
def prepare(context: EffectContext, op: sql.Prepare) -> Effects:
    """PREPARE."""
    for operation in op.prepared:
        yield from rewritten(context, operation)


@EFFECTS.register(sql.Explain)
def explain(context: EffectContext, op: sql.Explain) -> Effects:
    """EXPLAIN without ANALYZE; with ANALYZE the statement runs."""
    for operation in op.explained:
        yield from planned(context, operation)
