"""The ledger of one connection: it measures each statement at little cost, so that a whole history can be recorded.

After a statement, its transaction holds a lock on every relation that the statement touched. One query reads these locks with the names,
files and tuple counters of the relations; the rest of the database has not changed.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from migsafe.lock import LockMode
from migsafe.replaying.recording.measurement import Measurement, Trace, count_rows, is_truncate, measurement_of
from migsafe.replaying.recording.snapshot import KINDS, HeldModes, Index, Relation, Snapshot, mode_from_pg_locks, read_held_locks, take_snapshot
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
"""The LATERAL join looks up one relation at a time: DDL touches few of many relations, and OFFSET 0 keeps the planner from joining all."""
_COUNTED = """
    SELECT c.oid::int8, pg_catalog.pg_stat_get_xact_tuples_fetched(c.oid)
            + CASE WHEN c.relkind = 'i' THEN 0 ELSE pg_catalog.pg_stat_get_xact_tuples_returned(c.oid) END,
        pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid), pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)
    FROM pg_catalog.pg_class AS c WHERE c.relkind IN ('r', 'm', 'i') AND c.oid >= 16384
"""
_WRITTEN = "SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn"
_FLUSHES = 150000
"""The first version in which a backend can be told to report its counters as soon as its transaction ends."""
_FLUSH = ", pg_catalog.pg_stat_force_next_flush()"

_Counts = tuple[int, int, int]
_NONE: _Counts = (0, 0, 0)

_numbers = count(1)


class Ledger:
    """Measures the statements of one connection. No other connection may change its database; `counter` is one that can read all tables.

    Call `begin_transaction` after BEGIN, `prepare` before the first statement to measure, `measure_statement` after each, and `committed`
    or `rolled_back` at the end. `rows` are the current rows of each table, by oid; they are counted if they are not given. `read` has, for
    the last statement, the tuples read and the rows of each table; `wal_bytes` is the WAL that it wrote.
    """

    def __init__(self, connection: "Connection[Any]", counter: "Connection[Any]", rows: Mapping[int, int] | None = None) -> None:
        self._connection = connection
        self._counter = counter
        self._flushes = connection.info.server_version >= _FLUSHES
        self._known = take_snapshot(connection)
        self._held: HeldModes = {}
        self._counts: dict[int, _Counts] = {}
        self._wal = 0
        self._ready = False
        self._before = 0
        self._prepared = False
        self._name = f"migsafe_entry_{next(_numbers)}"
        self.wal_bytes = 0
        self.read: dict[Name, tuple[int | None, int | None]] = {}
        self.rows = dict(rows) if rows is not None else self._count_rows()
        self._mark = (self._known, self.rows)
        if self._flushes:
            self._connection.execute(f"SELECT true{_FLUSH}")

    @property
    def relations(self) -> Iterable[Relation]:
        """The relations that exist now."""
        return self._known.relations.values()

    def begin_transaction(self) -> None:
        """Notes that a transaction has begun."""
        self._held = {}
        self._ready = False
        self._mark = (self._known, self.rows)

    def prepare(self, first: str = "") -> None:
        """Reads the counters before a statement, after running the SQL in `first`. Not earlier, because SET TRANSACTION must come before any
        query."""
        if self._ready:
            return
        self._ready = True
        if not self._prepared:
            first, self._prepared = first + _ENTRY.format(name=self._name) + "; ", True
        if self._flushes:
            written = self._last_result(f"{first}{_WRITTEN}{_FLUSH}")
        else:
            # The counters of earlier transactions may not have been reported yet, and the new ones are added to them.
            self._counts = {oid: (read, new, gone) for oid, read, new, gone in self._last_result(f"{first}{_COUNTED}")}
            written = self._last_result(_WRITTEN)
        if self._flushes:
            self._counts = {}
        self._wal = int(written[0][0])

    def opening_sql(self) -> str:
        """Returns SQL to send together with a statement that is a transaction by itself: it opens the transaction and reads the counters.
        Empty if that needs a round trip of its own."""
        if not self._flushes:
            return ""
        self._ready, self._counts = True, {}
        self._before = 1 if self._prepared else 2
        prepare = "" if self._prepared else _ENTRY.format(name=self._name) + "; "
        self._prepared = True
        return f"BEGIN; {prepare}{_WRITTEN}{_FLUSH}; "

    def read_opening(self, cursor: "Cursor[Any]") -> None:
        """Reads the server's results for the opening SQL."""
        for _ in range(self._before):
            cursor.nextset()
        [(written, _)] = cursor.fetchall()
        self._wal = int(written)

    def discard_prepared(self) -> None:
        """Notes that the connection may have lost the prepared statement."""
        self._prepared = False
        self._name = f"migsafe_entry_{next(_numbers)}"

    def measure_statement(self, operations: Iterable[Operation]) -> Measurement:
        """Measures the statement with these operations, which has just run."""
        if not self._prepared:
            self._connection.execute(_ENTRY.format(name=self._name).encode())
            self._prepared = True
        before, held = self._known, self._held
        relations, indexes = dict(before.relations), dict(before.indexes)
        locks: HeldModes = {}
        read: dict[int, int] = {}
        changed: dict[int, int] = {}
        written = self._wal
        for oid, modes, kind, schema, name, file, table, *counts, wal in self._connection.execute(f"EXECUTE {self._name}".encode()).fetchall():
            written = int(wal)
            locks[oid] = frozenset(map(mode_from_pg_locks, modes))
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
        newly = {oid: max(new) for oid, modes in locks.items() if (new := modes - held.get(oid, frozenset()))}
        before_it = {oid: max(modes) for oid, modes in held.items()}
        touched = _with_tables_of_indexes((before, after), (*locks, *held))
        trace = Trace(
            before=_restrict(before, touched),
            after=_restrict(after, touched),
            locks={oid: lock for oid, lock in newly.items() if oid not in before_it or lock > before_it[oid]},
            held=before_it,
            weaker={oid: lock for oid, lock in newly.items() if oid in before_it and lock < before_it[oid]},
            read=read,
            rows=self.rows,
            truncates=is_truncate(operations),
        )
        self.read = {
            after.relations[oid].name: (count, self.rows.get(oid, 0))
            for oid, count in read.items()
            if oid in self.rows and oid in after.relations
        }
        self._update_rows(trace, changed)
        self._known, self._held = after, locks
        self.wal_bytes, self._wal = written - self._wal, written
        return measurement_of(trace)

    def committed(self) -> None:
        """Notes that the transaction has been committed."""
        self._held = {}

    def rolled_back(self) -> None:
        """Notes that the transaction has been rolled back."""
        self._known, self.rows = self._mark

    def rolled_back_to_savepoint(self) -> None:
        """Notes that a part of the transaction has been rolled back. The rows cannot be counted: no other connection sees the rest of it."""
        self._known = take_snapshot(self._connection)
        self._held = read_held_locks(self._connection.info.backend_pid, self._connection)

    def is_held(self, oid: int, lock: LockMode) -> bool:
        """Whether the transaction holds this lock on a relation, or ACCESS EXCLUSIVE on one of its indexes."""
        indexes = (self._held.get(index.oid, frozenset()) for index in self._known.indexes_of(oid))
        return lock in self._held.get(oid, frozenset()) or any(LockMode.ACCESS_EXCLUSIVE in modes for modes in indexes)

    def committed_name(self, oid: int) -> Name | None:
        """Returns the name that a relation had when the transaction began, by which other sessions know it; None if it is new."""
        relation = self._mark[0].relations.get(oid)
        return relation.name if relation is not None else None

    @contextmanager
    def measure_nontransactional(self, *, counts: bool) -> Iterator[list[Snapshot]]:
        """Measures a statement outside transactions, which runs in the `with` block. Yields a list with the snapshot before it, and adds the
        one after it. With `counts`, rows are counted again because the statement may have changed them."""
        snapshots = [self._known]
        wal = self._wal_position()
        yield snapshots
        self._held = {}
        self._known = take_snapshot(self._connection)
        self.wal_bytes = self._wal_position() - wal
        if counts:
            self.rows = self._count_rows()
        snapshots.append(self._known)

    def _count_rows(self) -> dict[int, int]:
        """Counts the committed rows of each table."""
        self._counter.execute("BEGIN")
        try:
            return count_rows(self._counter, self._known)
        finally:
            self._counter.execute("ROLLBACK")

    def _update_rows(self, trace: Trace, changed: dict[int, int]) -> None:
        """Updates the number of rows of each table."""
        rows = dict(self.rows)
        for oid, relation in trace.after.relations.items():
            if relation.has_rows:
                emptied = oid in changed and trace.truncates and _has_new_file(trace, oid)
                rows[oid] = 0 if emptied else rows.get(oid, 0) + changed.get(oid, 0)
        self.rows = rows

    def _wal_position(self) -> int:
        [(written,)] = self._connection.execute(_WRITTEN).fetchall()
        return int(written)

    def _last_result(self, sql: str) -> list[Any]:
        """Sends several statements at once; returns the rows of the last one."""
        cursor = self._connection.execute(sql.encode())
        while cursor.nextset():
            pass
        return cursor.fetchall()


def _with_tables_of_indexes(snapshots: Iterable[Snapshot], oids: Iterable[int]) -> set[int]:
    """Returns the relations with these oids, and the tables of those that are indexes."""
    relation_oids = set(oids)
    for relations in snapshots:
        relation_oids.update(relations.indexes[oid].table for oid in tuple(relation_oids) if oid in relations.indexes)
    return relation_oids


def _restrict(relations: Snapshot, tables: set[int]) -> Snapshot:
    """Returns the part of a snapshot that is about these tables; the rest has not changed."""
    return Snapshot(
        {oid: relation for oid, relation in relations.relations.items() if oid in tables},
        {oid: index for oid, index in relations.indexes.items() if index.table in tables},
    )


def _has_new_file(trace: Trace, oid: int) -> bool:
    before, after = trace.before.relations.get(oid), trace.after.relations.get(oid)
    return before is not None and after is not None and before.file != after.file
