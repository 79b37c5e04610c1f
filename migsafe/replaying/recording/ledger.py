"""The ledger of one connection: it measures each statement at little cost, so that a whole history can be recorded.

After a statement, its transaction holds a lock on every relation that the statement touched. One query reads these locks with the names,
files and tuple counters of the relations; the rest of the database has not changed. This query is sent in the same message as the statement,
so recording needs no round trip of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from migsafe.lock import LockMode
from migsafe.replaying.exchange import execute, rows_of
from migsafe.replaying.recording.contents import Contents
from migsafe.replaying.recording.measurement import Measurement, Trace, count_rows, is_truncate, measurement_of
from migsafe.replaying.recording.reads import TableReads
from migsafe.replaying.recording.snapshot import KINDS, HeldModes, Index, Relation, Snapshot, mode_from_pg_locks, read_held_locks, take_snapshot
from migsafe.replaying.row_security import lift_row_security
from migsafe.sql.operations import Name, Operation
from migsafe.sql.operations.values import unquoted

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGresult

MARK = """SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn, extract(epoch FROM pg_catalog.clock_timestamp())"""
_FLUSHES = 150000
"""The first version in which a backend can be told to report its counters as soon as its transaction ends."""
_FLUSH = ", pg_catalog.pg_stat_force_next_flush()"

ENTRY = """
    SELECT l.relation, l.mode, c.relkind, CASE WHEN c.relnamespace = pg_catalog.pg_my_temp_schema() THEN 'pg_temp'
            ELSE c.relnamespace::pg_catalog.regnamespace::text END,
        c.relname, NULLIF(c.relfilenode, 0),
        CASE WHEN c.relkind IN ('i', 'I') AND pg_catalog.age(c.xmin) <= 0
            THEN (SELECT i.indrelid FROM pg_catalog.pg_index AS i WHERE i.indexrelid = c.oid) END,
        pg_catalog.pg_stat_get_xact_tuples_returned(c.oid), pg_catalog.pg_stat_get_xact_tuples_fetched(c.oid),
        pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid), pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid),
        m.position, m.began, extract(epoch FROM pg_catalog.clock_timestamp())
    FROM (
        SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn AS position,
            extract(epoch FROM pg_catalog.clock_timestamp()) AS began
    ) AS m LEFT JOIN (pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_class AS c ON c.oid = l.relation)
        ON l.locktype = 'relation' AND l.granted AND l.pid = pg_catalog.pg_backend_pid() AND l.relation >= 16384
"""
"""What a statement did: a row for each lock, or one without a lock, with the WAL position and the clock when this query begins, and the clock
when it reads the row. The subquery calls volatile functions: so it is not merged, and it is read first and once.

The first oid that is not the system's own is 16384 (FirstNormalObjectId). The table of an index is read only if this transaction created or
changed the index: those from before are known, and the planner reads a small pg_index completely for each of them. Only the system's own
relations can have a file that pg_class does not name (relmapper.c). The name of a schema is quoted where SQL needs it, because the server casts
it faster than it reads pg_namespace."""
_COUNTERS = """
    SELECT c.oid, pg_catalog.pg_stat_get_xact_tuples_returned(c.oid), pg_catalog.pg_stat_get_xact_tuples_fetched(c.oid),
        pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid), pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)
    FROM pg_catalog.pg_class AS c WHERE c.relkind IN ('r', 'm', 'i') AND c.oid >= 16384
