"""The ways in which a migration can fail, one for each hazard: told as the team would meet it."""

from collections.abc import Container, Iterator, Sequence

from msgspec.structs import replace

from migsafe.effects.effect import Effect
from migsafe.lock import LockMode
from migsafe.premortem.assessment import Way
from migsafe.premortem.observed import Observed
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name
from migsafe.sql.operations.values import quoted

_LONG = "SELECT pid, now() - xact_start AS open_for, left(query, 60) FROM pg_stat_activity WHERE xact_start < now() - interval '1 minute';"


def ways(observed: Sequence[Observed]) -> Iterator[Way]:
    """The ways, in the order of the statements; each cause once."""
    queued: set[Name] = set()
    fresh: set[tuple[Name, str]] = set()
    for one in _strengthened(observed):
        if isinstance(one.operation, sql.AddColumn) and one.effects and one.operation.column.default is None:
            fresh.add((one.effects[0].relation, one.operation.column.name))
        new = [effect for effect in one.disturbing if effect.relation not in queued]
        if new:
            queued.update(effect.relation for effect in new)
            yield _queue(one, new)
        yield from _work(one)
        yield from _data(one, fresh)
        yield from _concurrently(one)


def _strengthened(observed: Sequence[Observed]) -> Iterator[Observed]:
    """The operations, each with the locks that its whole statement takes: ALTER TABLE asks for the strongest at once."""
    strongest: dict[tuple[int, Name], LockMode] = {}
    for one in observed:
        for effect in one.effects:
            key = (one.statement, effect.relation)
            strongest[key] = max(strongest.get(key, effect.lock), effect.lock)
    for one in observed:
        yield replace(one, effects=tuple(replace(effect, lock=strongest[one.statement, effect.relation]) for effect in one.effects))


def _queue(one: Observed, effects: list[Effect]) -> Way:
    """The lock queue: the statement waits, and everybody behind it."""
    worst = max(effects, key=lambda effect: (len(effect.blocks), effect.lock.strength))
    names = _listed([effect.relation for effect in effects])
    timeout = one.lock_timeout
    if timeout:
        lasts = f"{_time(timeout)} at most: then lock_timeout ends the statement, the migration fails, and everybody goes on"
    elif timeout == 0:
        lasts = "as long as the slowest query or transaction that uses it: no lock_timeout is in effect"
    else:
        lasts = "as long as the slowest query or transaction that uses it, unless the role or the server sets a lock_timeout"
    return Way(
        title=f"The lock queue on {names}",
        sees=f"Requests that touch {names} hang: every {worst.stops} waits, though the database is idle otherwise; connections pile up.",
        because=f"the statement asks for {worst.lock} and waits for a transaction that is open on it (a report, a backup, a forgotten "
        "session); everybody who comes later waits behind it",
        lasts=lasts,
        check=_LONG,
        instead="" if timeout else "SET lock_timeout = '2s'; and retry until it gets through",
        statement=one.statement,
    )


def _work(one: Observed) -> Iterator[Way]:
    """Work that takes the longer the more rows there are, while somebody is stopped."""
    slow = [effect for effect in one.effects if effect.scan or effect.rewrite or effect.rebuilt]
    stopping = [effect for effect in slow if effect.blocks]
    for effect in stopping:
        rows = one.rows.get(effect.relation)
        size = f" of its {rows:,} rows" if rows is not None else ""
        verb = "writes" if effect.rewrite else "reads" if effect.scan else "rebuilds indexes over"
        because = f": {effect.why}" if effect.why else ""
        yield Way(
            title=f"{effect.relation} stays locked while it is {'rewritten' if effect.rewrite else 'read' if effect.scan else 'indexed'}",
            sees=f"After the statement has its lock, every {effect.stops} on {effect.relation} goes on waiting until it is done"
            + (", and the disk fills with a second copy of the table" if effect.rewrite else "")
            + ".",
            because=f"it {verb} all{size} under {effect.lock}{because}",
            lasts="the longer the more rows there are" if rows is None else f"the time that {rows:,} rows take",
            statement=one.statement,
        )
    others = [name for name in one.held if name not in {effect.relation for effect in stopping}]
    if slow and others:
        yield Way(
            title=f"{_listed(others)} stays locked meanwhile",
            sees=f"Queries of {_listed(others)} wait although this statement has nothing to do with it.",
            because="the transaction locked it before, and keeps that lock while this statement works through "
            + _listed([effect.relation for effect in slow]),
            lasts="until the transaction ends",
            instead="give the statement a transaction, or a migration, of its own",
            statement=one.statement,
        )


