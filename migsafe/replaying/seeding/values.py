"""What a column can hold in row `n`: SQL expressions by type, the most varied first."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_TYPE = """
    SELECT t.typname, n.nspname, t.typtype, t.typcategory, t.typelem::int8, t.typbasetype::int8, t.typtypmod, t.typrelid::int8,
        pg_catalog.format_type(t.oid, %(modifier)s),
        (SELECT r.rngsubtype::int8 FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid),
        (SELECT pg_catalog.count(*) FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid),
        t.typsubscript = 'array_subscript_handler'::regproc AND t.typlen = -1,
        (SELECT pg_catalog.array_agg(pg_catalog.pg_get_expr(c.conbin, 0)) FROM pg_catalog.pg_constraint AS c
            WHERE c.contypid = t.oid AND c.contype = 'c')
    FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace WHERE t.oid = %(oid)s
"""
_ATTRIBUTES = """
    SELECT atttypid::int8, atttypmod FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_LITERAL = re.compile(r"'((?:[^']|'')*)'(?:::[\w\s\"().]+?(?=[\s,)\]]|$))?|(?<![\w.])(-?\d+(?:\.\d+)?)")
_MOST_CONSTANTS = 40
_START = "2020-01-01"

_SIMPLE: dict[str, tuple[str, ...]] = {
    "bool": ("n % 2 = 0", "true", "false"),
    "int2": ("(n % 32000)::int2", "(n % 100)::int2", "1::int2", "0::int2"),
    "int4": ("n::int4", "(n % 100)::int4", "1", "0", "(-n)::int4"),
    "int8": ("n::int8", "(n % 100)::int8", "1::int8", "0::int8", "(-n)::int8"),
    "float4": ("n::float4", "(n % 100 / 100.0)::float4", "0::float4"),
    "float8": ("n::float8", "n % 100 / 100.0::float8", "0::float8"),
    "money": ("(n % 100000)::numeric::money", "0::money"),
    "oid": ("n::oid",),
    "date": (f"date '{_START}' + (n % 2000)::int4", "current_date"),
    "timestamp": (f"timestamp '{_START}' + n * interval '1 minute'", "localtimestamp"),
    "timestamptz": (f"timestamptz '{_START}' + n * interval '1 minute'", "now()"),
    "time": ("time '00:00' + (n % 86400) * interval '1 second'",),
    "timetz": ("timetz '00:00+00' + (n % 86400) * interval '1 second'",),
    "interval": ("n * interval '1 second'", "interval '1 day'"),
    "uuid": ("pg_catalog.md5(n::text)::uuid",),
    "json": ("pg_catalog.json_build_object('n', n)", "'[]'::json", "pg_catalog.to_json(n)"),
    "jsonb": ("pg_catalog.jsonb_build_object('n', n)", "'[]'::jsonb", "pg_catalog.to_jsonb(n)", "'\"text\"'::jsonb"),
    "jsonpath": ("'$'::jsonpath",),
    "bytea": ("pg_catalog.decode(pg_catalog.md5(n::text), 'hex')",),
    "inet": ("inet '10.0.0.0' + n",),
    "cidr": ("pg_catalog.set_masklen((inet '10.0.0.0' + n), 32)::cidr",),
    "macaddr": ("pg_catalog.lpad(pg_catalog.to_hex(n), 12, '0')::macaddr",),
    "macaddr8": ("pg_catalog.lpad(pg_catalog.to_hex(n), 16, '0')::macaddr8",),
    "point": ("pg_catalog.point(n, n)",),
    "line": ("'{1,2,3}'::line",),
    "lseg": ("pg_catalog.lseg(pg_catalog.point(n, n), pg_catalog.point(n + 1, n))",),
    "box": ("pg_catalog.box(pg_catalog.point(n, n), pg_catalog.point(n + 1, n + 1))",),
    "path": ("'[(0,0),(1,1)]'::path",),
    "polygon": ("'((0,0),(1,1),(1,0))'::polygon",),
    "circle": ("pg_catalog.circle(pg_catalog.point(n, n), 1)",),
    "tsvector": ("pg_catalog.to_tsvector('simple', 'word' || n)",),
    "tsquery": ("pg_catalog.to_tsquery('simple', 'word' || n)",),
    "xml": ("('<n>' || n || '</n>')::xml",),
    "pg_lsn": ("'0/0'::pg_lsn + n",),
    "name": ("('name_' || n)::name",),
    "char": ("'a'::\"char\"",),
    "hstore": ("hstore('n', n::text)",),
    "ltree": ("('n' || n)::ltree",),
    "geometry": ("ST_SetSRID(ST_Point(n % 90, n % 90), 4326)",),
    "geography": ("ST_SetSRID(ST_Point(n % 90, n % 90), 4326)::geography",),
}
_TEXTS = (
    "'value ' || n",
    "'user' || n || '@example.com'",
    "'https://example.com/' || n",
    "pg_catalog.md5(n::text)",
    "'v' || n",
    "n::text",
    "pg_catalog.md5(n::text)::uuid::text",
    "'Value'",
    "'USD'",
    "'en'",
    "'{}'",
)


