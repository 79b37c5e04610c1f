"""SQLModel: its models, whose columns come from annotations, and its session.

https://sqlmodel.tiangolo.com documents them. A class with `table=True` is mapped to a table with the name of the class in lower case.
Relationships are left out, because the SQL of scripts rarely depends on them.
"""

import enum
import sys
import types
import typing
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy
from sqlalchemy import Column, ForeignKey, MetaData, Select, orm
from sqlalchemy.types import NullType, String, TypeEngine

from migsafe.rendering.worker.plugins.plugin import Plugin
from migsafe.rendering.worker.unknown import Unknown

_TYPES: tuple[tuple[type, Any], ...] = (
    (str, String),
    (float, sqlalchemy.Float),
    (bool, sqlalchemy.Boolean),
    (int, sqlalchemy.Integer),
    (datetime, sqlalchemy.DateTime),
    (date, sqlalchemy.Date),
    (timedelta, sqlalchemy.Interval),
    (time, sqlalchemy.Time),
    (bytes, sqlalchemy.LargeBinary),
    (Decimal, sqlalchemy.Numeric),
    (uuid.UUID, sqlalchemy.Uuid),
)
_MISSING = object()


class FieldInfo:
    """What `Field()` says of a column."""

    def __init__(self, default: Any = _MISSING, **named: Any) -> None:
        self.default = default
        self.named = named


class RelationshipInfo:
    """What `Relationship()` returns."""


def _field(default: Any = _MISSING, **named: Any) -> Any:
    return FieldInfo(default, **named)


def _relationship(*_: object, **__: object) -> Any:
    return RelationshipInfo()


class SQLModel:
    """The base of models."""

    metadata = MetaData()
    __allow_unmapped__ = True
    _migsafe_registry = orm.registry(metadata=metadata)

    def __init_subclass__(cls, table: Any = False, **_: object) -> None:
        super().__init_subclass__()
        if table is not True:
            return
        if "__tablename__" not in vars(cls) and not any("__tablename__" in vars(base) for base in cls.__mro__[1:]):
            cls.__tablename__ = cls.__name__.lower()  # type: ignore[attr-defined]
        for name, (annotation, value) in _fields(cls).items():
            if name in vars(cls):
                delattr(cls, name)  # the columns have the order of the fields, those of the bases first
            setattr(cls, name, None if isinstance(value, RelationshipInfo) else _column(cls, annotation, value))
        cls.__annotations__ = {}
        arguments = vars(cls).get("__table_args__", ())
        cls.__table_args__ = _extending(arguments)  # type: ignore[attr-defined]
        cls._migsafe_registry.map_declaratively(cls)

    def __init__(self, **values: Any) -> None:
        for name, (_, field) in _fields(type(self)).items():
            if name in values:
                setattr(self, name, values[name])
            elif isinstance(field, FieldInfo) and callable(field.named.get("default_factory")):
                setattr(self, name, field.named["default_factory"]())

    def model_dump(self, **_: object) -> dict[str, Any]:
        """Returns the values of the fields."""
        return {name: getattr(self, name, None) for name in _fields(type(self))}

    dict = model_dump


def _extending(arguments: Any) -> Any:
    """Returns `__table_args__` with which a model may be defined again, by the next run of a script."""
    if isinstance(arguments, dict):
        return {**arguments, "extend_existing": True}
    parts = arguments if isinstance(arguments, tuple) else ()
    options = parts[-1] if parts and isinstance(parts[-1], dict) else {}
    return (*[part for part in parts if part is not options], {**options, "extend_existing": True})


def _fields(cls: type) -> dict[str, tuple[Any, Any]]:
    """Returns the annotations and values of a model's fields, by name."""
    fields: dict[str, tuple[Any, Any]] = {}
    for base in reversed(cls.__mro__):
        if base is object or base is SQLModel:
            continue
        own = vars(base).get("_migsafe_fields")
        if own is None:
            annotations = {
                name: annotation for name, annotation in vars(base).get("__annotations__", {}).items() if _is_field(name, annotation)
            }
            own = {name: (annotation, vars(base).get(name, _MISSING)) for name, annotation in annotations.items()}
            type.__setattr__(base, "_migsafe_fields", own)
        fields |= own
    return fields


