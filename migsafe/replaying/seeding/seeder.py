"""The seeder: fills the empty tables of a database, so that measurements resemble those of a database in use."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from migsafe.replaying.row_security import row_security_off
from migsafe.replaying.seeding.begun_tables import BegunTables
from migsafe.replaying.seeding.column_choice import Unfillable
from migsafe.replaying.seeding.filling import Filling, KeyValues
from migsafe.replaying.seeding.order import order_by_references
from migsafe.replaying.seeding.preferences import Preferences
from migsafe.replaying.seeding.references import ReferencedTables
from migsafe.replaying.seeding.removal import OwnRows, read_own_rows, remove_rows
from migsafe.replaying.seeding.requirements import Requirements
from migsafe.replaying.seeding.tables import Reference, Table, find_tables_to_fill, find_tables_with_rows, find_touched, newest_table
from migsafe.replaying.seeding.values import Values
from migsafe.schema.statistics import Statistics
from migsafe.sql.operations import Name
from migsafe.terminal.quantities import format_duration

if TYPE_CHECKING:
    from psycopg import Connection

DEFAULT_LIMIT = 60.0
"""The seconds for filling one table with 100,000 rows, which usually takes less than 2."""

_ROWS_OF_LIMIT = 100_000

_FEWER = 100
"""By how much the number of rows of a table is divided if filling it takes too long."""

_SETTINGS = {
    # The number of rows of a join is estimated from the columns of tables, which the row numbers are not: with LIMIT, PostgreSQL would choose a
    # nested loop, whose time grows with the square of the rows.
    "enable_nestloop": "off",
    "enable_mergejoin": "off",
    "work_mem": "64MB",
    # Foreign keys number the referenced rows in the order in which they are read.
    "synchronize_seqscans": "off",
    "jit": "off",
    "lock_timeout": "0",
    "statement_timeout": "0",
    "synchronous_commit": "off",
}

_NUMBER = "SELECT attnum FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attname = %s AND attnum > 0"

_NAMES = """
    SELECT c.oid::int8, n.nspname, c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = ANY (%s::int8[]::oid[])
