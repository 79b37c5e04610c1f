"""The measured effects of one statement: locks from pg_locks, rewrites from file nodes, scans from the counters of tuples read.

All three are exact, and none depends on time: a lock taken in a transaction is held until its end, a rewritten heap or index has a new
file, and the counters of a transaction are the backend's own. `nontransactional` measures what cannot run in a transaction.
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
"""The tuples read from the table and from each of its indexes. If the statement replaces an index, the count of the old one is lost."""


class Measurement(Struct, frozen=True, kw_only=True):
    """The effects of a statement on the relations that existed before it.

    `effects` contains no lock that the transaction already held in the same or a stronger mode, because requesting it again leaves no
    trace; those are in `held_before`. An effect's `waits` is measured only outside transactions. `scans_measured` is False if no counter
    tells whether tables were read. `partial_index_locks` are the relations for which not all locks on indexes could be seen.

    An effect's `lock` is ACCESS SHARE, the weakest mode, if the only new lock is ACCESS EXCLUSIVE on an index, which blocks queries of its
    table, or if a table is rewritten or scanned under a lock that was held before.
    """

    effects: tuple[Effect, ...]
    held_before: dict[Name, LockMode] = {}
    scans_measured: bool = True
    partial_index_locks: frozenset[Name] = frozenset()


class Trace(Struct, kw_only=True):
    """The observations of a statement, by oid.

    `locks` are the strongest new locks, `held` those that the transaction held before. `read` counts the tuples read of the `rows` in each
    table. `waited` are the relations whose transactions the statement waited for. `truncates` says that it is a TRUNCATE.
    """

    before: Snapshot
    after: Snapshot
    locks: dict[int, LockMode]
    held: dict[int, LockMode] = {}
    read: dict[int, int] = {}
    rows: dict[int, int] = {}
    waited: frozenset[int] = frozenset()
    truncates: bool = False


def measure(connection: "Connection[Any]", sql: str, *, scans: bool = True, rows: dict[int, int] | None = None) -> Measurement:
    """Runs and measures one statement. An open transaction stays open; without one, the statement runs in its own, which is committed.

    With `scans`, the rows of every table are counted first, unless `rows` already has them, by oid. The statement must be allowed in a
    transaction and must not end it. Raises the statement's psycopg.Error.
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


def _counters(connection: "Connection[Any]", rows: dict[int, int]) -> dict[tuple[int, int], int]:
    """Returns the tuples read, by the oids of a table and of the relation that counted them."""
    counts = connection.execute(_COUNTERS, {"tables": list(rows)}).fetchall() if rows else []
    return {(table, counter): count for table, counter, count in counts}


def measurement_of(trace: Trace) -> Measurement:
    """Returns the effects that a statement's observations show."""
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
    """Whether an index has a new file. An index that replaced it (REINDEX CONCURRENTLY, a change of type) has its name."""
    after = trace.after.indexes.get(index.oid)
    if after is None:
        after = next((other for other in trace.after.indexes_of(index.table) if other.name == index.name), None)
    return after is not None and index.file is not None and after.file != index.file
