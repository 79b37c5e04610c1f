"""Executing one write in a savepoint that is rolled back."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from migsafe.replaying.exchange import execute, rows_of
from migsafe.replaying.queries.preparation import type_oids
from migsafe.replaying.queries.results import QueryFailure
from migsafe.replaying.queries.write_targets import WriteTargets
from migsafe.replaying.queries.write_values import Arguments
from migsafe.replaying.refusals import Failure, error_class, failure_of
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted
from migsafe.workload.assessment import NOT_FOUND
from migsafe.workload.query import Query

if TYPE_CHECKING:
    from psycopg import Connection

_SAVEPOINT = "migsafe_write"
_SETTINGS = "SET LOCAL statement_timeout = '1s'; SET LOCAL search_path = DEFAULT; SET CONSTRAINTS ALL IMMEDIATE"
"""The settings of a trial. Deferred constraints are checked at once, because the transaction never ends normally."""
_FOREIGN_KEYS = """
    SELECT pg_catalog.format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE INITIALLY DEFERRED', conrelid::pg_catalog.regclass, conname)
    FROM pg_catalog.pg_constraint WHERE contype = 'f' AND conparentid = 0
        AND (conrelid = pg_catalog.to_regclass({table}) OR confrelid = pg_catalog.to_regclass({table}))
"""
_COLUMNS = """
    SELECT a.attname FROM pg_catalog.pg_constraint AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
    WHERE c.conname = %(constraint)s AND c.conrelid = pg_catalog.to_regclass(%(table)s)
    UNION SELECT a.attname FROM pg_catalog.pg_index AS i
        JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid
            AND a.attnum = ANY (i.indkey)
    WHERE x.relname = %(constraint)s AND i.indrelid = pg_catalog.to_regclass(%(table)s)
"""
_NOT_NULL = "23502"
_CHECK = "23514"
_OF_CONSTRAINTS = ("23503", "23505", _CHECK, "23P01")
_OF_DATA = "22"


class Write(Struct, frozen=True, kw_only=True):
    """A query that writes: what its parameters are, their types (those that are `declared`, and those that PostgreSQL determines)."""

    query: Query
    targets: WriteTargets
    types: tuple[str, ...]
    declared: tuple[str | None, ...]


class Trial(Struct, frozen=True):
    """How a write is executed: the values of its parameters, and whether the triggers of its tables are `suspended`, foreign keys included."""

    arguments: Arguments
    suspended: bool


class Executed(Struct, frozen=True):
    """The result of a write: PostgreSQL's error, or the number of rows."""

    failure: Failure | None = None
    rows: int = 0

    @property
    def query_failure(self) -> QueryFailure:
        """The error, as it is reported."""
        assert self.failure is not None
        return QueryFailure(self.failure.sqlstate, self.failure.message)


class WriteSession:
    """Executes writes in the open transaction of a connection. `search_path` is another one than that of the session, for writes whose
    relations are not found."""

    def __init__(self, connection: "Connection[Any]", search_path: Sequence[str] = ()) -> None:
        self._connection = connection
        self._search_path = search_path
        self._oids: dict[str, int | None] = {}
        execute(connection, _SETTINGS)

    def execute(self, write: Write, trial: Trial) -> Executed:
        """Executes a write, and undoes it."""
        executed = self._execute(write, trial, ())
        if self._search_path and executed.failure is not None and executed.failure.sqlstate in NOT_FOUND:
            return self._execute(write, trial, self._search_path)
        return executed

    def plan(self, write: Write) -> Executed:
        """Plans a write with NULLs, without executing it."""
        query = replace(write.query, text=f"EXPLAIN {write.query.text}")
        return self.execute(replace(write, query=query), Trial((None,) * len(write.types), suspended=False))

    def execute_or_plan(self, write: Write, trial: Trial | None) -> Executed:
        """Executes a write, or plans one that could not be executed."""
        return self.execute(write, trial) if trial is not None else self.plan(write)

    def depends_on_values(self, write: Write, failure: Failure) -> bool:
        """Whether an error may come from the values that were chosen, or from those of the row that is changed: the column or constraint in
        question gets them from parameters or from the row."""
        if failure.sqlstate.startswith(_OF_DATA):
            return bool(write.types)
        written = {use.column for use in write.targets.parameters.values() if use.use != "where"}
        if failure.sqlstate == _NOT_NULL:
            return failure.column in written
        if failure.sqlstate in _OF_CONSTRAINTS:
            columns = self._columns_of(failure)
            if failure.sqlstate == _CHECK and columns and columns <= write.targets.constants:
                return False
            return not write.targets.only_inserts or (bool(written & columns) if columns else bool(write.types))
        return False

    def _execute(self, write: Write, trial: Trial, search_path: Sequence[str]) -> Executed:
        from psycopg.errors import error_from_result  # noqa: PLC0415  # start-up must not pay for it
        from psycopg.pq import ExecStatus  # noqa: PLC0415

        types = self._types(write.declared)
        types += [0] * (len(trial.arguments) - len(types))
        execute(self._connection, f"SAVEPOINT {_SAVEPOINT}")
        try:
            if search_path:
                execute(self._connection, f"SET LOCAL search_path = {', '.join(map(quoted, search_path))}")
            if trial.suspended:
                self._suspend(write.targets.tables)
            values = [value.encode() if value is not None else None for value in trial.arguments]
            result = self._connection.pgconn.exec_params(write.query.text.encode(), values, types)
            if result.status in (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE):
                raise error_from_result(result, self._connection.info.encoding)
            return Executed(rows=result.command_tuples or 0)
        except error_class() as error:
            failure = failure_of(error)
            if failure.lost:
                raise
            return Executed(failure)
        finally:
            if not self._connection.closed:
                execute(self._connection, f"ROLLBACK TO {_SAVEPOINT}; RELEASE {_SAVEPOINT}")

    def _types(self, names: Collection[str | None]) -> list[int]:
        unknown = {name for name in names if name is not None and name not in self._oids}
        if unknown:
            execute(self._connection, f"SAVEPOINT {_SAVEPOINT}")
            self._oids |= type_oids(self._connection, unknown)
            execute(self._connection, f"ROLLBACK TO {_SAVEPOINT}; RELEASE {_SAVEPOINT}")
        return [(self._oids[name] or 0) if name is not None else 0 for name in names]

    def _suspend(self, tables: Collection[Name]) -> None:
        """Suspends the triggers of tables, and the checks of foreign keys: a deferred check would happen at the end of the transaction."""
        for table in tables:
            literal = "'" + str(table).replace("'", "''") + "'"
            commands = [row[0] for row in rows_of(execute(self._connection, _FOREIGN_KEYS.format(table=literal))[0]) if row[0]]
            execute(self._connection, "; ".join((f"ALTER TABLE {table} DISABLE TRIGGER USER", *commands)))
        execute(self._connection, "SET CONSTRAINTS ALL DEFERRED")

    def _columns_of(self, failure: Failure) -> set[str]:
        """Returns the columns of the constraint or index that an error names."""
        if failure.table is None or not failure.constraint:
            return set()
        parameters = {"constraint": failure.constraint, "table": str(failure.table)}
        return {column for (column,) in self._connection.execute(_COLUMNS, parameters).fetchall()}
