"""A driver for SQLAlchemy that sends nothing.

Statements are recorded as SQL, with their parameters inserted as the server would see them. The rows of a query are unknown: one row of
unknown values or no row, as the run decides.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from migsafe.rendering.messages import DATABASE_ONLY
from migsafe.rendering.worker.aggregates import rows_without_source
from migsafe.rendering.worker.driver_copies import Copy, call_statement, copy_statement, refuse_live
from migsafe.rendering.worker.frames import caller
from migsafe.rendering.worker.live_results import Result
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.sql_constants import as_literal
from migsafe.rendering.worker.unknown import Unknown
from migsafe.text import MARK_START


class Error(Exception):
    """The exception of a driver; this one never raises it."""


class Cursor:
    """A cursor. `description` are the columns that the last statement returns, if any."""

    arraysize = 1
    lastrowid = None

    def __init__(self, run: Run) -> None:
        self._run = run
        self._always = False
        self._is_exhausted = False
        self._known: list[tuple[Any, ...]] | None = None
        self._result: Result | None = None
        self.description: list[tuple[Any, ...]] | None = None
        self.remaining = 0

    @property
    def connection(self) -> "DriverConnection":
        """The cursor's connection."""
        return DriverConnection(self._run)

    @property
    def rowcount(self) -> Any:
        """The number of rows changed."""
        if self._result is not None:
            return self._result.rowcount
        if self._is_exhausted:
            return 0
        self._run.result_uses += 1
        return 1 if self._always else Unknown(self._run, "rowcount", DATABASE_ONLY)

    def execute(self, statement: Any, parameters: object = None) -> None:
        """Records a statement of a script that uses the driver directly: a text, or one that the driver's `sql` module has composed."""
        self.description = None
        sql = fill_parameters(as_text(statement), parameters)
        self._run.send(sql)
        if self.take_result() or self._run.live:
            return
        self.expect([("column",)] if returns_rows(sql) else None, sql)

    def executemany(self, statement: Any, parameters: Iterable[object], **_: object) -> None:
        """Records a statement for each set of parameters."""
        for each in parameters:
            self.execute(statement, each)

    def callproc(self, routine: str, arguments: Sequence[object] = ()) -> None:
        """Records the call of a function."""
        self.execute(call_statement(routine, arguments))

    def mogrify(self, statement: Any, parameters: object = None) -> bytes:
        """Returns a statement as psycopg2 would send it."""
        return fill_parameters(as_text(statement), parameters).encode()

    def copy_expert(self, sql: Any, _: object, *__: object, **___: object) -> None:
        """Records a COPY; its rows are those of a file."""
        refuse_live(self._run)
        self._run.send(as_text(sql))

    def copy_from(self, file: object, table: str, sep: str = "\t", null: str = "\\N", size: int = 0, columns: Any = None) -> None:
        """Records a COPY from a file."""
        self.copy_expert(copy_statement(table, "FROM STDIN", sep, null, columns), file)

    def copy_to(self, file: object, table: str, sep: str = "\t", null: str = "\\N", columns: Any = None) -> None:
        """Records a COPY to a file."""
        self.copy_expert(copy_statement(table, "TO STDOUT", sep, null, columns), file)

    def copy(self, statement: Any, parameters: object = None, **_: object) -> Copy:
        """Records a COPY of psycopg 3, and returns what takes its rows."""
        self.copy_expert(fill_parameters(as_text(statement), parameters), None)
        return Copy()

    def take_result(self) -> bool:
        """Takes the result of a live server; returns whether there is one."""
        result, self._run.result = self._run.result, None
        self._result = result
        if result is not None:
            self.description = [(name, None, None, None, None, None, None) for name in result.columns] if result.columns else None
            self.remaining = len(result.rows)
        return result is not None

    def expect(self, description: list[tuple[Any, ...]] | None, sql: str, *, is_insert: bool = False, is_change: bool = False) -> None:
        """Prepares the result of a statement: no rows if there is no description. An INSERT and an aggregate query always return a row, other
        changes unless a loop has exhausted the rows; other queries return one or none."""
        self.description = description
        self._is_exhausted = self._run.is_exhausted and not is_insert
        self._known = rows_without_source(sql) if self._is_exhausted else None
        self._always = is_change or is_insert or bool(rows_without_source(sql))
        self.remaining = 1

    def fetchone(self) -> tuple[Any, ...] | None:
        """Returns the next row."""
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Returns the next rows."""
        if self._result is None:
            return self.fetchall()
        first = len(self._result.rows) - self.remaining
        rows = self._result.rows[first : first + (size or self.arraysize)]
        self.remaining -= len(rows)
        return rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Returns all remaining rows."""
        if not self.remaining or self.description is None:
            return []
        if self._result is not None:
            return self.fetchmany(self.remaining)
        self.remaining = 0
        if self._known is not None:
            return self._known
        self._run.result_uses += 1
        if not self._always and not self._run.decide(caller(), about_rows=True):
            return []
        return [tuple(Unknown(self._run, f"row.{column[0]}", DATABASE_ONLY) for column in self.description)]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())

    def __enter__(self) -> "Cursor":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        """Does nothing."""