"""

_NEVER_ANALYSED = """
    SELECT c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.reltuples < 0 AND pg_catalog.pg_relation_size(c.oid) > 0
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
"""
"""Tables to which migrations inserted rows: PostgreSQL would plan with a usual size. reltuples is -1 until ANALYZE (manual, pg_class)."""


class Seeder:
    """Fills the tables of a database that are empty or have only a few rows, each once.

    `rows` returns the number of rows for a table. `limit` is the most seconds for a table of up to 100,000 rows; larger ones have more time.
    The rows resemble those of `statistics`, as far as the `requirements` of the migrations allow. `fills_up`: tables with a few rows that
    migrations inserted get more.

    `made` are the tables that it has filled, by name, with their oids; `filled` says whether the last call filled any. `unfilled` are the
    tables that stay empty or got fewer rows than wanted, with the reason. `notes` are sentences about what else was done.
    """

    def __init__(
        self, rows: Callable[[Name], int], limit: float | None = DEFAULT_LIMIT, statistics: Statistics | None = None, *, fills_up: bool = True
    ) -> None:
        self._rows = rows
        self._limit = limit
        self._statistics = statistics or Statistics()
        self._fills_up = fills_up
        self._own_rows: dict[int, OwnRows] = {}
        self._null_columns: dict[int, frozenset[int]] = {}
        self._numbers: dict[int, tuple[frozenset[int], int]] = {}
        """Of each partition that it has filled, its partitioned tables and the number of its last row."""
        self.requirements = Requirements()
        self._seen: set[int] = set()
        self._plain: set[Name] = set()
        self._newest: int | None = None
        self.notes: list[str] = []
        self.made: dict[Name, int] = {}
        self.unfilled: dict[str, str] = {}
        self.filled = False

    def seed(
        self,
        connection: "Connection[Any]",
        progress: Callable[[str], None] = lambda text: None,
        touched: Collection[Name] | None = None,
    ) -> None:
        """Fills every empty table that it has not seen before, and runs ANALYZE. With `touched`, only the tables with these names and those
        that their rows reference.

        The connection must be in autocommit, and its role must own the tables or be a superuser. Triggers do not fire.
        """
        self.filled = False
        self._follow_renames(connection)
        newest = newest_table(connection)
        if touched is None:
            if newest == self._newest:
                return
            self._newest = newest
        chosen = None if touched is None else find_touched(connection, touched) - self._seen
        begun = BegunTables(self._rows, self._statistics, self.requirements).find if self._fills_up else None
        tables = find_tables_to_fill(connection, begun, self._seen, chosen) if chosen is None or chosen else []
        self._seen.update(table.oid for table in tables)
        if tables:
            with _settings(connection), row_security_off(connection):
                self._fill(connection, tables, progress)

    def _follow_renames(self, connection: "Connection[Any]") -> None:
        """Gives the tables that it has filled the names that migrations have given them since."""
        if self.made:
            named = connection.execute(_NAMES, (list(self.made.values()),)).fetchall()
            kept = {name: oid for name, oid in self.made.items() if oid not in {oid for oid, _, _ in named}}
            self.made = kept | {Name(table, schema): oid for oid, schema, table in named}

    def _fill(self, connection: "Connection[Any]", tables: list[Table], progress: Callable[[str], None]) -> None:
        for (name,) in connection.execute(_NEVER_ANALYSED).fetchall() if self._fills_up else ():
            connection.execute(f"ANALYZE {name}".encode())
        run = _Run(connection, list(self._numbered(tables)), self._rows, self._limit, self._preferences)
        for number, (table, later) in enumerate(order_by_references(run.tables), 1):
            progress(f"filling {table.name} ({number} of {len(tables)} tables)")
            if table.begun is not None:
                self._own_rows[table.oid] = read_own_rows(connection, table.oid, table.begun.primary_key)
            self._record(table, *run.fill(table, later))
            self._null_columns[table.oid] = run.null_columns
            if table.root is not None:
                self._numbers[table.oid] = (table.ancestors, table.offset + run.wanted(table))
        for table, reason in run.emptied(self._own_rows):
            self.made.pop(table.name, None)
            self._own_rows.pop(table.oid, None)
            self.unfilled[str(table.name)] = reason
        self.filled = bool(run.made)

    def _numbered(self, tables: Iterable[Table]) -> Iterator[Table]:
        """Yields the tables; the rows of a new partition are numbered after those of the partitions that it has filled before."""
        for table in tables:
            ends = (end for ancestors, end in self._numbers.values() if not ancestors.isdisjoint(table.ancestors))
            yield replace(table, offset=max(ends, default=0)) if table.root is not None else table

    def _preferences(self, table: Table) -> Preferences:
        statistics = self._statistics.of_columns(table.name) or (self._statistics.of_columns(table.root) if table.root is not None else {})
        return Preferences(statistics, self.requirements, plain=table.name in self._plain)

    def _record(self, table: Table, made: int, reason: "Unfillable | None") -> None:
        self.unfilled.pop(str(table.name), None)
        if made:
            self.made[table.name] = table.oid
        if reason is not None:
            self.unfilled[str(table.name)] = str(reason)
            if reason.for_now:
                self._seen.discard(table.oid)

    def known_nulls(self, table: Name, column: str) -> float:
        """Returns the share of NULLs in a column according to production's statistics, 0 if that is not known."""
        known = self._statistics.of_columns(table).get(column)
        return known.null_frac if known is not None else 0.0

    def has_known_nulls(self, tables: Iterable[Name]) -> bool:
        """Whether a column of these tables contains NULLs according to production's statistics."""
        return any(known.null_frac > 0 for table in tables for known in self._statistics.of_columns(table).values())

    def gave_nulls(self, connection: "Connection[Any]", table: Name, column: str) -> bool:
        """Whether a column of a table that it filled may contain NULLs that it generated. A column that the table does not have in this
        database has another name there."""
        oid = self.made.get(table, 0)
        numbers = self._null_columns.get(oid, frozenset())
        row = connection.execute(_NUMBER, (oid, column)).fetchone()
        return bool(numbers) and (row is None or row[0] in numbers)

    def fill_plainly(self, connection: "Connection[Any]", names: Collection[Name]) -> frozenset[Name]:
        """Fills the tables with these names that it filled again, without NULLs and without repeated values as far as possible. Returns these
        tables; empty if it filled none of them, or all of them in that way before."""
        chosen = frozenset(self.made).intersection(names) - self._plain
        if chosen:
            self._plain |= chosen
            self.seed(connection, touched=chosen | self.empty(connection, chosen))
        return chosen

    def empty(self, connection: "Connection[Any]", names: Collection[Name]) -> frozenset[Name]:
        """Empties the tables with these names that it filled, or all that it filled if it filled none of these, and the tables that reference
        them. Returns the tables that are empty now and were not before; those of them that it filled can be filled again."""
        self._newest = None
        before = find_tables_with_rows(connection)
        chosen = {name: oid for name, oid in self.made.items() if name in names} or dict(self.made)
        existing = {oid for (oid,) in connection.execute("SELECT oid::int8 FROM pg_catalog.pg_class WHERE relkind = 'r'").fetchall()}
        removed = remove_rows(connection, [oid for oid in chosen.values() if oid in existing], self.made.values(), self._own_rows)
        for name in {*removed, *chosen}:
            oid = self.made.pop(name, 0)
            self._seen.discard(oid)
            self._own_rows.pop(oid, None)
            self._numbers.pop(oid, None)
        return frozenset(before - find_tables_with_rows(connection))


