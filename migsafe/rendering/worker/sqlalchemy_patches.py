"""What scripts may do here that the libraries would not let them: handle unknown values, and write as SQLAlchemy 1 wanted it.

Old revisions are rarely brought up to date, and what they did to the database then is what counts.
"""

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy
from sqlalchemy import ARRAY, Enum, MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import expression

from migsafe.rendering.worker.unknown import Unknown, name_of, run_of, unknown_like


def install_patches() -> None:
    """Let scripts do so, for good."""
    json.loads = _taking_unknown(json.loads)
    for module in (sqlalchemy, sqlalchemy.sql, expression):
        module.select = _taking_lists(module.select)  # type: ignore[attr-defined]
        for name in ("insert", "update", "delete", "exists"):
            setattr(module, name, _taking_unknown(getattr(module, name)))
    for array in (ARRAY, postgresql.ARRAY):
        array.__init__ = _of_unknown(array.__init__)  # type: ignore[method-assign]
    Enum.__new__ = _unknown_values  # type: ignore[assignment]
    Enum.__init__ = _named_after_class(Enum.__init__)  # type: ignore[method-assign]
    MetaData.__init__ = _without_bind(MetaData.__init__)  # type: ignore[method-assign]


def _taking_unknown(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        unknown = next((one for one in arguments if isinstance(one, Unknown)), None)
        if unknown is not None:
            return unknown_like(unknown, f"{function.__name__}({name_of(unknown)})")
        return function(*arguments, **named)

    return call


def _taking_lists(select: Callable[..., Any]) -> Callable[..., Any]:
    def call(*columns: Any, whereclause: Any = None) -> Any:
        listed = columns[0] if columns and isinstance(columns[0], list | tuple) else columns
        unknown = next((one for one in listed if isinstance(one, Unknown)), None)
        if unknown is not None:
            return unknown_like(unknown, f"select({name_of(unknown)})")
        if columns and isinstance(columns[0], list | tuple):
            conditions = columns[1:]
            found = select(*listed)
            return found.where(*conditions) if conditions else found
        found = select(*columns)
        return found.where(whereclause) if whereclause is not None else found

    return call


def _of_unknown(init: Callable[..., None]) -> Any:
    # SQLAlchemy goes by the names of the parameters when it copies a type.
    def call(self: ARRAY[Any], item_type: Any, as_tuple: bool = False, dimensions: int | None = None, zero_indexes: bool = False) -> None:
        item = run_of(item_type).as_type(item_type) if isinstance(item_type, Unknown) else item_type
        init(self, item, as_tuple=as_tuple, dimensions=dimensions, zero_indexes=zero_indexes)

    return call


def _unknown_values(cls: type[Enum], *enums: Any, native_enum: bool = True, length: int | None = None, **_: Any) -> Any:
    # As text it is as long as the longest of its values.
    if enums and isinstance(enums[0], Unknown) and not native_enum and length is None:
        return run_of(enums[0]).as_type(enums[0])
    return object.__new__(cls)


def _named_after_class(init: Callable[..., None]) -> Any:
    def call(self: Enum, *enums: Any, **kw: Any) -> None:
        if enums and isinstance(enums[0], Unknown):
            kw.setdefault("name", name_of(enums[0]).rpartition(".")[2].lower())
        init(self, *enums, **kw)

    return call


def _without_bind(init: Callable[..., None]) -> Any:
    def call(self: MetaData, *arguments: Any, bind: object = None, **named: Any) -> None:
        init(self, *arguments, **named)

    return call
