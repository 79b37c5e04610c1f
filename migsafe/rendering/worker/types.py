"""Types of which only the name is known, and types of columns in the schema."""

import re
from typing import Any

from sqlalchemy import ARRAY as GENERIC_ARRAY
from sqlalchemy import Enum
from sqlalchemy.dialects.postgresql import ARRAY, ENUM
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.engine import Dialect
from sqlalchemy.types import NullType, TypeEngine, UserDefinedType

_TYPE = re.compile(r"(?P<name>[^(\[]+?) *(?:\((?P<inside>[^)]*)\))?(?P<rest>[^(\[]*)(?P<dimensions>(?:\[\])*)")


class NamedType(UserDefinedType[Any]):
    """A type of which only the name or a mark is known."""

    cache_ok = True

    def __init__(self, name: str = "") -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """Returns the name."""
        return self.name


def reflect_type(name: str | None, values: list[str] | None = None) -> TypeEngine[Any]:
    """Returns the type of a column, as an inspector returns it, from PostgreSQL's name for it and the `values` of an enum."""
    parts = _TYPE.fullmatch(name or "")
    if parts is None:
        return NullType()
    if parts["dimensions"]:
        return ARRAY(reflect_type(parts["name"] + (f"({parts['inside']})" if parts["inside"] else "") + parts["rest"]))
    if values is not None:
        return ENUM(*values, name=parts["name"].rpartition(".")[2], create_type=False)
    full = f"{parts['name']}{parts['rest']}"
    kind: Any = ischema_names.get(full)
    if kind is None:
        return NamedType(str(name))
    numbers = [int(digits) for digits in re.findall(r"\d+", parts["inside"] or "")]
    try:
        if "with time zone" in full:
            type_: TypeEngine[Any] = kind(timezone=True, precision=numbers[0] if numbers else None)
            return type_
        type_ = kind(*numbers) if full in ("character varying", "character", "numeric", "bit") else kind()
    except TypeError:
        type_ = kind()
    return type_


def enum_to_create(column_type: object, dialect: Dialect) -> tuple[str, ...]:
    """Returns the values of a column's type, or of that of an array's elements, if it is an enum that SQLAlchemy would create with the table;
    else nothing. With `create_type=False` a script says that the type exists."""
    if not isinstance(column_type, TypeEngine):
        return ()
    own = column_type.dialect_impl(dialect)
    if isinstance(own, GENERIC_ARRAY):
        return enum_to_create(own.item_type, dialect)
    if not isinstance(own, Enum) or not own.native_enum or not getattr(own, "create_type", True):
        return ()
    return tuple(map(str, own.enums))
