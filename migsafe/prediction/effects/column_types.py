"""The type of a column as ALTER COLUMN TYPE compares it: its base type, its length or precision, the domains over it."""

from collections.abc import Callable
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from migsafe.schema.casts import BUILT_IN, RANGES
from migsafe.sql.operations import Name, TypeName


class UserType(Enum):
    """The kinds of user-defined types, except domains."""

    ENUM = "enum"
    COMPOSITE = "composite"
    OTHER = "other"


class Domain(Struct, frozen=True):
    """A domain: its base type, and whether it has a CHECK or NOT NULL of its own."""

    base: TypeName
    constrained: bool = False
    collation: Name | None = None


UserTypes = Callable[[TypeName], Domain | UserType | None]
"""Returns what the schema knows about a type by its name and schema; None for an unknown type, and for the built-in types."""


class Length(Struct, frozen=True):
    """The decoded type modifier (pg_attribute.atttypmod).

    `size`: the length, or the precision of a number or of the seconds. `scale`: that of a number. `fields`: those of an interval.
    """

    size: int
    scale: int = 0
    fields: str = ""


class ColumnType(Struct, frozen=True, kw_only=True):
    """A column's type, and the base type below its domains.

    `declared` names the type itself, without its modifiers: two columns of the same `declared` have the same pg_type row. `base` is the type
    below the domains, or an array's element type; `array` tells whether it is an array. `length` is None without a limit. `kind` is None for
    a built-in type, and for a type whose casts are unknown (`known` is False), such as an array of domains.
    """

    declared: TypeName
    base: str
    length: Length | None = None
    array: bool = False
    domain: bool = False
    constrained: bool = False
    collation: Name | None = None
    kind: UserType | None = None
    known: bool = True


_SERIAL = {"serial": "integer", "smallserial": "smallint", "bigserial": "bigint"}
_MOST_DIGITS_OF_SECONDS = 6
_SECONDS = frozenset(("time with time zone", "time without time zone", "timestamp with time zone", "timestamp without time zone", "interval"))
_DEEPEST_DOMAIN = 32
FULL_PRECISION = _MOST_DIGITS_OF_SECONDS


def column_type(written: TypeName, user_types: UserTypes) -> ColumnType:
    """Returns the type of a column from its type name."""
    domains: list[Domain] = []
    outermost = _plain(written)
    while len(domains) < _DEEPEST_DOMAIN and not written.dimensions and (found := user_types(written)) and isinstance(found, Domain):
        domains.append(found)
        written = found.base
    base = _base(written, user_types)
    if not domains:
        return base
    collation = next((domain.collation for domain in domains if domain.collation is not None), base.collation)
    constrained = any(domain.constrained for domain in domains)
    return replace(base, declared=outermost, domain=True, constrained=constrained, collation=collation)


def _plain(written: TypeName) -> TypeName:
    """Returns the name of a type's pg_type row."""
    name = "character" if written.name == "bpchar" and written.schema is None else _SERIAL.get(written.name, written.name)
    return TypeName(name=name, schema=written.schema, dimensions=min(written.dimensions, 1))


def _base(written: TypeName, user_types: UserTypes) -> ColumnType:
    element = TypeName(name=written.name, schema=written.schema, modifiers=written.modifiers, fields=written.fields)
    plain = _plain(element)
    user_type = user_types(element)
    kind = None if isinstance(user_type, Domain) else user_type
    built_in = user_type is None and plain.schema is None and (plain.name in BUILT_IN or plain.name in RANGES)
    # citext comes from an extension, which may be installed in any schema.
    citext = user_type is None and plain.name == "citext"
    return ColumnType(
        declared=_plain(written),
        base=plain.name if built_in or citext else str(plain),
        length=_length(written.name, written.modifiers, written.fields),
        array=written.dimensions > 0,
        kind=kind,
        known=(built_in or citext or kind is not None) and not written.percent_type,
        collation=Name("C") if plain.name == "name" and plain.schema is None else None,
    )


def _length(name: str, modifiers: tuple[str, ...], fields: str) -> Length | None:
    try:
        numbers = [int(modifier.replace("_", "")) for modifier in modifiers]
    except ValueError:
        return None
    if not numbers:
        if fields:
            return Length(FULL_PRECISION, fields=fields)
        return Length(1) if name in ("character", "bit") else None
    if name in _SECONDS:
        return Length(min(numbers[0], _MOST_DIGITS_OF_SECONDS), fields=fields)
    return Length(numbers[0], numbers[1] if len(numbers) > 1 else 0)


_LEAST_FIELD = ("second", "minute", "hour", "day", "month", "year")


def keeps_every_value(base: str, old: Length | None, new: Length | None) -> bool:
    """Whether PostgreSQL knows that a new length or precision changes no value of the type.

    The support functions of the length coercions say so: varchar_support, numeric_support, varbit_support, interval_support and
    TemporalSimplify for times and timestamps (src/backend/utils/adt). Other types have no such function, so every value is computed again.
    """
    if new is None or old == new:
        return True
    match base:
        case "character varying" | "bit varying":
            return old is not None and new.size >= old.size
        case "numeric":
            return old is not None and new.scale == old.scale and new.size >= old.size
        case "interval":
            return _keeps_every_interval(old or Length(FULL_PRECISION), new)
        case _ if base in _SECONDS:
            return new.size == _MOST_DIGITS_OF_SECONDS or (old is not None and new.size >= old.size)
    return False


def _keeps_every_interval(old: Length, new: Length) -> bool:
    """Only the smallest field matters: PostgreSQL removes smaller units, and keeps larger ones."""
    before, after = _least(old.fields), _least(new.fields)
    return before >= after and (before > 0 or new.size >= old.size)


def _least(fields: str) -> int:
    return _LEAST_FIELD.index(fields.rsplit(" ", 1)[-1]) if fields else 0
