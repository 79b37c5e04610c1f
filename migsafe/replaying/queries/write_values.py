"""The values with which writes are tried: those of existing rows where there are some, else generated ones.

A row's own values satisfy its foreign keys, and the constraints of the table. So an error with such values does not come from the values.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.replaying.exchange import execute, rows_of
from migsafe.replaying.queries.write_targets import ColumnUse, WriteTargets
from migsafe.replaying.refusals import error_class
from migsafe.replaying.seeding.values import Values
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted

if TYPE_CHECKING:
    from psycopg import Connection

ATTEMPTS = 3
"""With how many sets of values a write is tried."""
_UNUSED = 1_900_000_000
"""The number of the first generated row: no existing one has it, and an integer can hold it."""
_AMOUNTS = ("N", "D", "T")
"""The categories of numbers, dates and intervals (pg_type.typcategory)."""
_COLUMNS = """
    SELECT a.attname, a.atttypid::int8, a.atttypmod,
        EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey)
            AND (i.indisunique OR i.indisexclusion)),
        EXISTS (SELECT FROM pg_catalog.pg_constraint AS c WHERE c.conrelid = a.attrelid AND c.contype = 'f' AND a.attnum = ANY (c.conkey)),
        coalesce((SELECT pg_catalog.string_agg(pg_catalog.pg_get_expr(c.conbin, c.conrelid), ' ') FROM pg_catalog.pg_constraint AS c
            WHERE c.conrelid = a.attrelid AND c.contype = 'c' AND a.attnum = ANY (c.conkey)), '')
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = %s::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped
"""

Arguments = tuple[str | None, ...]
"""The values of the parameters $1, $2, … as text."""


class _Column(Struct, frozen=True):
    type: int
    modifier: int
    is_unique: bool
    is_reference: bool
    checks: str


class WriteValues:
    """Chooses values in the database before a migration, in an open transaction. `unique` are the columns of unique indexes after it."""

    def __init__(self, connection: "Connection[Any]", unique: Collection[tuple[Name, str]] = ()) -> None:
        self._connection = connection
        self._unique = unique
        self._values = Values(connection)
        self._columns: dict[Name, dict[str, _Column]] = {}
        self._rows: dict[tuple[Name, tuple[str, ...]], list[dict[str, str | None]]] = {}
        self._next = _UNUSED

    def arguments(self, targets: WriteTargets, types: Collection[str], attempt: int) -> Arguments:
        """Returns values for the parameters of these types."""
        return tuple(self._value(targets, number, type_name, attempt) for number, type_name in enumerate(types, start=1))

    def _value(self, targets: WriteTargets, number: int, type_name: str, attempt: int) -> str | None:
        use = targets.parameters.get(number)
        column = self._columns_of(use.table).get(use.column) if use is not None else None
        if use is None or column is None:
            return self._of_type(type_name, attempt)
        is_fresh = use.use == "insert" and not column.is_reference and self._is_unique(use, column)
        rows = self._rows_of(use.table, targets.conditions.get(use.table, ()) if use.use != "insert" else ())
        is_list = type_name.endswith("[]") and not self._is_array(column)
        if is_fresh or not rows:
            value = self._fresh(column, attempt)
            return _array(value) if is_list and value is not None else value
        row = attempt
        if use.use == "update" and not self._is_unique(use, column):
            row += 1
        elif use.use == "insert" and self._is_unique(use, column):
            row += attempt * number  # a key of several references: another combination than that of a row
        value = rows[row % len(rows)].get(use.column)
        return _array(value) if is_list and value is not None else value

    def _is_unique(self, use: ColumnUse, column: _Column) -> bool:
        return column.is_unique or (use.table, use.column) in self._unique

    def _is_array(self, column: _Column) -> bool:
        return self._values.spelt(column.type, column.modifier).endswith("[]")

    def _columns_of(self, table: Name) -> dict[str, _Column]:
        if table not in self._columns:
            self._columns[table] = {name: _Column(*rest) for name, *rest in self._fetch(_COLUMNS, (str(table),))}
        return self._columns[table]

    def _rows_of(self, table: Name, conditions: tuple[str, ...]) -> list[dict[str, str | None]]:
        """Returns a few rows of a table, as text: those that satisfy the conditions, if there are some."""
        if (table, conditions) not in self._rows:
            names = list(self._columns_of(table))
            listed = ", ".join(f"{quoted(name)}::text" for name in names)
            where = f" WHERE {' AND '.join(f'({condition})' for condition in conditions)}" if conditions else ""
            rows = self._read(f"SELECT {listed} FROM {table}{where} LIMIT {ATTEMPTS + 1}") if names else []  # noqa: S608  # quoted
            found = [dict(zip(names, row, strict=True)) for row in rows]
            self._rows[table, conditions] = found or (self._rows_of(table, ()) if conditions else [])
        return self._rows[table, conditions]

    def _fresh(self, column: _Column, attempt: int) -> str | None:
        """Returns a value that no row has, if the type has so many."""
        candidates = [
            value for _, value in zip(range(attempt + 1), self._values.candidates(column.type, column.modifier, column.checks), strict=False)
        ]
        self._next += 1
        return self._evaluate(candidates[-1], self._next) if candidates else None

    def _of_type(self, type_name: str, attempt: int) -> str | None:
        """Returns a value of a type: a small number, because it may be a limit or a number of days; another value that no row has."""
        rows = self._fetch(
            "SELECT t.oid::int8, t.typcategory FROM pg_catalog.pg_type AS t WHERE t.oid = pg_catalog.to_regtype(%s)", (type_name,)
        )
        candidate = next(self._values.candidates(rows[0][0], -1), None) if rows else None
        if candidate is None:
            return None
        self._next += 1
        return self._evaluate(candidate, attempt + 1 if rows[0][1] in _AMOUNTS else self._next)

    def _evaluate(self, expression: str, number: int) -> str | None:
        rows = self._read(f"SELECT ({expression})::text FROM (SELECT {number}::int8 AS n) AS numbers")  # noqa: S608  # PostgreSQL's own
        return rows[0][0] if rows else None

    def _read(self, query: str) -> list[list[str | None]]:
        """Returns the rows of a query, as text; none if it fails."""
        execute(self._connection, "SAVEPOINT migsafe_values")
        try:
            rows = rows_of(execute(self._connection, query)[0])
        except error_class():
            execute(self._connection, "ROLLBACK TO migsafe_values")
            return []
        execute(self._connection, "RELEASE migsafe_values")
        return rows

    def _fetch(self, query: str, parameters: Any) -> list[Any]:
        execute(self._connection, "SAVEPOINT migsafe_values")
        try:
            rows = self._connection.execute(query.encode(), parameters).fetchall()
        except error_class():
            execute(self._connection, "ROLLBACK TO migsafe_values")
            return []
        execute(self._connection, "RELEASE migsafe_values")
        return rows


def unique_columns(connection: "Connection[Any]") -> set[tuple[Name, str]]:
    """Returns the columns of all unique indexes and exclusion constraints of a database."""
    rows = connection.execute(
        "SELECT n.nspname, c.relname, a.attname FROM pg_catalog.pg_index AS i"
        " JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
        " JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)"
        " WHERE (i.indisunique OR i.indisexclusion) AND n.nspname !~ '^pg_'"
    ).fetchall()
    return {(Name(table, schema), column) for schema, table, column in rows}


def _array(value: str) -> str:
    """Returns an array with one element, as text."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{{"{escaped}"}}'
