"""What both sides of a signature are spelt with."""

from collections.abc import Iterable

Line = tuple[str, ...]
Signature = list[Line]

_TYPES = {
    "int4": "integer",
    "int2": "smallint",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "bpchar": "character",
    "varchar": "character varying",
    "varbit": "bit varying",
    "timestamptz": "timestamp with time zone",
    "timetz": "time with time zone",
    "timestamp": "timestamp without time zone",
    "time": "time without time zone",
    "serial4": "serial",
    "serial2": "smallserial",
    "serial8": "bigserial",
    "decimal": "numeric",
    "dec": "numeric",
    "int": "integer",
    "char": "character",
}


def type_word(schema: str | None, name: str, dimensions: int, setof: bool) -> str:
    """A type's name with its brackets; the names that PostgreSQL's grammar gives its own types count as SQL's."""
    known = _TYPES.get(name, name) if schema in (None, "pg_catalog") else f"{schema}.{name}"
    return ("setof " if setof else "") + known + "[]" * dimensions


def flags(**named: object) -> str:
    """The names of the flags that are set, in order."""
    return " ".join(sorted(name.replace("_", "-") for name, value in named.items() if value))


def many(names: Iterable[str]) -> str:
    """Names in the order in which they stand."""
    return ",".join(names)


def several(names: Iterable[str]) -> str:
    """Names whose order does not matter, each once."""
    return ",".join(sorted(set(names)))
