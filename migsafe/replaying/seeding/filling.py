"""The seeder: fills the empty tables of a database, so that measurements resemble those of a database in use."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from migsafe.replaying.seeding.tables import Check, Column, Reference, Table, all_not_null, find_empty_tables, newest_table, order_by_references
from migsafe.replaying.seeding.values import Values
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted

if TYPE_CHECKING:
    from psycopg import Connection

_SAMPLE = 500
_MAX_TRIES = 400
_MAX_PACE = 10**15
_OVERSAMPLING = 20
"""How many times the wanted rows are generated if a condition accepts only some of them."""


class Unfillable(Exception):
    """The reason why a table stays empty. With `for_now`, it may be filled later, when another table has rows."""

    def __init__(self, reason: str, *, for_now: bool = False) -> None:
        super().__init__(reason)
        self.for_now = for_now


class Seeder:
    """Fills the empty tables of a database, each once; `rows` returns the number of rows for a table.

    `made` are the tables that it has filled, by name, with their oids; `filled` says whether the last call filled any. `unfilled` are the
    tables that stay empty or got fewer rows than wanted, with the reason.
    """

    def __init__(self, rows: Callable[[Name], int]) -> None:
        self._rows = rows
        self._seen: set[int] = set()
        self._newest: int | None = None
        self.made: dict[Name, int] = {}
        self.unfilled: dict[str, str] = {}
        self.filled = False

    def seed(self, connection: "Connection[Any]", progress: Callable[[str], None] | None = None) -> None:
        """Fills every empty table that it has not seen before, and runs ANALYZE.

        The connection must be in autocommit, and its role must own the tables or be a superuser; for a superuser, triggers do not fire.
        """
        self.filled = False
        newest = newest_table(connection)
        if newest == self._newest:
            return
        self._newest = newest
        tables = find_empty_tables(connection, self._seen)
        self._seen.update(table.oid for table in tables)
        if not tables:
            return
        with _without_triggers(connection):
            values = Values(connection)
            shares = _shares(tables, self._rows)
            for table, later in order_by_references(tables):
                if progress is not None:
                    progress(f"filling {table.name}")
                self._record(table, *_filled(_Filling(connection, values, table, later), shares[table.oid]))
        if self.filled:
            connection.execute("ANALYZE")

    def _record(self, table: Table, made: int, reason: "Unfillable | None") -> None:
        self.unfilled.pop(str(table.name), None)
        if made:
            self.made[table.name] = table.oid
            self.filled = True
        if reason is not None:
            self.unfilled[str(table.name)] = str(reason)
            if reason.for_now:
                self._seen.discard(table.oid)

    def empty(self, connection: "Connection[Any]", names: Collection[Name]) -> None:
        """Empties the tables with these names that it filled, or all that it filled if it filled none of these; they can be filled again."""
        self._newest = None
        chosen = {name: oid for name, oid in self.made.items() if name in names} or dict(self.made)
        existing = {oid for (oid,) in connection.execute("SELECT oid::int8 FROM pg_catalog.pg_class WHERE relkind = 'r'").fetchall()}
        for name, oid in chosen.items():
            if oid in existing:
                connection.execute(f"TRUNCATE {oid_name(connection, oid)} CASCADE".encode())
            del self.made[name]
            self._seen.discard(oid)


@contextmanager
def _without_triggers(connection: "Connection[Any]") -> Iterator[None]:
    from psycopg.errors import InsufficientPrivilege  # noqa: PLC0415  # start-up must not pay for it

    try:
        connection.execute("SET session_replication_role = replica")
    except InsufficientPrivilege:
        yield
        return
    yield
    connection.execute("RESET session_replication_role")


def _filled(table: "_Filling", wanted: int) -> tuple[int, Unfillable | None]:
    """Fills a table; returns how many rows it got, and the reason if it got fewer than wanted."""
    from psycopg import Error  # noqa: PLC0415  # start-up must not pay for it

    if not wanted:
        return 0, None
    try:
        made = table.insert(wanted)
    except Unfillable as reason:
        return 0, reason
    except Error as error:
        return 0, Unfillable((error.diag.message_primary or str(error)).strip())
    return made, Unfillable(f"has room for {made:,} rows only") if made < wanted else None


def oid_name(connection: "Connection[Any]", oid: int) -> str:
    """Returns a relation's name, quoted, with its schema unless that is in the search path."""
    [(name,)] = connection.execute("SELECT %s::pg_catalog.oid::pg_catalog.regclass::text", (oid,)).fetchall()
    return str(name)


