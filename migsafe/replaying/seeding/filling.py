"""Filling the empty tables of a database, so that what is measured there resembles a database in use."""

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
_MOST_TRIES = 400
_MOST_ROWS = 10**15
_SPARE = 20
"""How many times as many rows are tried where a condition lets only some of them in."""


class Unfillable(Exception):
    """Why a table stays empty, as the end of a sentence; `for_now` while another one is empty."""

    def __init__(self, why: str, *, for_now: bool = False) -> None:
        super().__init__(why)
        self.for_now = for_now


class Seeder:
    """Fills the empty tables of a database, each once: `rows` says how many rows it gets. `made` are those that it has filled, `filled` says
    whether the last call put rows into any. `unfilled` are the tables that stay empty, each with the reason, and those with fewer rows than
    were asked for.
    """

    def __init__(self, rows: Callable[[Name], int]) -> None:
        self._rows = rows
        self._seen: set[int] = set()
        self._newest: int | None = None
        self.made: dict[Name, int] = {}
        self.unfilled: dict[str, str] = {}
        self.filled = False

    def seed(self, connection: "Connection[Any]", progress: Callable[[str], None] | None = None) -> None:
        """Put rows into every table that has none and is new to us, and analyze.

        The connection must be in autocommit, its role the tables' owner or a superuser; triggers do not fire for a superuser.
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
                self._note(table, *_filled(_Filling(connection, values, table, later), shares[table.oid]))
        if self.filled:
            connection.execute("ANALYZE")

    def _note(self, table: Table, made: int, why: "Unfillable | None") -> None:
        self.unfilled.pop(str(table.name), None)
        if made:
            self.made[table.name] = table.oid
            self.filled = True
        if why is not None:
            self.unfilled[str(table.name)] = str(why)
            if why.for_now:
                self._seen.discard(table.oid)

    def empty(self, connection: "Connection[Any]", names: Collection[Name]) -> None:
        """Take the rows out again of those of these tables that we filled, or of all if there are none among them; they may be filled again."""
        self._newest = None
        chosen = {name: oid for name, oid in self.made.items() if name in names} or dict(self.made)
        there = {oid for (oid,) in connection.execute("SELECT oid::int8 FROM pg_catalog.pg_class WHERE relkind = 'r'").fetchall()}
        for name, oid in chosen.items():
            if oid in there:
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
    """How many rows it got, and why not as many as were wanted."""
    from psycopg import Error  # noqa: PLC0415  # start-up must not pay for it

    if not wanted:
        return 0, None
    try:
        made = table.insert(wanted)
    except Unfillable as why:
        return 0, why
    except Error as error:
        return 0, Unfillable((error.diag.message_primary or str(error)).strip())
    return made, Unfillable(f"has room for {made:,} rows only") if made < wanted else None


def oid_name(connection: "Connection[Any]", oid: int) -> str:
    """A relation's name, quoted, with its schema unless that is on the search path."""
    [(name,)] = connection.execute("SELECT %s::pg_catalog.oid::pg_catalog.regclass::text", (oid,)).fetchall()
    return str(name)


