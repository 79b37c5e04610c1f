"""Keeping account of one connection, statement by statement, so that a whole history can be recorded at little cost.

What a statement did is in the locks that its transaction holds afterwards: every relation that it touched is among them, with its name,
its file and the tuples read by now. So one query after each statement is enough; the rest of the database is as it was.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from migsafe.lock import LockMode
from migsafe.replaying.recording.measurement import Measurement, Trace, count_rows, is_truncate, measurement_of
from migsafe.replaying.recording.snapshot import KINDS, Index, Relation, Snapshot, mode_from_pg_locks, read_held_locks, take_snapshot
from migsafe.sql.operations import Name, Operation

if TYPE_CHECKING:
    from psycopg import Connection, Cursor

_ENTRY = """
    PREPARE {name} AS
    SELECT l.relation::int8, l.modes, c.*, (SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn)
    FROM (SELECT relation, pg_catalog.array_agg(mode) AS modes FROM pg_catalog.pg_locks
            WHERE locktype = 'relation' AND granted AND pid = pg_catalog.pg_backend_pid()
                AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
            GROUP BY relation) AS l
    LEFT JOIN LATERAL (
        SELECT c.relkind::text, CASE WHEN n.oid = pg_catalog.pg_my_temp_schema() THEN 'pg_temp' ELSE n.nspname END AS schema, c.relname,
            pg_catalog.pg_relation_filenode(c.oid)::int8 AS file,
            (SELECT i.indrelid::int8 FROM pg_catalog.pg_index AS i WHERE i.indexrelid = c.oid) AS table,
            pg_catalog.pg_stat_get_xact_tuples_fetched(c.oid)
                + CASE WHEN c.relkind IN ('i', 'I') THEN 0 ELSE pg_catalog.pg_stat_get_xact_tuples_returned(c.oid) END AS read,
            pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) AS inserted, pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS deleted
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = l.relation OFFSET 0) AS c ON true
    WHERE c.schema IS NULL OR c.schema NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
"""A relation at a time: DDL touches few of many, and its planner must not think otherwise."""
_COUNTED = """
    SELECT c.oid::int8, pg_catalog.pg_stat_get_xact_tuples_fetched(c.oid)
            + CASE WHEN c.relkind = 'i' THEN 0 ELSE pg_catalog.pg_stat_get_xact_tuples_returned(c.oid) END,
        pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid), pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)
    FROM pg_catalog.pg_class AS c WHERE c.relkind IN ('r', 'm', 'i') AND c.oid >= 16384
"""
_WRITTEN = "SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn"
_FLUSHES = 150000
"""The first version in which a backend can be told to report what it counted as soon as its transaction ends."""
_FLUSH = ", pg_catalog.pg_stat_force_next_flush()"

_Counts = tuple[int, int, int]
_NONE: _Counts = (0, 0, 0)

_numbers = count(1)


