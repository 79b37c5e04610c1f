"""Flask-SQLAlchemy: the models and the session of an application, which scripts import.

https://flask-sqlalchemy.readthedocs.io/en/stable/models documents them: a model without `__tablename__` has the name of its class in snake
case; `Model.query` and `db.session` use the database of the application, here the simulated one.
"""

import re
from typing import Any

import sqlalchemy
from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Table, orm
from sqlalchemy.orm import DeclarativeBase

from migsafe.rendering.worker.inert import InertClass, mixin_of
from migsafe.rendering.worker.plugins.plugin import Plugin
from migsafe.rendering.worker.plugins.sessions import SessionOfRun

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<!^)(?=[A-Z][a-z])")


class Query(orm.Query[Any]):
    """A query with the methods that Flask-SQLAlchemy adds; where they would answer 404, the row exists."""

    def get_or_404(self, key: Any, *_: object, **__: object) -> Any:
        """Returns the object with a primary key."""
        return self.get(key)

    def first_or_404(self, *_: object, **__: object) -> Any:
        """Returns the first object."""
        return self.first()

    def one_or_404(self, *_: object, **__: object) -> Any:
        """Returns the only object."""
        return self.one()


class _QueryOfModel:
    """The attribute `query` of models."""

    def __init__(self, database: "SQLAlchemy") -> None:
        self._database = database

    def __get__(self, _: object, model: type) -> Query:
        return Query(model, session=self._database.session)


class _Named:
    """Gives models their table's name."""

    def __init_subclass__(cls, **named: Any) -> None:
        if not vars(cls).get("__abstract__") and not _has_table_name(cls):
            cls.__tablename__ = _WORD.sub("_", cls.__name__).lower()  # type: ignore[attr-defined]
        super().__init_subclass__(**named)

    @classmethod
    def __table_cls__(cls, name: str, metadata: MetaData, *parts: Any, **named: Any) -> Table | None:
        has_key = any(isinstance(part, PrimaryKeyConstraint) or (isinstance(part, Column) and part.primary_key) for part in parts)
        if not has_key and any("__table__" in vars(base) for base in cls.__mro__[1:]):
            if "__tablename__" in vars(cls):
                del cls.__tablename__  # type: ignore[attr-defined]
            return None  # its rows are in the table of its base
        return Table(name, metadata, *parts, **{**named, "extend_existing": True})


def _has_table_name(cls: type) -> bool:
    """Whether a model has the name of its table from itself, a mixin or an abstract base."""
    for base in cls.__mro__:
        own = vars(base)
        if "__table__" in own and base is cls:
            return True
        if "__tablename__" in own:
            return base is cls or bool(own.get("__abstract__")) or not issubclass(base, DeclarativeBase)
    return False


class SQLAlchemy:
    """The extension: SQLAlchemy's names, the base of models, and the session."""

    Query = Query

    def __init__(self, app: Any = None, *_: object, metadata: Any = None, model_class: Any = None, **__: object) -> None:
        named = {"metadata": metadata} if isinstance(metadata, MetaData) else {}
        model_class = mixin_of(model_class) if isinstance(model_class, InertClass) else model_class
        is_base = isinstance(model_class, type) and issubclass(model_class, DeclarativeBase)
        own: Any = model_class if is_base else type("Base", (DeclarativeBase,), {"__allow_unmapped__": True, **named})
        mixins = (model_class,) if isinstance(model_class, type) and not is_base and type(model_class) is type else ()
        attributes = {"__abstract__": True, "__allow_unmapped__": True, "query": _QueryOfModel(self), "query_class": Query}
        self.Model: Any = type("Model", (*mixins, _Named, own), attributes)
        self._session = SessionOfRun()

    @property
    def metadata(self) -> MetaData:
        """The tables of the models."""
        metadata: MetaData = self.Model.metadata
        return metadata

    @property
    def metadatas(self) -> dict[Any, MetaData]:
        """The tables, by database."""
        return {None: self.metadata}

    @property
    def session(self) -> Any:
        """The session of the application."""
        return self._session.session

    @property
    def engine(self) -> Any:
        """The engine of the application."""
        return self._session.engine

    @property
    def engines(self) -> dict[Any, Any]:
        """The engines, by database."""
        return {None: self.engine}

    def get_engine(self, *_: object, **__: object) -> Any:
        """Returns the engine of the application."""
        return self.engine

    def Table(self, name: str, *parts: Any, bind_key: str | None = None, **named: Any) -> Any:  # noqa: N802  # its name there
        """Returns a table of the application."""
        own = () if parts and isinstance(parts[0], MetaData) else (self.metadata,)
        return sqlalchemy.Table(name, *own, *parts, **{**named, "extend_existing": True})

    def init_app(self, *_: object, **__: object) -> None:
        """Does nothing: there is no application."""

    def create_all(self, *_: object, **__: object) -> None:
        """Creates the tables that do not exist."""
        self.metadata.create_all(self.engine)

    def drop_all(self, *_: object, **__: object) -> None:
        """Drops the tables that exist."""
        self.metadata.drop_all(self.engine)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            for module in (sqlalchemy, orm):
                if hasattr(module, name):
                    return getattr(module, name)
        raise AttributeError(name)


PLUGIN = Plugin(
    packages=("flask_sqlalchemy",),
    names={"SQLAlchemy": SQLAlchemy, "BaseQuery": Query, "Query": Query},
)
