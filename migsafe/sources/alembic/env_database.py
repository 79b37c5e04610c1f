"""Engines and connections of env.py: their transactions, and the settings that they send.

Measured with SQLAlchemy 2: `execute()` begins a transaction if none is open ("autobegin"); `execute()` of a plain string is SQLAlchemy 1, which
did not, unless the engine has `future=True`. A `connect` listener and `connect_args` act on each new connection, before any transaction.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from migsafe.patterns import lazy_pattern
from migsafe.script_environment import UNKNOWN
from migsafe.sources.alembic.env_reading import Reading
from migsafe.sources.alembic.env_values import (
    Connection,
    DriverConnection,
    Engine,
    External,
    Function,
    Text,
    Transaction,
)

_SETTING = lazy_pattern(r"\s*(?:SET|RESET|SELECT\s+(?:pg_catalog\.)?set_config)\b", re.IGNORECASE)
_LOCAL = lazy_pattern(r"\s*SET\s+LOCAL\b", re.IGNORECASE)
_STARTUP_OPTION = lazy_pattern(r"(?:-c\s*|--)([\w.]+)=((?:\\.|[^\s\\])*)")
_URL_OPTIONS = lazy_pattern(r"[?&]options=([^&]*)")
_EVENTS = ("connect", "first_connect", "checkout", "engine_connect", "begin", "do_connect")


def make_engine(reader: Reading, url: Any, options: Mapping[str, Any], *, is_async: bool) -> Engine:
    """Returns an engine, with what its arguments send on each connection."""
    url = options.get("url", url)
    engine = Engine(url if isinstance(url, str) else UNKNOWN, reader.place, is_async=is_async)
    engine.is_future = is_async or options.get("future") is True
    if _is_autocommit(options):
        engine.autocommit = reader.place
    known = options.get("connect_args")
    arguments = known if isinstance(known, dict) else {}
    for text in (arguments.get("options"), *_url_options(engine.url)):
        if isinstance(text, str):
            engine.setup += [set_statement(name, value) for name, value in startup_options(text)]
    settings = arguments.get("server_settings")
    if isinstance(settings, dict):
        engine.setup += [set_statement(name, value) for name, value in settings.items() if isinstance(name, str)]
    return engine


def set_statement(name: str, value: object) -> str:
    """Returns SET with a value, as the server gets it at the start of a connection."""
    text = str(value).replace("'", "''") if isinstance(value, str | int | float) else UNKNOWN
    if name.lower() == "search_path":
        return f"SET search_path = {text}"
    return f"SET {name} = '{text}'"


def startup_options(text: str) -> list[tuple[str, str]]:
    """Returns the settings in libpq's `options`, such as `-c lock_timeout=2s`."""
    return [(name, re.sub(r"\\(.)", r"\1", value)) for name, value in _STARTUP_OPTION.findall(text)]


def _url_options(url: str) -> list[str]:
    return [unquote_plus(text) for text in _URL_OPTIONS.findall(url)]


def _is_autocommit(options: Mapping[str, Any]) -> bool:
    inner = options.get("execution_options")
    levels = (options.get("isolation_level"), inner.get("isolation_level") if isinstance(inner, dict) else None)
    return any(isinstance(level, str) and level.upper() == "AUTOCOMMIT" for level in levels)


def listen(reader: Reading, target: Any, event: Any, function: Any) -> None:
    """Registers a listener for new connections of an engine, or of all engines."""
    if event in _EVENTS and isinstance(function, Function):
        listeners = target.listeners if isinstance(target, Engine) else reader.listeners
        listeners.append((event, function))


def connect(reader: Reading, engine: Engine) -> Connection:
    """Returns a new connection, on which the listeners have run."""
    connection = Connection(engine)
    for _, function in (*reader.listeners, *engine.listeners):
        reader.call_function(function, [DriverConnection(connection), UNKNOWN], {})
    return connection


