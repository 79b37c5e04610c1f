"""What env.py configures: transactions, timeouts, naming conventions, databases. It is read, not run.

Measured on servers with Alembic 1.13.0, 1.14 and 1.20 and SQLAlchemy 2.0 and 2.1: one upgrade is one transaction, unless
`transaction_per_migration` is set. With `transactional_ddl=False` each migration has its own transaction too, despite the name of the option
(MigrationContext.begin_transaction). On a connection that is already in a transaction (`engine.begin()`, or a statement before `configure()`)
Alembic opens none, all migrations share that one, and `autocommit_block()` raises AssertionError. In AUTOCOMMIT each statement is its own
transaction.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.script_environment import UNKNOWN, UNKNOWN_SETTING, ScriptEnvironment
from migsafe.sources.alembic.conventions import follow_conventions, only_convention
from migsafe.sources.alembic.env_reader import EnvReader, TooLong
from migsafe.sources.alembic.env_scan import scan
from migsafe.sources.alembic.env_values import Engine, External, MetaData, Place, Upgrade, is_unknown
from migsafe.sources.alembic.modules import ModuleFinder
from migsafe.sources.alembic.project import Project
from migsafe.sources.alembic.settings import Settings, read_sections
from migsafe.sources.migration import Transaction

_SEARCH_PATH = lazy_pattern(r"SET (?:SESSION |LOCAL )?search_path (?:=|TO) ?(.*)", re.IGNORECASE)
_USUAL_SCHEMAS = ("", "public", "$user", "pg_catalog", "default")
_SET_CONFIG = lazy_pattern(
    r"SELECT (?:pg_catalog\.)?set_config\( ?'(?P<name>[\w.]+)' ?, ?(?P<value>'[^']*+(?:''[^']*+)*+'|\x00unknown) ?, ?(?P<local>true|false) ?\)",
    re.IGNORECASE,
)
_SETTING = "transaction_per_migration=True"
_UNREAD_HINT = "The revisions are judged with Alembic's defaults: one transaction for each upgrade, no timeout. Correct it."
_MOST_DATABASES = 8


class TransactionSettings(Struct, frozen=True):
    """How the environment sends migrations. `own_transaction_advice` is None if each has its own transaction; otherwise it says how to
    achieve that. `read_at` is where this was read. `begun_at` is where env.py itself begins the transaction, so that Alembic begins none.
    `commit_ends_all`: Alembic commits nothing after a `commit()` of its connection in a revision, because it knows only its own transaction,
    not the one that SQLAlchemy begins next. With a transaction for each migration, the next migration takes over the latter."""

    transaction: Transaction = Transaction.FILE
    own_transaction_advice: str | None = f"pass `{_SETTING}` to `context.configure()` in env.py"
    read_at: Place | None = None
    begun_at: Place | None = None
    commit_ends_all: bool = False


class Environment(Struct, frozen=True):
    """What env.py configures. `setup` is the SQL that it sends on each connection before the migrations. `databases` are the arguments of
    `run_migrations()` for each database; there is one without arguments in most projects. `problem` says why env.py cannot be read.
    `checks_enums`: the revisions may have created the CHECK of an enum that is stored as text, which today's SQLAlchemy does not create."""

    transactions: TransactionSettings = TransactionSettings()
    setup: tuple[str, ...] = ()
    scripts: ScriptEnvironment = ScriptEnvironment()
    databases: tuple[ScriptEnvironment, ...] = ()
    problem: UnreadableError | None = None
    checks_enums: bool = False
    driver: str = ""
    sqlalchemy: int = 0


def read_environment(project: Project) -> Environment:
    """Returns what the env.py of a project configures; Alembic's defaults if there is none, or it cannot be read. Many folders may share one
    env.py, which is read once in a run."""
    return _cached_environment(project.env, project.settings)


def forget_environments() -> None:
    """Begins a run: files may have changed since the last one."""
    _cached_environment.cache_clear()


@cache
def _cached_environment(env: str | None, settings: Settings | None) -> Environment:
    return _read_environment(env, settings)


