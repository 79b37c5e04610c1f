"""The objects that env.py works with, as far as their state matters for migrations."""

import ast
from typing import Any

from migsafe.script_environment import UNKNOWN
from migsafe.sources.alembic.modules import Module

Place = tuple[str, int]
"""A file and a line in it."""


class Scope:
    """The names of a module, a class or a call of a function."""

    def __init__(self, module: Module, outer: "Scope | None" = None) -> None:
        self.module = module
        self.outer = outer
        self.names: dict[str, Any] = {}
        self.lazy = False
        """Whether it is a module whose statements run only when a name of it is needed."""
        self.in_progress: set[str] = set()

    @property
    def top(self) -> "Scope":
        """The scope of the module."""
        return self if self.outer is None else self.outer.top


class Function:
    """A function of the project; `owner` is the object whose method it is."""

    def __init__(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope, owner: Any = None) -> None:
        self.node = node
        self.scope = scope
        self.owner = owner
        body = node.body if isinstance(node.body, list) else []
        self.yields = any(isinstance(inner, ast.Yield) for statement in body for inner in ast.walk(statement))


class Class:
    """A class of the project. `bases` are evaluated."""

    def __init__(self, node: ast.ClassDef, scope: Scope, bases: list[Any]) -> None:
        self.node = node
        self.scope = scope
        self.bases = bases
        self.names: dict[str, Any] = {}
        self.metadata: MetaData | None = None


class Instance:
    """An object of a class of the project."""

    def __init__(self, of: Class) -> None:
        self.of = of
        self.names: dict[str, Any] = {}


class External:
    """Something outside of the project, by its dotted name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def last(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


class ModuleValue:
    """A module of the project, or a folder of modules."""

    def __init__(self, name: str) -> None:
        self.name = name


class Method:
    """A method of one of the objects below, not called yet."""

    def __init__(self, owner: Any, name: str) -> None:
        self.owner = owner
        self.name = name


class MetaData:
    """Metadata of models. The convention is None without one; UNKNOWN if it cannot be read."""

    def __init__(self, convention: Any = None) -> None:
        self.naming_convention = convention


class Base:
    """The base class of models, or a registry or extension that has metadata."""

    def __init__(self, metadata: MetaData) -> None:
        self.metadata = metadata


class Engine:
    """An engine. `setup` is the SQL that each new connection has executed."""

    def __init__(self, url: Any, place: Place, *, is_async: bool = False) -> None:
        self.url = url
        self.place = place
        self.is_async = is_async
        self.is_future = is_async
        """Whether its connections begin transactions by themselves in SQLAlchemy 1.4 too."""
        self.autocommit: Place | None = None
        self.setup: list[str] = []
        self.listeners: list[tuple[str, Function]] = []


class Connection:
    """A connection. `begun` says where its transaction began; `sent` is the SQL that it has executed and that stays in effect."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.autocommit = engine.autocommit
        self.begun: Place | None = None
        self.autobegun = False
        self.sent: list[str] = list(engine.setup)


class DriverConnection:
    """The driver's connection, or a cursor of it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection


class Transaction:
    """A transaction of a connection, as a context manager. `own` is False for the connection itself, which closes."""

    def __init__(self, connection: Connection, *, closes: bool = False) -> None:
        self.connection = connection
        self.closes = closes


class AlembicTransaction:
    """The result of `context.begin_transaction()`."""


class Text(str):
    """A statement in `text()`."""

    __slots__ = ()


class Upgrade:
    """One call of `run_migrations()`: the arguments of `configure()` and its own, the connection, and the transaction."""

    def __init__(self, options: dict[str, Any], connection: Connection | None, place: Place) -> None:
        self.options = options
        self.connection = connection
        self.place = place
        self.begun: Place | None = connection.begun if connection is not None else None
        """Where env.py began the transaction before Alembic was configured."""
        self.autobegun = connection is not None and connection.autobegun
        self.begun_later: Place | None = None
        """Where env.py began a transaction after that, until `run_migrations()`."""
        self.autobegins = True
        """Whether the connection begins a transaction with its first statement."""
        self.autocommit = connection.autocommit if connection is not None else None
        self.by_alembic = False
        """Whether `context.begin_transaction()` is open."""
        self.asked_alembic = False
        """Whether `context.begin_transaction()` has been called, perhaps by a context manager that is not known."""
        self.arguments: dict[str, Any] = {}
        self.sent: list[str] = []


def is_unknown(value: Any) -> bool:
    """Whether a value is not known at all."""
    return isinstance(value, str) and str.__eq__(value, UNKNOWN)


def truth(value: Any) -> bool | None:
    """Returns the truth value; None if it is unknown."""
    if isinstance(value, External) or (isinstance(value, str) and UNKNOWN in value):
        return None
    return bool(value) if isinstance(value, str | bytes | int | float | list | tuple | dict | set | frozenset | type(None)) else True
