"""A simulated database: SQLAlchemy connections that record the SQL instead of sending it, and inspect migsafe's schema."""

from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect, PGExecutionContext
from sqlalchemy.exc import CompileError

from migsafe.rendering.worker.aggregates import rows_without_source
from migsafe.rendering.worker.catalog_queries import answer_catalog_query
from migsafe.rendering.worker.dialects import database_url, dialect_class, driver_of
from migsafe.rendering.worker.driver import (
    Cursor,
    fill_parameters,
    make_driver,
    returns_rows,
    skipping_unknown,
)
from migsafe.rendering.worker.frames import caller
from migsafe.rendering.worker.inspection import Inspected
from migsafe.rendering.worker.older_sqlalchemy import distilled
from migsafe.rendering.worker.open_tables import add_named_columns
from migsafe.rendering.worker.parameters import check_names
from migsafe.rendering.worker.rows import Rows
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.sql_constants import as_literal, quote
from migsafe.rendering.worker.sqlalchemy_internals import bind_processors, make_engine, result_columns
from migsafe.rendering.worker.unknown import Unknown
from migsafe.versions import VIRTUAL_GENERATED_COLUMNS


class UnknownAwareCompiler(PGCompiler):
    """Writes unknown values as their marks, without conversion."""

    def render_literal_value(self, value: Any, type_: Any, *arguments: Any, **named: Any) -> str:
        """Returns a value as a constant in SQL."""
        if isinstance(value, Unknown):
            return quote(str(value))
        try:
            return str(super().render_literal_value(value, type_, *arguments, **named))  # type: ignore[no-untyped-call]
        except CompileError:
            return as_literal(value)  # as the driver would send it

    @property
    def _bind_processors(self) -> Any:
        processors = self.__dict__.get("_careful")
        if processors is None:
            processors = self.__dict__["_careful"] = {key: skipping_unknown(processor) for key, processor in bind_processors(self).items()}
        return processors


class RecordingExecution(PGExecutionContext):
    """Converts no results: their values are unknown."""

    def get_result_processor(self, *_: Any) -> None:
        """Returns no conversion."""
        return None