class ConnectionInfo:
    """The connection's `info`: the version is known, everything else is not."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.server_version = run.version * 10_000

    def __getattr__(self, name: str) -> Unknown:
        if name.startswith("_"):
            raise AttributeError(name)
        return Unknown(self._run, f"connection.info.{name}", DATABASE_ONLY)


class DriverConnection:
    """The driver's connection, as SQLAlchemy uses it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.autocommit = False
        self.encoding = "UTF8"
        self.notices: list[str] = []

    @property
    def server_version(self) -> int:
        """The version of the server, as psycopg has it: 170000."""
        return self._run.version * 10_000

    @property
    def info(self) -> "ConnectionInfo":
        """What psycopg knows of the server."""
        return ConnectionInfo(self._run)

    def cursor(self, *_: object, **__: object) -> Cursor:
        """Returns a cursor."""
        return Cursor(self._run)

    def commit(self) -> None:
        """Does nothing: Alembic's transaction continues."""

    rollback = close = commit

    def set_isolation_level(self, _: object) -> None:
        """Does nothing."""


def make_driver(run: Run) -> ModuleType:
    """Returns the driver's module."""
    module: Any = ModuleType("migsafe_driver")
    module.paramstyle, module.apilevel, module.threadsafety, module.__version__ = "pyformat", "2.0", 1, "2.9"
    for name in ("Error", "DatabaseError", "OperationalError", "IntegrityError", "ProgrammingError", "InternalError", "InterfaceError"):
        setattr(module, name, Error)
    module.DataError = module.NotSupportedError = module.Warning = Error
    module.Binary = bytes
    module.connect = lambda *_, **__: DriverConnection(run)
    return module  # type: ignore[no-any-return]


def returns_rows(sql: str) -> bool:
    """Whether a textual statement returns rows; one that is unknown may."""
    words = sql.lstrip(" \t\r\n(").split(None, 1)
    first = words[0].lower() if words else ""
    if first.startswith(MARK_START) or first in ("select", "with", "show", "values", "table", "explain", "fetch"):
        return True
    return " returning " in f" {' '.join(sql.lower().split())} "


def as_text(statement: Any) -> str:
    """Returns a statement that a driver accepts as text: a string, bytes in UTF-8, or one that its `sql` module has composed."""
    return statement if isinstance(statement, str) else statement.decode() if isinstance(statement, bytes) else str(statement)


def fill_parameters(statement: str, parameters: object) -> str:
    """Returns a statement with its parameters inserted, as psycopg2 sends it."""
    try:
        match parameters:
            case Mapping():
                return statement % {key: as_literal(value) for key, value in parameters.items()}
            case tuple() | list() if parameters:
                return statement % tuple(map(as_literal, parameters))
            case _:
                return statement
    except (TypeError, ValueError, KeyError):
        return statement


Processor = Callable[[Any], Any]


def skipping_unknown(processor: Processor | tuple[Processor | None, ...]) -> Any:
    """Returns a conversion (or one for each item of a tuple) that leaves unknown values unchanged."""
    if isinstance(processor, tuple):
        return tuple(skipping_unknown(item) if item is not None else None for item in processor)

    def process(value: Any) -> Any:
        return value if isinstance(value, Unknown) else processor(value)

    return process