def _data(one: Observed, fresh: Container[tuple[Name, str]]) -> Iterator[Way]:
    """Rows that are there and do not fit: the migration fails in production, and nowhere else. The `fresh` columns hold nothing but nulls."""
    table = one.effects[0].relation if one.effects else None
    if table is None:
        return
    match one.operation:
        case sql.SetNotNull(column=column) if any(effect.scan for effect in one.effects):
            yield _refused(one, f"a null in {quoted(column)}", f"SELECT count(*) FROM {table} WHERE {quoted(column)} IS NULL;")
        case sql.AddConstraint(constraint=given) if not given.not_valid and given.enforced:
            if not given.columns or any((table, column) not in fresh for column in given.columns):
                yield from _constraint(one, table, given)
        case sql.ValidateConstraint(constraint=name):
            yield _refused(one, f"a row that {quoted(name)} does not let in", "")
        case sql.CreateIndex(unique=True, elements=elements, where=predicate):
            columns = ", ".join(_key(element) for element in elements)
            where = f" WHERE {predicate.sql}" if predicate is not None else ""
            numbers = ", ".join(str(number) for number in range(1, len(elements) + 1))
            check = f"SELECT {columns}, count(*) FROM {table}{where} GROUP BY {numbers} HAVING count(*) > 1;"
            yield _refused(one, "two rows with the same key", check)
        case sql.AlterColumnType(column=column, type=kind) if any(effect.rewrite or effect.scan for effect in one.effects):
            yield _refused(one, f"a value of {quoted(column)} that is no {kind}", "")
        case sql.AddColumn(column=column) if column.default is None and _must_be_given(column):
            yield _refused(
                one, f"any row at all: {quoted(column.name)} is NOT NULL and has no default", f"SELECT EXISTS (SELECT FROM {table});"
            )


def _constraint(one: Observed, table: Name, given: sql.Constraint) -> Iterator[Way]:
    columns = ", ".join(quoted(column) for column in given.columns)
    match given.kind:
        case ConstraintKind.CHECK if given.check is not None:
            yield _refused(one, "a row that the CHECK does not let in", f"SELECT count(*) FROM {table} WHERE NOT ({given.check.sql});")
        case ConstraintKind.FOREIGN_KEY if given.references is not None:
            far = given.references
            there = far.columns or given.columns
            here = ", ".join(f"here.{quoted(column)}" for column in given.columns)
            pairs = zip(given.columns, there, strict=False)
            met = " AND ".join(f"there.{quoted(other)} = here.{quoted(column)}" for column, other in pairs)
            check = (
                f"SELECT count(*) FROM {table} AS here WHERE ROW({here}) IS NOT NULL "
                f"AND NOT EXISTS (SELECT FROM {far.table} AS there WHERE {met});"
            )
            yield _refused(one, f"a row that refers to nothing in {far.table}", check if far.columns else "")
        case ConstraintKind.UNIQUE | ConstraintKind.PRIMARY_KEY if given.columns:
            check = f"SELECT {columns}, count(*) FROM {table} GROUP BY {columns} HAVING count(*) > 1;"
            yield _refused(one, f"two rows with the same {columns}", check)


def _refused(one: Observed, what: str, check: str) -> Way:
    return Way(
        title="Rows that do not fit",
        sees="The migration fails in production, after it has passed every test: PostgreSQL refuses the statement.",
        because=f"it meets {what}",
        check=check,
        instead="look first, and repair the rows in a migration of their own",
        statement=one.statement,
    )


def _concurrently(one: Observed) -> Iterator[Way]:
    match one.operation:
        case sql.CreateIndex(concurrently=True, name=name, table=table) if one.transaction is None or one.effects:
            index = str(name) if name is not None else f"the new index of {table}"
            yield Way(
                title="An INVALID index stays behind",
                sees=f"The build stops (a cancelled session, a timeout, a duplicate key), and {index} is there, INVALID: every write keeps "
                "it up to date, no query uses it, and the migration fails with `already exists` when it is run again.",
                because="CREATE INDEX CONCURRENTLY works in several transactions, of which the first has made the index already",
                check="SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;",
                instead=f"DROP INDEX CONCURRENTLY IF EXISTS {name}; before the build"
                if name is not None
                else "name the index, and drop it first",
                statement=one.statement,
            )


def _key(element: sql.IndexElement) -> str:
    return quoted(element.column) if element.column is not None else f"({element.expression.sql if element.expression else ''})"


def _must_be_given(column: sql.Column) -> bool:
    kinds = {one.kind for one in column.constraints}
    return bool(kinds & {ConstraintKind.NOT_NULL, ConstraintKind.PRIMARY_KEY}) and column.generated is None and column.identity is None


def _listed(names: "list[Name]") -> str:
    texts = list(dict.fromkeys(map(str, names)))
    if len(texts) <= 2:
        return " and ".join(texts)
    return f"{', '.join(texts[:3])}{f' and {len(texts) - 3} more' if len(texts) > 3 else ''}"


def _time(ms: int) -> str:
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms} ms"
