"""Runs the upgrades of Alembic scripts with Alembic itself, for the benchmarks that compare with it.

    python alembic_steps.py [URL]

This program does not import migsafe, so that it can run in an environment in which the application's packages are installed. It reads a step
per line, as JSON with `path`, `function`, `folders` (from which the script imports), `ini` and `naming_convention`, and answers with a line of
JSON: `statements`, and `error` if the step failed. Without URL, Alembic writes the SQL (`alembic upgrade --sql`). Otherwise each step runs in a
transaction of its own on the server, and each statement has `locks`: the strongest lock that it added on each relation that existed before it,
and `held`, the locks before; both are absent outside a transaction.

Modules that are not installed, and modules of the project that fail, are replaced by placeholders when a step runs on a server.
"""

import builtins
import importlib
import importlib.util
import io
import json
import os
import signal
import sys
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, event, text
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.types import UserDefinedType

_MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
_LOCKS = "SELECT relation::int8, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted"
_NAMES = """SELECT c.oid::int8, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v') AND n.nspname !~ '^(pg_|information_schema)'"""
_SECONDS = 30
_IN_ERROR = 3
_OWN = ("alembic", "sqlalchemy")
_PLUGINS = ("alembic_postgresql_enum", "alembic_utils.replaceable_entity")
"""What an env.py imports to add operations to Alembic."""


class TimeUp(BaseException):
    """A step takes too long."""