"""
_POSITION, _BEGAN = 11, 12
"""The columns of ENTRY with the WAL position and the clock when it begins; the clock of the row follows."""
_INDEX_KINDS = ("i", "I")
_SYSTEM_SCHEMAS = ("pg_catalog", "information_schema", "pg_toast")

_Counts = tuple[int, int, int, int]
"""The tuples returned, fetched, inserted and deleted."""
_NONE: _Counts = (0, 0, 0, 0)

_numbers = count(1)


class Message(NamedTuple):
    """The SQL to send before and after a statement. `before` is the number of its results before those of the statement, `recorded` the
    number of those after it, without that of COMMIT. `opens`: the counters before the statement are among the first ones."""

    opening: str
    closing: str
    before: int
    recorded: int
    opens: bool

    def around(self, command: str) -> str:
        """Returns the whole message. A statement may end with a comment, which ends with its line."""
        return f"{self.opening}{command}\n;{self.closing}"


class Ledger:
    """Measures the statements of one connection. No other connection may change its database.

    Call `begin_transaction` when a transaction begins, send each statement with its `message`, give the results to `measure`, and call
    `committed` or `rolled_back` at the end. `contents` is what the database contains. `read` has, for the last statement, the tuples read and
    the rows of each table; `wal_bytes` is the WAL that it wrote.
    """

    def __init__(self, connection: "Connection[Any]", contents: Contents) -> None:
        self.contents = contents
        self._connection = connection
        self._flushes = connection.info.server_version >= _FLUSHES
        self._held: HeldModes = {}
        self._counts: dict[int, _Counts] = {}
        self._wal = 0
        self._begun = False
        self._prepared = False
        self._number = 0
        self._messages: dict[tuple[bool, bool, bool], Message] = {}
        self.wal_bytes = 0
        self.read: dict[Name, tuple[int | None, int | None]] = {}
        # The counters of earlier statements must have been reported before the first transaction.
        self._read_mark()

    def is_of(self, connection: "Connection[Any]") -> bool:
        """Whether this is the ledger of a connection."""
        return self._connection is connection

    def begin_migration(self, contents: Contents) -> None:
        """Notes that another migration begins, on a connection without an open transaction, with these contents of the database."""
        self.contents = contents
        self.begin_transaction()

    def begin_transaction(self) -> None:
        """Notes that a transaction begins."""
        self._held = {}
        self._begun = False
        self.contents.begin()

    def message(self, *, commits: bool = False, begins: bool = False, forgets: bool = False) -> Message:
        """Returns what to send with the next statement. With `begins` and `commits`, the message contains BEGIN and COMMIT; `forgets` says
        that the statement may deallocate prepared statements.

        The counters are read with the first statement to measure, not earlier, because SET TRANSACTION must come before any query.
        """
        opens = begins or not self._begun
        self._begun = True
        if forgets or not self._prepared:
            return self._new_message(commits=commits, begins=begins, opens=opens, forgets=forgets)
        key = (commits, begins, opens)
        if key not in self._messages:
            self._messages[key] = self._new_message(commits=commits, begins=begins, opens=opens, forgets=False)
        return self._messages[key]

    def _new_message(self, *, commits: bool, begins: bool, opens: bool, forgets: bool) -> Message:
        opening = ["BEGIN"] if begins else []
        closing = []
        if opens:
            opening += self._prepare() if not self._prepared else []
            opening += [] if self._flushes else [self._execute("counters")]
            opening.append(self._execute("mark"))
        if forgets or not self._prepared:
            closing += self._prepare()
        closing.append(self._execute("entry"))
        end = ["COMMIT"] if commits else []
        text = "".join(f"{command}; " for command in opening)
        return Message(text, "; ".join([*closing, *end]), len(opening), len(closing), opens=bool(opening))

    def discard_prepared(self) -> None:
        """Notes that the connection may have lost the prepared statements."""
        self._prepared = False

    def measure(self, message: Message, results: "Sequence[PGresult]", operations: Iterable[Operation]) -> Measurement:
        """Measures a statement with these operations, from the results of its message without that of COMMIT."""
        if message.opens:
            self._open(results[: message.before])
        entry = results[-1]
        wal = int(entry.get_value(0, _POSITION) or 0)
        self.wal_bytes, self._wal = wal - self._wal, wal
        return self._measure_locks(rows_of(entry, self._connection.info.encoding), is_truncate(operations))

    def recording_seconds(self, results: "Sequence[PGresult]") -> float:
        """Returns the time that the server took to record a statement, from the results of its message without that of COMMIT."""
        entry = results[-1]
        return float(entry.get_value(entry.ntuples - 1, _BEGAN + 1) or 0) - float(entry.get_value(0, _BEGAN) or 0)

    def committed(self) -> None:
        """Notes that the transaction has been committed."""
        self._held = {}

    def rolled_back(self) -> None:
        """Notes that the transaction has been rolled back."""
        self._held = {}
        self.contents.roll_back()

    def rolled_back_to_savepoint(self) -> None:
        """Notes that a part of the transaction has been rolled back. The rows cannot be counted: no other connection sees the rest of it."""
        self.contents.replace(take_snapshot(self._connection))
        self._held = read_held_locks(self._connection.info.backend_pid, self._connection)

    def is_held(self, oid: int, lock: LockMode) -> bool:
        """Whether the transaction holds this lock on a relation, or ACCESS EXCLUSIVE on one of its indexes."""
        indexes = (self._held.get(index.oid, frozenset()) for index in self.contents.indexes_of(oid))
        return lock in self._held.get(oid, frozenset()) or any(LockMode.ACCESS_EXCLUSIVE in modes for modes in indexes)

    @contextmanager
    def measure_nontransactional(self, counter: "Connection[Any] | None") -> Iterator[list[Snapshot]]:
        """Measures a statement outside transactions, which runs in the `with` block. Yields a list with the snapshot before it, and adds the
        one after it. With `counter`, a connection that can read all tables, rows are counted again: the statement may have changed them."""
        snapshots = [self.contents.snapshot()]
        wal, _ = self._read_mark()
        yield snapshots
        self._held = {}
        self.contents.replace(take_snapshot(self._connection))
        snapshots.append(self.contents.snapshot())
        self.wal_bytes = self._read_mark()[0] - wal
        if counter is not None:
            self.contents.update({}, {}, count_committed_rows(counter, snapshots[-1]))
        self.contents.begin()

    def _prepare(self) -> list[str]:
        """Returns the commands that prepare the ledger's statements, under names that are new."""
        self._prepared, self._number = True, next(_numbers)
        self._messages.clear()
        flush = _FLUSH if self._flushes else ""
        statements = {"mark": MARK + flush, "entry": ENTRY} | ({} if self._flushes else {"counters": _COUNTERS})
        return [f"PREPARE {self._name(name)} AS {query}" for name, query in statements.items()]

    def _execute(self, name: str) -> str:
        return f"EXECUTE {self._name(name)}"

    def _name(self, name: str) -> str:
        return f"migsafe_{name}_{self._number}"

    def _open(self, opening: "Sequence[PGresult]") -> None:
        """Reads the results of the SQL before the first statement of a transaction."""
        self._wal, _ = self._mark_of(opening[-1])
        self._counts = {}
        if not self._flushes:
            # The counters of earlier transactions may not have been reported yet, and the new ones are added to them.
            for oid, *counts in rows_of(opening[-2]):
                self._counts[_integer(oid)] = _counts(counts)

    def _read_mark(self) -> tuple[int, float]:
        """Reads the WAL position and the clock. The counters are reported when this transaction ends."""
        [result] = execute(self._connection, MARK + (_FLUSH if self._flushes else ""))
        return self._mark_of(result)

    @staticmethod
    def _mark_of(result: "PGresult") -> tuple[int, float]:
        return int(result.get_value(0, 0) or 0), float(result.get_value(0, 1) or 0)

    def _measure_locks(self, rows: Iterable[Sequence[str | None]], truncates: bool) -> Measurement:
        locks: dict[int, set[LockMode]] = {}
        relations: dict[int, Relation | None] = {}
        indexes: dict[int, Index | None] = {}
        read: dict[int, TableReads] = {}
        changed: dict[int, int] = {}
        for number, mode, kind, schema, name, file, table, *counters, _, _, _ in rows:
            if number is None or schema in _SYSTEM_SCHEMAS:
                continue
            oid = int(number)
            modes = locks.setdefault(oid, set())
            modes.add(mode_from_pg_locks(mode or ""))
            if len(modes) > 1:
                continue
            if kind is None:
                relations[oid] = indexes[oid] = None
                continue
            now, then = _counts(counters), self._counts.get(oid, _NONE)
            self._counts[oid] = now
            of = self._table_of(oid, table) if kind in _INDEX_KINDS else oid
            returned, fetched = now[0] - then[0], now[1] - then[1]
            reads = read.setdefault(of, TableReads())
            if kind in _INDEX_KINDS:
                reads.add_index(returned, fetched)
                indexes[oid] = Index(oid, of, name or "", _number(file))
            elif kind in KINDS:
                reads.add_table(returned, fetched)
                relations[oid] = Relation(oid, Name(name or "", unquoted(schema or "")), KINDS[kind], _number(file))
                changed[oid] = now[2] - then[2] - (now[3] - then[3])
        held, self._held = self._held, {oid: frozenset(modes) for oid, modes in locks.items()}
        touched = self._with_tables_of_indexes((*locks, *held), indexes.values())
        before = self.contents.part(touched)
        self.contents.update(relations, indexes, {})
        trace = _trace(before, self.contents.part(touched), self._held, held)
        trace.read, trace.truncates = {oid: reads.rows for oid, reads in read.items()}, truncates
        trace.rows = {oid: count for oid in touched if (count := self.contents.rows.get(oid)) is not None}
        after = trace.after.relations
        self.read = {after[oid].name: (count, trace.rows[oid]) for oid, count in trace.read.items() if oid in trace.rows and oid in after}
        self.contents.update({}, {}, _rows_after(trace, changed))
        return measurement_of(trace)

    def _table_of(self, index: int, table: str | None) -> int:
        """Returns the table of an index, which the server names if the transaction created the index."""
        known = self.contents.indexes.get(index)
        return known.table if table is None and known is not None else _integer(table)

    def _with_tables_of_indexes(self, oids: Iterable[int], indexes: Iterable[Index | None]) -> set[int]:
        """Returns these oids, those of the tables of `indexes`, and those of the tables whose indexes are among them."""
        touched = set(oids)
        known = self.contents.indexes
        touched.update([known[oid].table for oid in touched if oid in known])
        return touched | {index.table for index in indexes if index is not None}


