"""The locks of statements that are only analysed or planned: PREPARE, EXPLAIN, the bodies of views, rules and functions."""

from collections.abc import Iterable

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.queries import READ, change_effects, effects_behind_view, query_effects, row_locked
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.schema.objects import RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation, Query


def analysed_query(context: EffectContext, query: Query) -> Effects:
    """Yields the locks of a query that is only analysed: those on the relations that it names."""
    for name in query.reads:
        yield from context.effect_on_name(name, READ)
    for name in row_locked(query):
        yield from context.effect_on_name(name, LockMode.ROW_SHARE)


def analysed(context: EffectContext, operation: Operation) -> Effects:
    """Yields the locks of a statement that is only analysed."""
    match operation:
        case sql.Select(query=query) | sql.CreateTableAs(query=Query() as query):
            yield from analysed_query(context, query)
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield from context.effect_on_name(operation.table, LockMode.ROW_EXCLUSIVE)
            for name in operation.reads:
                yield from context.effect_on_name(name, READ)


def analysed_with_views(context: EffectContext, operation: Operation) -> Effects:
    """Yields the locks of a statement that is analysed and whose views are replaced by their queries; child tables are not locked yet."""
    match operation:
        case sql.Select(query=query) | sql.CreateTableAs(query=Query() as query):
            yield from _with_views(context, query.reads, READ)
            yield from _with_views(context, row_locked(query), LockMode.ROW_SHARE)
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield from _with_views(context, (operation.table,), LockMode.ROW_EXCLUSIVE)
            yield from _with_views(context, operation.reads, READ)


def _with_views(context: EffectContext, names: Iterable[Name], lock: LockMode) -> Effects:
    for name in names:
        yield from context.effect_on_name(name, lock)
        relation = context.catalog.relation(name)
        if relation is not None and relation.kind is RelationKind.VIEW:
            yield from effects_behind_view(context, relation, lock, only=True)


def planned(context: EffectContext, operation: Operation) -> Effects:
    """Yields the locks of a statement that is planned: also on the relations of its views and on child tables, but no row is read."""
    match operation:
        case sql.Select(query=query) | sql.CreateTableAs(query=Query() as query):
            yield from query_effects(context, query, runs=False)
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield from change_effects(context, operation)
        case sql.Execute(name=name):
            for prepared in context.prepared_operations(name):
                yield from planned(context, prepared)


@EFFECTS.register(sql.Prepare)
def prepare(context: EffectContext, op: sql.Prepare) -> Effects:
    """PREPARE."""
    for operation in op.prepared:
        yield from analysed_with_views(context, operation)


@EFFECTS.register(sql.Explain)
def explain(context: EffectContext, op: sql.Explain) -> Effects:
    """EXPLAIN without ANALYZE; with ANALYZE the statement runs."""
    for operation in op.explained:
        yield from planned(context, operation)
