"""What queries and changes of rows lock (manual, 13.3.1 and 13.3.2)."""

from collections.abc import Container, Iterable, Sequence

from migsafe import expressions
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.schema.formulas import identifiers
from migsafe.schema.objects import Constraint, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Expression, Name, Query

READ = LockMode.ACCESS_SHARE
_WHY_ALL = "there is no filter, so every row is read"


def reads(
    context: EffectContext, names: Iterable[Name], lock: LockMode = READ, *, scan: Container[Name] = (), only: Container[Name] = ()
) -> Effects:
    """What reading relations locks: what views read behind them, and tables below, too, but for those of which `only` themselves are read.
    Of those in `scan` every row is read."""
    for name in names:
        relation = context.catalog.relation(name)
        if relation is None:
            yield from context.effect_on_name(name, lock)
        else:
            yield from read(context, relation, lock, scan=name in scan, only=name in only)


def read(context: EffectContext, relation: Relation, lock: LockMode = READ, *, scan: bool = False, only: bool = False) -> Effects:
    """What reading a relation locks."""
    yield from context.effect_on(relation, lock, scan=scan and context.has_rows(relation), why=_WHY_ALL if scan else "")
    if relation.kind is RelationKind.VIEW:
        # PostgreSQL puts the view's query in its place, and locks what that reads as the outer query would.
        if relation.query is not None:
            yield from behind(context, relation, lock, scan=scan)
        return
    for child in () if only else context.catalog.descendants(relation.oid):
        yield from context.effect_on(child, lock, scan=scan and context.has_rows(child), why=_WHY_ALL if scan else "")


def behind(context: EffectContext, view: Relation, lock: LockMode, *, scan: bool = False, only: bool = False) -> Effects:
    """What a view reads, through other views; of tables nothing below them if `only`. If it is read whole, then of what stands in it without a
    filter every row."""
    yield from _behind(context, view, lock, scan, only, {view.oid})


def _behind(context: EffectContext, view: Relation, lock: LockMode, scan: bool, only: bool, seen: set[int]) -> Effects:
    if view.query is None:
        return
    known = [one for oid in view.reads if isinstance(one := context.catalog.get(oid), Relation)]
    names = {one.name.name for one in known}
    whole = {name.name for name in view.query.whole} if scan else ()
    for one in known:
        if one.oid in seen:
            continue
        seen.add(one.oid)
        if one.kind is RelationKind.VIEW and one.query is not None:
            yield from context.effect_on(one, lock)
            yield from _behind(context, one, lock, one.name.name in whole, only, seen)
        else:
            yield from read(context, one, lock, scan=one.name.name in whole, only=only)
    for name in view.query.reads:
        if name.name not in names:
            yield from context.effect_on_name(name, lock)


def query(context: EffectContext, one: Query, *, runs: bool = True) -> Effects:
    """Yields the locks of a query: ROW SHARE on the relations whose rows FOR UPDATE or FOR SHARE locks. It reads rows only if it `runs`."""
    yield from reads(context, one.reads, scan=one.whole if runs else (), only=one.only)
    yield from reads(context, row_locked(one), LockMode.ROW_SHARE, only=one.only)


def row_locked(one: Query) -> tuple[Name, ...]:
    """Returns the relations whose rows FOR UPDATE or FOR SHARE locks."""
    if one.row_locks is None:
        return ()
    # FOR UPDATE OF may name the alias of a sub-query: if no relation has that name, all relations count.
    return tuple(name for name in one.reads if not one.row_locks or name in one.row_locks) or one.reads


@EFFECTS.register(sql.Select)
def select(context: EffectContext, op: sql.Select) -> Effects:
    """SELECT."""
    yield from query(context, op.query, runs=op.cursor is None)


def changed(context: EffectContext, op: sql.Insert | sql.Update | sql.Delete | sql.Merge) -> Effects:
    """What a change of rows locks when it is planned: ROW EXCLUSIVE on its table, and what it reads."""
    match op:
        case sql.Insert():
            yield from _written(context, op.table, ("insert",))
        case sql.Merge():
            yield from _written(context, op.table, op.actions, only=op.only)
        case sql.Update() | sql.Delete():
            yield from _written(context, op.table, ("change",), only=op.only)
    yield from reads(context, op.reads)


@EFFECTS.register(sql.Insert)
def insert(context: EffectContext, op: sql.Insert) -> Effects:
    """INSERT: ROW EXCLUSIVE, and ROW SHARE on the tables that foreign keys look into."""
    yield from _written(context, op.table, ("insert",))
    yield from reads(context, op.reads, scan=op.whole)
    for relation in _targets(context, op.table, only=True):
        for constraint in context.catalog.constraints(relation.oid):
            if constraint.references is not None and constraint.enforced:
                yield from context.effect_on_oid(constraint.references, LockMode.ROW_SHARE)