class Ledger:
    """The account of one connection, which must be its database's only one that changes anything. `counter` is another, which may read all.

    `begin` opens a transaction's account, `ready` comes before its first statement that is asked about, `entry` gives what the statement
    that just ran did, `end` closes it. `rows` are the rows of each table, by number, as they are by now, counted if they are not given;
    `read` is how many the last statement read of how many there were, `wal_bytes` what it wrote.
    """

    def __init__(self, connection: "Connection[Any]", counter: "Connection[Any]", rows: Mapping[int, int] | None = None) -> None:
        self._connection = connection
        self._counter = counter
        self._flushes = connection.info.server_version >= _FLUSHES
        self._known = take_snapshot(connection)
        self._held: dict[int, LockMode] = {}
        self._counts: dict[int, _Counts] = {}
        self._wal = 0
        self._ready = False
        self._before = 0
        self._prepared = False
        self._name = f"migsafe_entry_{next(_numbers)}"
        self.wal_bytes = 0
        self.read: dict[Name, tuple[int | None, int | None]] = {}
        self.rows = dict(rows) if rows is not None else self._recounted()
        self._mark = (self._known, self.rows)
        if self._flushes:
            self._connection.execute(f"SELECT true{_FLUSH}")

    @property
    def relations(self) -> Iterable[Relation]:
        """The relations that there are."""
        return self._known.relations.values()

    def begin_transaction(self) -> None:
        """A transaction has begun."""
        self._held = {}
        self._ready = False
        self._mark = (self._known, self.rows)

    def prepare(self, first: str = "") -> None:
        """A statement is about to run: see what has been counted so far, after the statement `first`. Not before, because SET TRANSACTION must
        come before any query."""
        if self._ready:
            return
        self._ready = True
        if not self._prepared:
            first, self._prepared = first + _ENTRY.format(name=self._name) + "; ", True
        if self._flushes:
            found = self._last(f"{first}{_WRITTEN}{_FLUSH}")
        else:
            # What a backend counted in earlier transactions may not have been reported yet, and counts on.
            self._counts = {oid: (read, new, gone) for oid, read, new, gone in self._last(f"{first}{_COUNTED}")}
            found = self._last(_WRITTEN)
        if self._flushes:
            self._counts = {}
        self._wal = int(found[0][0])

    def opening_sql(self) -> str:
        """What to send before a statement that is a transaction by itself, in one go with it: it opens the transaction, and its account. Empty
        where that needs more than one go."""
        if not self._flushes:
            return ""
        self._ready, self._counts = True, {}
        self._before = 1 if self._prepared else 2
        prepare = "" if self._prepared else _ENTRY.format(name=self._name) + "; "
        self._prepared = True
        return f"BEGIN; {prepare}{_WRITTEN}{_FLUSH}; "

    def read_opening(self, cursor: "Cursor[Any]") -> None:
        """Read what the server said to that."""
        for _ in range(self._before):
            cursor.nextset()
        [(written, _)] = cursor.fetchall()
        self._wal = int(written)

    def discard_prepared(self) -> None:
        """The connection may have lost what was prepared on it."""
        self._prepared = False
        self._name = f"migsafe_entry_{next(_numbers)}"

    def measure_statement(self, operations: Iterable[Operation]) -> Measurement:
        """Returns what the statement with these operations, which just ran, did."""
        if not self._prepared:
            self._connection.execute(_ENTRY.format(name=self._name).encode())
            self._prepared = True
        before, held = self._known, self._held
        relations, indexes = dict(before.relations), dict(before.indexes)
        locks: dict[int, LockMode] = {}
        read: dict[int, int] = {}
        changed: dict[int, int] = {}
        written = self._wal
        for oid, modes, kind, schema, name, file, table, *counts, wal in self._connection.execute(f"EXECUTE {self._name}".encode()).fetchall():
            written = int(wal)
            locks[oid] = max(mode_from_pg_locks(mode) for mode in modes)
            if kind is None:
                relations.pop(oid, None)
                indexes.pop(oid, None)
                continue
            now, then = tuple(counts), self._counts.get(oid, _NONE)
            self._counts[oid] = now
            of = oid if table is None else table
            read[of] = read.get(of, 0) + now[0] - then[0]
            if table is not None:
                indexes[oid] = Index(oid, table, name, file)
            elif kind in KINDS:
                relations[oid] = Relation(oid, Name(name, schema), KINDS[kind], file)
                changed[oid] = now[1] - then[1] - (now[2] - then[2])
        after = Snapshot(relations, indexes)
        newly = {oid: lock for oid, lock in locks.items() if oid not in held or lock > held[oid]}
        touched = _tables((before, after), (*locks, *held))
        trace = Trace(
            before=_narrowed(before, touched),
            after=_narrowed(after, touched),
            locks=newly,
            held=held,
            read=read,
            rows=self.rows,
            truncates=is_truncate(operations),
        )
        self.read = {
            after.relations[oid].name: (count, self.rows.get(oid, 0))
            for oid, count in read.items()
            if oid in self.rows and oid in after.relations
        }
        self._count(trace, changed)
        self._known, self._held = after, locks
        self.wal_bytes, self._wal = written - self._wal, written
        return measurement_of(trace)

    def committed(self) -> None:
        """The transaction has been committed."""
        self._held = {}

    def rolled_back(self) -> None:
        """The transaction has been rolled back."""
        self._known, self.rows = self._mark

    def rolled_back_to_savepoint(self) -> None:
        """A part of the transaction has been rolled back: nobody else can count the rows of what is left."""
        self._known = take_snapshot(self._connection)
        self._held = read_held_locks(self._connection.info.backend_pid, self._connection)

    @contextmanager
    def measure_nontransactional(self, *, counts: bool) -> Iterator[list[Snapshot]]:
        """The account of a statement that no transaction takes, which runs in the block: what was there before, and then what is there now.
        With `counts` it may have changed rows."""
        found = [self._known]
        wal = self._written()
        yield found
        self._held = {}
        self._known = take_snapshot(self._connection)
        self.wal_bytes = self._written() - wal
        if counts:
            self.rows = self._recounted()
        found.append(self._known)

    def _recounted(self) -> dict[int, int]:
        """The rows of each table as others see them."""
        self._counter.execute("BEGIN")
        try:
            return count_rows(self._counter, self._known)
        finally:
            self._counter.execute("ROLLBACK")

    def _count(self, trace: Trace, changed: dict[int, int]) -> None:
        """Bring the number of rows up to date."""
        rows = dict(self.rows)
        for oid, relation in trace.after.relations.items():
            if relation.has_rows:
                emptied = oid in changed and trace.truncates and _is_moved(trace, oid)
                rows[oid] = 0 if emptied else rows.get(oid, 0) + changed.get(oid, 0)
        self.rows = rows

    def _written(self) -> int:
        [(written,)] = self._connection.execute(_WRITTEN).fetchall()
        return int(written)

    def _last(self, sql: str) -> list[Any]:
        """Send several statements at once, and return what the last one says."""
        cursor = self._connection.execute(sql.encode())
        while cursor.nextset():
            pass
        return cursor.fetchall()


def _tables(snapshots: Iterable[Snapshot], oids: Iterable[int]) -> set[int]:
    """The relations of these numbers, and the tables of those that are indexes."""
    found = set(oids)
    for one in snapshots:
        found.update(one.indexes[oid].table for oid in tuple(found) if oid in one.indexes)
    return found


def _narrowed(found: Snapshot, tables: set[int]) -> Snapshot:
    """What of a snapshot is about some tables: all else is as it was."""
    return Snapshot(
        {oid: relation for oid, relation in found.relations.items() if oid in tables},
        {oid: index for oid, index in found.indexes.items() if index.table in tables},
    )


def _is_moved(trace: Trace, oid: int) -> bool:
    before, after = trace.before.relations.get(oid), trace.after.relations.get(oid)
    return before is not None and after is not None and before.file != after.file
