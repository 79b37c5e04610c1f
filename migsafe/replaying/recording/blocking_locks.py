"""Locks held in the way of a statement, so that it has to say which ones it wants."""

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
"""Which modes wait for which (manual, 13.3.1, table 13.2)."""

_PAUSE = 0.0005

_AT_ONCE = "SET LOCAL lock_timeout = '50ms'"
_WAITING = "SELECT 1 FROM pg_catalog.pg_locks WHERE pid = %s AND NOT granted"


def next_blocking_mode(seen: Iterable[LockMode]) -> LockMode | None:
    """The mode to hold so that the modes already seen pass and the most of those stronger than all of them do not; None where every
    mode stops one that was seen, or where there is no stronger one."""
    passing = set(seen)
    stronger = {mode for mode in LockMode if not passing or mode > max(passing)}
    best = max(LockMode, key=lambda mode: -1 if CONFLICTS[mode] & passing else len(CONFLICTS[mode] & stronger))
    return None if CONFLICTS[best] & passing or not CONFLICTS[best] & stronger else best


class LockHolder:
    """A transaction that holds one mode on one table, or on nothing after it is let go."""

    def __init__(self, connection: "Connection[Any]", watch: "Connection[Any]") -> None:
        self.connection = connection
        self.pid = connection.info.backend_pid
        self._watch = watch

    def take(self, sql: str) -> None:
        """Take a lock that nobody stands in the way of."""
        self.connection.execute("BEGIN")
        self.connection.execute(sql.encode())

    def queue(self, sql: str) -> None:
        """Ask for a lock, and come back when it is either granted or waited for."""
        self.connection.execute("BEGIN")
        asked = self.connection.pgconn
        asked.send_query(sql.encode())
        while self._busy() and self._watch.execute(_WAITING, (self.pid,)).fetchone() is None:
            time.sleep(_PAUSE)

    def settle(self) -> None:
        """Wait until what was queued is granted."""
        while self._busy():
            time.sleep(_PAUSE)
        while self.connection.pgconn.get_result() is not None:
            pass

    def release(self) -> None:
        """Let go."""
        self.connection.execute("ROLLBACK")

    def close(self) -> None:
        """Let go, and hang up."""
        with suppress(Exception):
            self.connection.close()

    def _busy(self) -> bool:
        self.connection.pgconn.consume_input()
        return bool(self.connection.pgconn.is_busy())


def lock_sql(relation: Relation, mode: LockMode) -> str:
    """What takes a mode on a relation, and on no other; on a materialized view, which LOCK refuses, one that stops less."""
    if relation.kind != "materialized view":
        return f"LOCK TABLE ONLY {relation.name} IN {mode} MODE"
    if mode is LockMode.ACCESS_EXCLUSIVE:
        return f"ALTER MATERIALIZED VIEW {relation.name} OWNER TO CURRENT_USER"
    if CONFLICTS[_SUE] <= CONFLICTS[mode]:
        # A comment takes SHARE UPDATE EXCLUSIVE.
        return f"COMMENT ON MATERIALIZED VIEW {relation.name} IS 'held'"
    # Preparing a query takes ACCESS SHARE on the relation alone; planning it would lock the indexes too.
    return f"PREPARE held AS SELECT FROM {relation.name}; DEALLOCATE held"


def lock_index_sql(index: Index, relation: Relation) -> str:
    """What takes SHARE UPDATE EXCLUSIVE on an index, and nothing on its table."""
    return f"COMMENT ON INDEX {relation.name._replace(name=index.name)} IS 'held'"