def _read_environment(env: str | None, settings: Settings | None) -> Environment:
    scripts = ScriptEnvironment()
    sections: dict[str, dict[str, str]] = {}
    section = "alembic"
    if settings is not None:
        section = settings.section
        sections = read_sections(settings.config_file) if settings.config_file else {}
        scripts = ScriptEnvironment(config_file=settings.config_file, project_file=settings.project_file, section=section)
    if env is None:
        return Environment(scripts=scripts)
    scripts = msgspec.structs.replace(scripts, env_file=env)
    finder = ModuleFinder(env, settings.import_folders if settings is not None else ())
    try:
        module = finder.env()
    except UnreadableError as error:
        return Environment(scripts=scripts, problem=UnreadableError(error.message, _UNREAD_HINT))
    scripts = msgspec.structs.replace(scripts, is_flask="current_app" in module.text)
    reader = EnvReader(finder, sections, section)
    try:
        with suppress(TooLong):
            reader.read(module)
        if reader.upgrades:
            return _followed(reader, scripts, module.text)
    except Exception:  # the project's code may be of any kind, and no env.py must prevent that its migrations are read
        return Environment(_scanned(env, scan(module.tree)), scripts=scripts)
    return Environment(_scanned(env, scan(module.tree)), scripts=scripts)


def _followed(reader: EnvReader, scripts: ScriptEnvironment, text: str) -> Environment:
    """Returns what the upgrades of an env.py configure."""
    chosen = next((upgrade for upgrade in reader.upgrades if upgrade.connection is not None), reader.upgrades[0])
    settings_sent = [usable for sql in chosen.sent if (usable := _usable(sql))]
    setup = (*_schemas(settings_sent), *settings_sent)
    described = [_describe(reader, upgrade, scripts) for upgrade in _distinct(reader.upgrades)[:_MOST_DATABASES]]
    first = _describe(reader, chosen, scripts)
    ends_all = _connects_itself(text) and all(map(_is_alembics_alone, reader.upgrades))
    transactions = msgspec.structs.replace(_transactions(chosen), commit_ends_all=ends_all)
    return Environment(
        transactions,
        setup,
        first,
        tuple(described) if len(described) > 1 or chosen.arguments else (),
        driver="asyncpg" if all(_is_asyncpg(each.url, reader.finder) for each in described) else "",
        sqlalchemy=2 if reader.finder.requires_sqlalchemy_2 else 0,
    )


def _is_asyncpg(url: str, finder: ModuleFinder) -> bool:
    """Whether asyncpg certainly sends the SQL of the scripts."""
    return url.startswith("postgresql+asyncpg:") and (url != _ASYNCHRONOUS or finder.has_asyncpg_only)


def _connects_itself(text: str) -> bool:
    """Whether an env.py makes the connection itself, and certainly leaves all commits to Alembic."""
    return ".connect()" in text and not any(word in text for word in (".commit(", ".begin(", "AUTOCOMMIT", "attributes"))


def _is_alembics_alone(upgrade: Upgrade) -> bool:
    """Whether the only transaction of an upgrade is the one that Alembic begins and commits."""
    begun = upgrade.begun or upgrade.begun_later or upgrade.autocommit
    divides = upgrade.options.get("transaction_per_migration", False) is not False or upgrade.options.get("transactional_ddl") not in (
        None,
        True,
    )
    return upgrade.connection is not None and upgrade.by_alembic and begun is None and not divides and UNKNOWN not in upgrade.options


def transaction_settings(env: str | None) -> TransactionSettings:
    """Returns the transactions that an env.py configures, without a project around it."""
    return _read_environment(env, None).transactions


def _distinct(upgrades: list[Upgrade]) -> list[Upgrade]:
    """Returns the upgrades with different arguments for the scripts."""
    distinct: list[Upgrade] = []
    for upgrade in upgrades:
        if all(upgrade.arguments != other.arguments for other in distinct):
            distinct.append(upgrade)
    return distinct


def _scanned(path: str, options: Any) -> TransactionSettings:
    if options.autocommit:
        return TransactionSettings(Transaction.STATEMENT, None, (path, options.autocommit))
    if options.begins:
        place = (path, options.begins)
        return TransactionSettings(own_transaction_advice=_connect_advice(path), read_at=place, begun_at=place)
    if options and all(each.get("transaction_per_migration") is True or each.get("transactional_ddl") is False for each in options):
        return TransactionSettings(own_transaction_advice=None)
    return TransactionSettings(own_transaction_advice=f"pass `{_SETTING}` to `context.configure()` in {path}")


def _connect_advice(path: str) -> str:
    return f"let {path} connect with `connect()` instead of `begin()`, and pass `{_SETTING}` to `context.configure()`"