class _Run:
    """One run over empty tables. `made` are the tables that got rows, `null_columns` the columns of the last table with generated NULLs."""

    def __init__(
        self,
        connection: "Connection[Any]",
        tables: list[Table],
        rows: Callable[[Name], int],
        limit: float | None,
        preferences: Callable[[Table], Preferences],
    ) -> None:
        self._connection = connection
        self._preferences = preferences
        self._limit = limit
        shares = _shares(tables, rows)
        self._tables = {table.oid: table for table in _numbered(tables, shares)}
        self._wanted = {oid: wanted - self._tables[oid].existing for oid, wanted in shares.items()}
        self._values = Values(connection)
        self._referenced = ReferencedTables(connection)
        self._keys = KeyValues(self._fix_keys)
        self.made: dict[int, int] = {}
        self.null_columns: frozenset[int] = frozenset()

    @property
    def tables(self) -> list[Table]:
        """The tables, each partition with the rows that are before its own."""
        return list(self._tables.values())

    def wanted(self, table: Table) -> int:
        """Returns how many rows a table gets."""
        return self._wanted[table.oid]

    def fill(self, table: Table, later: frozenset[int]) -> tuple[int, Unfillable | None]:
        """Fills a table; returns how many rows it got, and the reason if it got fewer than wanted."""
        wanted = self._wanted[table.oid]
        if not wanted:
            return 0, None
        # References to a table that has rows already can be filled at once.
        made, reason = self._insert(table, later - {oid for oid in later if oid in self._tables and self._tables[oid].begun is not None})
        if made:
            self.made[table.oid] = made
            # The planner's estimates for the tables that reference it, and for the migration, need it. A table in use is also vacuumed.
            self._connection.execute(f"VACUUM (ANALYZE) {table.name}".encode())
        if table.begun is not None:
            return made, None  # with the rows that it has, it is as before
        if reason is None and made < wanted:
            reason = Unfillable(f"has room for {made:,} rows only")
        return made, reason

    def _insert(self, table: Table, later: frozenset[int]) -> tuple[int, Unfillable | None]:
        from psycopg import Error  # noqa: PLC0415  # start-up must not pay for it
        from psycopg.errors import QueryCanceled  # noqa: PLC0415

        filling = self._filling(table)
        limit = self._set_limit(table)
        started = monotonic()
        try:
            return filling.insert(later, self._keys), None
        except Unfillable as reason:
            return 0, reason
        except QueryCanceled:
            if limit is None or monotonic() - started < limit:
                raise
            return self._insert_fewer(filling, self._wanted[table.oid], limit)
        except Error as error:
            if self._connection.closed:
                raise
            return 0, Unfillable((error.diag.message_primary or str(error)).strip())
        finally:
            self.null_columns = filling.null_columns

    def _set_limit(self, table: Table) -> float | None:
        """Limits the time of each statement; returns the limit, in seconds."""
        if self._limit is None:
            return None
        limit = self._limit * max(1.0, self._wanted[table.oid] / _ROWS_OF_LIMIT)
        self._connection.execute("SELECT pg_catalog.set_config('statement_timeout', %s, false)", (str(max(int(1000 * limit), 1)),))
        return limit

    def _insert_fewer(self, filling: Filling, wanted: int, limit: float) -> tuple[int, Unfillable]:
        """Fills a table that took too long with a part of the rows."""
        from psycopg import Error  # noqa: PLC0415  # start-up must not pay for it

        why = f"{wanted:,} rows take longer than {format_duration(1000 * limit)}, the time limit for a table (--seed-limit)"
        try:
            made = filling.insert_fewer(-(-wanted // _FEWER))
        except Error:
            if self._connection.closed:
                raise
            made = 0
        return made, Unfillable(f"given up: {why}" if not made else f"has {made:,} rows only: {why}")

    def _filling(self, table: Table) -> Filling:
        return Filling(self._connection, self._values, self._referenced, table, self._wanted[table.oid], self._preferences(table))

    def _fix_keys(self, reference: Reference) -> int:
        """Chooses the key of a table that is filled later; returns how many rows it must get. Raises Unfillable."""
        table = self._tables.get(reference.table)
        if table is None:
            raise Unfillable("its foreign key references a partitioned table, and the foreign keys form a cycle")
        self._keys.set(table.oid, self._filling(table).key_expressions(reference.referenced))
        return self._wanted[table.oid]

    def emptied(self, own_rows: Mapping[int, OwnRows]) -> Iterator[tuple[Table, str]]:
        """Empties the tables of a cycle if one of them got fewer rows than others reference; yields these tables with the reason."""
        for oid, promised in self._keys.rows.items():
            if self.made.get(oid, 0) >= promised:
                continue
            table = self._tables[oid]
            for other in self._tables.values():
                if self.made.get(other.oid) and (other.oid == oid or any(reference.table == oid for reference in other.references)):
                    remove_rows(self._connection, [other.oid], self.made, own_rows)
                    del self.made[other.oid]
                    yield other, f"the foreign keys of {table.name} form a cycle, and it cannot get {promised:,} rows"


@contextmanager
def _settings(connection: "Connection[Any]") -> Iterator[None]:
    from psycopg.errors import InsufficientPrivilege  # noqa: PLC0415  # start-up must not pay for it

    settings = dict(_SETTINGS)
    for name, value in settings.items():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))
    try:
        connection.execute("SET session_replication_role = replica")
        settings["session_replication_role"] = "replica"
    except InsufficientPrivilege:
        pass
    try:
        yield
    finally:
        if not connection.closed:
            for name in settings:
                connection.execute(f"RESET {name}".encode())


def _shares(tables: list[Table], rows: Callable[[Name], int]) -> dict[int, int]:
    """Returns the number of rows for each table; partitions share the rows of their partitioned table."""
    partitions = Counter(table.root for table in tables if table.root is not None)
    return {table.oid: rows(table.name) if table.root is None else -(-rows(table.root) // partitions[table.root]) for table in tables}


def _numbered(tables: Iterable[Table], shares: Mapping[int, int]) -> Iterator[Table]:
    """Yields the tables; the rows of each partition are numbered after those of the partitions before it."""
    before: dict[Name, int] = {}
    for table in tables:
        if table.root is None:
            yield table
        else:
            yield replace(table, offset=before.setdefault(table.root, table.offset))
            before[table.root] += shares[table.oid]


def same_for_every_table(number: int) -> Callable[[Name], int]:
    """Returns the same number of rows for every table."""
    return lambda _: number
