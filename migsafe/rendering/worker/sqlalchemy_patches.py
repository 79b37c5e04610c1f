"""Patches that let SQLAlchemy's functions accept unknown values and the forms of SQLAlchemy 1.

Old revisions are rarely updated to SQLAlchemy 2, but their SQL still counts. See docs/architecture.md.
"""

import json
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import sqlalchemy
from sqlalchemy import (
    ARRAY,
    Column,
    Enum,
    FromClause,
    Function,
    Insert,
    Join,
    LargeBinary,
    MetaData,
    Select,
    Table,
    TableClause,
    TextClause,
    Update,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Row
from sqlalchemy.event import api as event_api
from sqlalchemy.ext.mutable import MutableBase
from sqlalchemy.orm import loading
from sqlalchemy.sql import coercions, expression
from sqlalchemy.util import OrderedSet

from migsafe.rendering.worker.older_sqlalchemy import install_older_forms, older_select
from migsafe.rendering.worker.open_tables import accepting_autoload, adding_columns
from migsafe.rendering.worker.unknown import Unknown, name_of, run_of, unknown_like


def install_patches() -> None:
    """Installs the patches for the rest of the process."""
    json.loads = _accepting_unknown(json.loads)
    for module in (sqlalchemy, sqlalchemy.sql, expression):
        module.select = _accepting_lists(module.select)  # type: ignore[attr-defined]
        for name in ("insert", "update", "delete"):
            setattr(module, name, _accepting_unknown(_accepting_conditions(getattr(module, name))))
        module.exists = _accepting_unknown(module.exists)  # type: ignore[attr-defined]
    for name in ("insert", "update", "delete"):
        setattr(TableClause, name, _accepting_conditions(getattr(TableClause, name)))
    for source in (FromClause, Join):
        source.select = _accepting_filter(source.select)  # type: ignore[method-assign]
    Select.with_only_columns = _accepting_sequence(Select.with_only_columns)  # type: ignore[method-assign]
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
    setattr(Table, "indexes", property(_indexes, _set_indexes))  # noqa: B010  # mypy: an attribute
    for statement in (Insert, Update):
        statement.values = adding_columns(statement.values)  # type: ignore[method-assign]
    Column.__init__ = _calling_unknown_defaults(Column.__init__)  # type: ignore[method-assign]
    Function.__init__ = _ignoring_named(Function.__init__)  # type: ignore[method-assign]
    Column._set_parent = _replacing(Column._set_parent)  # type: ignore[method-assign]
    setattr(MutableBase, "coerce", classmethod(_leaving_unknown(vars(MutableBase)["coerce"].__func__)))  # noqa: B010  # mypy: a method
    loading._decorate_polymorphic_switch = _accepting_unknown_kinds(loading._decorate_polymorphic_switch)
    for module in (sqlalchemy, sqlalchemy.types):
        vars(module)["Binary"] = LargeBinary  # its name until SQLAlchemy 1.3
    listen = _without_unknown(event_api.listen)
    for module in (sqlalchemy.event, event_api):
        vars(module)["listen"] = listen
    install_older_forms()


def _indexes(self: Table) -> Any:
    return vars(self)["indexes"]


def _set_indexes(self: Table, indexes: Iterable[Any]) -> None:
    # A set has another order in each process, and Alembic creates the indexes of a table in that order.
    vars(self)["indexes"] = OrderedSet(indexes)


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


def _accepting_conditions(change: Callable[..., Any]) -> Callable[..., Any]:
    # SQLAlchemy 1 took `delete(table, condition)`, `update(table, condition, values)`, `insert(table, values)`, also as methods of a table.
    def call(table: Any, *arguments: Any, whereclause: Any = None, values: Any = None, **_: Any) -> Any:
        statement = change(table)
        if change.__name__ == "insert":
            values = arguments[0] if arguments else values
        else:
            whereclause = arguments[0] if arguments else whereclause
            values = arguments[1] if len(arguments) > 1 else values
        if whereclause is not None:
            statement = statement.where(whereclause)
        return statement.values(values) if values is not None else statement

    return wraps(change)(call)


def _calling_unknown_defaults(init: Callable[..., None]) -> Any:
    # Only an INSERT or UPDATE uses them; SQLAlchemy would look at an unknown value when it creates the column.
    def call(self: Column[Any], *arguments: Any, **named: Any) -> None:
        unknown = {name: value for name, value in named.items() if name in ("default", "onupdate") and isinstance(value, Unknown)}
        init(self, *arguments, **named | {name: _returning(unknown_like(value, f"{name_of(value)}()")) for name, value in unknown.items()})

    return call


def _returning(value: Unknown) -> Callable[[], Unknown]:
    return lambda: value


def _ignoring_named(init: Callable[..., None]) -> Any:
    # SQLAlchemy 1 ignored the arguments of a function by name.
    def call(self: Function[Any], *clauses: Any, type_: Any = None, packagenames: Any = None, **named: Any) -> None:
        known = {name: value for name, value in named.items() if name == "monotonic"}
        init(self, *clauses, type_=type_, packagenames=packagenames, **known)

    return call


def _without_unknown(listen: Callable[..., None]) -> Any:
    # A listener of a package that is not installed here (tracing, metrics) would make every statement depend on it.
    def call(target: Any, identifier: str, listener: Any, *arguments: Any, **named: Any) -> None:
        if not isinstance(target, Unknown) and not isinstance(listener, Unknown):
            listen(target, identifier, listener, *arguments, **named)

    return call


def _accepting_lists(select: Callable[..., Any]) -> Callable[..., Any]:
    def call(*columns: Any, **named: Any) -> Any:
        selected = columns[0] if columns and isinstance(columns[0], list | tuple) else columns
        unknown = next((column for column in selected if isinstance(column, Unknown)), None)
        return unknown_like(unknown, f"select({name_of(unknown)})") if unknown is not None else older_select(select, columns, named)

    return call


def _replacing(set_parent: Callable[..., None]) -> Any:
    # Until SQLAlchemy 1.4, the second of two columns with one name replaced the first.
    def call(self: Column[Any], parent: Any, *, allow_replacements: bool = True, **named: Any) -> None:
        set_parent(self, parent, allow_replacements=True, **named)

    return call


def _leaving_unknown(coerce: Callable[..., Any]) -> Any:
    # A mutable type makes its own kind of dictionary or list of each value, and refuses all others.
    def call(cls: type[MutableBase], key: str, value: Any) -> Any:
        return value if isinstance(value, Unknown) else coerce(cls, key, value)

    return call


class _Kinds(dict[Any, Any]):
    """The mappers of a class's subclasses; an object of an unknown kind is one of the class itself."""

    def __init__(self, mapper: Any) -> None:
        super().__init__(mapper.polymorphic_map)
        self._mapper = mapper

    def __missing__(self, kind: Any) -> Any:
        if isinstance(kind, Unknown):
            return self._mapper
        raise KeyError(kind)


def _accepting_unknown_kinds(switch: Callable[..., Any]) -> Callable[..., Any]:
    def call(instance: Any, context: Any, entity: Any, mapper: Any, *arguments: Any) -> Any:
        mapper.polymorphic_map = _Kinds(mapper)
        return switch(instance, context, entity, mapper, *arguments)

    return call


def _accepting_filter(select: Callable[..., Any]) -> Any:
    # SQLAlchemy 1 took `table.select(condition)`.
    def call(self: FromClause, whereclause: Any = None, **_: Any) -> Any:
        statement = select(self)
        return statement.where(whereclause) if whereclause is not None else statement

    return call


def _accepting_sequence(only: Callable[..., Any]) -> Any:
    # SQLAlchemy 1 took the columns as one list.
    def call(self: Any, *columns: Any, **named: Any) -> Any:
        return only(self, *(columns[0] if len(columns) == 1 and isinstance(columns[0], list | tuple) else columns), **named)

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
