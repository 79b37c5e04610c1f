"""`alembic.context` as env.py uses it."""

from collections.abc import Callable
from typing import Any

from migsafe.script_environment import UNKNOWN
from migsafe.sources.alembic import env_database
from migsafe.sources.alembic.env_reading import Reading
from migsafe.sources.alembic.env_values import AlembicTransaction, Connection, External, Transaction, Upgrade

_CONFIG = "alembic.context.config"


def attribute(reader: Reading, owner: str, name: str) -> Any:
    """Returns an attribute of `context` or `context.config`."""
    match owner, name:
        case "alembic.context.config", "attributes":
            return reader.attributes
        case "alembic.context.config", "config_ini_section":
            return reader.section
        case "alembic.context.get_context()", "connection" | "bind":
            return reader.connection if reader.connection is not None else UNKNOWN
        case "alembic.context.get_context()", "config":
            return External(_CONFIG)
    return External(f"{owner}.{name}")


def call(reader: Reading, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Returns the result of a call of `context` or `context.config`."""
    if name.startswith(f"{_CONFIG}."):
        return _config(reader, name.rpartition(".")[2], arguments, named)
    match name.rpartition(".")[2]:
        case "configure":
            _configure(reader, arguments, named)
        case "begin_transaction":
            if reader.current is not None:
                reader.current.asked_alembic = True
            return AlembicTransaction()
        case "run_migrations":
            _run_migrations(reader, named)
        case "is_offline_mode":
            return False
        case "get_context":
            return External("alembic.context.get_context()")
        case "get_bind":
            return reader.connection if reader.connection is not None else UNKNOWN
        case "get_x_argument":
            return External("alembic.context.x_arguments")
        case "get" if name == "alembic.context.x_arguments.get" and len(arguments) > 1 and arguments[1] is not None:
            return arguments[1]
        case "get_tag_argument":
            return None
        case "execute" if reader.connection is not None and arguments:
            env_database.send(reader.connection, arguments[0])
    return UNKNOWN


def _config(reader: Reading, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    key = arguments[0] if arguments else named.get("name", UNKNOWN)
    default = arguments[1] if len(arguments) > 1 else named.get("default")
    match name:
        case "get_main_option" | "get_alembic_option":
            return _section(reader, reader.section).get(key, default)
        case "set_main_option" if isinstance(key, str):
            reader.main_options[key] = default.replace("%%", "%") if isinstance(default, str) else UNKNOWN
        case "get_section":
            return _section(reader, key) if key == reader.section or key in reader.sections else default if default is not None else {}
        case "get_section_option":
            third = arguments[2] if len(arguments) > 2 else named.get("default")
            option = arguments[1] if len(arguments) > 1 else named.get("name", UNKNOWN)
            return _section(reader, key).get(option, third)
    return UNKNOWN


def _section(reader: Reading, name: Any) -> dict[str, Any]:
    options: dict[str, Any] = dict(reader.sections.get(name, {})) if isinstance(name, str) else {}
    if name == reader.section:
        options.update(reader.main_options)
    return options


def _configure(reader: Reading, arguments: list[Any], named: dict[str, Any]) -> None:
    given = named.get("connection", arguments[0] if arguments else None)
    inner = named.get("opts")
    options = {**named, **(inner if isinstance(inner, dict) else {})}
    connection = given if isinstance(given, Connection) else given.connection if isinstance(given, Transaction) else None
    if connection is None and isinstance(given, str):
        options["connection"] = UNKNOWN
    reader.connection = connection
    reader.current = Upgrade(options, connection, reader.place)


def _run_migrations(reader: Reading, named: dict[str, Any]) -> None:
    current = reader.current
    if current is None:
        return
    upgrade = Upgrade(current.options, current.connection, current.place)
    upgrade.begun, upgrade.autobegun = current.begun, current.autobegun
    upgrade.by_alembic, upgrade.asked_alembic, upgrade.arguments = current.by_alembic, current.asked_alembic, named
    if current.connection is not None:
        upgrade.sent = list(current.connection.sent)
        upgrade.autobegins = env_database.begins_by_itself(reader, current.connection)
        upgrade.begun_later = current.connection.begun
        upgrade.autocommit = current.connection.autocommit
    reader.upgrades.append(upgrade)


def enter_transaction(reader: Reading, block: Callable[[Any], None]) -> None:
    """Runs the block of `with context.begin_transaction()`."""
    current = reader.current
    if current is not None:
        current.by_alembic = True
    try:
        block(UNKNOWN)
    finally:
        if current is not None:
            current.by_alembic = False
            if current.connection is not None and current.begun is None:
                env_database.end(current.connection, committed=True)