def engine_method(reader: Reading, engine: Engine, name: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """Returns the result of a method of an engine."""
    match name:
        case "connect":
            return connect(reader, engine)
        case "begin":
            connection = connect(reader, engine)
            connection.begun = reader.place
            return Transaction(connection, closes=True)
        case "execution_options":
            other = Engine(engine.url, engine.place, is_async=engine.is_async)
            other.setup, other.listeners, other.is_future = engine.setup, engine.listeners, engine.is_future
            other.autocommit = reader.place if _is_autocommit(named) else engine.autocommit
            return other
        case "raw_connection":
            return DriverConnection(connect(reader, engine))
    return UNKNOWN


def connection_method(reader: Reading, connection: Connection, name: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """Returns the result of a method of a connection."""
    match name:
        case "execute" | "exec_driver_sql" | "scalar" | "scalars":
            _execute(reader, connection, name, arguments)
        case "begin" | "begin_twophase":
            connection.begun = reader.place
            return Transaction(connection)
        case "begin_nested":
            connection.begun = connection.begun or reader.place
        case "commit" | "rollback" | "close":
            end(connection, committed=name == "commit")
        case "execution_options":
            if "isolation_level" in named:
                connection.autocommit = reader.place if _is_autocommit(named) else None
            return connection
        case "run_sync":
            if arguments and isinstance(arguments[0], Function):
                return reader.call_function(arguments[0], [connection, *arguments[1:]], dict(named))
        case "connect" | "__enter__":
            return connection
        case "in_transaction":
            return connection.begun is not None
        case "get_raw_connection":
            return DriverConnection(connection)
        case "get_transaction":
            return Transaction(connection) if connection.begun is not None else None
    return UNKNOWN


def _execute(reader: Reading, connection: Connection, name: str, arguments: Sequence[Any]) -> None:
    statement = arguments[0] if arguments else UNKNOWN
    is_legacy = name == "execute" and isinstance(statement, str) and not isinstance(statement, Text) and statement != UNKNOWN
    if not is_legacy and connection.autocommit is None and begins_by_itself(reader, connection):
        connection.autobegun = connection.autobegun or connection.begun is None
        connection.begun = connection.begun or reader.place
    send(connection, statement)


def begins_by_itself(reader: Reading, connection: Connection) -> bool:
    """Whether a connection begins a transaction with its first statement."""
    return connection.engine.is_future or reader.finder.sqlalchemy_release != 1


def send(connection: Connection, statement: Any) -> None:
    """Records a statement that changes settings."""
    if isinstance(statement, str) and _SETTING.match(statement):
        connection.sent.append(str(statement))


def end(connection: Connection, *, committed: bool) -> None:
    """Ends the transaction: SET LOCAL ends with it."""
    connection.begun, connection.autobegun = None, False
    connection.sent = [sql for sql in connection.sent if not (committed and _LOCAL.match(sql))]


def driver_method(driver: DriverConnection, name: str, arguments: Sequence[Any]) -> Any:
    """Returns the result of a method of the driver's connection or cursor."""
    if name in ("execute", "exec_driver_sql") and arguments:
        send(driver.connection, arguments[0])
    if name == "run_async" and arguments and isinstance(arguments[0], Function):
        return UNKNOWN
    return driver if name == "cursor" else UNKNOWN


def enter_transaction(transaction: Transaction, block: Callable[[Any], None]) -> None:
    """Runs a block inside a transaction, which ends with it."""
    try:
        block(transaction.connection if transaction.closes else transaction)
    finally:
        end(transaction.connection, committed=True)


def is_instance(value: Any, of: Any) -> Any:
    """Returns the result of isinstance() for engines and connections; unknown for others."""
    classes = of if isinstance(of, list | tuple) else (of,)
    names = {each.last for each in classes if isinstance(each, External)}
    match value:
        case Engine(is_async=is_async):
            return bool(names & ({"AsyncEngine"} if is_async else {"Engine", "Connectable"}))
        case Connection():
            return bool(names & {"Connection", "AsyncConnection"})
        case None:
            return False
    return UNKNOWN
