"""What one statement really does: locks from pg_locks, rewrites from file nodes, scans from the counters of tuples read.

All three are exact, and none depends on time: a lock taken in a transaction is held until its end, a rewritten heap or index has a new
file, and the counters of a transaction are the backend's own. What cannot run in a transaction is measured in `outside`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.replaying.recording.snapshot import Index, Relation, Snapshot, read_held_locks, take_snapshot
from migsafe.sql.operations import Name, Operation, Truncate
from migsafe.sql.statements import read as read_statements

if TYPE_CHECKING:
    from psycopg import Connection

_COUNTERS = """
    SELECT relid::int8, relid::int8, coalesce(seq_tup_read, 0) + pg_catalog.pg_stat_get_xact_tuples_fetched(relid)
    FROM pg_catalog.pg_stat_xact_all_tables WHERE relid = ANY (%(tables)s::pg_catalog.oid[])
    UNION ALL
    SELECT indrelid::int8, indexrelid::int8, pg_catalog.pg_stat_get_xact_tuples_fetched(indexrelid)
    FROM pg_catalog.pg_index WHERE indrelid = ANY (%(tables)s::pg_catalog.oid[])
"""
"""Rows read by the table itself and by each of its indexes: a statement may put another index in one's place, whose count is lost then."""


class Measurement(Struct, frozen=True, kw_only=True):
    """What a statement did to the relations that were there before it.

    `effects` are its own: a lock that the transaction held already, as strongly or more, is not among them, because asking for it again
    leaves no trace; `held` has those. `waits` is measured only outside transactions. `scans` is False where no counter tells whether
    tables were read; `index_locks` holds the relations whose locks on indexes could be seen only in part.

    Where nothing new is locked but an index, ACCESS EXCLUSIVE, which stops queries of its table, or where a table is rewritten or scanned
    under a lock that was held before, `lock` reads ACCESS SHARE, the least there is.
    """

    effects: tuple[Effect, ...]
    held_before: dict[Name, LockMode] = {}
    scans_measured: bool = True
    partial_index_locks: frozenset[Name] = frozenset()


class Trace(Struct, kw_only=True):
    """What was seen of a statement, by number: the strongest locks, tuples read and there to be read, who was waited for."""

    before: Snapshot
    after: Snapshot
    locks: dict[int, LockMode]
    held: dict[int, LockMode] = {}
    read: dict[int, int] = {}
    rows: dict[int, int] = {}
    waited: frozenset[int] = frozenset()
    truncates: bool = False


def measure(connection: "Connection[Any]", sql: str, *, scans: bool = True, rows: dict[int, int] | None = None) -> Measurement:
    """Run one statement, and measure it. In a transaction that is open it stays open; else the statement gets one, and commits.

    With `scans`, the rows of every table are counted first, unless `rows` has them already, by number. The statement must be one that a
    transaction allows and that does not end it. Raises psycopg.Error as the statement does.
    """
    from psycopg.pq import TransactionStatus  # noqa: PLC0415  # start-up must not pay for it

    if connection.info.transaction_status == TransactionStatus.IDLE:
        connection.execute("BEGIN")
        try:
            found = measure(connection, sql, scans=scans, rows=rows)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return found
    pid = connection.info.backend_pid
    before = take_snapshot(connection)
    held = read_held_locks(pid, connection)
    if rows is None or not scans:
        rows = count_rows(connection, before) if scans else {}
    base = _counters(connection, rows)
    operations = [operation for statement in read_statements(sql) for operation in statement.operations]
    connection.execute(sql.encode())
    locks = {oid: lock for oid, lock in read_held_locks(pid, connection).items() if oid not in held or lock > held[oid]}
    read = dict.fromkeys(rows, 0)
    for (table, counter), count in _counters(connection, rows).items():
        read[table] += count - base.get((table, counter), 0)
    after = take_snapshot(connection)
    return measurement_of(Trace(before=before, after=after, locks=locks, held=held, read=read, rows=rows, truncates=is_truncate(operations)))


def is_truncate(operations: Iterable[Operation]) -> bool:
    """Whether one of a statement's operations is a TRUNCATE. A truncated table has a new file, but was not rewritten."""
    return any(isinstance(operation, Truncate) for operation in operations)


def count_rows(connection: "Connection[Any]", found: Snapshot) -> dict[int, int]:
    """The rows of every table, by number, counted in a savepoint so that nothing stays locked."""
    tables = [relation for relation in found.relations.values() if relation.has_rows]
    if not tables:
        return {}
    # A matview that was never filled cannot be read.
    filled = {oid for (oid,) in connection.execute("SELECT oid::int8 FROM pg_catalog.pg_class WHERE relispopulated").fetchall()}
    counts = " UNION ALL ".join(
        f"SELECT {one.oid}::int8, count(*) FROM ONLY {one.name}"  # noqa: S608  # the name is quoted
        for one in tables
        if one.oid in filled
    )
    connection.execute("SAVEPOINT counting")
    try:
        return dict(connection.execute(counts.encode()).fetchall()) if counts else {}
    finally:
        connection.execute("ROLLBACK TO counting")
        connection.execute("RELEASE counting")


def _counters(connection: "Connection[Any]", rows: dict[int, int]) -> dict[tuple[int, int], int]:
    """By the numbers of a table and of what has counted for it."""
    found = connection.execute(_COUNTERS, {"tables": list(rows)}).fetchall() if rows else []
    return {(table, counter): count for table, counter, count in found}


def measurement_of(trace: Trace) -> Measurement:
    """From what was seen to effects."""
    before = trace.before
    effects = [effect for relation in before.relations.values() if (effect := _effect(trace, relation)) is not None]
    held = {before.relations[oid].name: lock for oid, lock in trace.held.items() if oid in before.relations}
    return Measurement(effects=tuple(effects), held_before=held)


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
    """Whether an index is in another file than before. What was made anew (REINDEX CONCURRENTLY, a change of type) has its name."""
    after = trace.after.indexes.get(index.oid)
    if after is None:
        after = next((one for one in trace.after.indexes_of(index.table) if one.name == index.name), None)
    return after is not None and index.file is not None and after.file != index.file
