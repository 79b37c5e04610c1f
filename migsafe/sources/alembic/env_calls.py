"""What env.py's calls and attributes return: those of Alembic and SQLAlchemy, and those of the project's own objects."""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from migsafe.patterns import lazy_pattern
from migsafe.script_environment import UNKNOWN
from migsafe.sources.alembic import env_alembic, env_database, flask_migrate
from migsafe.sources.alembic.env_reading import Reading
from migsafe.sources.alembic.env_values import (
    AlembicTransaction,
    Base,
    Class,
    Connection,
    DriverConnection,
    Engine,
    External,
    Function,
    Instance,
    MetaData,
    Method,
    ModuleValue,
    Scope,
    Text,
    Transaction,
    is_unknown,
    truth,
)
from migsafe.sources.alembic.modules import bound_names, top_level

_TEXT_METHODS = frozenset(
    (
        *("replace", "strip", "lstrip", "rstrip", "lower", "upper", "split", "startswith", "endswith", "join", "removeprefix", "removesuffix"),
        *("format", "partition", "rpartition", "splitlines", "title", "count"),
    )
)
_CONTAINER_METHODS = frozenset(("get", "update", "setdefault", "items", "keys", "values", "pop", "copy", "append", "extend", "index"))
_BUILTINS: Mapping[str, Callable[..., Any]] = {
    **{each.__name__: each for each in (dict, list, tuple, str, int, bool, len, sorted, set, enumerate, zip, range, reversed)},
}
_LONGEST_RANGE = 10_000
_WIDTH = lazy_pattern(r"\d{5}")
"""A width in a template that would produce a very long text."""


class Pending:
    """A call of a function with `yield`, which runs when a `with` enters it."""

    def __init__(self, function: Function, arguments: Sequence[Any], named: dict[str, Any]) -> None:
        self.function = function
        self.arguments = arguments
        self.named = named


def call(reader: Reading, callee: Any, arguments: list[Any], named: dict[str, Any], *, in_with: bool) -> Any:
    """Returns the result of a call."""
    match callee:
        case Function(yields=True):
            return Pending(callee, arguments, named) if in_with else UNKNOWN
        case Function():
            return reader.call_function(callee, arguments, named)
        case Class():
            return _created(reader, callee, arguments, named)
        case Method(owner=owner, name=name):
            return _method(reader, owner, name, arguments, named)
        case External():
            return _external(reader, callee, arguments, named)
        case Instance():
            own = class_member(reader, callee.of, "__call__", callee)
            return reader.call_function(own, arguments, named) if isinstance(own, Function) else UNKNOWN
    _call_back(reader, arguments)
    return UNKNOWN


def _call_back(reader: Reading, arguments: Sequence[Any]) -> Any:
    """Follows the functions that something unknown is given, because it probably calls them; returns the result of the last."""
    result: Any = UNKNOWN
    for argument in arguments:
        if isinstance(argument, Function) and not argument.yields:
            result = reader.call_function(argument, [], {})
    return result


def _created(reader: Reading, of: Class, arguments: list[Any], named: dict[str, Any]) -> Any:
    if any(isinstance(base, External) and base.last == "SQLAlchemy" for base in of.bases):
        return _external(reader, External("flask_sqlalchemy.SQLAlchemy"), arguments, named)
    return reader.instance(of, arguments, named)


def _external(reader: Reading, callee: External, arguments: list[Any], named: dict[str, Any]) -> Any:
    first = arguments[0] if arguments else UNKNOWN
    if callee.name.startswith("alembic."):
        return env_alembic.call(reader, callee.name, arguments, named)
    if callee.name.endswith(("environ.get", "os.getenv", "getenv")):
        return named.get("default", arguments[1] if len(arguments) > 1 and arguments[1] is not None else UNKNOWN)
    match callee.last:
        case "create_engine" | "create_async_engine":
            return env_database.make_engine(reader, first, named, is_async="async" in callee.last)
        case "engine_from_config" | "async_engine_from_config":
            return _engine_from_config(reader, first, arguments, named, is_async="async" in callee.last)
        case "MetaData":
            return MetaData(named.get("naming_convention"))
        case "declarative_base" | "registry" | "automap_base" | "SQLAlchemy" | "as_declarative":
            metadata = named.get("metadata")
            return Base(metadata if isinstance(metadata, MetaData) else MetaData(UNKNOWN if is_unknown(metadata) else None))
        case "text":
            return Text(first) if isinstance(first, str) else first
        case "create" | "URL" if callee.name.endswith(("URL", "URL.create")):
            return f"{named.get('drivername', first)}://{UNKNOWN}"
        case "listen" if len(arguments) > 2:
            return env_database.listen(reader, *arguments[:3])
        case "listens_for":
            return callee
        case "get" if callee.name.endswith("current_app.extensions.get"):
            return External(f"{callee.name.removesuffix('.get')}[{first}]")
    return _python(reader, callee, arguments, named)


