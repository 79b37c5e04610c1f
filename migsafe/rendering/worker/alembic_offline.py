"""Alembic's offline mode, with each statement recorded at the call that sends it.

All code that depends on Alembic's internals is here. See docs/architecture.md."""

import io
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from functools import cache
from inspect import Parameter, signature
from typing import Any, cast

from alembic import context as context_module
from alembic import op as op_module
from alembic.ddl.postgresql import PostgresqlImpl
from alembic.operations import Operations
from alembic.operations.batch import BatchOperationsImpl
from alembic.operations.ops import AlterColumnOp
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.util import sqla_compat
from sqlalchemy import Connection, Table, column, text
from sqlalchemy import table as sqlalchemy_table
from sqlalchemy.sql.ddl import DDLElement

from migsafe.rendering.worker.database import Database, literal_dialect
from migsafe.rendering.worker.env_operations import env_operation
from migsafe.rendering.worker.environment import EnvironmentValues, ProjectConfig, as_value, target_metadata, unknown_of_env
from migsafe.rendering.worker.frames import caller
from migsafe.rendering.worker.parameters import check_names, check_values
from migsafe.rendering.worker.plugins import plugin_operation
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.types import enum_to_create
from migsafe.rendering.worker.unknown import Unknown


class RecordingImpl(PostgresqlImpl):
    """Records in a run what Alembic would write to a file."""

    run: Run
    database: Database

    def static_output(self, text: str) -> None:
        """Records a statement."""
        self.run.send(text.strip().removesuffix(self.command_terminator).rstrip())

    def emit_begin(self) -> None:
        """Records the BEGIN of Alembic's transaction."""
        self._by_runner("BEGIN")

    def emit_commit(self) -> None:
        """Records the COMMIT of Alembic's transaction."""
        self._by_runner("COMMIT")

    def bulk_insert(self, table: Any, rows: list[dict[str, Any]], multiinsert: bool = True) -> None:
        """Records INSERTs of rows."""
        if isinstance(table, Unknown):
            names = dict.fromkeys(name for row in rows if isinstance(row, Mapping) for name in row)
            table = sqlalchemy_table(str(table), *map(column, names))
        # As parameters of a statement, which they are on a server, values of other columns are ignored.
        rows = [{name: value for name, value in row.items() if name in table.c} if isinstance(row, dict) else row for row in rows]
        super().bulk_insert(table, rows, multiinsert)

    def add_column(self, table_name: str, column: Any, **options: Any) -> None:
        """Records ADD COLUMN. Unlike CREATE TABLE, Alembic does not create an enum first that is the type of the column."""
        first = len(self.run.calls)
        super().add_column(table_name, column, **options)
        self.run.mark_enum(enum_to_create(column.type, self.dialect), first)

    def alter_column(self, table_name: str, column_name: str, *, type_: Any = None, **options: Any) -> None:
        """Records the statements that alter a column. Alembic does not create an enum first that is the new type."""
        first = len(self.run.calls)
        super().alter_column(table_name, column_name, type_=type_, **options)
        self.run.mark_enum(enum_to_create(type_, self.dialect), first)

    def prep_table_for_batch(self, batch_impl: Any, table: Table) -> None:
        """Drops the named constraints of a table that is created again, always in the same order: Alembic iterates over a set."""
        names = {str(constraint.name): constraint for constraint in table.constraints if constraint.name in batch_impl.named_constraints}
        for name in sorted(names):
            self.drop_constraint(names[name])

    def autogen_column_reflect(self, inspector: Any, table: Any, column_info: Any) -> None:
        """Omits the default of a serial column, as Alembic does, which asks the server whether the column owns the sequence."""
        default, sequence = column_info.get("default"), f"{table.name}_{column_info['name']}_seq"
        if isinstance(default, str) and re.match(rf"nextval\('[\w.\"]*\b{re.escape(sequence)}\W", default):
            del column_info["default"]

    def _by_runner(self, sql: str) -> None:
        if self.run.in_transaction:
            self.run.send(sql, by_runner=True)

    @property
    def bind(self) -> Connection:
        """The connection of the simulated database."""
        return self.database.connection

    def _exec(
        self,
        construct: Any,
        execution_options: Mapping[str, Any] | None = None,
        multiparams: Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] = {},
    ) -> Any:
        if multiparams or params:
            return self.bind.execute(text(construct) if isinstance(construct, str) else construct, multiparams or params)
        if isinstance(construct, Unknown):
            self.static_output(str(construct))
            return None
        if isinstance(construct, str):
            construct = text(construct)
        check_values(construct)
        check_names(construct)
        options = {} if isinstance(construct, DDLElement) else {"compile_kwargs": {"literal_binds": True}}
        self.static_output(str(construct.compile(dialect=self.dialect, **options)))
        return None


