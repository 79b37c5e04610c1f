"""The locks of queries and changes of rows (manual, 13.3.1 and 13.3.2)."""

import re
from collections.abc import Container, Iterable, Sequence

from migsafe import expressions
from migsafe.lock import LockMode
from migsafe.patterns import lazy_pattern
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.schema.formulas import identifiers
from migsafe.schema.indexes import index_beginning_with
from migsafe.schema.objects import Constraint, Relation, RelationKind
from migsafe.schema.requirements import keys_that_reach
from migsafe.sql import operations as sql
from migsafe.sql.operations import Expression, Name, Query

READ = LockMode.ACCESS_SHARE
_EXTREMES = lazy_pattern(r"\b(?:max|min)\s*\(", re.IGNORECASE)
_WHY_ALL = "there is no filter, so every row is read"


def reads(
    context: EffectContext, names: Iterable[Name], lock: LockMode = READ, *, scan: Container[Name] = (), only: Container[Name] = ()
) -> Effects:
    """The effects of reading relations, with what views read and, except for the relations in `only`, the tables below them. All rows
    of the relations in `scan` are read."""
    for name in names:
        relation = context.catalog.relation(name)
        if relation is None:
            yield from context.effect_on_name(name, lock)
        else:
            yield from read(context, relation, lock, scan=name in scan, only=name in only)


def read(context: EffectContext, relation: Relation, lock: LockMode = READ, *, scan: bool = False, only: bool = False) -> Effects:
    """The effects of reading a relation."""
    yield from context.effect_on(relation, lock, scan=scan and context.has_rows(relation), why=_WHY_ALL if scan else "")
    if relation.kind is RelationKind.VIEW:
        # PostgreSQL replaces the view by its query, and locks what that reads as if the outer query read it.
        if relation.query is not None:
            yield from effects_behind_view(context, relation, lock, scan=scan)
        return
    for child in () if only else context.catalog.descendants(relation.oid):
        yield from context.effect_on(child, lock, scan=scan and context.has_rows(child), why=_WHY_ALL if scan else "")


def effects_behind_view(context: EffectContext, view: Relation, lock: LockMode, *, scan: bool = False, only: bool = False) -> Effects:
    """The effects on the relations that a view reads, also through other views; with `only`, not on the tables below them. If all rows of the
    view are read (`scan`), so are all rows of the relations that its query reads without a filter."""
    yield from _effects_behind_view(context, view, lock, scan, only, {view.oid})


def _effects_behind_view(context: EffectContext, view: Relation, lock: LockMode, scan: bool, only: bool, seen: set[int]) -> Effects:
    if view.query is None:
        return
    relations = [relation for oid in view.reads if isinstance(relation := context.catalog.get(oid), Relation)]
    names = {relation.name.name for relation in relations}
    whole = {name.name for name in view.query.whole} if scan else ()
    for relation in relations:
        if relation.oid in seen:
            continue
        seen.add(relation.oid)
        if relation.kind is RelationKind.VIEW and relation.query is not None:
            yield from context.effect_on(relation, lock)
            yield from _effects_behind_view(context, relation, lock, relation.name.name in whole, only, seen)
        else:
            yield from read(context, relation, lock, scan=relation.name.name in whole, only=only)
    for name in view.query.reads:
        if name.name not in names:
            yield from context.effect_on_name(name, lock)


def query_effects(context: EffectContext, query: Query, *, runs: bool = True) -> Effects:
    """Yields the locks of a query: ROW SHARE on the relations whose rows FOR UPDATE or FOR SHARE locks. It reads rows only if it `runs`."""
    yield from reads(context, query.reads, scan=_read_whole(context, query) if runs else (), only=query.only)
    yield from reads(context, row_locked(query), LockMode.ROW_SHARE, only=query.only)


def _read_whole(context: EffectContext, query: Query) -> Container[Name]:
    """Returns the relations of which a query reads all rows: not those of which it only takes the largest value from an index."""
    if not query.whole or not _EXTREMES.search(query.sql):
        return query.whole
    ends = [name for name, columns in expressions.extreme_reads(query) if _has_indexes(context, name, columns)]
    return tuple(name for name in query.whole if name not in ends or query.reads.count(name) > 1)


