"""Types in queries: the names of types, and which of them PostgreSQL compares with each other."""

from functools import lru_cache

from migsafe.schema.casts import BUILT_IN, cast
from migsafe.schema.objects import Domain, EnumType
from migsafe.sql.operations import Name, TypeName
from migsafe.workload.lookups import Lookups

_ALIASES = {
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "decimal": "numeric",
    "varchar": "character varying",
    "bpchar": "character",
    "bool": "boolean",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
    "serial": "integer",
    "bigserial": "bigint",
    "smallserial": "smallint",
}
_NUMBERS = frozenset(("smallint", "integer", "bigint", "numeric", "real", "double precision"))
_TEXTS = frozenset(("text", "character varying", "character", "name", "citext"))
_MOMENTS = frozenset(("date", "timestamp without time zone", "timestamp with time zone"))
_OTHERS = frozenset(("boolean", "uuid", "json", "jsonb", "bytea"))
_WITHOUT_EQUALITY = frozenset(("json", "xml", "point"))
EQUALITIES = frozenset(("=", "<>", "<", "<=", ">", ">=", "in", "not in", "any"))


@lru_cache(1024)
def named_type(text: str) -> TypeName | None:
    """Returns a type from its name (`text[]`, `schema.name`)."""
    dimensions = 0
    while text.endswith("[]"):
        text, dimensions = text[:-2], dimensions + 1
    if not text or "(" in text:
        text = text.split("(")[0].strip()
    schema, _, name = text.rpartition(".")
    name = name.strip('"')
    return TypeName(name=_ALIASES.get(name, name), schema=schema.strip('"') or None, dimensions=dimensions) if name else None


def base_type(catalog: Lookups, type_name: TypeName) -> tuple[str, EnumType | None, int] | None:
    """Returns the built-in type or enum behind a type, and the dimensions; None for a type that is not known."""
    dimensions = type_name.dimensions
    for _ in range(8):
        defined = None if type_name.schema == "pg_catalog" else catalog.type_of(type_name)
        match defined:
            case EnumType():
                return str(defined.name), defined, dimensions
            case Domain():
                type_name = defined.type
                dimensions += type_name.dimensions
            case None:
                name = _ALIASES.get(type_name.name, type_name.name)
                return (name, None, dimensions) if name in BUILT_IN else None
            case _:
                return None
    return None


def are_comparable(catalog: Lookups, left: TypeName, right: TypeName) -> bool:
    """Whether PostgreSQL may have comparison operators for two types: False only if it is certain that it has none."""
    first, second = base_type(catalog, left), base_type(catalog, right)
    if first is None or second is None:
        return True
    if first[2] or second[2]:
        same = bool(first[2]) == bool(second[2])
        if not same:
            return (first[0] not in _KNOWN and first[1] is None) or (second[0] not in _KNOWN and second[1] is None)
        return first[0] == second[0] or {first[0], second[0]} <= _TEXTS
    if first[1] is not None or second[1] is not None:
        other = second if first[1] is not None else first
        return first[0] == second[0] or (other[1] is None and other[0] not in _KNOWN)
    if first[0] == second[0]:
        return first[0] not in _WITHOUT_EQUALITY
    if first[0] not in _KNOWN or second[0] not in _KNOWN:
        return True
    return any({first[0], second[0]} <= group for group in (_NUMBERS, _TEXTS, _MOMENTS))


_KNOWN = _NUMBERS | _TEXTS | _MOMENTS | _OTHERS
"""The types whose comparison operators are known here."""


def is_assignable(catalog: Lookups, source: TypeName, target: TypeName) -> bool:
    """Whether a value of a type may be stored in a column: False only if it is certain that PostgreSQL has no cast for assignments."""
    first, second = base_type(catalog, source), base_type(catalog, target)
    if first is None or second is None or first[:2] == second[:2]:
        return True
    if first[2] or second[2]:
        return True
    if first[1] is not None or second[1] is not None:
        # An enum becomes a string, and nothing becomes an enum.
        return second[1] is None and second[0] in _TEXTS if first[1] is not None else first[0] not in _KNOWN
    if first[0] not in _KNOWN or second[0] not in _KNOWN:
        return True
    return cast(first[0], second[0], explicit=False, pg_version=catalog.pg_version) is not None


def is_known_type(catalog: Lookups, type_name: TypeName) -> bool | None:
    """Whether a type exists; None if it is not known."""
    name = _ALIASES.get(type_name.name, type_name.name)
    if name in BUILT_IN or type_name.schema in ("pg_catalog", "information_schema"):
        return True
    qualified = Name(type_name.name, type_name.schema)
    if catalog.type_named(qualified) is not None or catalog.relation(qualified) is not None:
        return True
    return False if catalog.is_dropped_type(qualified) else None