def _python(reader: Reading, callee: External, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Returns the result of one of Python's own functions; unknown for others, which may call the functions that they are given."""
    first = arguments[0] if arguments else UNKNOWN
    match callee.last:
        case "getattr" if len(arguments) > 1 and isinstance(arguments[1], str):
            value = attribute(reader, first, arguments[1])
            return arguments[2] if len(arguments) > 2 and is_unknown(value) else value
        case "isinstance" if len(arguments) == 2:
            return env_database.is_instance(first, arguments[1])
        case "split" if callee.name == "re.split" and all(isinstance(part, str) and UNKNOWN not in part for part in arguments):
            return re.split(*arguments[:2])
        case "make_url" | "partial" | "cast" | "deepcopy" | "copy" | "str" if arguments and (callee.last != "str" or isinstance(first, str)):
            return arguments[1] if callee.last == "cast" and len(arguments) > 1 else first
        case "run" | "run_until_complete" | "gather" | "wait_for":
            result = _call_back(reader, arguments)
            return first if is_unknown(result) else result
        case "warn" | "fileConfig" | "print" | "Migrate":
            return UNKNOWN
    if callee.name == f"builtins.{callee.last}" and callee.last in _BUILTINS:
        return _plainly(_BUILTINS[callee.last], arguments, named)
    return _call_back(reader, arguments)


def _plainly(function: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
    if any(is_unknown(argument) or isinstance(argument, External) for argument in arguments) or UNKNOWN in named:
        return UNKNOWN
    try:
        result = function(*arguments, **named)
        if isinstance(result, range) and len(result) > _LONGEST_RANGE:
            return UNKNOWN
    except Exception:  # the arguments may be anything
        return UNKNOWN
    plain = isinstance(result, str | int | float | dict | list | tuple | set | bytes | type(None))
    return result if plain else list(result) if len(arguments) < 100 else UNKNOWN


def _engine_from_config(reader: Reading, section: Any, arguments: Sequence[Any], named: dict[str, Any], *, is_async: bool) -> Engine:
    prefix = named.get("prefix", arguments[1] if len(arguments) > 1 else "sqlalchemy.")
    options = section if isinstance(section, dict) else {}
    known = {key.removeprefix(prefix): value for key, value in options.items() if isinstance(key, str) and key.startswith(str(prefix))}
    return env_database.make_engine(reader, known.get("url", UNKNOWN), {**known, **named}, is_async=is_async)


def _method(reader: Reading, owner: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    match owner:
        case Engine():
            return env_database.engine_method(reader, owner, name, arguments, named)
        case Connection():
            return env_database.connection_method(reader, owner, name, arguments, named)
        case DriverConnection():
            return env_database.driver_method(owner, name, arguments)
        case Transaction() if name in ("commit", "rollback", "close"):
            env_database.end(owner.connection, committed=name == "commit")
        case Base():
            return flask_migrate.engine(reader) if name == "get_engine" else Base(owner.metadata)
        case str() if name in _TEXT_METHODS:
            return _text_method(owner, name, arguments, named)
        case dict() | list() | tuple() if name in _CONTAINER_METHODS and hasattr(owner, name):
            return _container_method(owner, name, arguments, named)
    _call_back(reader, arguments)
    return UNKNOWN


def _text_method(owner: str, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    if UNKNOWN in owner or any(UNKNOWN in argument for argument in arguments if isinstance(argument, str)):
        return owner if name in ("replace", "strip", "rstrip", "lstrip") else UNKNOWN
    if name == "format" and _WIDTH.search(owner):
        return UNKNOWN
    return _plainly(getattr(owner, name), arguments, named)


def _container_method(owner: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    try:
        result = getattr(owner, name)(*arguments, **named)
    except Exception:  # the arguments may be anything
        return UNKNOWN
    return list(result) if name in ("items", "keys", "values") else result


def attribute(reader: Reading, owner: Any, name: str) -> Any:
    """Returns an attribute."""
    match owner:
        case ModuleValue(name=module):
            return reader.member(module, name)
        case External():
            return _external_attribute(reader, owner, name)
        case Class():
            return class_member(reader, owner, name, owner)
        case Instance(names=names, of=of):
            return names[name] if name in names else class_member(reader, of, name, owner)
        case MetaData():
            return owner.naming_convention if name == "naming_convention" else UNKNOWN
        case Base(metadata=metadata):
            return _of_base(reader, owner, metadata, name)
        case Engine() if name in ("sync_engine", "engine", "url"):
            return owner.url if name == "url" else owner
        case Connection() if name in ("sync_connection", "engine", "connection"):
            return {"sync_connection": owner, "engine": owner.engine}.get(name) or DriverConnection(owner)
        case DriverConnection() if name in ("driver_connection", "dbapi_connection", "connection"):
            return owner
        case str() if is_unknown(owner):
            return UNKNOWN
        case Engine() | Connection() | DriverConnection() | Transaction() | str() | dict() | list() | tuple():
            return Method(owner, name)
    return UNKNOWN


def _of_base(reader: Reading, owner: Base, metadata: MetaData, name: str) -> Any:
    match name:
        case "metadata":
            return metadata
        case "metadatas":
            return {None: metadata}
        case "Model":
            return owner
        case "engine":
            return flask_migrate.engine(reader)
        case "engines":
            return {None: flask_migrate.engine(reader)}
    return Method(owner, name)


def _external_attribute(reader: Reading, owner: External, name: str) -> Any:
    if owner.name.startswith("alembic.context"):
        return env_alembic.attribute(reader, owner.name, name)
    if owner.last == "SQLModel" and name == "metadata":
        return reader.shared_metadata
    if owner.name.endswith("current_app.extensions[migrate]") and name in ("db", "configure_args"):
        database, options = flask_migrate.find_database(reader)
        return database if name == "db" else options
    return External(f"{owner.name}.{name}")


def item(reader: Reading, owner: Any, key: Any) -> Any:
    """Returns an item of a container."""
    match owner:
        case dict():
            return owner.get(key, UNKNOWN) if isinstance(key, str | int | float | bool | type(None)) else UNKNOWN
        case list() | tuple() if isinstance(key, int) and -len(owner) <= key < len(owner):
            return owner[key]
        case External(name=name) if not name.endswith("environ"):
            return External(f"{name}[{key}]")
    return UNKNOWN


def set_attribute(reader: Reading, owner: Any, name: str, value: Any) -> None:
    """Sets an attribute."""
    match owner:
        case MetaData() if name == "naming_convention":
            owner.naming_convention = value
        case Base() if name == "metadata" and isinstance(value, MetaData):
            owner.metadata = value
        case Class() if name == "metadata" and isinstance(value, MetaData):
            owner.metadata = value
        case Class() | Instance():
            owner.names[name] = value
        case External(last="SQLModel") if name == "metadata" and isinstance(value, MetaData):
            reader.shared_metadata = value


def class_member(reader: Reading, of: Class, name: str, owner: Any) -> Any:
    """Returns a member of a class or of one of its bases, bound to its owner if it is a method."""
    if name in of.names:
        return of.names[name]
    if name == "metadata" and of.metadata is not None:
        return of.metadata
    scope: Scope = of.scope
    for statement in top_level(of.node.body):
        if name in bound_names(statement):
            if name not in scope.names:
                reader.run([statement], scope)
            return _bound(reader, scope.names.get(name, UNKNOWN), statement, owner, of)
    if name == "metadata" and any(bound_names(statement) & {"registry"} for statement in of.node.body):
        return attribute(reader, class_member(reader, of, "registry", owner), "metadata")
    for base in of.bases:
        value = class_member(reader, base, name, owner) if isinstance(base, Class) else _inherited(reader, of, base, name)
        if not is_unknown(value):
            return value
    return UNKNOWN


def _bound(reader: Reading, value: Any, statement: ast.stmt, owner: Any, of: Class) -> Any:
    if (
        not isinstance(value, Function)
        or isinstance(value.node, ast.Lambda)
        or not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
    ):
        return value
    decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in statement.decorator_list}
    if decorators & {"staticmethod"}:
        return value
    bound = Function(value.node, value.scope, of if "classmethod" in decorators else owner)
    if decorators & {"property", "cached_property"}:
        return reader.call_function(bound, [], {})
    return bound


def _inherited(reader: Reading, of: Class, base: Any, name: str) -> Any:
    """Returns a member that a class has from a base outside of the project."""
    if name != "metadata":
        return UNKNOWN
    if isinstance(base, Base):
        return base.metadata
    if isinstance(base, External) and base.last == "SQLModel":
        return reader.shared_metadata
    if isinstance(base, External) and base.last in ("DeclarativeBase", "DeclarativeBaseNoMeta"):
        of.metadata = MetaData()
        return of.metadata
    return UNKNOWN


def decorate(reader: Reading, decorator: Any, arguments: Sequence[Any], function: Function) -> None:
    """Registers a function that is decorated as a listener."""
    if isinstance(decorator, External) and decorator.last == "listens_for" and len(arguments) > 1:
        env_database.listen(reader, arguments[0], arguments[1], function)


def enter(reader: Reading, value: Any, block: Callable[[Any], None]) -> None:
    """Runs the block of a `with`."""
    match value:
        case Connection():
            try:
                block(value)
            finally:
                env_database.end(value, committed=False)
        case Transaction():
            env_database.enter_transaction(value, block)
        case AlembicTransaction():
            env_alembic.enter_transaction(reader, block)
        case Pending(function=function, arguments=arguments, named=named):
            reader.call_function(function, arguments, named, block)
        case Instance():
            _enter_instance(reader, value, block)
        case _:
            block(value if truth(value) and not is_unknown(value) else UNKNOWN)


def _enter_instance(reader: Reading, value: Instance, block: Callable[[Any], None]) -> None:
    entering, leaving = (class_member(reader, value.of, name, value) for name in ("__enter__", "__exit__"))
    if not isinstance(entering, Function):
        entering, leaving = (class_member(reader, value.of, name, value) for name in ("__aenter__", "__aexit__"))
    try:
        block(reader.call_function(entering, [], {}) if isinstance(entering, Function) else value)
    finally:
        if isinstance(leaving, Function):
            reader.call_function(leaving, [], {})