class _Type(Struct, frozen=True):
    name: str
    schema: str
    kind: str
    category: str
    element: int
    base: int
    base_modifier: int
    relation: int
    spelt: str
    subtype: int | None
    labels: int
    is_array: bool
    checks: list[str] | None


class Values:
    """What columns can hold, by type; `connection` is asked for types that it has not seen yet."""

    def __init__(self, connection: "Connection[Any]") -> None:
        self._connection = connection
        self._seen: dict[tuple[int, int], _Type | None] = {}

    def candidates(self, oid: int, modifier: int, checks: str = "") -> Iterator[str]:
        """Expressions in `n` of a type, the most varied first; after the usual ones, those made of the constants in `checks`."""
        one = self._type(oid, modifier)
        if one is None:
            return
        spelt = one.spelt
        yield from (_cast(expression, spelt) for expression in self._usual(one, modifier))
        for constant in list(dict.fromkeys(found[1] if found[1] is not None else found[2] for found in _LITERAL.finditer(checks)))[
            :_MOST_CONSTANTS
        ]:
            yield from self._about(constant, one)

    def several(self, oid: int, modifier: int, checks: str) -> str | None:
        """The constants in `checks` one after the other, for a column that takes one of a list."""
        one = self._type(oid, modifier)
        constants = list(dict.fromkeys(found[1] for found in _LITERAL.finditer(checks) if found[1] is not None))
        if one is None or len(constants) < 2:
            return None
        listed = ", ".join(f"'{constant}'" for constant in constants)
        return _cast(f"(ARRAY[{listed}])[1 + n % {len(constants)}]", one.spelt)

    def checks_of(self, oid: int, modifier: int) -> list[str]:
        """The CHECKs of a domain, in which the value is called VALUE."""
        one = self._type(oid, modifier)
        if one is None or one.kind != "d":
            return []
        return [*(one.checks or ()), *self.checks_of(one.base, one.base_modifier)]

    def _usual(self, one: _Type, modifier: int) -> Iterator[str]:
        if one.kind == "d":
            checks = " ".join(one.checks or ())
            yield from self.candidates(one.base, one.base_modifier, checks)
        elif one.kind == "e":
            if one.labels:
                yield f"(pg_catalog.enum_range(NULL::{one.spelt}))[1 + n % {one.labels}]"
        elif one.is_array:
            yield from (f"ARRAY[{element}]" for element in self.candidates(one.element, modifier))
            yield f"'{{}}'::{one.spelt}"
        elif one.kind == "r" and one.subtype is not None:
            yield from self._ranges(one)
        elif one.kind == "m":
            yield f"'{{}}'::{one.spelt}"
        elif one.kind == "c":
            yield from self._row(one)
        elif one.name in ("text", "varchar", "bpchar", "citext"):
            yield from _texts(one, modifier)
        elif one.name == "numeric":
            yield from _numerics(modifier)
        elif one.name in ("bit", "varbit"):
            length = max(modifier, 1) if modifier > 0 else 8
            yield f"n::int8::bit({min(length, 64)})"
        elif one.name in ("vector", "halfvec"):
            yield f"pg_catalog.array_fill((n % 100)::real, ARRAY[{max(modifier, 1) if modifier > 0 else 3}])::{one.spelt}"
        else:
            yield from _SIMPLE.get(one.name, ())

    def _ranges(self, one: _Type) -> Iterator[str]:
        assert one.subtype is not None
        for low in self.candidates(one.subtype, -1):
            high = re.sub(r"\bn\b", "(n + 1)", low)
            yield f"{Name(one.name, one.schema)}({low}, {high})"

    def _row(self, one: _Type) -> Iterator[str]:
        parts = []
        for oid, modifier in self._connection.execute(_ATTRIBUTES, (one.relation,)).fetchall():
            parts.append(next(self.candidates(oid, modifier), "NULL"))
        yield f"ROW({', '.join(parts)})::{one.spelt}"

    def _about(self, constant: str, one: _Type) -> Iterator[str]:
        """What lies at and near a constant."""
        base = self._base(one)
        literal = f"'{constant}'::{one.spelt}"
        if base in ("int2", "int4", "int8", "numeric", "float4", "float8"):
            if re.fullmatch(r"-?\d+(?:\.\d+)?", constant):
                yield from (f"({constant} + {step})::{one.spelt}" for step in ("n", "n % 1000", "n % 100", "n % 10", "n % 2", "1", "0"))
                yield f"({constant} - 1 - n % 10)::{one.spelt}"
            return
        if base in ("date", "timestamp", "timestamptz"):
            if re.match(r"\d{4}-\d\d-\d\d", constant):
                yield from (
                    f"({literal} + n % {many} * interval '1 {unit}')::{one.spelt}" for unit, many in (("second", 86_400), ("second", 3600))
                )
                yield literal
            return
        if base in ("text", "varchar", "bpchar", "citext"):
            if re.fullmatch(r"\d+", constant) and len(constant) < 4:
                yield f"pg_catalog.left('v' || pg_catalog.md5(n::text), {constant})::{one.spelt}"
            yield f"('{constant}' || n)::{one.spelt}"
        yield literal

    def _base(self, one: _Type) -> str:
        while one.kind == "d":
            found = self._type(one.base, one.base_modifier)
            if found is None:
                break
            one = found
        return one.name

    def _type(self, oid: int, modifier: int) -> _Type | None:
        if (oid, modifier) not in self._seen:
            row = self._connection.execute(_TYPE, {"oid": oid, "modifier": modifier}).fetchone()
            self._seen[oid, modifier] = _Type(*row) if row is not None else None
        return self._seen[oid, modifier]