def read_contents(connection: "Connection[Any]", counter: "Connection[Any]") -> Contents:
    """Reads the contents of a database: the relations that the connection sees, and the rows, which `counter` can read."""
    snapshot = take_snapshot(connection)
    return Contents(snapshot, count_committed_rows(counter, snapshot))


def count_committed_rows(counter: "Connection[Any]", snapshot: Snapshot) -> dict[int, int]:
    """Counts the committed rows of each table, also those that row security hides from the role."""
    counter.execute("BEGIN")
    try:
        lift_row_security(counter)
        return count_rows(counter, snapshot)
    finally:
        counter.execute("ROLLBACK")


def _trace(before: Snapshot, after: Snapshot, locks: HeldModes, held: HeldModes) -> Trace:
    """Returns the trace of a statement after which its transaction has these locks; before it, it had those that it `held`."""
    strongest = {oid: max(modes) for oid, modes in held.items()}
    new = {oid: max(modes) for oid, all_modes in locks.items() if (modes := all_modes - held.get(oid, frozenset()))}
    return Trace(
        before=before,
        after=after,
        locks={oid: lock for oid, lock in new.items() if oid not in strongest or lock > strongest[oid]},
        held=strongest,
        weaker={oid: lock for oid, lock in new.items() if oid in strongest and lock < strongest[oid]},
    )


def _rows_after(trace: Trace, changed: dict[int, int]) -> dict[int, int]:
    """Returns the number of rows of each table that a statement touched."""
    rows = {}
    for oid, relation in trace.after.relations.items():
        if relation.has_rows:
            emptied = oid in changed and trace.truncates and _has_new_file(trace, oid)
            rows[oid] = 0 if emptied else trace.rows.get(oid, 0) + changed.get(oid, 0)
    return rows


def _has_new_file(trace: Trace, oid: int) -> bool:
    before, after = trace.before.relations.get(oid), trace.after.relations.get(oid)
    return before is not None and after is not None and before.file != after.file


def _integer(text: str | None) -> int:
    return int(text or 0)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None else None


def _counts(texts: Sequence[str | None]) -> _Counts:
    returned, fetched, inserted, deleted = map(_integer, texts)
    return returned, fetched, inserted, deleted