@EFFECTS.register(sql.Update)
def update(context: EffectContext, op: sql.Update) -> Effects:
    """UPDATE."""
    scan = op.current_of is None and _reads_all(context, op.table, op.where)
    yield from _written(context, op.table, ("update",), only=op.only, scan=scan, why=_why(op.where))
    yield from reads(context, op.reads)
    for relation in _targets(context, op.table, only=op.only):
        numbers = [column.number for column in relation.columns if column.name in op.columns]
        for constraint in context.catalog.constraints(relation.oid):
            if constraint.references is not None and set(numbers) & set(constraint.columns):
                yield from context.effect_on_oid(constraint.references, LockMode.ROW_SHARE)
        touched = [one for one in context.catalog.foreign_keys_to(relation.oid) if set(numbers) & set(one.referenced_columns)]
        yield from _referencing(context, touched, "on_update")


@EFFECTS.register(sql.Delete)
def delete(context: EffectContext, op: sql.Delete) -> Effects:
    """DELETE: the tables that refer to this one are looked into, or changed."""
    scan = op.current_of is None and _reads_all(context, op.table, op.where)
    yield from _written(context, op.table, ("delete",), only=op.only, scan=scan, why=_why(op.where))
    yield from reads(context, op.reads)
    for relation in _targets(context, op.table, only=op.only):
        yield from _referencing(context, context.catalog.foreign_keys_to(relation.oid), "on_delete")


@EFFECTS.register(sql.Merge)
def merge(context: EffectContext, op: sql.Merge) -> Effects:
    """MERGE."""
    yield from changed(context, op)


def _referencing(context: EffectContext, constraints: Sequence[Constraint], event: str) -> Effects:
    for constraint in constraints:
        action = getattr(constraint, event)
        lock = LockMode.ROW_SHARE if action in ("no action", "restrict") else LockMode.ROW_EXCLUSIVE
        found = context.catalog.get(constraint.table)
        if isinstance(found, Relation) and constraint.enforced:
            yield from context.effect_on(found, lock)


def _written(context: EffectContext, name: Name, actions: Sequence[str], *, only: bool = False, scan: bool = False, why: str = "") -> Effects:
    relation = context.catalog.relation(name)
    if relation is None:
        yield from context.effect_on_name(name, LockMode.ROW_EXCLUSIVE, scan=scan, why=why)
        return
    for target in _targets(context, name, only=only or set(actions) == {"insert"}):
        has_rows = context.has_rows(target)
        yield from context.effect_on(target, LockMode.ROW_EXCLUSIVE, scan=scan and has_rows, why=why if scan and has_rows else "")
        if target.kind is RelationKind.VIEW:
            yield from behind(context, target, LockMode.ROW_EXCLUSIVE, scan=scan)


def _targets(context: EffectContext, name: Name, *, only: bool = False) -> list[Relation]:
    """The tables whose rows a statement changes: of a simple view, that which it shows."""
    relation = context.catalog.relation(name)
    if relation is None:
        return []
    shown = relation
    while shown.kind is RelationKind.VIEW and len(shown.reads) == 1 and isinstance(below := context.catalog.get(shown.reads[0]), Relation):
        shown = below
    return context.with_descendants(relation, only=only) if shown is relation else [relation, *context.with_descendants(shown, only=only)]


def _reads_all(context: EffectContext, name: Name, where: Expression | None) -> bool:
    """Whether a change reads its whole table: without a filter, or with one that no index of a known table can serve."""
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
        yield from query(context, op.query)
    if op.table is not None:
        if op.source:
            yield from insert(context, sql.Insert(op.span, table=op.table, source="query"))
        else:
            yield from context.effect_on_name(op.table, READ, scan=True, why="every row is copied")


@EFFECTS.register(sql.Truncate)
def truncate(context: EffectContext, op: sql.Truncate) -> Effects:
    """TRUNCATE: ACCESS EXCLUSIVE on the tables, those below and, with CASCADE, those that refer to them."""
    waiting: list[Relation] = []
    for given in op.tables:
        relation = context.catalog.relation(given.name)
        if relation is None:
            yield from context.effect_on_name(given.name, LockMode.ACCESS_EXCLUSIVE, index_lock=LockMode.ACCESS_EXCLUSIVE)
        else:
            waiting += context.with_descendants(relation, only=given.only)
    seen: set[int] = set()
    while waiting:
        relation = waiting.pop(0)
        if relation.oid in seen:
            continue
        seen.add(relation.oid)
        has_index = bool(context.catalog.indexes(relation.oid)) and relation.kind is RelationKind.TABLE
        yield from context.effect_on(relation, LockMode.ACCESS_EXCLUSIVE, index_lock=LockMode.ACCESS_EXCLUSIVE if has_index else None)
        if op.cascade:
            for constraint in context.catalog.foreign_keys_to(relation.oid):
                found = context.catalog.get(constraint.table)
                if isinstance(found, Relation):
                    waiting += context.with_descendants(found)


@EFFECTS.register(sql.LockTable)
def lock_table(context: EffectContext, op: sql.LockTable) -> Effects:
    """LOCK TABLE: the tables below too, and what a view reads."""
    mode = LockMode(op.mode)
    for given in op.tables:
        relation = context.catalog.relation(given.name)
        if relation is None:
            yield from context.effect_on_name(given.name, mode)
        elif relation.kind is RelationKind.VIEW:
            yield from context.effect_on(relation, mode)
            yield from behind(context, relation, mode)
        else:
            yield from context.effects_on(context.with_descendants(relation, only=given.only), mode)
