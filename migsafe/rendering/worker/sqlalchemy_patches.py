"""Patches that let SQLAlchemy's functions accept unknown values and the forms of SQLAlchemy 1.

Old revisions are rarely updated to SQLAlchemy 2, but their SQL still counts. See docs/architecture.md.
"""

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy
from sqlalchemy import ARRAY, Column, Enum, Insert, MetaData, Table, TextClause, Update, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Row
from sqlalchemy.sql import coercions, expression

from migsafe.rendering.worker.open_tables import accepting_autoload, adding_columns
from migsafe.rendering.worker.unknown import Unknown, name_of, run_of, unknown_like


def install_patches() -> None:
    """Installs the patches for the rest of the process."""
    json.loads = _accepting_unknown(json.loads)
    for module in (sqlalchemy, sqlalchemy.sql, expression):
        module.select = _accepting_lists(module.select)  # type: ignore[attr-defined]
        for name in ("insert", "update", "delete", "exists"):
            setattr(module, name, _accepting_unknown(getattr(module, name)))
    for array in (ARRAY, postgresql.ARRAY):
        array.__init__ = _accepting_unknown_items(array.__init__)  # type: ignore[method-assign]
    Enum.__new__ = _new_enum  # type: ignore[assignment]
    Enum.__init__ = _name_enum(Enum.__init__)  # type: ignore[method-assign]
    MetaData.__init__ = _keeping_bind(MetaData.__init__)  # type: ignore[method-assign]
    MetaData.reflect = _reflecting_with_bind(MetaData.reflect)  # type: ignore[method-assign]
    Row.__getitem__ = _accepting_names(Row.__getitem__)  # type: ignore[method-assign]
    coercions._no_text_coercion = _as_text
    coercions._NoTextCoercion._literal_coercion = _accepting_text(coercions._NoTextCoercion._literal_coercion)  # type: ignore[method-assign]
    Table.__init__ = accepting_autoload(Table.__init__)  # type: ignore[method-assign]
    for statement in (Insert, Update):
        statement.values = adding_columns(statement.values)  # type: ignore[method-assign]


def _as_text(element: Any, *_: Any, **__: Any) -> Any:
    return text(str(element))  # SQLAlchemy 1 accepted a string as SQL


def _accepting_text(coerce: Callable[..., Any]) -> Any:
    def call(self: Any, element: Any, **named: Any) -> Any:
        is_sql = isinstance(element, str) and not isinstance(element, Unknown) and issubclass(TextClause, self._role_class)
        return _as_text(element) if is_sql else coerce(self, element, **named)

    return call


def _accepting_unknown(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        unknown = next((argument for argument in arguments if isinstance(argument, Unknown)), None)
        if unknown is not None:
            return unknown_like(unknown, f"{function.__name__}({name_of(unknown)})")
        return function(*arguments, **named)

    return call


def _accepting_lists(select: Callable[..., Any]) -> Callable[..., Any]:
    def call(*columns: Any, whereclause: Any = None) -> Any:
        selected = columns[0] if columns and isinstance(columns[0], list | tuple) else columns
        unknown = next((column for column in selected if isinstance(column, Unknown)), None)
        if unknown is not None:
            return unknown_like(unknown, f"select({name_of(unknown)})")
        if columns and isinstance(columns[0], list | tuple):
            conditions = columns[1:]
            statement = select(*selected)
            return statement.where(*conditions) if conditions else statement
        statement = select(*columns)
        return statement.where(whereclause) if whereclause is not None else statement

    return call


def _accepting_unknown_items(init: Callable[..., None]) -> Any:
    # SQLAlchemy reads the names of the parameters when it copies a type.
    def call(self: ARRAY[Any], item_type: Any, as_tuple: bool = False, dimensions: int | None = None, zero_indexes: bool = False) -> None:
        item = run_of(item_type).as_type(item_type) if isinstance(item_type, Unknown) else item_type
        init(self, item, as_tuple=as_tuple, dimensions=dimensions, zero_indexes=zero_indexes)

    return call


def _new_enum(cls: type[Enum], *enums: Any, native_enum: bool = True, length: int | None = None, **_: Any) -> Any:
    # A non-native enum is as long as the longest of its values.
    if enums and isinstance(enums[0], Unknown) and not native_enum and length is None:
        return run_of(enums[0]).as_type(enums[0])
    return object.__new__(cls)


def _name_enum(init: Callable[..., None]) -> Any:
    def call(self: Enum, *enums: Any, **kw: Any) -> None:
        if enums and isinstance(enums[0], Unknown):
            kw.setdefault("name", name_of(enums[0]).rpartition(".")[2].lower())
        init(self, *enums, **kw)

    return call


def _keeping_bind(init: Callable[..., None]) -> Any:
    def call(self: MetaData, *arguments: Any, bind: Any = None, **named: Any) -> None:
        init(self, *arguments, **named)
        self.__dict__["bind"] = bind

    return call


def _reflecting_with_bind(reflect: Callable[..., None]) -> Any:
    def call(self: MetaData, bind: Any = None, *arguments: Any, **named: Any) -> None:
        reflect(self, bind if bind is not None else self.__dict__.get("bind"), *arguments, **named)

    return call


def _accepting_names(get_item: Callable[..., Any]) -> Any:
    # A row of SQLAlchemy 1 has its values by the names of columns, and by the columns, too.
    def call(self: Row[Any], key: Any) -> Any:
        return self._mapping[key] if isinstance(key, str | Column) and not isinstance(key, Unknown) else get_item(self, key)

    return call
