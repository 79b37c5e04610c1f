"""The insertion of generated rows into a table."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migsafe.replaying.seeding.combinations import Expressions
from migsafe.replaying.seeding.generation import SAMPLED, Generation
from migsafe.replaying.seeding.suspension import triggers_off
from migsafe.sql.operations.values import quoted

if TYPE_CHECKING:
    from psycopg import Connection

_MAX_OVERSAMPLING = 20
"""How many times the wanted rows are generated at most if a condition accepts only some of them."""

_MARGIN = 1.25
_SEQUENCE = "SELECT pg_catalog.pg_get_serial_sequence(%s, %s)"
_PAUSE_INDEXES = """
    UPDATE pg_catalog.pg_index SET indisready = false, indisvalid = false
    WHERE indrelid = %s AND (%s OR NOT indisunique) AND NOT indisexclusion AND indisready AND indisvalid
    RETURNING indexrelid::pg_catalog.regclass::text
"""


class Insertion:
    """Inserts the rows of a table, of which a `share` satisfies its conditions; then its sequences continue after them."""

    def __init__(self, connection: "Connection[Any]", generation: Generation, expressions: Expressions, share: float) -> None:
        self._connection = connection
        self._generation = generation
        self._table = generation.table
        self._expressions = expressions
        self._share = share
        self._columns = generation.columns(expressions)

    def insert(self, wanted: int, *, complete: bool = False) -> int:
        """Inserts up to `wanted` rows; returns how many. `complete`: all of them or none. Raises psycopg.Error."""
        from psycopg.errors import CheckViolation, DataError  # noqa: PLC0415  # start-up must not pay for it

        if not self._share:
            return 0
        if self._share == 1.0:
            try:
                made = self._insert(self._generation.insertable(self._expressions, wanted), complete=complete)
            except CheckViolation:
                if complete:
                    raise
                # The sample was too small to contain a row that a condition refuses.
                made = self._insert(self._filtered(wanted, wanted))
        else:
            generated = int(wanted * min(_MARGIN / self._share, _MAX_OVERSAMPLING)) + SAMPLED
            try:
                made = self._insert(self._filtered(wanted, generated))
            except DataError:
                # The numbers of the additional rows are too large for a type.
                made = self._insert(self._filtered(wanted, wanted))
        self._continue_sequences()
        return made

    def _filtered(self, wanted: int, generated: int) -> str:
        names = ", ".join(quoted(column.name) for column in self._columns)
        checks = " AND ".join(f"({check.sql}) IS NOT FALSE" for check in self._table.checks) or "true"
        rows = self._generation.all_columns(self._expressions, generated)
        return f"SELECT {names} FROM ({rows}) AS t WHERE {checks} LIMIT {wanted}"  # noqa: S608  # PostgreSQL's own, or quoted

    def _insert(self, rows: str, *, complete: bool = False) -> int:
        from psycopg.errors import ObjectNotInPrerequisiteState, UniqueViolation, WrongObjectType  # noqa: PLC0415  # start-up must not pay

        names = ", ".join(quoted(column.name) for column in self._columns)
        into = f"{self._table.name} ({names})" if names else str(self._table.name)
        over = " OVERRIDING SYSTEM VALUE" if any(column.given for column in self._columns) else ""
        insert = f"INSERT INTO {into}{over} {rows}"
        if not self._table.has_exclusion:
            try:
                return self._execute(insert, without_unique_indexes=True)
            except UniqueViolation:
                if complete:
                    raise
        try:
            return self._execute(f"{insert} ON CONFLICT DO NOTHING")
        except (ObjectNotInPrerequisiteState, WrongObjectType):
            # ON CONFLICT is not possible with a deferrable constraint.
            return self._execute(insert)

    def _execute(self, insert: str, *, without_unique_indexes: bool = False) -> int:
        """Inserts in one transaction, while the indexes are not maintained; building them afterwards is much faster."""
        table = self._table
        with (
            self._connection.transaction(),
            triggers_off(self._connection, table.name, table.oid),
            self._indexes_built_afterwards(unique=without_unique_indexes),
        ):
            return self._connection.execute(insert.encode()).rowcount

    @contextmanager
    def _indexes_built_afterwards(self, *, unique: bool) -> Iterator[None]:
        from psycopg.errors import InsufficientPrivilege  # noqa: PLC0415  # start-up must not pay for it

        indexes = []
        try:
            with self._connection.transaction():
                indexes = self._connection.execute(_PAUSE_INDEXES, (self._table.oid, unique)).fetchall()
        except InsufficientPrivilege:
            # Only a superuser can write to pg_index.
            pass
        yield
        # REINDEX also makes them ready and valid again.
        for (index,) in indexes:
            self._connection.execute(f"REINDEX INDEX {index}".encode())

    def _continue_sequences(self) -> None:
        """Makes the sequences of columns whose values were generated continue after the highest one."""
        for column in self._columns:
            if column.given:
                [(sequence,)] = self._connection.execute(_SEQUENCE, (str(self._table.name), column.name)).fetchall()
                if sequence is not None:
                    highest = f"SELECT max({quoted(column.name)}) FROM {self._table.name}"  # noqa: S608  # quoted
                    self._connection.execute(f"SELECT pg_catalog.setval(%s, ({highest}))".encode(), (sequence,))