class OnlineContext(MigrationContext):
    """A context that is offline for Alembic and online for the script, so that the script runs as it does in production."""

    run: Run | None = None
    database: Database | None = None
    _offline: Any = None
    _offline_dialect: Any = None

    @property
    def dialect(self) -> Any:
        """The dialect of the connection for the script, one that writes literal SQL for Alembic."""
        if self.run is not None and self.database is not None and self.run.is_project_frame(caller()):
            return self.database.connection.dialect
        return self._offline_dialect

    @dialect.setter
    def dialect(self, offline: Any) -> None:
        self._offline_dialect = offline

    @property
    def connection(self) -> Any:
        """The connection that scripts get; it is made on first use."""
        return self.database.connection if self.database is not None else self._offline

    @connection.setter
    def connection(self, offline: Any) -> None:
        self._offline = offline

    @property
    def as_sql(self) -> bool:
        """Whether SQL is written: true for Alembic, false for the script, and for a batch that reads the table that it creates again."""
        frame = caller()
        return self.run is None or not (self.run.is_project_frame(frame) or frame.f_code is BatchOperationsImpl.flush.__code__)

    @as_sql.setter
    def as_sql(self, _: bool) -> None:
        pass

    def _in_connection_transaction(self) -> bool:
        return False

    @contextmanager
    def autocommit_block(self) -> Iterator[None]:
        """Ends Alembic's transaction for a block. In a transaction that env.py has begun Alembic raises AssertionError instead, unless the
        script has just committed it."""
        if self.run is None or not self.run.environment.begun_at or self.run.is_committed:
            with super().autocommit_block():
                yield
            return
        before, self.run.raises = self.run.raises, "autocommit_block()"
        try:
            yield
        finally:
            self.run.raises = before

    def begin_transaction(self, _per_migration: bool = False) -> Any:
        """Begins nothing: the transaction of the migration is open."""
        return nullcontext()

    def get_current_heads(self) -> Any:
        """Returns the revisions of the database, which are unknown to the script."""
        return unknown_of_env(self.run, "current_heads") if self.run is not None else ()

    def get_current_revision(self) -> Any:
        """Returns the revision of the database, which is unknown to the script."""
        return unknown_of_env(self.run, "current_revision") if self.run is not None else None