def _shares(tables: list[Table], rows: Callable[[Name], int]) -> dict[int, int]:
    """Returns the number of rows for each table; partitions share the rows of their partitioned table."""
    partitions = Counter(table.root for table in tables if table.root is not None)
    return {table.oid: rows(table.name) if table.root is None else -(-rows(table.root) // partitions[table.root]) for table in tables}


class _Filling:
    """One table while it is filled, and the expression for each of its columns."""

    def __init__(self, connection: "Connection[Any]", values: Values, table: Table, later: frozenset[int]) -> None:
        self._connection = connection
        self._values = values
        self._table = table
        self._later = later
        self._expressions: dict[int, str] = {}
        self._candidates: dict[int, list[str]] = {}
        self._joins: list[str] = []
        self._overrides = False

    def insert(self, wanted: int) -> int:
        """Fills the table; returns its number of rows. Raises Unfillable, and psycopg.Error."""
        wanted = self._fill_references(wanted)
        for column in self._table.columns:
            if not column.given and column.number not in self._expressions:
                self._expressions[column.number] = self._choose_expression(column)
        share = self._satisfy_checks()
        made = self._insert_rows(wanted, oversampling=1 if share == 1.0 else _OVERSAMPLING)
        if made == 0:
            raise Unfillable("no generated row satisfies all its constraints")
        return made

    def _fill_references(self, wanted: int) -> int:
        """Sets the columns of foreign keys to existing rows; returns how many rows the table can have."""
        # Each foreign key goes through the referenced rows at its own pace, so that each combination occurs only once.
        pace = 1
        for index, reference in enumerate(self._table.references):
            if any(number in self._expressions for number in reference.columns):
                continue
            if reference.table == self._table.oid or reference.table in self._later:
                self._fill_cyclic_reference(reference)
                continue
            name, count = self._referenced(reference)
            if count == 0:
                self._leave_null(reference, f"its foreign key references {name}, which is empty")
                continue
            names = [self._column_name(reference.table, number) for number in reference.referenced]
            listed = ", ".join(f"{quoted(column)} AS c{column_index}" for column_index, column in enumerate(names))
            self._joins.append(
                f"JOIN (SELECT pg_catalog.row_number() OVER () - 1 AS k, {listed} FROM {name}) AS r{index}"  # noqa: S608  # quoted
                f" ON r{index}.k = ((n - 1) / {pace} + (n - 1) % {pace}) % {count}"
            )
            pace = min(pace * count, _MAX_PACE)
            for column_index, number in enumerate(reference.columns):
                self._expressions[number] = f"r{index}.c{column_index}"
            if any(set(key) <= set(reference.columns) for key in self._table.keys):
                wanted = min(wanted, count)
        return min(wanted, pace) if self._is_key_of_references() else wanted

    def _is_key_of_references(self) -> bool:
        """Whether a key consists of columns of foreign keys only."""
        referring = {number for reference in self._table.references for number in reference.columns}
        return any(set(key) <= referring for key in self._table.keys)

    def _fill_cyclic_reference(self, reference: Reference) -> None:
        """Sets the columns of a foreign key to the table itself or to a table later in a cycle, which has no rows yet."""
        if not all_not_null(self._table, reference):
            self._leave_null(reference, "")
            return
        # Sequences begin with 1 in both tables.
        for number in reference.columns:
            self._expressions[number] = "n"
        if reference.table == self._table.oid:
            for number in reference.referenced:
                self._expressions[number] = "n"
                self._overrides = True

    def _leave_null(self, reference: Reference, why: str) -> None:
        number = next((number for number in reference.columns if not self._table.column(number).not_null), None)
        if number is None:
            raise Unfillable(why, for_now=True)
        self._expressions[number] = self._null(self._table.column(number))

    def _referenced(self, reference: Reference) -> tuple[str, int]:
        name = oid_name(self._connection, reference.table)
        [(count,)] = self._connection.execute(f"SELECT pg_catalog.count(*) FROM {name}".encode()).fetchall()  # noqa: S608  # quoted
        return name, count

    def _column_name(self, table: int, number: int) -> str:
        query = "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attnum = %s"
        [(name,)] = self._connection.execute(query, (table, number)).fetchall()
        return str(name)

    def _choose_expression(self, column: Column) -> str:
        """Returns the first expression that fits the column's type and every CHECK that mentions no other column."""
        checks = [check for check in self._table.checks if _mentions(check, column)]
        constants = " ".join(check.sql for check in checks)
        expressions = [*islice(self._values.candidates(column.type, column.modifier, constants), _MAX_TRIES)]
        several = self._values.several(column.type, column.modifier, constants)
        if several is not None:
            expressions.insert(0, several)
        if not column.not_null:
            expressions.append(self._null(column))
        own_checks = [check.sql for check in checks if self._mentions_only(check, column)]
        self._candidates[column.number] = [expression for expression in expressions if self._satisfies(column, expression, own_checks)]
        if not self._candidates[column.number]:
            if column.default is not None:
                return "DEFAULT"
            raise Unfillable(f"no generated value fits its column {column.name}")
        return self._candidates[column.number][0]

    def _mentions_only(self, check: Check, column: Column) -> bool:
        return not any(_mentions(check, another) for another in self._table.columns if another.number != column.number)

    def _satisfies(self, column: Column, expression: str, checks: list[str]) -> bool:
        """Whether an expression has a value in every row of a sample and satisfies the checks."""
        conditions = " AND ".join(f"({check}) IS NOT FALSE" for check in checks) or "true"
        query = (
            f"SELECT pg_catalog.bool_and({conditions}), pg_catalog.bool_and({quoted(column.name)} IS NOT NULL) "  # noqa: S608  # PostgreSQL's own
            f"FROM (SELECT {expression} AS {quoted(column.name)} FROM pg_catalog.generate_series(1, {_SAMPLE}) AS n) AS t"
        )
        row = self._fetch_one(query)
        return row is not None and bool(row[0]) and (bool(row[1]) or expression == self._null(column))

    def _satisfy_checks(self) -> float:
        """Tries combinations of expressions for the table's checks; returns the share of rows that the best one satisfies."""
        checks = self._table.checks
        if not checks:
            return 1.0
        share = self._share()
        if share == 1.0:
            return share
        mentioned = [
            column for column in self._table.columns if column.number in self._candidates and any(_mentions(check, column) for check in checks)
        ]
        best, chosen = share, dict(self._expressions)
        for tried in islice(product(*(self._candidates[column.number] for column in mentioned)), _MAX_TRIES):
            self._expressions.update(zip((column.number for column in mentioned), tried, strict=True))
            share = self._share()
            if share > best:
                best, chosen = share, dict(self._expressions)
            if share == 1.0:
                break
        self._expressions = chosen
        return best

    def _share(self) -> float:
        checks = " AND ".join(f"({check.sql}) IS NOT FALSE" for check in self._table.checks)
        query = f"SELECT pg_catalog.avg(({checks})::int4)::float8 FROM ({self._rows_query(_SAMPLE)}) AS t"  # noqa: S608  # PostgreSQL's own
        row = self._fetch_one(query)
        return float(row[0] or 0) if row is not None else 0.0

    def _fetch_one(self, query: str) -> Any:
        from psycopg import Error  # noqa: PLC0415  # start-up must not pay for it

        try:
            return self._connection.execute(query.encode()).fetchone()
        except Error:
            return None

    def _columns_with_values(self) -> list[Column]:
        return [column for column in self._table.columns if self._expressions.get(column.number, "DEFAULT") != "DEFAULT"]

    def _rows_query(self, number: int) -> str:
        """Returns a query for rows; the columns without a value are NULL."""
        columns = [f"{self._expressions[column.number]} AS {quoted(column.name)}" for column in self._columns_with_values()]
        columns += [
            f"{self._null(column)} AS {quoted(column.name)}" for column in self._table.columns if column not in self._columns_with_values()
        ]
        return f"SELECT {', '.join(columns)} FROM pg_catalog.generate_series(1::int8, {number}) AS n {' '.join(self._joins)}"  # noqa: S608

    def _null(self, column: Column) -> str:
        [(spelt,)] = self._connection.execute("SELECT pg_catalog.format_type(%s, %s)", (column.type, column.modifier)).fetchall()
        return f"NULL::{spelt}"

    def _insert_rows(self, wanted: int, oversampling: int) -> int:
        from psycopg.errors import ObjectNotInPrerequisiteState, WrongObjectType  # noqa: PLC0415  # start-up must not pay for it

        names = ", ".join(quoted(column.name) for column in self._columns_with_values())
        checks = " AND ".join(f"({check.sql}) IS NOT FALSE" for check in self._table.checks)
        which = f" WHERE {checks}" if checks and oversampling > 1 else ""
        into = f"{self._table.name} ({names})" if names else str(self._table.name)
        over = " OVERRIDING SYSTEM VALUE" if self._overrides else ""
        if names:
            rows = f"SELECT {names} FROM ({self._rows_query(wanted * oversampling)}) AS t{which} LIMIT {wanted}"  # noqa: S608  # quoted
            sql = f"INSERT INTO {into}{over} {rows}"  # quoted
        else:
            sql = f"INSERT INTO {into} SELECT FROM pg_catalog.generate_series(1, {wanted})"  # quoted
        try:
            return self._connection.execute(f"{sql} ON CONFLICT DO NOTHING".encode()).rowcount
        except (ObjectNotInPrerequisiteState, WrongObjectType):
            # ON CONFLICT is not possible with a deferrable constraint.
            return self._connection.execute(sql.encode()).rowcount


def _mentions(check: Check, column: Column) -> bool:
    return column.name in check.sql


def same_for_every_table(number: int) -> Callable[[Name], int]:
    """Returns the same number of rows for every table."""
    return lambda _: number
