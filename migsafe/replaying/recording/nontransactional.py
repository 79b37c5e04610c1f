"""What a statement does that runs outside transactions: CONCURRENTLY, VACUUM, REINDEX SCHEMA, and their kin.

They commit on their way, so that pg_locks shows nothing of them afterwards, and looking while they run would depend on luck. Instead every
table is locked beforehand, ACCESS EXCLUSIVE, by a transaction of its own. Then the statement stops at each lock that it wants, where it can be
read at leisure: pg_locks has the mode that is not granted. It is let through by a swap: behind it in the queue comes another transaction,
which asks for the strongest lock that lets through what was seen and stops what is stronger; then the old one goes, and PostgreSQL grants
both in one step. So the statement runs once, and stops at each stronger request. Where it waits for the transactions themselves,
because they might use the table (pg_locks: `virtualxid`), that is noted as `waits`, and another takes their place.

Not seen this way are locks that a statement tries for and does without if it does not get them (VACUUM's, to cut off the empty end of a
table), locks on an index after a first one less than ACCESS EXCLUSIVE (DROP INDEX CONCURRENTLY; `partly` has its table), and on
views and foreign tables, which none of these statements lock.
"""

import re
import time
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from migsafe import versions
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
_WORD = re.compile(r"\w+")


class DatabaseServer(Protocol):
    """A server with databases to connect to, as who may lock all tables."""

    @property
    def major(self) -> int:
        """Its major version."""

    def connect(self, database: str) -> "Connection[Any]":
        """Connect to one of its databases, in autocommit."""


def measure_nontransactional(server: DatabaseServer, database: str, sql: str, *, scans: bool = True) -> Measurement:
    """Run one statement outside a transaction, and measure it. Nobody else may be connected to the database.

    Raises psycopg.Error as the statement does.
    """
    with server.connect(database) as watch:
        before = take_snapshot(watch)
        scans = scans and not _reads_samples(sql)
        rows = _rows(server, database, before) if scans else {}
        base = _counters(server, database, watch.info.backend_pid) if scans else {}
        holds = BlockingLocks(lambda: server.connect(database), watch, before, _named(sql, before))
        connection = server.connect(database)
        try:
            holds.take()
            _run(connection, sql, holds, watch)
        finally:
            connection.close()
            holds.close()
        read = _since(server, database, watch.info.backend_pid, base) if scans else {}
        after = take_snapshot(watch)
    locks = {oid: max(modes) for oid, modes in holds.seen.items()}
    waited = frozenset(holds.waited)
    found = measurement_of(Trace(before=before, after=after, locks=locks, read=read, rows=rows, waited=waited))
    partly = frozenset(before.relations[table].name for table in holds.given_up)
    return replace(found, scans_measured=scans, partial_index_locks=partly)


def _run(connection: "Connection[Any]", sql: str, holds: BlockingLocks, watch: "Connection[Any]") -> None:
    """Send the statement, and let it through wherever it stops."""
    from psycopg.errors import error_from_result  # noqa: PLC0415  # start-up must not pay for it
    from psycopg.pq import ExecStatus  # noqa: PLC0415

    sent, pid = connection.pgconn, connection.info.backend_pid
    sent.send_query(sql.encode())
    while _is_busy(sent):
        blocked = watch.execute(_BLOCKED, (pid,)).fetchone()
        if blocked is None:
            time.sleep(_PAUSE)
        elif blocked[0] is not None:
            holds.asked(blocked[0], mode_from_pg_locks(blocked[1]), blocked[2])
        else:
            holds.waited_for(blocked[2])
    failed = None
    while (result := sent.get_result()) is not None:
        if result.status == ExecStatus.FATAL_ERROR:
            failed = error_from_result(result, connection.info.encoding)
    if failed is not None:
        raise failed


def _is_busy(sent: Any) -> bool:
    sent.consume_input()
    return bool(sent.is_busy())


def _named(sql: str, found: Snapshot) -> set[int]:
    """The tables that a statement seems to name, or whose indexes."""
    words = set(_WORD.findall(sql.lower()))
    tables = {relation.oid for relation in found.relations.values() if relation.name.name.lower() in words}
    return tables | {index.table for index in found.indexes.values() if index.name.lower() in words}


def _reads_samples(sql: str) -> bool:
    """Whether it is a VACUUM or an ANALYZE: what they read is not counted. VACUUM FULL is."""
    operations = [operation for statement in read(sql) for operation in statement.operations]
    return any(isinstance(one, Analyze) or (isinstance(one, Vacuum) and not one.full) for one in operations)


def _rows(server: DatabaseServer, database: str, before: Snapshot) -> dict[int, int]:
    """The rows of every table, counted by a backend that ends: what it read is in the counters before the statement runs."""
    with server.connect(database) as connection:
        connection.execute("BEGIN")
        return count_rows(connection, before)


def _counters(server: DatabaseServer, database: str, watch: int) -> dict[int, int]:
    """The tuples read of each table, by number, when all that ran before is in the counters: a backend reports what it counted when it ends.

    Until 14 a process of its own collects the counters, and answers from a file: it must be newer than the last backend's end.
    """
    while True:
        with server.connect(database) as connection:
            others = "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE datname = %s AND pid NOT IN (%s, pg_catalog.pg_backend_pid())"
            if connection.execute(others, (database, watch)).fetchone() is not None:
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


def _since(server: DatabaseServer, database: str, watch: int, base: dict[int, int]) -> dict[int, int]:
    return {oid: count - base.get(oid, 0) for oid, count in _counters(server, database, watch).items()}