class _Queue(list[Any]):
    """The operations of a batch, each with the range of its call."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._ranges: list[tuple[int, int]] = []

    def append(self, entry: Any) -> None:
        """Adds an operation."""
        self._ranges.append(self._run.current_range or self._run.frame_range(caller()))
        super().append(entry)

    def __iter__(self) -> Iterator[Any]:
        for entry, range_ in zip(super().__iter__(), self._ranges, strict=True):
            before, self._run.current_range = self._run.current_range, range_
            try:
                yield entry
            finally:
                self._run.current_range = before


class OnlineEnvironment(EnvironmentContext):
    """The `alembic.context` of a script that runs online. The arguments of the command line are unknown."""

    def __init__(self, run: Run) -> None:
        self._run = run
        super().__init__(ProjectConfig(run, run.environment), cast("Any", unknown_of_env(run, "context.script")))

    def is_offline_mode(self) -> bool:
        """Returns False: the script runs as it does in production."""
        return False

    def get_x_argument(self, as_dictionary: bool = False) -> Any:
        """Returns the arguments of `-x`, which are unknown."""
        return EnvironmentValues(self._run, "x_arguments", {}) if as_dictionary else unknown_of_env(self._run, "x_arguments")

    def get_tag_argument(self) -> Any:
        """Returns the argument of `--tag`, which is unknown."""
        return unknown_of_env(self._run, "tag")

    def get_head_revision(self) -> Any:
        """Returns the head of the history, which is unknown: later revisions may follow."""
        return unknown_of_env(self._run, "head_revision")

    get_head_revisions = get_revision_argument = get_starting_revision_argument = get_head_revision

    def configure(self, *_: Any, **__: Any) -> None:
        """Does nothing: Alembic is configured already."""

    def run_migrations(self, **_: Any) -> None:
        """Does nothing: one migration runs."""


def install(run: Run, database: Database) -> Operations:
    """Connects `alembic.op` and `alembic.context` with a run."""
    context = copy(_context(run.version))
    context.connection = context._stdout_connection(None)
    impl = RecordingImpl(context.dialect, context.connection, True, None, context.output_buffer, {})
    impl.run, impl.database = run, database
    run.connect = lambda: database.connection
    context.impl, context.run, context.database = impl, run, database
    context.opts = _options(run)
    context.version_table = context.opts.get("version_table") or context.version_table
    context.version_table_schema = context.opts.get("version_table_schema")
    operations = Operations(context)
    operations._install_proxy()
    for module, name in (
        (op_module, "which is an operation of a plugin that is not installed here"),
        (context_module, "which alembic.context does not have here"),
    ):
        module.__getattr__ = _missing(run, module.__name__.rpartition(".")[2], name, operations)  # type: ignore[method-assign]
    environment = OnlineEnvironment(run)
    environment._migration_context = context
    context.environment_context = environment
    context.script = environment.script
    # `_install_proxy` knows only the class itself, not a subclass.
    vars(context_module).update(_proxy=environment, config=environment.config, script=environment.script)
    return operations


def _options(run: Run) -> EnvironmentValues:
    """Returns what env.py passes to `context.configure()`, with Alembic's own options."""
    environment = run.environment
    passed = {name: as_value(run, name, value) for name, value in environment.options.items()}
    metadata = {} if environment.naming_convention is None else {"target_metadata": target_metadata(run, environment.naming_convention)}
    return EnvironmentValues(run, "opts", {**_DEFAULTS, **passed, **metadata}, complete=environment.complete)


@cache
def _context(version: int) -> OnlineContext:
    return OnlineContext(literal_dialect(version), None, {"as_sql": True, "output_buffer": io.StringIO(), "literal_binds": True})


def _missing(run: Run, module: str, reason: str, operations: Operations) -> Callable[[str], Any]:
    def get(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        operation = plugin_operation(name, operations) or env_operation(run, name, operations) if module == "op" else None
        if operation is not None:
            return operation
        return Unknown(run, f"{module}.{name}", reason)

    return get


def _queue(self: Any, *arguments: Any, **named: Any) -> None:
    _batch_init(self, *arguments, **named)
    self.batch = _Queue(self.operations.impl.run)


def _run_async(self: Any, function: Callable[..., Awaitable[Any]], *arguments: Any, **named: Any) -> Any:
    awaited = function(self.impl.database.asynchronous(), *arguments, **named).__await__()
    try:
        while True:
            next(awaited)
    except StopIteration as end:
        return end.value


def _alter_column(self: Any, *arguments: Any, **named: Any) -> None:
    # PostgreSQL's ALTER COLUMN does not repeat the existing type.
    known = {name: value for name, value in named.items() if not (name.startswith("existing_") and isinstance(value, Unknown))}
    _alter_init(self, *arguments, **known)


_OTHER_DEFAULTS = {"as_sql": False, "version_table": "alembic_version", "version_table_schema": None, "version_table_pk": True}
_DEFAULTS = {
    **_OTHER_DEFAULTS,
    **{
        name: parameter.default
        for name, parameter in signature(EnvironmentContext.configure).parameters.items()
        if parameter.default is not Parameter.empty
    },
}
"""Alembic's own options, as `configure()` has them by default (those of MigrationContext.__init__ first)."""


def _index_column(table: Table, name: Any) -> Any:
    # Since SQLAlchemy 2 a table refuses a second column of the same name; an index may name one twice.
    return table.c[name] if isinstance(name, str) and name in table.c else _textual_index_column(table, name)


_textual_index_column: Any = sqla_compat._textual_index_column
sqla_compat._textual_index_column = _index_column  # type: ignore[assignment]
_batch_init: Any = BatchOperationsImpl.__init__
_alter_init: Any = AlterColumnOp.__init__
AlterColumnOp.__init__ = _alter_column  # type: ignore[method-assign]
BatchOperationsImpl.__init__ = _queue  # type: ignore[method-assign]
Operations.run_async = _run_async  # type: ignore[method-assign,assignment]