class _PlaceholderType(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _placeholder(name)

    def __iter__(cls) -> Any:
        return iter(())

    def __contains__(cls, _: object) -> bool:
        return False


class Placeholder(UserDefinedType, metaclass=_PlaceholderType):
    """Replaces what a module that cannot be imported would contain: usable as a type, a class, a function or a value."""

    cache_ok = True

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def get_col_spec(self, **_: Any) -> str:
        """Returns a type that every server has."""
        return "text"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _placeholder(name)

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Returns another placeholder."""
        return Placeholder()

    def __iter__(self) -> Any:
        return iter(())


def _placeholder(name: str) -> Any:
    return _PlaceholderType(name, (Placeholder,), {})


class PlaceholderModule(ModuleType):
    """A module that cannot be imported."""

    __path__: list[str] = []  # noqa: RUF012  # Python takes it as that of a package

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(name)


@contextmanager
def imports_of(folders: list[str], *, with_project: bool, replaces: bool) -> Any:
    """Lets scripts import from folders. If `replaces`, modules that files in the folders import and that cannot be imported are replaced by
    placeholders; without the project, all modules of the folders."""
    original = builtins.__import__
    roots = tuple(os.path.realpath(folder) + os.sep for folder in folders)

    def is_project(name: str) -> bool:
        return name not in _OWN and any(Path(root, name).is_dir() or Path(root, f"{name}.py").is_file() for root in roots)

    def import_module(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        importer = os.path.realpath((globals or {}).get("__file__") or "")
        if level or not replaces or not importer.startswith(roots):
            return original(name, globals, locals, fromlist, level)
        try:
            if with_project or not is_project(name.partition(".")[0]):
                return original(name, globals, locals, fromlist, level)
        except TimeUp:
            raise
        except BaseException:  # an application may fail in any way without its settings
            pass
        return PlaceholderModule(name)

    builtins.__import__ = import_module
    before, modules = list(sys.path), set(sys.modules)
    sys.path[:0] = folders
    try:
        yield
    finally:
        builtins.__import__, sys.path[:] = original, before
        for name in set(sys.modules) - modules:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(roots):
                del sys.modules[name]


def load(path: str) -> ModuleType:
    """Imports a script as Alembic does."""
    specification = importlib.util.spec_from_file_location(f"script_{abs(hash(path))}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class Recorder:
    """The statements of a step, with the locks that they take on a server."""

    def __init__(self, connection: Any = None) -> None:
        self.statements: list[dict[str, Any]] = []
        self._connection = connection
        self._names: dict[int, str] = {}
        self._held: dict[int, str] = {}
        if connection is not None:
            event.listen(connection, "before_cursor_execute", self._before)
            event.listen(connection, "after_cursor_execute", self._after)

    def static_output(self, text: str) -> None:
        """Records what Alembic writes offline."""
        self.statements.append({"sql": text})

    def _query(self, query: str) -> Any:
        with self._connection.connection.dbapi_connection.cursor() as cursor:
            return cursor.execute(query).fetchall()

    def _in_transaction(self) -> bool:
        return bool(self._connection.connection.dbapi_connection.info.transaction_status)

    def _before(self, *_: Any) -> None:
        if self._connection.connection.dbapi_connection.autocommit:
            return
        self._names = {oid: f"{schema}.{name}" for oid, schema, name in self._query(_NAMES)}
        self._held = _strongest(self._query(_LOCKS))

    def _after(self, _: Any, cursor: Any, statement: str, parameters: Any, __: Any, many: bool) -> None:
        record: dict[str, Any] = {"sql": _literal(cursor, statement, parameters, many)}
        if not self._connection.connection.dbapi_connection.autocommit:
            after = _strongest(self._query(_LOCKS))
            record["locks"] = {self._names[oid]: mode for oid, mode in after.items() if oid in self._names and mode != self._held.get(oid)}
            record["held"] = {self._names[oid]: mode for oid, mode in self._held.items() if oid in self._names}
        self.statements.append(record)


def _strongest(rows: Any) -> dict[int, str]:
    strongest: dict[int, str] = {}
    for oid, mode in rows:
        if oid not in strongest or _MODES.index(mode) > _MODES.index(strongest[oid]):
            strongest[oid] = mode
    return strongest


def _literal(cursor: Any, statement: str, parameters: Any, many: bool) -> str:
    """Returns a statement with its parameters as constants."""
    from psycopg import ClientCursor  # noqa: PLC0415  # only on a server

    values = (parameters[0] if parameters else None) if many else parameters
    if not values:
        return statement.replace("%%", "%") if values is not None else statement
    return str(ClientCursor(cursor.connection).mogrify(statement, values))


def run(step: dict[str, Any], engine: Any, *, with_project: bool) -> list[dict[str, Any]]:
    """Runs a step and returns its statements. Raises any error of the script, with its transaction rolled back."""
    folders = step["folders"]
    config = Config(step["ini"]) if step.get("ini") else Config()
    if engine is not None:
        config.set_main_option("sqlalchemy.url", engine.url.render_as_string(hide_password=False).replace("%", "%%"))
    environment = EnvironmentContext(config, ScriptDirectory(str(Path(step["path"]).parent)), as_sql=engine is None)
    options: dict[str, Any] = {"target_metadata": MetaData(naming_convention=step["naming_convention"] or None)}
    with environment, imports_of(folders, with_project=with_project, replaces=engine is not None):
        if engine is None:
            environment.configure(
                dialect_name="postgresql", literal_binds=True, dialect_opts={"paramstyle": "named"}, output_buffer=io.StringIO(), **options
            )
            recorder = Recorder()
            implementation: Any = environment.get_context().impl
            implementation.static_output = recorder.static_output
            implementation.emit_begin = implementation.emit_commit = lambda: None
            _upgrade(environment, step)
            return recorder.statements
        with engine.connect() as connection:
            environment.configure(connection=connection, transaction_per_migration=True, **options)
            recorder = Recorder(connection)
            _upgrade(environment, step)
            return recorder.statements


def _upgrade(environment: EnvironmentContext, step: dict[str, Any]) -> None:
    context = environment.get_context()
    with context.begin_transaction(_per_migration=True), Operations.context(context):
        getattr(load(step["path"]), step["function"])()
        connection: Any = context.connection
        if isinstance(connection, Connection) and connection.connection.dbapi_connection.info.transaction_status == _IN_ERROR:
            raise RuntimeError("the script continues after an error, without a savepoint")


def answer(step: dict[str, Any], engine: Any) -> dict[str, Any]:
    """Returns the statements of a step, or its error."""
    error = ""
    for with_project in (True, False) if engine is not None else (True,):
        signal.alarm(_SECONDS)
        try:
            return {"statements": run(step, engine, with_project=with_project)}
        except BaseException as raised:  # a script may raise anything, also SystemExit
            last = traceback.extract_tb(raised.__traceback__)[-1]
            error = error or f"{type(raised).__name__}: {str(raised).strip()[:300]} ({Path(last.filename).name}:{last.lineno})"
        finally:
            signal.alarm(0)
    return {"statements": [], "error": error}


def _time_up(*_: object) -> None:
    raise TimeUp


def _prepare() -> None:
    """Adds the operations of plugins, and lets scripts for SQLAlchemy 1 execute strings."""
    for plugin in _PLUGINS:
        with suppress(ImportError):
            importlib.import_module(plugin)
    execute = Connection.execute

    def execute_text(self: Any, statement: Any, *arguments: Any, execution_options: Any = None, **values: Any) -> Any:
        executable = text(statement) if isinstance(statement, str) else statement
        return execute(self, executable, *arguments, *((values,) if values else ()), execution_options=execution_options)

    Connection.execute = execute_text  # type: ignore[method-assign]
    execute_offline = MockConnection.execute

    def execute_without_parameters(self: Any, statement: Any, parameters: Any = None, *arguments: Any, **named: Any) -> Any:
        if parameters:
            raise RuntimeError("offline, a connection writes NULL in place of parameters")
        return execute_offline(self, statement, parameters, *arguments, **named)

    MockConnection.execute = execute_without_parameters  # type: ignore[method-assign]


def main() -> int:
    """Answers steps until the input ends."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    signal.signal(signal.SIGALRM, _time_up)
    _prepare()
    engine = None
    if len(sys.argv) > 1:
        engine = create_engine(sys.argv[1], connect_args={"prepare_threshold": None})
    for line in sys.stdin:
        replies.write(json.dumps(answer(json.loads(line), engine)) + "\n")
        replies.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
