"""Types that are not known, and those that the schema names."""

import re
from typing import Any

from sqlalchemy.dialects.postgresql import ARRAY, ENUM
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import NullType, TypeEngine, UserDefinedType

_TYPE = re.compile(r"(?P<name>[^(\[]+?) *(?:\((?P<inside>[^)]*)\))?(?P<rest>[^(\[]*)(?P<dimensions>(?:\[\])*)")


class NamedType(UserDefinedType[Any]):
    """A type of which only the name is known, or a mark in its place."""

    cache_ok = True

    def __init__(self, name: str = "") -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """The name."""
        return self.name


def reflect_type(name: str | None, values: list[str] | None = None) -> TypeEngine[Any]:
    """The type of a column, as an inspector gives it: by PostgreSQL's name for it, an enum's `values`."""
    found = _TYPE.fullmatch(name or "")
    if found is None:
        return NullType()
    if found["dimensions"]:
        return ARRAY(reflect_type(found["name"] + (f"({found['inside']})" if found["inside"] else "") + found["rest"]))
    if values is not None:
        return ENUM(*values, name=found["name"].rpartition(".")[2], create_type=False)
    full = f"{found['name']}{found['rest']}"
    kind: Any = ischema_names.get(full)
    if kind is None:
        return NamedType(str(name))
    numbers = [int(one) for one in re.findall(r"\d+", found["inside"] or "")]
    try:
        if "with time zone" in full:
            made: TypeEngine[Any] = kind(timezone=True, precision=numbers[0] if numbers else None)
            return made
        made = kind(*numbers) if full in ("character varying", "character", "numeric", "bit") else kind()
    except TypeError:
        made = kind()
    return made