def _shares(tables: list[Table], rows: Callable[[Name], int]) -> dict[int, int]:
    """How many rows each table gets: the partitions of a table share what one table gets."""
    parts = Counter(table.root for table in tables if table.root is not None)
    return {table.oid: rows(table.name) if table.root is None else -(-rows(table.root) // parts[table.root]) for table in tables}


class _Filling:
    """One table while it is filled."""

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
        """Fill it; returns how many rows it has then. Raises Unfillable, and psycopg.Error."""
        wanted = self._refer(wanted)
        for column in self._table.columns:
            if not column.given and column.number not in self._expressions:
                self._expressions[column.number] = self._chosen(column)
        share = self._let_in()
        made = self._inserted(wanted, spare=1 if share == 1.0 else _SPARE)
        if made == 0:
            raise Unfillable("no row that was tried meets all its constraints")
        return made

    def _refer(self, wanted: int) -> int:
        """Give the columns of foreign keys what is there to refer to; returns how many rows there can be."""
        # Each foreign key goes through what is there at a pace of its own, so that every combination comes only once.
        pace = 1
        for place, reference in enumerate(self._table.references):
            if any(number in self._expressions for number in reference.columns):
                continue
            if reference.table == self._table.oid or reference.table in self._later:
                self._refer_to_what_comes(reference)
                continue
            name, count = self._referenced(reference)
            if count == 0:
                self._leave_null(reference, f"its foreign key points to {name}, which is empty")
                continue
            names = [self._name_there(reference.table, number) for number in reference.referenced]
            listed = ", ".join(f"{quoted(there)} AS c{at}" for at, there in enumerate(names))
            self._joins.append(
                f"JOIN (SELECT pg_catalog.row_number() OVER () - 1 AS k, {listed} FROM {name}) AS r{place}"  # noqa: S608  # quoted
                f" ON r{place}.k = ((n - 1) / {pace} + (n - 1) % {pace}) % {count}"
            )
            pace = min(pace * count, _MOST_ROWS)
            for at, number in enumerate(reference.columns):
                self._expressions[number] = f"r{place}.c{at}"
            if any(set(key) <= set(reference.columns) for key in self._table.keys):
                wanted = min(wanted, count)
        return min(wanted, pace) if self._is_key_of_references() else wanted

    def _is_key_of_references(self) -> bool:
        """Whether the columns of foreign keys alone must tell rows apart."""
        referring = {number for reference in self._table.references for number in reference.columns}
        return any(set(key) <= referring for key in self._table.keys)

    def _refer_to_what_comes(self, reference: Reference) -> None:
        """A foreign key to the table itself, or round in a circle: nothing is there yet."""
        if not all_not_null(self._table, reference):
            self._leave_null(reference, "")
            return
        # Numbers that PostgreSQL gives begin with 1, there as here.
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

    def _name_there(self, table: int, number: int) -> str:
        query = "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attnum = %s"
        [(name,)] = self._connection.execute(query, (table, number)).fetchall()
        return str(name)

    def _chosen(self, column: Column) -> str:
        """The first of what a column can hold that its type takes, and every CHECK that is about it alone."""
        checks = [check for check in self._table.checks if _mentions(check, column)]
        constants = " ".join(check.sql for check in checks)
        found = [*islice(self._values.candidates(column.type, column.modifier, constants), _MOST_TRIES)]
        several = self._values.several(column.type, column.modifier, constants)
        if several is not None:
            found.insert(0, several)
        if not column.not_null:
            found.append(self._null(column))
        alone = [check.sql for check in checks if self._is_alone(check, column)]
        self._candidates[column.number] = [one for one in found if self._meets(column, one, alone)]
        if not self._candidates[column.number]:
            if column.default is not None:
                return "DEFAULT"
            raise Unfillable(f"nothing that was tried fits its column {column.name}")
        return self._candidates[column.number][0]

    def _is_alone(self, check: Check, column: Column) -> bool:
        return not any(_mentions(check, other) for other in self._table.columns if other.number != column.number)

    def _meets(self, column: Column, expression: str, checks: list[str]) -> bool:
        """Whether an expression has a value in every row of a sample, and meets the checks."""
        conditions = " AND ".join(f"({check}) IS NOT FALSE" for check in checks) or "true"
        query = (
            f"SELECT pg_catalog.bool_and({conditions}), pg_catalog.bool_and({quoted(column.name)} IS NOT NULL) "  # noqa: S608  # PostgreSQL's own
            f"FROM (SELECT {expression} AS {quoted(column.name)} FROM pg_catalog.generate_series(1, {_SAMPLE}) AS n) AS t"
        )
        found = self._asked(query)
        return found is not None and bool(found[0]) and (bool(found[1]) or expression == self._null(column))

    def _let_in(self) -> float:
        """How large a part of the rows the table's conditions let in; expressions are changed until it is some."""
        checks = self._table.checks
        if not checks:
            return 1.0
        share = self._share()
        if share == 1.0:
            return share
        mentioned = [one for one in self._table.columns if one.number in self._candidates and any(_mentions(check, one) for check in checks)]
        best, chosen = share, dict(self._expressions)
        for tried in islice(product(*(self._candidates[one.number] for one in mentioned)), _MOST_TRIES):
            self._expressions.update(zip((one.number for one in mentioned), tried, strict=True))
            share = self._share()
            if share > best:
                best, chosen = share, dict(self._expressions)
            if share == 1.0:
                break
        self._expressions = chosen
        return best

    def _share(self) -> float:
        checks = " AND ".join(f"({check.sql}) IS NOT FALSE" for check in self._table.checks)
        query = f"SELECT pg_catalog.avg(({checks})::int4)::float8 FROM ({self._selected(_SAMPLE)}) AS t"  # noqa: S608  # PostgreSQL's own
        found = self._asked(query)
        return float(found[0] or 0) if found is not None else 0.0

    def _asked(self, query: str) -> Any:
        from psycopg import Error  # noqa: PLC0415  # start-up must not pay for it

        try:
            return self._connection.execute(query.encode()).fetchone()
        except Error:
            return None

    def _supplied(self) -> list[Column]:
        return [one for one in self._table.columns if self._expressions.get(one.number, "DEFAULT") != "DEFAULT"]

    def _selected(self, number: int) -> str:
        """A query of rows, the other columns null."""
        columns = [f"{self._expressions[one.number]} AS {quoted(one.name)}" for one in self._supplied()]
        columns += [f"{self._null(one)} AS {quoted(one.name)}" for one in self._table.columns if one not in self._supplied()]
        return f"SELECT {', '.join(columns)} FROM pg_catalog.generate_series(1::int8, {number}) AS n {' '.join(self._joins)}"  # noqa: S608

    def _null(self, column: Column) -> str:
        [(spelt,)] = self._connection.execute("SELECT pg_catalog.format_type(%s, %s)", (column.type, column.modifier)).fetchall()
        return f"NULL::{spelt}"

    def _inserted(self, wanted: int, spare: int) -> int:
        from psycopg.errors import ObjectNotInPrerequisiteState, WrongObjectType  # noqa: PLC0415  # start-up must not pay for it

        names = ", ".join(quoted(one.name) for one in self._supplied())
        checks = " AND ".join(f"({check.sql}) IS NOT FALSE" for check in self._table.checks)
        which = f" WHERE {checks}" if checks and spare > 1 else ""
        into = f"{self._table.name} ({names})" if names else str(self._table.name)
        over = " OVERRIDING SYSTEM VALUE" if self._overrides else ""
        if names:
            rows = f"SELECT {names} FROM ({self._selected(wanted * spare)}) AS t{which} LIMIT {wanted}"  # noqa: S608  # quoted
            sql = f"INSERT INTO {into}{over} {rows}"  # quoted
        else:
            sql = f"INSERT INTO {into} SELECT FROM pg_catalog.generate_series(1, {wanted})"  # quoted
        try:
            return self._connection.execute(f"{sql} ON CONFLICT DO NOTHING".encode()).rowcount
        except (ObjectNotInPrerequisiteState, WrongObjectType):
            # A deferrable constraint takes no ON CONFLICT.
            return self._connection.execute(sql.encode()).rowcount


def _mentions(check: Check, column: Column) -> bool:
    return column.name in check.sql


def same_for_every_table(number: int) -> Callable[[Name], int]:
    """The same number of rows for every table."""
    return lambda _: number
