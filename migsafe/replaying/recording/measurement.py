"""The measured effects of one statement: locks from pg_locks, rewrites from file nodes, scans from the counters of tuples read.

All three are exact, and none depends on time: a lock taken in a transaction is held until its end, a rewritten heap or index has a new
file, and the counters of a transaction are the backend's own. `nontransactional` measures what cannot run in a transaction.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.replaying.recording.snapshot import Index, Relation, Snapshot
from migsafe.sql.operations import Name, Operation, Truncate

if TYPE_CHECKING:
    from psycopg import Connection


class Measurement(Struct, frozen=True, kw_only=True):
    """The effects of a statement on the relations that existed before it.

    `effects` contains no lock that the transaction already held in the same or a stronger mode, because requesting it again leaves no
    trace; those are in `held_before`. A lock in a weaker mode than one held before is in `weaker`, as an effect without work. `oids` are
    those of the relations that existed before. An effect's `waits` is measured only outside transactions. `scans_measured` is False if no
    counter tells whether tables were read. `partial_index_locks` are the relations for which not all locks on indexes could be seen.

    An effect's `lock` is ACCESS SHARE, the weakest mode, if the only new lock is ACCESS EXCLUSIVE on an index, which blocks queries of its
    table, or if a table is rewritten or scanned under a lock that was held before.
    """

    effects: tuple[Effect, ...]
    weaker: dict[Name, Effect] = {}
    oids: dict[Name, int] = {}
    held_before: dict[Name, LockMode] = {}
    scans_measured: bool = True
    partial_index_locks: frozenset[Name] = frozenset()


class Trace(Struct, kw_only=True):
    """The observations of a statement, by oid.

    `locks` are the strongest new locks, `held` those that the transaction held before, `weaker` new ones in a weaker mode than those.
    `read` counts the tuples read of the `rows` in each table. `waited` are the relations whose transactions the statement waited for.
    `truncates` says that it is a TRUNCATE.
    """

    before: Snapshot
    after: Snapshot
    locks: dict[int, LockMode]
    held: dict[int, LockMode] = {}
    weaker: dict[int, LockMode] = {}
    read: dict[int, int] = {}
    rows: dict[int, int] = {}
    waited: frozenset[int] = frozenset()
    truncates: bool = False


def is_truncate(operations: Iterable[Operation]) -> bool:
    """Whether one of a statement's operations is a TRUNCATE. A truncated table has a new file, but was not rewritten."""
    return any(isinstance(operation, Truncate) for operation in operations)


def count_rows(connection: "Connection[Any]", relations: Snapshot) -> dict[int, int]:
    """Counts the rows of every table, by oid, in a savepoint so that no lock stays."""
    tables = [relation for relation in relations.relations.values() if relation.has_rows]
    if not tables:
        return {}
    # A materialized view that was never populated cannot be read.
    populated = {oid for (oid,) in connection.execute("SELECT oid::int8 FROM pg_catalog.pg_class WHERE relispopulated").fetchall()}
    counts = " UNION ALL ".join(
        f"SELECT {table.oid}::int8, count(*) FROM ONLY {table.name}"  # noqa: S608  # the name is quoted
        for table in tables
        if table.oid in populated
    )
    connection.execute("SAVEPOINT counting")
    try:
        return dict(connection.execute(counts.encode()).fetchall()) if counts else {}
    finally:
        connection.execute("ROLLBACK TO counting")
        connection.execute("RELEASE counting")


def measurement_of(trace: Trace) -> Measurement:
    """Returns the effects that a statement's observations show."""
    before = trace.before
    effects = [effect for relation in before.relations.values() if (effect := _effect(trace, relation)) is not None]
    held = {before.relations[oid].name: lock for oid, lock in trace.held.items() if oid in before.relations}
    weaker = {
        relation.name: Effect(relation=relation.name, kind=relation.kind, lock=trace.weaker[relation.oid])
        for relation in before.relations.values()
        if relation.oid in trace.weaker
    }
    oids = {relation.name: relation.oid for relation in before.relations.values()}
    return Measurement(effects=tuple(effects), weaker=weaker, oids=oids, held_before=held)


def _effect(trace: Trace, relation: Relation) -> Effect | None:
    indexes = trace.before.indexes_of(relation.oid)
    lock = trace.locks.get(relation.oid)
    index_lock = max((trace.locks[index.oid] for index in indexes if index.oid in trace.locks), default=None)
    after = trace.after.relations.get(relation.oid)
    rewrite = relation.has_rows and after is not None and after.file != relation.file and not trace.truncates
    emptied = trace.truncates or rewrite
    rebuilt = () if emptied else tuple(index.name for index in indexes if _is_rebuilt(trace, index))
    rows = trace.rows.get(relation.oid, 0)
    scan = rows > 0 and 2 * trace.read.get(relation.oid, 0) >= rows
    if lock is None and index_lock is not LockMode.ACCESS_EXCLUSIVE and not (rewrite or rebuilt or scan):
        return None
    return Effect(
        relation=relation.name,
        kind=relation.kind,
        lock=lock or LockMode.ACCESS_SHARE,
        index_lock=index_lock,
        rewrite=rewrite,
        scan=scan,
        rebuilt=rebuilt,
        waits=relation.oid in trace.waited,
    )


def _is_rebuilt(trace: Trace, index: Index) -> bool:
    """Whether an index has a new file. An index that replaced it (REINDEX CONCURRENTLY, a change of type) has its name."""
    after = trace.after.indexes.get(index.oid)
    if after is None:
        after = next((candidate for candidate in trace.after.indexes_of(index.table) if candidate.name == index.name), None)
    return after is not None and index.file is not None and after.file != index.file