class BlockingLocks:
    """Holds on every table of a database, and on the indexes of each that the statement comes to: the table is locked first.

    `connect` makes a connection, `watch` is one that looks at pg_locks. Tables that the statement is likely to lock, `apart`, have a hold
    each from the start; one transaction is enough for the others, until the statement comes to one of them. `seen` are the modes that it
    asked for, `waited` the tables whose transactions it waited for, `given_up` those whose indexes could not be held to the end.
    """

    def __init__(self, connect: Callable[[], "Connection[Any]"], watch: "Connection[Any]", found: Snapshot, apart: Collection[int]) -> None:
        self._connect = connect
        self._watch = watch
        self._found = found
        self.seen: dict[int, set[LockMode]] = {}
        self.waited: set[int] = set()
        self.given_up: set[int] = set()
        self._tables: dict[int, LockHolder] = {}
        self._indexes: dict[int, LockHolder] = {}
        lockable = [one.oid for one in found.relations.values() if one.kind in ("table", "partitioned table", "materialized view")]
        self._apart = [oid for oid in lockable if oid in apart]
        self._together = [oid for oid in lockable if oid not in apart]
        self._one: LockHolder | None = None
        self._spare: list[LockHolder] = []

    def take(self) -> None:
        """Hold ACCESS EXCLUSIVE on every table."""
        for oid in self._apart:
            self._tables[oid] = self._hold()
            self._tables[oid].take(self._lock(oid, LockMode.ACCESS_EXCLUSIVE))
        if self._together:
            self._one = self._hold()
            self._one.take("; ".join(self._lock(oid, LockMode.ACCESS_EXCLUSIVE) for oid in self._together))

    def asked(self, oid: int, mode: LockMode, pids: Collection[int]) -> None:
        """The statement waits for these backends, which have its way to this mode on this relation or index: note it, and let it pass, and
        nothing stronger."""
        if oid in self._tables or oid in self._together:
            if oid not in self.seen:
                self._take_indexes(oid)
            self.seen.setdefault(oid, set()).add(mode)
            if oid in self._together:
                self._part(oid)
            else:
                self._swap(oid)
        elif oid in self._found.indexes:
            self.seen.setdefault(oid, set()).add(mode)
            # There is no weaker lock on an index alone to hold next.
            self._give_up(self._found.indexes[oid].table, known=mode is LockMode.ACCESS_EXCLUSIVE)
        else:
            self._clear_catalogs(pids)

    def waited_for(self, pids: Collection[int]) -> None:
        """The statement waits for the end of these transactions: note those of ours, and have others take their place."""
        for oid, hold in list(self._tables.items()):
            if hold.pid in pids:
                self.waited.add(oid)
                self._swap(oid)

    def close(self) -> None:
        """Let everything go."""
        for hold in (*self._tables.values(), *self._indexes.values(), *self._spare, *([self._one] if self._one else ())):
            hold.close()

    def _take_indexes(self, table: int) -> None:
        """Hold SHARE UPDATE EXCLUSIVE on the indexes of a table that the statement is about to lock."""
        from psycopg.errors import LockNotAvailable  # noqa: PLC0415  # start-up must not pay for it

        indexes = self._found.indexes_of(table)
        if not indexes:
            return
        hold = self._hold()
        try:
            hold.take("; ".join([_AT_ONCE, *(lock_index_sql(index, self._found.relations[table]) for index in indexes)]))
        except LockNotAvailable:
            self._free(hold)
            self.given_up.add(table)
        else:
            self._indexes[table] = hold

    def _give_up(self, table: int, *, known: bool = False) -> None:
        """Let go of a table's indexes; unless their strongest lock is known, it will not be."""
        if table in self._indexes:
            self._free(self._indexes.pop(table))
            if not known:
                self.given_up.add(table)

    def _clear_catalogs(self, pids: Collection[int]) -> None:
        """Let go of what holds a system catalogue, as comments do, and REINDEX DATABASE comes to it."""
        if self._one is not None and self._one.pid in pids:
            self._part(None)
            return
        for table in [table for table, hold in self._indexes.items() if hold.pid in pids]:
            self._give_up(table)
        for table in [table for table, hold in self._tables.items() if hold.pid in pids]:
            self._free(self._tables.pop(table))

    def _part(self, asked: int | None) -> None:
        """Give each of the tables that are held together a hold of its own; of the one that the statement asks for, the next one."""
        old, self._one = self._one, None
        assert old is not None
        for oid in self._together:
            mode = next_blocking_mode(self.seen[oid]) if oid == asked else LockMode.ACCESS_EXCLUSIVE
            if mode is not None:
                self._tables[oid] = self._hold()
                self._tables[oid].queue(self._lock(oid, mode))
        self._free(old)
        for oid in self._together:
            if oid in self._tables:
                self._tables[oid].settle()
        self._together.clear()

    def _swap(self, oid: int) -> None:
        """Put the next hold in the queue behind the statement before the old one goes, so that nothing can slip between them."""
        old = self._tables.pop(oid)
        mode = next_blocking_mode(self.seen.get(oid, ()))
        if mode is None:
            self._free(old)
            return
        new = self._hold()
        new.queue(self._lock(oid, mode))
        self._free(old)
        new.settle()
        self._tables[oid] = new

    def _lock(self, oid: int, mode: LockMode) -> str:
        return lock_sql(self._found.relations[oid], mode)

    def _hold(self) -> LockHolder:
        return self._spare.pop() if self._spare else LockHolder(self._connect(), self._watch)

    def _free(self, hold: LockHolder) -> None:
        hold.release()
        self._spare.append(hold)