def _has_indexes(context: EffectContext, name: Name, columns: Iterable[str]) -> bool:
    """Whether an index of a table, and of the tables below it, begins with each of some columns."""
    relation = context.catalog.relation(name)
    return relation is not None and all(
        (column := table.column(each)) is not None and index_beginning_with(context.catalog, table, column) is not None
        for table in (relation, *context.catalog.descendants(relation.oid))
        for each in columns
    )


def row_locked(query: Query) -> tuple[Name, ...]:
    """Returns the relations whose rows FOR UPDATE or FOR SHARE locks."""
    if query.row_locks is None:
        return ()
    # FOR UPDATE OF may name the alias of a sub-query: if no relation has that name, all relations count.
    return tuple(name for name in query.reads if not query.row_locks or name in query.row_locks) or query.reads


@EFFECTS.register(sql.Select)
def select(context: EffectContext, op: sql.Select) -> Effects:
    """SELECT."""
    yield from query_effects(context, op.query, runs=op.cursor is None)


def change_effects(context: EffectContext, op: sql.Insert | sql.Update | sql.Delete | sql.Merge) -> Effects:
    """The effects of planning a change of rows: ROW EXCLUSIVE on its table, and the locks on what it reads."""
    match op:
        case sql.Insert():
            yield from _changed_tables(context, op.table, ("insert",))
        case sql.Merge():
            yield from _changed_tables(context, op.table, op.actions, only=op.only)
        case sql.Update() | sql.Delete():
            yield from _changed_tables(context, op.table, ("change",), only=op.only)
    yield from reads(context, op.reads)


@EFFECTS.register(sql.Insert)
def insert(context: EffectContext, op: sql.Insert) -> Effects:
    """INSERT: ROW EXCLUSIVE, and ROW SHARE on the tables that its foreign keys reference."""
    yield from _changed_tables(context, op.table, ("insert",))
    yield from reads(context, op.reads, scan=op.whole)
    for relation in _targets(context, op.table, only=True):
        for constraint in context.catalog.constraints(relation.oid):
            if constraint.references is not None and constraint.enforced:
                yield from context.effect_on_oid(constraint.references, LockMode.ROW_SHARE)


@EFFECTS.register(sql.Update)
def update(context: EffectContext, op: sql.Update) -> Effects:
    """UPDATE."""
    scan = op.current_of is None and _reads_all(context, op.table, op.where)
    yield from _changed_tables(context, op.table, ("update",), only=op.only, scan=scan, why=_why(op.where))
    yield from reads(context, op.reads)
    for relation in _targets(context, op.table, only=op.only):
        numbers = [column.number for column in relation.columns if column.name in op.columns]
        for constraint in context.catalog.constraints(relation.oid):
            if constraint.references is not None and set(numbers) & set(constraint.columns):
                yield from context.effect_on_oid(constraint.references, LockMode.ROW_SHARE)
        foreign_keys = [key for key in context.catalog.foreign_keys_to(relation.oid) if set(numbers) & set(key.referenced_columns)]
        yield from _referencing(context, foreign_keys, "on_update")


@EFFECTS.register(sql.Delete)
def delete(context: EffectContext, op: sql.Delete) -> Effects:
    """DELETE: the tables that reference this one are read, or changed."""
    scan = op.current_of is None and _reads_all(context, op.table, op.where)
    yield from _changed_tables(context, op.table, ("delete",), only=op.only, scan=scan, why=_why(op.where))
    yield from reads(context, op.reads)
    for relation in _targets(context, op.table, only=op.only):
        yield from _referencing(context, context.catalog.foreign_keys_to(relation.oid), "on_delete")


@EFFECTS.register(sql.Merge)
def merge(context: EffectContext, op: sql.Merge) -> Effects:
    """MERGE."""
    yield from change_effects(context, op)


def _referencing(context: EffectContext, constraints: Sequence[Constraint], event: str) -> Effects:
    for constraint in constraints:
        action = getattr(constraint, event)
        lock = LockMode.ROW_SHARE if action in ("no action", "restrict") else LockMode.ROW_EXCLUSIVE
        relation = context.catalog.get(constraint.table)
        if isinstance(relation, Relation) and constraint.enforced:
            yield from context.effect_on(relation, lock)