class RecordingDialect(Inspected, PGDialect):  # type: ignore[misc]  # it has its own signatures
    """PostgreSQL's dialect for one run. For the script it is that of the project's driver."""

    run: Run
    driver = "psycopg2"
    default_paramstyle = "pyformat"
    statement_compiler = UnknownAwareCompiler
    execution_ctx_cls = RecordingExecution
    supports_statement_cache = True
    use_insertmanyvalues = False
    insert_executemany_returning = False
    supports_sane_rowcount = False
    supports_sane_multi_rowcount = False

    @property  # type: ignore[misc]  # object's can be set
    def __class__(self) -> Any:
        """The dialect of the project's driver for the script, so that `isinstance` answers as in production."""
        run = vars(self).get("run")
        return dialect_class(self.driver) if run is not None and run.is_project_frame(caller()) else RecordingDialect

    def initialize(self, connection: Connection) -> None:
        """Sets the server's properties without a query."""
        self.server_version_info = (self.run.version, 0)
        self.default_schema_name = "public"
        self.default_isolation_level = "READ COMMITTED"
        self._backslash_escapes = False
        # SQLAlchemy 2.1 leaves out STORED of a generated column where the server supports both kinds.
        self.supports_virtual_generated_columns = self.run.version >= VIRTUAL_GENERATED_COLUMNS

    def _get_server_version_info(self, _: Any) -> tuple[int, int]:
        return self.run.version, 0

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """Records a statement."""
        self._send(fill_parameters(statement, parameters if parameters is not None else {}), context)
        self._expect(cursor, statement, context)

    def do_execute_no_params(self, cursor: Any, statement: str, context: Any = None) -> None:
        """Records a statement without parameters."""
        self._send(statement, context)
        self._expect(cursor, statement, context)

    def do_executemany(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """Records a statement for each set of parameters."""
        for each in parameters:
            self._send(fill_parameters(statement, each), context)

    def _send(self, sql: str, context: Any) -> None:
        check_names(getattr(getattr(context, "compiled", None), "statement", None))
        options = getattr(context, "execution_options", None) or {}
        outside = self.run.in_transaction and options.get("isolation_level") == "AUTOCOMMIT"
        if outside:
            self.run.send("COMMIT", by_runner=True)
        self.run.send(sql)
        if outside:
            self.run.send("BEGIN", by_runner=True)

    def _expect(self, cursor: Cursor, sql: str, context: Any) -> None:
        if cursor.take_result() or self.run.live:
            return
        compiled = getattr(context, "compiled", None)
        columns = result_columns(compiled) if compiled is not None else None
        is_change = context is not None and bool(context.isupdate or context.isdelete)
        cursor.expect(list(columns) if columns else None, sql, is_insert=context is not None and bool(context.isinsert), is_change=is_change)

    def do_savepoint(self, connection: Connection, name: str) -> None:
        """Sends SAVEPOINT, as SQLAlchemy does."""
        connection.execute(text(f"SAVEPOINT {name}"))

    def get_isolation_level(self, _: Any) -> Any:
        """Returns the default level."""
        return "READ COMMITTED"

    def get_isolation_level_values(self, _: Any) -> Any:
        """Returns the levels that psycopg2 supports."""
        return ("AUTOCOMMIT", "SERIALIZABLE", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ")

    def set_isolation_level(self, _: Any, __: Any) -> None:
        """Does nothing."""

    def do_ping(self, _: Any) -> bool:
        """Returns that the connection is open."""
        return True


class RecordingConnection(Connection):
    """A connection whose textual queries return unknown rows. It accepts the arguments of SQLAlchemy 1 as well."""

    is_alembics = False

    def execute(self, statement: Any, *arguments: Any, **named: Any) -> Any:
        """Records a statement."""
        if isinstance(statement, Unknown):
            run: Run = self.dialect.run  # type: ignore[attr-defined]
            run.send(str(statement))
            return Rows(run)
        options = {"execution_options": named.pop("execution_options")} if "execution_options" in named else {}
        if isinstance(statement, str):
            return self.exec_driver_sql(statement, distilled(arguments, named))
        add_named_columns(statement, (*arguments, named))
        if named and not arguments:
            arguments = (named.pop("parameters", None) or named,)
        elif len(arguments) > 1:
            arguments = (list(arguments),)
        run = self.dialect.run  # type: ignore[attr-defined]
        run.sends_list = bool(arguments) and isinstance(arguments[0], list)
        try:
            return self._rows(super().execute(statement, *arguments, **options))
        finally:
            run.sends_list = False

    def exec_driver_sql(self, statement: str, parameters: Any = None, execution_options: Any = None) -> Any:
        """Records a statement that goes directly to the driver."""
        return self._rows(super().exec_driver_sql(statement, parameters, execution_options))

    def scalar(self, statement: Any, *arguments: Any, **named: Any) -> Any:
        """Returns the first value of the first row."""
        return self.execute(statement, *arguments, **named).scalar()

    def connect(self) -> Any:
        """Returns another connection, as SQLAlchemy 1 did; the script may close it."""
        return self.engine.connect()

    def commit(self) -> None:
        """Commits Alembic's transaction, if the connection is Alembic's; another one that the script opens has its own. SQLAlchemy begins a
        new one by itself."""
        run: Run = self.dialect.run  # type: ignore[attr-defined]
        super().commit()
        if self.is_alembics and run.in_transaction and self.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            run.send("COMMIT")
            run.send("BEGIN", by_runner=True)
            run.committed_at = len(run.calls)

    def in_transaction(self) -> bool:
        """Whether a transaction is open; for the script it is that of Alembic."""
        run: Run = self.dialect.run  # type: ignore[attr-defined]
        return super().in_transaction() or (run.in_transaction and run.is_project_frame(caller()))

    def begin(self) -> Any:
        """Returns Alembic's transaction, which is open already."""
        return self.get_transaction() or super().begin()

    def _rows(self, result: Any) -> Any:
        run: Run = self.dialect.run  # type: ignore[attr-defined]
        sql = run.last_sql
        if not isinstance(result, Rows) and not getattr(result, "returns_rows", True) and returns_rows(sql):
            known = rows_without_source(sql) if run.is_exhausted else answer_catalog_query(run, sql)
            return Rows(run, known=known, always=bool(rows_without_source(sql)))
        return result


class _Asynchronous:
    """The connection that op.run_async passes to a function, with methods that can be awaited."""

    def __init__(self, connection: Any) -> None:
        self.sync_connection = connection

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.sync_connection, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            return attribute(*arguments, **named)

        return call if callable(attribute) else attribute

    async def run_sync(self, function: Any, *arguments: Any, **named: Any) -> Any:
        """Call a function with the connection itself."""
        return function(self.sync_connection, *arguments, **named)


class Database:
    """The simulated database of one run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The connection that Alembic uses; it is made on first use."""
        if self._connection is None:
            connection = self._engine().connect()
            assert isinstance(connection, RecordingConnection)
            connection.is_alembics = True
            self._connection = connection
        return self._connection

    def asynchronous(self) -> Any:
        """Returns the same connection for asynchronous code."""
        return _Asynchronous(self.connection)

    def _engine(self) -> Engine:
        driver = make_driver(self.run)
        engine = make_engine("postgresql+migsafe://", driver, RecordingConnection)
        dialect: Any = engine.dialect
        dialect.run = self.run
        dialect.driver = driver.__name__ = driver_of(self.run.environment.url)
        dialect.initialize(None)
        engine.url = database_url(self.run)
        return engine


def literal_dialect(version: int) -> Any:
    """Returns the dialect in which Alembic writes SQL for a server version to a file: percent signs are not doubled for a driver."""
    make: Any = PGDialect
    dialect = make(paramstyle="named")
    dialect.statement_compiler = UnknownAwareCompiler
    dialect._backslash_escapes = False
    dialect.supports_virtual_generated_columns = version >= VIRTUAL_GENERATED_COLUMNS
    return dialect


registry.register("postgresql.migsafe", __name__, "RecordingDialect")