def _is_field(name: str, annotation: Any) -> bool:
    return not name.startswith(("_", "model_config", "metadata")) and "ClassVar" not in str(annotation)


def _column(cls: type, annotation: Any, value: Any) -> Column[Any]:
    """Returns the column of a field."""
    named: dict[str, Any] = value.named if isinstance(value, FieldInfo) else {}
    written = named.get("sa_column")
    if isinstance(written, Column):
        return written._copy() if written.table is not None else written
    kind, is_optional = _kind(cls, annotation)
    own = named.get("sa_type")
    type_ = own if own is not None and not isinstance(own, Unknown) else _type(kind, named.get("max_length"))
    keys = [ForeignKey(named["foreign_key"])] if isinstance(named.get("foreign_key"), str) else []
    is_key = named.get("primary_key") is True
    nullable = named["nullable"] if isinstance(named.get("nullable"), bool) else is_optional and not is_key
    options = {name: named[name] is True for name in ("index", "unique") if name in named}
    added = named.get("sa_column_kwargs")
    more = added if isinstance(added, dict) else {}
    parts = named.get("sa_column_args") or ()
    return Column(type_, *keys, *parts, primary_key=is_key, **{"nullable": nullable, **options, **more})


def _kind(cls: type, annotation: Any) -> tuple[Any, bool]:
    """Returns the type of an annotation without None, and whether it allows None."""
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, vars(sys.modules[cls.__module__]) | {"Optional": typing.Optional})  # noqa: S307  # of the project
        except Exception:  # a name that only type checkers know
            return None, True
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        kinds = typing.get_args(annotation)
        return next((kind for kind in kinds if kind is not type(None)), None), type(None) in kinds
    return annotation, False


def _type(kind: Any, length: Any) -> TypeEngine[Any]:
    if not isinstance(kind, type):
        return NullType()
    if issubclass(kind, enum.Enum):
        return sqlalchemy.Enum(kind)
    known = next((type_ for python, type_ in _TYPES if issubclass(kind, python) and not (kind is bool and python is int)), None)
    if known is String:
        return String(length if isinstance(length, int) else None)
    result: TypeEngine[Any] = known() if known is not None else NullType()
    return result


class SelectOfScalar(Select[Any]):
    """A SELECT of one entity, whose results are that entity itself."""

    inherit_cache = True


def _select(*entities: Any, **named: Any) -> Any:
    if len(entities) == 1 and not isinstance(entities[0], Unknown):
        return SelectOfScalar(entities[0])
    return sqlalchemy.select(*entities, **named)


class Session(orm.Session):
    """SQLModel's session."""

    def exec(self, statement: Any, *, params: Any = None, execution_options: Any = None, **_: object) -> Any:
        """Executes a statement; the results of a SELECT of one entity are that entity itself."""
        result = self.execute(statement, params, execution_options=execution_options or {})
        return result.scalars() if isinstance(statement, SelectOfScalar) else result


def _later(name: str) -> Any:
    """Returns a function of SQLAlchemy as it is when it is called, with its patches."""

    def call(*arguments: Any, **named: Any) -> Any:
        return getattr(sqlalchemy, name)(*arguments, **named)

    return call


_CHANGED = ("insert", "update", "delete", "create_engine", "exists")

PLUGIN = Plugin(
    packages=("sqlmodel",),
    names={
        **{name: value for name, value in vars(sqlalchemy).items() if not name.startswith("_") and not isinstance(value, types.ModuleType)},
        **{name: _later(name) for name in _CHANGED},
        "SQLModel": SQLModel,
        "Field": _field,
        "Relationship": _relationship,
        "Session": Session,
        "select": _select,
        "col": lambda column: column,
    },
)