def _changed_tables(
    context: EffectContext, name: Name, actions: Sequence[str], *, only: bool = False, scan: bool = False, why: str = ""
) -> Effects:
    relation = context.catalog.relation(name)
    if relation is None:
        yield from context.effect_on_name(name, LockMode.ROW_EXCLUSIVE, scan=scan, why=why)
        return
    for target in _targets(context, name, only=only or set(actions) == {"insert"}):
        has_rows = context.has_rows(target)
        yield from context.effect_on(target, LockMode.ROW_EXCLUSIVE, scan=scan and has_rows, why=why if scan and has_rows else "")
        if target.kind is RelationKind.VIEW:
            yield from effects_behind_view(context, target, LockMode.ROW_EXCLUSIVE, scan=scan)


def _targets(context: EffectContext, name: Name, *, only: bool = False) -> list[Relation]:
    """Returns the tables whose rows a statement changes; for a simple view also the table that it shows."""
    relation = context.catalog.relation(name)
    if relation is None:
        return []
    shown = relation
    while shown.kind is RelationKind.VIEW and len(shown.reads) == 1 and isinstance(below := context.catalog.get(shown.reads[0]), Relation):
        shown = below
    return context.with_descendants(relation, only=only) if shown is relation else [relation, *context.with_descendants(shown, only=only)]


def _reads_all(context: EffectContext, name: Name, where: Expression | None) -> bool:
    """Whether a change reads its whole table: it has no filter, or no index of the known table supports the filter."""
    relation = context.catalog.relation(name)
    if where is None or expressions.is_always_true(where, expressions.not_null_columns(relation)):
        return True
    if relation is None or not relation.complete:
        return False
    words = identifiers(where.sql)
    for index in context.catalog.indexes(relation.oid):
        leading = index.keys[0] if index.keys else None
        if leading is None or any(column.name in words for column in relation.columns if column.number in leading.columns):
            return False
    return True


def _why(where: Expression | None) -> str:
    return _WHY_ALL if where is None else "no index serves the filter, so every row is read"


@EFFECTS.register(sql.Copy)
def copy(context: EffectContext, op: sql.Copy) -> Effects:
    """COPY."""
    if op.query is not None:
        yield from query_effects(context, op.query)
    if op.table is not None:
        if op.source:
            yield from insert(context, sql.Insert(op.span, table=op.table, source="query"))
        else:
            yield from context.effect_on_name(op.table, READ, scan=True, why="every row is copied")


@EFFECTS.register(sql.Truncate)
def truncate(context: EffectContext, op: sql.Truncate) -> Effects:
    """TRUNCATE: ACCESS EXCLUSIVE on the tables, the tables below them and, with CASCADE, those that reference them."""
    waiting: list[Relation] = []
    for table in op.tables:
        relation = context.catalog.relation(table.name)
        if relation is None:
            yield from context.effect_on_name(table.name, LockMode.ACCESS_EXCLUSIVE, index_lock=LockMode.ACCESS_EXCLUSIVE)
        else:
            waiting += context.with_descendants(relation, only=table.only)
    seen: set[int] = set()
    while waiting:
        relation = waiting.pop(0)
        if relation.oid in seen:
            continue
        seen.add(relation.oid)
        has_index = bool(context.catalog.indexes(relation.oid)) and relation.kind is RelationKind.TABLE
        yield from context.effect_on(relation, LockMode.ACCESS_EXCLUSIVE, index_lock=LockMode.ACCESS_EXCLUSIVE if has_index else None)
        if op.cascade:
            for constraint in keys_that_reach(context.catalog, relation):
                referencing = context.catalog.get(constraint.table)
                if isinstance(referencing, Relation):
                    waiting += context.with_descendants(referencing)


@EFFECTS.register(sql.LockTable)
def lock_table(context: EffectContext, op: sql.LockTable) -> Effects:
    """LOCK TABLE: locks the tables below too, and what a view reads."""
    mode = LockMode(op.mode)
    for table in op.tables:
        relation = context.catalog.relation(table.name)
        if relation is None:
            yield from context.effect_on_name(table.name, mode)
        elif relation.kind is RelationKind.VIEW:
            yield from context.effect_on(relation, mode)
            yield from effects_behind_view(context, relation, mode)
        else:
            yield from context.effects_on(context.with_descendants(relation, only=table.only), mode)
