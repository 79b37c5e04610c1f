"""Values for the parameters of queries that are executed: taken from the rows that the queries are about, otherwise made from the types."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from migsafe.replaying.exchange import exchange, rows_of
from migsafe.replaying.refusals import error_class
from migsafe.replaying.seeding.values import Values
from migsafe.sql.operations import Name
from migsafe.workload.compared_columns import ComparedColumn
from migsafe.workload.query import Query
from migsafe.workload.tokens import read_tokens

if TYPE_CHECKING:
    from psycopg import Connection

NUMBER_OF_SETS = 32
"""How many sets of values a query gets: it is executed with each in turn."""
_SAMPLE_ROWS = 1000
_LIMITS = ("10", "20", "50", "100")
_ROW_COUNTS = ("LIMIT", "FIRST", "NEXT", "OFFSET")
_ELEMENTS = 3
"""How many values of rows an array for `= ANY ($1)` has."""
_LIST_OPERATORS = ("any", "all")

_SIZE = "SELECT greatest(reltuples, 0)::float8, relkind IN ('r', 'p', 'm') FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%s)"
_IS_ARRAY = "SELECT typcategory = 'A' FROM pg_catalog.pg_type WHERE oid = %s"

Parameters = tuple[bytes | None, ...]


class ValueSource:
    """Finds values in a database. `connection` may read all tables, and is in autocommit."""

    def __init__(self, connection: "Connection[Any]") -> None:
        self._connection = connection
        self._by_type = Values(connection)
        self._made: dict[int, list[str | None]] = {}
        self._is_array: dict[int, bool] = {}
        self._sampling: dict[Name, str] = {}

    def parameters(self, query: Query, types: Sequence[int], columns: Mapping[int, ComparedColumn]) -> list[Parameters]:
        """Returns sets of values for the parameters of a query, in the text form of their `types`, given as OIDs. `columns` are what the
        parameters are compared with, by number. All values from one relation in a set are from one row."""
        if not types:
            return [()]
        values: dict[int, list[str | None]] = dict(_row_counts(query.text))
        by_relation: dict[Name, dict[int, ComparedColumn]] = {}
        for number, column in columns.items():
            if number <= len(types) and number not in values:
                by_relation.setdefault(column.relation, {})[number] = column
        for relation, compared in by_relation.items():
            values |= self._from_rows(relation, compared, types)
        for number, oid in enumerate(types, 1):
            if number not in values:
                values[number] = self._of_type(oid)
        numbers = range(1, len(types) + 1)
        return [tuple(_encoded(values[number][at % len(values[number])]) for number in numbers) for at in range(NUMBER_OF_SETS)]

    def _from_rows(self, relation: Name, compared: Mapping[int, ComparedColumn], types: Sequence[int]) -> dict[int, list[str | None]]:
        """Returns the values of a relation's rows, by parameter; nothing if it has none."""
        columns = ", ".join(f"{column.expression} AS c{number}" for number, column in compared.items())
        known = " AND ".join(f"{column.expression} IS NOT NULL" for column in compared.values())
        outputs = ", ".join(self._output(number, column, types[number - 1]) for number, column in compared.items())
        for sampling in dict.fromkeys((self._sample_of(relation), "")):
            # The order by hash is the same in each run, and spreads over the table.
            reply = exchange(
                self._connection,
                f"WITH found AS (SELECT {columns} FROM {relation}{sampling} WHERE {known} LIMIT {_SAMPLE_ROWS}), "  # noqa: S608
                f"sample AS (SELECT *, pg_catalog.md5(found::text) AS place FROM found ORDER BY place LIMIT {NUMBER_OF_SETS}) "
                f"SELECT {outputs} FROM sample",
            )
            if reply.error is not None:
                return {}
            rows = rows_of(reply.results[-1])
            if rows:
                return {number: [row[at] for row in rows] for at, number in enumerate(compared)}
        return {}

    def _output(self, number: int, column: ComparedColumn, oid: int) -> str:
        if column.operator in ("like", "ilike"):
            return f"pg_catalog.left(c{number}::text, 3) || '%'"
        if column.operator in _LIST_OPERATORS and self._is_array_type(oid):
            following = f"ROWS BETWEEN CURRENT ROW AND {_ELEMENTS - 1} FOLLOWING"
            return f"(pg_catalog.array_agg(c{number}) OVER (ORDER BY place {following}))::text"
        return f"c{number}::text"

    def _sample_of(self, relation: Name) -> str:
        """Returns the TABLESAMPLE that reads about enough rows of blocks all over a table."""
        if relation not in self._sampling:
            row: Any = self._connection.execute(_SIZE, (str(relation),)).fetchone()
            rows, can_be_sampled = row or (0.0, False)
            percent = 100 * _SAMPLE_ROWS / rows if rows else 100
            sample = f" TABLESAMPLE SYSTEM ({percent:.6f}) REPEATABLE (1)"
            self._sampling[relation] = sample if can_be_sampled and percent < 100 else ""
        return self._sampling[relation]

    def _is_array_type(self, oid: int) -> bool:
        if oid not in self._is_array:
            row: Any = self._connection.execute(_IS_ARRAY, (oid,)).fetchone()
            self._is_array[oid] = row is not None and row[0]
        return self._is_array[oid]

    def _of_type(self, oid: int) -> list[str | None]:
        """Returns values of a type; NULL if none can be made."""
        if oid not in self._made:
            made: list[str | None] = [None]
            try:
                expression = next(iter(self._by_type.candidates(oid, -1)), None)
            except (LookupError, error_class()):
                expression = None
            if expression is not None:
                series = f"pg_catalog.generate_series(1, {NUMBER_OF_SETS}) AS n"
                reply = exchange(self._connection, f"SELECT ({expression})::text FROM {series}")  # noqa: S608
                made = [value for (value,) in rows_of(reply.results[-1])] if reply.error is None else made
            self._made[oid] = made
        return self._made[oid]


def _row_counts(text: str) -> Iterable[tuple[int, list[str | None]]]:
    """Yields values for the parameters of LIMIT, FETCH and OFFSET."""
    tokens, _ = read_tokens(text)
    for before, token in pairwise(token for token in tokens if token.text != "("):
        if token.origin is not None and before.text.upper() in _ROW_COUNTS:
            yield token.origin, ["0"] if before.text.upper() == "OFFSET" else list(_LIMITS)


def _encoded(value: str | None) -> bytes | None:
    return value.encode() if value is not None else None