def _cast(expression: str, spelt: str) -> str:
    return f"({expression})::{spelt}"


def _texts(one: _Type, modifier: int) -> Iterator[str]:
    length = modifier - 4 if modifier >= 4 else None
    if one.name == "bpchar" and length is None:
        length = 1
    if length is None:
        yield from _TEXTS
        return
    if length >= 12:
        yield from (f"pg_catalog.left({text}, {length})" for text in _TEXTS)
    else:
        # Short ones must still tell rows apart.
        yield f"pg_catalog.right(pg_catalog.lpad(pg_catalog.to_hex(n), {length}, '0'), {length})"
        yield from (f"pg_catalog.left({text}, {length})" for text in _TEXTS)


def _numerics(modifier: int) -> Iterator[str]:
    digits: Callable[[], int] = lambda: ((modifier - 4) >> 16) - _scale(modifier)  # noqa: E731
    most = 10 ** min(max(digits(), 0), 9) if modifier >= 4 else None
    if most is None:
        yield from ("n::numeric", "n % 100 / 100.0", "1", "0")
    elif most > 1:
        yield from (f"n % {most}", "n % 10 / 10.0", "1", "0")
    else:
        yield from ("n % 10 / 10.0", "0")


def _scale(modifier: int) -> int:
    """The scale in a numeric's modifier: eleven bits, signed since 15."""
    scale = (modifier - 4) & 0x7FF
    return scale - 0x800 if scale & 0x400 else scale
