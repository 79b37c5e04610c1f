"""Locks that block a statement, so that pg_locks shows which locks it requests."""

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from migsafe.lock import LockMode
from migsafe.replaying.recording.snapshot import Index, Relation, Snapshot

if TYPE_CHECKING:
    from psycopg import Connection

_AS, _RS, _RE, _SUE, _S, _SRE, _E, _AE = LockMode

CONFLICTS: dict[LockMode, frozenset[LockMode]] = {
    _AS: frozenset((_AE,)),
    _RS: frozenset((_E, _AE)),
    _RE: frozenset((_S, _SRE, _E, _AE)),
    _SUE: frozenset((_SUE, _S, _SRE, _E, _AE)),
    _S: frozenset((_RE, _SUE, _SRE, _E, _AE)),
    _SRE: frozenset((_RE, _SUE, _S, _SRE, _E, _AE)),
    _E: frozenset((_RS, _RE, _SUE, _S, _SRE, _E, _AE)),
    _AE: frozenset(LockMode),
}
"""The conflicting lock modes (manual, 13.3.1, table 13.2)."""

_PAUSE = 0.0005

_AT_ONCE = "SET LOCAL lock_timeout = '50ms'"
_WAITING = "SELECT 1 FROM pg_catalog.pg_locks WHERE pid = %s AND NOT granted"


def next_blocking_mode(requested: Iterable[LockMode]) -> LockMode | None:
    """Returns the mode that allows the modes requested so far and blocks as many stronger ones as possible; None if every mode blocks one
    of those requested, or if none is stronger."""
    passing = set(requested)
    stronger = {mode for mode in LockMode if not passing or mode > max(passing)}
    best = max(LockMode, key=lambda mode: -1 if CONFLICTS[mode] & passing else len(CONFLICTS[mode] & stronger))
    return None if CONFLICTS[best] & passing or not CONFLICTS[best] & stronger else best


class LockHolder:
    """A transaction that holds one lock, or none after `release`."""

    def __init__(self, connection: "Connection[Any]", observer: "Connection[Any]") -> None:
        self.connection = connection
        self.pid = connection.info.backend_pid
        self._observer = observer

    def take(self, sql: str) -> None:
        """Takes a lock that no other transaction blocks."""
        self.connection.execute("BEGIN")
        self.connection.execute(sql.encode())

    def queue(self, sql: str) -> None:
        """Requests a lock; returns when it is granted or the transaction waits for it."""
        self.connection.execute("BEGIN")
        request = self.connection.pgconn
        request.send_query(sql.encode())
        while self._busy() and self._observer.execute(_WAITING, (self.pid,)).fetchone() is None:
            time.sleep(_PAUSE)

    def settle(self) -> None:
        """Waits until the queued lock is granted."""
        while self._busy():
            time.sleep(_PAUSE)
        while self.connection.pgconn.get_result() is not None:
            pass

    def release(self) -> None:
        """Releases the lock."""
        self.connection.execute("ROLLBACK")

    def close(self) -> None:
        """Releases the lock and closes the connection."""
        with suppress(Exception):
            self.connection.close()

    def _busy(self) -> bool:
        self.connection.pgconn.consume_input()
        return bool(self.connection.pgconn.is_busy())


def lock_sql(relation: Relation, mode: LockMode) -> str:
    """Returns SQL that takes a mode on one relation; on a materialized view, which LOCK refuses, it takes a mode that blocks less."""
    if relation.kind != "materialized view":
        return f"LOCK TABLE ONLY {relation.name} IN {mode} MODE"
    if mode is LockMode.ACCESS_EXCLUSIVE:
        return f"ALTER MATERIALIZED VIEW {relation.name} OWNER TO CURRENT_USER"
    if CONFLICTS[_SUE] <= CONFLICTS[mode]:
        # A comment takes SHARE UPDATE EXCLUSIVE.
        return f"COMMENT ON MATERIALIZED VIEW {relation.name} IS 'held'"
    # PREPARE takes ACCESS SHARE on the relation alone; planning the query would lock the indexes too.
    return f"PREPARE held AS SELECT FROM {relation.name}; DEALLOCATE held"


def lock_index_sql(index: Index, relation: Relation) -> str:
    """Returns SQL that takes SHARE UPDATE EXCLUSIVE on an index, and no lock on its table."""
    return f"COMMENT ON INDEX {relation.name._replace(name=index.name)} IS 'held'"


