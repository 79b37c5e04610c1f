"""The measured effects of statements that run outside transactions: CONCURRENTLY, VACUUM, REINDEX SCHEMA and similar ones.

They commit while they run, so pg_locks shows none of their locks afterwards, and looking while they run would depend on luck. Instead,
transactions of migsafe lock every table in ACCESS EXCLUSIVE mode beforehand. The statement then stops at each lock that it requests, and
pg_locks shows the requested mode. To let it pass, another transaction queues behind it and requests the strongest mode that allows what
was seen and blocks what is stronger; then the old transaction ends, and PostgreSQL grants both requests in one step. So the statement runs
once, and stops at each stronger request. If it waits for the transactions themselves, because they might use the table (pg_locks:
`virtualxid`), that is noted as `waits`, and other transactions replace them.

Not measured are locks that a statement tries to take and does without (VACUUM's, to truncate the empty end of a table), locks on an index
after a first one weaker than ACCESS EXCLUSIVE (DROP INDEX CONCURRENTLY; `partial_index_locks` has its table), and locks on views and
foreign tables, which none of these statements lock.
"""

import re
import time
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from migsafe import versions
from migsafe.patterns import lazy_pattern
from migsafe.replaying.recording.blocking_locks import BlockingLocks
from migsafe.replaying.recording.measurement import Measurement, Trace, count_rows, measurement_of
from migsafe.replaying.recording.snapshot import Snapshot, mode_from_pg_locks, take_snapshot
from migsafe.sql.operations import Analyze, Vacuum
from migsafe.sql.statements import read

if TYPE_CHECKING:
    from psycopg import Connection

_BLOCKED = """
    SELECT relation::int8, mode, pg_catalog.pg_blocking_pids(pid) FROM pg_catalog.pg_locks WHERE pid = %s AND NOT granted
"""
_COUNTERS = """
    SELECT relid::int8, (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int8 FROM pg_catalog.pg_stat_all_tables
"""
_PAUSE = 0.001
_WORD = lazy_pattern(r"\w+")
_WAITS_FOR_WRITERS = lazy_pattern(r"\s*repack\s*\([^)]*\bconcurrently\b", re.IGNORECASE)


class DatabaseServer(Protocol):
    """A server that connects as a role that can lock all tables."""

    @property
    def major(self) -> int:
        """The server's major version."""

    def connect(self, database: str) -> "Connection[Any]":
        """Connects to a database, in autocommit."""


def measure_nontransactional(server: DatabaseServer, database: str, sql: str, *, scans: bool = True) -> Measurement:
    """Runs one statement outside a transaction and measures it. The database must have no other sessions.

    The locks of REPACK (CONCURRENTLY) are not measured: it waits for every transaction that has written, so for each that would hold a lock
    beside it.
    Raises the statement's psycopg.Error.
    """
    with server.connect(database) as observer:
        before = take_snapshot(observer)
        scans = scans and not _reads_samples(sql)
        rows = _rows(server, database, before) if scans else {}
        base = _counters(server, database, observer.info.backend_pid) if scans else {}
        blocking = BlockingLocks(lambda: server.connect(database), observer, before, _mentioned_tables(sql, before))
        connection = server.connect(database)
        try:
            if not _WAITS_FOR_WRITERS.match(sql):
                blocking.take()
            _run(connection, sql, blocking, observer)
        finally:
            connection.close()
            blocking.close()
        read = _since(server, database, observer.info.backend_pid, base) if scans else {}
        after = take_snapshot(observer)
    locks = {oid: max(modes) for oid, modes in blocking.requested.items()}
    waited = frozenset(blocking.waited)
    measurement = measurement_of(Trace(before=before, after=after, locks=locks, read=read, rows=rows, waited=waited))
    partly = frozenset(before.relations[table].name for table in blocking.unknown_indexes)
    return replace(measurement, scans_measured=scans, partial_index_locks=partly)


def _run(connection: "Connection[Any]", sql: str, blocking: BlockingLocks, observer: "Connection[Any]") -> None:
    """Sends the statement, and lets it pass at each lock where it stops."""
    from psycopg.errors import error_from_result  # noqa: PLC0415  # start-up must not pay for it
    from psycopg.pq import ExecStatus  # noqa: PLC0415

    request, pid = connection.pgconn, connection.info.backend_pid
    request.send_query(sql.encode())
    while _is_busy(request):
        blocked = observer.execute(_BLOCKED, (pid,)).fetchone()
        if blocked is None:
            time.sleep(_PAUSE)
        elif blocked[0] is not None:
            blocking.lock_requested(blocked[0], mode_from_pg_locks(blocked[1]), blocked[2])
        else:
            blocking.transactions_awaited(blocked[2])
    failed = None
    while (result := request.get_result()) is not None:
        if result.status == ExecStatus.FATAL_ERROR:
            failed = error_from_result(result, connection.info.encoding)
    if failed is not None:
        raise failed


def _is_busy(request: Any) -> bool:
    request.consume_input()
    return bool(request.is_busy())


def _mentioned_tables(sql: str, relations: Snapshot) -> set[int]:
    """Returns the tables whose names, or whose indexes' names, occur in a statement."""
    words = set(_WORD.findall(sql.lower()))
    tables = {relation.oid for relation in relations.relations.values() if relation.name.name.lower() in words}
    return tables | {index.table for index in relations.indexes.values() if index.name.lower() in words}


def _reads_samples(sql: str) -> bool:
    """Whether a statement is VACUUM (without FULL) or ANALYZE, whose reads the counters do not contain."""
    operations = [operation for statement in read(sql) for operation in statement.operations]
    return any(isinstance(operation, Analyze) or (isinstance(operation, Vacuum) and not operation.full) for operation in operations)


def _rows(server: DatabaseServer, database: str, before: Snapshot) -> dict[int, int]:
    """Counts the rows of every table on a connection that is closed, so that its reads are in the counters before the statement runs."""
    with server.connect(database) as connection:
        connection.execute("BEGIN")
        return count_rows(connection, before)


def _counters(server: DatabaseServer, database: str, observer: int) -> dict[int, int]:
    """Returns the tuples read of each table, by oid, once the counters contain all earlier work: a backend reports them when it ends.

    Before 15, a separate process collects the counters and writes a file, which must be newer than the end of the last backend.
    """
    while True:
        with server.connect(database) as connection:
            other_backends = "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE datname = %s AND pid NOT IN (%s, pg_catalog.pg_backend_pid())"
            if connection.execute(other_backends, (database, observer)).fetchone() is not None:
                time.sleep(_PAUSE)
                continue
            if server.major < versions.STATISTICS_IN_SHARED_MEMORY:
                _await_collector(connection)
            return dict(connection.execute(_COUNTERS).fetchall())


def _await_collector(connection: "Connection[Any]") -> None:
    [(now,)] = connection.execute("SELECT pg_catalog.clock_timestamp()").fetchall()
    while True:
        connection.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")
        [(seen,)] = connection.execute("SELECT pg_catalog.pg_stat_get_snapshot_timestamp()").fetchall()
        if seen is not None and seen > now:
            return
        time.sleep(_PAUSE)


def _since(server: DatabaseServer, database: str, observer: int, base: dict[int, int]) -> dict[int, int]:
    return {oid: count - base.get(oid, 0) for oid, count in _counters(server, database, observer).items()}