def _transactions(upgrade: Upgrade) -> TransactionSettings:
    path, line = upgrade.place
    if upgrade.autocommit is not None:
        return TransactionSettings(Transaction.STATEMENT, None, upgrade.autocommit)
    if upgrade.begun is not None:
        began, at = upgrade.begun
        advice = (
            _connect_advice(began)
            if not upgrade.autobegun
            else f"let {began} call `connection.commit()` after line {at}, before `context.configure()`, and pass `{_SETTING}` to it"
        )
        return TransactionSettings(own_transaction_advice=advice, read_at=upgrade.begun, begun_at=upgrade.begun)
    if upgrade.options.get("transaction_per_migration") is True or upgrade.options.get("transactional_ddl") is False:
        return TransactionSettings(own_transaction_advice=None, read_at=(path, line))
    if not upgrade.asked_alembic and upgrade.connection is not None:
        place = upgrade.begun_later or upgrade.place
        advice = (
            f"let {path} call `context.run_migrations()` in `with context.begin_transaction():`, and pass `{_SETTING}` to `context.configure()`"
        )
        begins = upgrade.begun_later is not None or upgrade.autobegins
        return TransactionSettings(own_transaction_advice=advice, read_at=place, begun_at=place if begins else None)
    return TransactionSettings(own_transaction_advice=f"pass `{_SETTING}` to `context.configure()` in {path}", read_at=(path, line))


def _usable(sql: str) -> str:
    """Returns a statement of env.py with what is unknown of it as a placeholder; nothing if it names an unknown schema."""
    text = " ".join(sql.split()).rstrip("; ")
    call = _SET_CONFIG.match(text)
    if call is not None:
        text = f"SET {'LOCAL ' if call['local'].lower() == 'true' else ''}{call['name']} = {call['value']}"
    if UNKNOWN not in text:
        return text
    return "" if "search_path" in text.lower() or "role" in text.lower() else text.replace(UNKNOWN, UNKNOWN_SETTING)


def _schemas(setup: list[str]) -> Iterator[str]:
    """Yields CREATE SCHEMA for the schemas of the search_path: they exist where the migrations run."""
    for match in filter(None, map(_SEARCH_PATH.match, setup)):
        for item in match[1].split(","):
            name = item.strip().strip("'")
            if name.strip('"').lower() not in _USUAL_SCHEMAS:
                yield f"CREATE SCHEMA IF NOT EXISTS {name}"


def _describe(reader: EnvReader, upgrade: Upgrade, scripts: ScriptEnvironment) -> ScriptEnvironment:
    options = {name: _plain(value) for name, value in upgrade.options.items() if name not in ("connection", "target_metadata", UNKNOWN)}
    if "target_metadata" in upgrade.options and not isinstance(upgrade.options["target_metadata"], MetaData):
        options["target_metadata"] = UNKNOWN if upgrade.options["target_metadata"] is not None else None
    return msgspec.structs.replace(
        scripts,
        main_options={name: _plain(value) for name, value in reader.main_options.items()},
        attributes={name: _plain(value) for name, value in reader.attributes.items() if isinstance(name, str)},
        options=options,
        arguments={name: _plain(value) for name, value in upgrade.arguments.items() if name != UNKNOWN},
        url=_url(upgrade.connection.engine if upgrade.connection is not None else None),
        naming_convention=_convention(reader, upgrade.options.get("target_metadata")),
        complete=UNKNOWN not in upgrade.options,
        begun_at=":".join(map(str, place)) if (place := _transactions(upgrade).begun_at) else "",
        autobegun=upgrade.autobegun,
    )


def _plain(value: Any) -> Any:
    """Returns a value that a message can contain."""
    match value:
        case bool() | int() | float() | None:
            return value
        case str():
            return str(value)
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
    return UNKNOWN


_ASYNCHRONOUS = f"postgresql+asyncpg://{UNKNOWN}"
"""The URL of an asynchronous engine, if nothing tells another one."""


def _url(engine: Engine | None) -> str:
    """Returns the URL of an engine; of an unknown one only the driver, if there is only one for it."""
    if engine is None:
        return ""
    url = str(engine.url)
    driver = url.partition(":")[0]
    if UNKNOWN in driver or not driver.startswith("postgres"):
        return _ASYNCHRONOUS if engine.is_async else UNKNOWN
    return url


def _convention(reader: EnvReader, metadata: Any) -> dict[str, str | None] | None:
    """Returns the naming convention of `target_metadata`. Alembic ignores the conventions of a list (SchemaObjects.metadata)."""
    if is_unknown(metadata) or isinstance(metadata, External):
        convention: Any = only_convention(reader)
    elif not isinstance(metadata, MetaData):
        return None
    else:
        if metadata is reader.shared_metadata and metadata.naming_convention is None:
            follow_conventions(reader)
        convention = metadata.naming_convention
    if not isinstance(convention, dict):
        return None if convention is None and not isinstance(metadata, MetaData) else {}
    return {
        str(key): str(template) if isinstance(template, str) and not is_unknown(template) else None
        for key, template in convention.items()
        if isinstance(key, str) and key != UNKNOWN
    }