class BlockingLocks:
    """Locks on every table of a database, and on the indexes of each table that the statement requests, because it locks the table first.

    `connect` opens a connection, `observer` is one that reads pg_locks. Each table in `separate`, which the statement is likely to lock, is
    locked by a transaction of its own; one transaction locks the others until the statement requests one of them. `requested` are the modes
    that the statement requested, by oid, `waited` the tables whose transactions it waited for, `unknown_indexes` the tables whose indexes
    could not be kept locked to the end.
    """

    def __init__(
        self, connect: Callable[[], "Connection[Any]"], observer: "Connection[Any]", snapshot: Snapshot, separate: Collection[int]
    ) -> None:
        self._connect = connect
        self._observer = observer
        self._snapshot = snapshot
        self.requested: dict[int, set[LockMode]] = {}
        self.waited: set[int] = set()
        self.unknown_indexes: set[int] = set()
        self._tables: dict[int, LockHolder] = {}
        self._indexes: dict[int, LockHolder] = {}
        lockable = [
            relation.oid for relation in snapshot.relations.values() if relation.kind in ("table", "partitioned table", "materialized view")
        ]
        self._separate = [oid for oid in lockable if oid in separate]
        self._shared = [oid for oid in lockable if oid not in separate]
        self._shared_holder: LockHolder | None = None
        self._spare: list[LockHolder] = []

    def take(self) -> None:
        """Takes ACCESS EXCLUSIVE on every table."""
        for oid in self._separate:
            self._tables[oid] = self._new_holder()
            self._tables[oid].take(self._lock(oid, LockMode.ACCESS_EXCLUSIVE))
        if self._shared:
            self._shared_holder = self._new_holder()
            self._shared_holder.take("; ".join(self._lock(oid, LockMode.ACCESS_EXCLUSIVE) for oid in self._shared))

    def lock_requested(self, oid: int, mode: LockMode, pids: Collection[int]) -> None:
        """Notes that the statement waits for these backends to get this mode on a relation or index, and lets it pass up to this mode."""
        if oid in self._tables or oid in self._shared:
            if oid not in self.requested:
                self._lock_indexes(oid)
            self.requested.setdefault(oid, set()).add(mode)
            if oid in self._shared:
                self._separate_shared(oid)
            else:
                self._replace(oid)
        elif oid in self._snapshot.indexes:
            self.requested.setdefault(oid, set()).add(mode)
            # No weaker lock can be taken on an index without locking its table.
            self._release_indexes(self._snapshot.indexes[oid].table, known=mode is LockMode.ACCESS_EXCLUSIVE)
        else:
            self._release_catalogs(pids)

    def transactions_awaited(self, pids: Collection[int]) -> None:
        """Notes that the statement waits for these transactions to end, and replaces those that block tables."""
        for oid, hold in list(self._tables.items()):
            if hold.pid in pids:
                self.waited.add(oid)
                self._replace(oid)

    def close(self) -> None:
        """Releases all locks and closes the connections."""
        for hold in (*self._tables.values(), *self._indexes.values(), *self._spare, *([self._shared_holder] if self._shared_holder else ())):
            hold.close()

    def _lock_indexes(self, table: int) -> None:
        """Takes SHARE UPDATE EXCLUSIVE on the indexes of a table that the statement is about to lock."""
        from psycopg.errors import LockNotAvailable  # noqa: PLC0415  # start-up must not pay for it

        indexes = self._snapshot.indexes_of(table)
        if not indexes:
            return
        hold = self._new_holder()
        try:
            hold.take("; ".join([_AT_ONCE, *(lock_index_sql(index, self._snapshot.relations[table]) for index in indexes)]))
        except LockNotAvailable:
            self._release(hold)
            self.unknown_indexes.add(table)
        else:
            self._indexes[table] = hold

    def _release_indexes(self, table: int, *, known: bool = False) -> None:
        """Releases a table's indexes. Unless `known`, the strongest lock on them stays unknown."""
        if table in self._indexes:
            self._release(self._indexes.pop(table))
            if not known:
                self.unknown_indexes.add(table)

    def _release_catalogs(self, pids: Collection[int]) -> None:
        """Releases transactions that hold locks on system catalogs: comments take them, and REINDEX DATABASE requests them."""
        if self._shared_holder is not None and self._shared_holder.pid in pids:
            self._separate_shared(None)
            return
        for table in [table for table, hold in self._indexes.items() if hold.pid in pids]:
            self._release_indexes(table)
        for table in [table for table, hold in self._tables.items() if hold.pid in pids]:
            self._release(self._tables.pop(table))

    def _separate_shared(self, requested: int | None) -> None:
        """Locks each table of the shared transaction in a transaction of its own; the requested one with the next weaker mode."""
        old, self._shared_holder = self._shared_holder, None
        assert old is not None
        for oid in self._shared:
            mode = next_blocking_mode(self.requested[oid]) if oid == requested else LockMode.ACCESS_EXCLUSIVE
            if mode is not None:
                self._tables[oid] = self._new_holder()
                self._tables[oid].queue(self._lock(oid, mode))
        self._release(old)
        for oid in self._shared:
            if oid in self._tables:
                self._tables[oid].settle()
        self._shared.clear()

    def _replace(self, oid: int) -> None:
        """Queues the next lock behind the statement before the old one is released, so that the statement cannot get past both."""
        old = self._tables.pop(oid)
        mode = next_blocking_mode(self.requested.get(oid, ()))
        if mode is None:
            self._release(old)
            return
        new = self._new_holder()
        new.queue(self._lock(oid, mode))
        self._release(old)
        new.settle()
        self._tables[oid] = new

    def _lock(self, oid: int, mode: LockMode) -> str:
        return lock_sql(self._snapshot.relations[oid], mode)

    def _new_holder(self) -> LockHolder:
        return self._spare.pop() if self._spare else LockHolder(self._connect(), self._observer)

    def _release(self, hold: LockHolder) -> None:
        hold.release()
        self._spare.append(hold)
