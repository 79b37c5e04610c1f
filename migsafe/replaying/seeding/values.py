"""The values of a column in row `n`: SQL expressions by type, those with the most distinct values first."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.patterns import lazy_pattern
from migsafe.replaying.seeding.matching_texts import values_matching
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
_LITERAL = lazy_pattern(r"'([^']*+(?:''[^']*+)*+)'(?:::[\w\s\"().]+?(?=[\s,)\]]|$))?|(?<![\w.])(-?\d+(?:\.\d+)?)")
_MAX_CONSTANTS = 40
_TEXT_TYPES = ("text", "varchar", "bpchar", "citext")
_INTEGER_TYPES = ("int2", "int4", "int8")
_START, _MONDAY = "2020-01-01", "2020-01-06"


def _bytes() -> Iterator[str]:
    """Yields byte strings of the usual lengths of keys, addresses and hashes."""
    for length in (8, 12, 20, 24, 28, 33, 48, 64, 65, 96):
        yield f"pg_catalog.substr(pg_catalog.sha512(n::text::bytea) || pg_catalog.sha512((-n)::text::bytea), 1, {length})"


def _steps(kind: str) -> Iterator[str]:
    """Yields times of whole hours, days, weeks (from a Monday on), months and years, for what may have no smaller part."""
    for unit, many in (("hour", 1_000_000), ("day", 100_000), ("week", 20_000), ("month", 12_000), ("year", 1000)):
        yield f"({kind} '{_MONDAY if unit == 'week' else _START}' + n % {many} * interval '1 {unit}')::{kind}"


_SIMPLE: dict[str, tuple[str, ...]] = {
    "bool": ("n % 2 = 0", "true", "false"),
    "int2": ("(n % 32000)::int2", "(n % 100)::int2", "1::int2", "0::int2"),
    "int4": ("n::int4", "(n + 1)::int4", "(n % 100)::int4", "1", "0", "(-n)::int4"),
    "int8": ("n::int8", "(n + 1)::int8", "(n % 100)::int8", "1::int8", "0::int8", "(-n)::int8"),
    "float4": ("n::float4", "(n % 100 / 100.0)::float4", "0::float4"),
    "float8": ("n::float8", "n % 100 / 100.0::float8", "0::float8"),
    "money": ("(n % 100000)::numeric::money", "0::money"),
    "oid": ("n::oid",),
    # The second value of a type is greater than the first one: an end after a beginning.
    "date": (f"date '{_START}' + (n % 2000)::int4", f"date '{_START}' + (n % 2000)::int4 + 30", "current_date", *_steps("date")),
    "timestamp": (
        f"timestamp '{_START}' + n * interval '1 minute'",
        f"timestamp '{_START}' + n * interval '1 minute' + interval '1 hour'",
        "localtimestamp",
        *_steps("timestamp"),
    ),
    "timestamptz": (
        f"timestamptz '{_START}' + n * interval '1 minute'",
        f"timestamptz '{_START}' + n * interval '1 minute' + interval '1 hour'",
        "now()",
        *_steps("timestamptz"),
    ),
    "time": ("time '00:00' + (n % 86400) * interval '1 second'",),
    "timetz": ("timetz '00:00+00' + (n % 86400) * interval '1 second'",),
    "interval": ("n * interval '1 second'", "interval '1 day'"),
    "uuid": ("pg_catalog.md5(n::text)::uuid",),
    "json": ("pg_catalog.json_build_object('n', n)", "'[]'::json", "pg_catalog.to_json(n)"),
    "jsonb": ("pg_catalog.jsonb_build_object('n', n)", "'[]'::jsonb", "pg_catalog.to_jsonb(n)", "'\"text\"'::jsonb"),
    "jsonpath": ("'$'::jsonpath",),
    "bytea": ("pg_catalog.decode(pg_catalog.md5(n::text), 'hex')", "pg_catalog.sha256(n::text::bytea)", *_bytes()),
    "inet": ("inet '10.0.0.0' + n", "inet '10.0.0.0' + n + 256"),
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
    """The possible values of columns, by type; `connection` reads the types from pg_type."""

    def __init__(self, connection: "Connection[Any]") -> None:
        self._connection = connection
        self._seen: dict[tuple[int, int], _Type | None] = {}

    def candidates(self, oid: int, modifier: int, checks: str = "") -> Iterator[str]:
        """Yields expressions in `n` of a type, the most distinct values first; then expressions built from the constants in `checks`."""
        column_type = self._type(oid, modifier)
        if column_type is None:
            return
        spelt = column_type.spelt
        yield from (_cast(expression, spelt) for expression in self._usual(column_type, modifier))
        if self._base(column_type) in _TEXT_TYPES:
            yield from (_cast(expression, spelt) for expression in values_matching(checks))
        constants = list(dict.fromkeys(match[1] if match[1] is not None else match[2] for match in _LITERAL.finditer(checks)))
        yield from self._between(constants[:_MAX_CONSTANTS], column_type)
        for constant in constants[:_MAX_CONSTANTS]:
            yield from self._near(constant, column_type)

    def several(self, oid: int, modifier: int, checks: str) -> str | None:
        """Returns an expression that goes through the constants in `checks`, for a column whose values are a list."""
        column_type = self._type(oid, modifier)
        constants = list(dict.fromkeys(match[1] for match in _LITERAL.finditer(checks) if match[1] is not None))
        if column_type is None or len(constants) < 2:
            return None
        listed = ", ".join(f"'{constant}'" for constant in constants)
        return _cast(f"(ARRAY[{listed}])[1 + n % {len(constants)}]", column_type.spelt)

    def spelt(self, oid: int, modifier: int) -> str:
        """Returns the name of a type, as SQL. Raises LookupError if it does not exist."""
        column_type = self._type(oid, modifier)
        if column_type is None:
            raise LookupError(f"no type has the oid {oid}")
        return column_type.spelt

    def is_domain(self, oid: int, modifier: int) -> bool:
        """Whether a type is a domain, which may refuse NULL."""
        column_type = self._type(oid, modifier)
        return column_type is not None and column_type.kind == "d"

    def checks_of(self, oid: int, modifier: int) -> list[str]:
        """Returns the CHECKs of a domain, in which the value is called VALUE."""
        column_type = self._type(oid, modifier)
        if column_type is None or column_type.kind != "d":
            return []
        return [*(column_type.checks or ()), *self.checks_of(column_type.base, column_type.base_modifier)]

    def _usual(self, column_type: _Type, modifier: int) -> Iterator[str]:
        if column_type.kind == "d":
            checks = " ".join(column_type.checks or ())
            yield from self.candidates(column_type.base, column_type.base_modifier, checks)
        elif column_type.kind == "e":
            if column_type.labels:
                yield f"(pg_catalog.enum_range(NULL::{column_type.spelt}))[1 + n % {column_type.labels}]"
        elif column_type.is_array:
            yield from (f"ARRAY[{element}]" for element in self.candidates(column_type.element, modifier))
            yield f"'{{}}'::{column_type.spelt}"
        elif column_type.kind == "r" and column_type.subtype is not None:
            yield from self._ranges(column_type)
        elif column_type.kind == "m":
            yield f"'{{}}'::{column_type.spelt}"
        elif column_type.kind == "c":
            yield from self._row(column_type)
        elif column_type.name in _TEXT_TYPES:
            yield from _texts(column_type, modifier)
        elif column_type.name == "numeric":
            yield from _numerics(modifier)
        elif column_type.name in ("bit", "varbit"):
            length = max(modifier, 1) if modifier > 0 else 8
            yield f"n::int8::bit({min(length, 64)})"
        elif column_type.name in ("vector", "halfvec"):
            yield f"pg_catalog.array_fill((n % 100)::real, ARRAY[{max(modifier, 1) if modifier > 0 else 3}])::{column_type.spelt}"
        else:
            yield from _SIMPLE.get(column_type.name, ())

    def _ranges(self, column_type: _Type) -> Iterator[str]:
        assert column_type.subtype is not None
        for low in self.candidates(column_type.subtype, -1):
            high = re.sub(r"\bn\b", "(n + 1)", low)
            yield f"{Name(column_type.name, column_type.schema)}({low}, {high})"

    def _row(self, column_type: _Type) -> Iterator[str]:
        parts = []
        for oid, modifier in self._connection.execute(_ATTRIBUTES, (column_type.relation,)).fetchall():
            parts.append(next(self.candidates(oid, modifier), "NULL"))
        yield f"ROW({', '.join(parts)})::{column_type.spelt}"

    def _between(self, constants: list[str], column_type: _Type) -> Iterator[str]:
        """Yields an expression that goes through all values from the least to the greatest of the constants."""
        base = self._base(column_type)
        if base in _INTEGER_TYPES and len(numbers := [int(each) for each in constants if re.fullmatch(r"-?\d{1,9}", each)]) > 1:
            yield f"({min(numbers)} + n % {max(numbers) - min(numbers) + 1})::{column_type.spelt}"
        elif base == "date" and len(dates := [each for each in constants if re.match(r"\d{4}-\d\d-\d\d", each)]) > 1:
            yield f"('{min(dates)}'::date + (n % ('{max(dates)}'::date - '{min(dates)}'::date))::int4)::{column_type.spelt}"

    def _near(self, constant: str, column_type: _Type) -> Iterator[str]:
        """Yields values at and near a constant."""
        base = self._base(column_type)
        literal = f"'{constant}'::{column_type.spelt}"
        if base in (*_INTEGER_TYPES, "numeric", "float4", "float8"):
            if re.fullmatch(r"-?\d+(?:\.\d+)?", constant):
                yield from (f"({constant} + {step})::{column_type.spelt}" for step in ("n", "n % 1000", "n % 100", "n % 10", "n % 2", "1", "0"))
                yield f"({constant} - 1 - n % 10)::{column_type.spelt}"
            return
        if base in ("date", "timestamp", "timestamptz"):
            if re.match(r"\d{4}-\d\d-\d\d", constant):
                yield from (
                    f"({literal} + n % {many} * interval '1 {unit}')::{column_type.spelt}"
                    for unit, many in (("second", 86_400), ("second", 3600))
                )
                yield literal
            return
        if base in _TEXT_TYPES:
            if re.fullmatch(r"\d+", constant) and len(constant) < 4:
                yield f"pg_catalog.left('v' || pg_catalog.md5(n::text), {constant})::{column_type.spelt}"
            yield f"('{constant}' || n)::{column_type.spelt}"
        yield literal

    def _base(self, column_type: _Type) -> str:
        while column_type.kind == "d":
            base_type = self._type(column_type.base, column_type.base_modifier)
            if base_type is None:
                break
            column_type = base_type
        return column_type.name

    def _type(self, oid: int, modifier: int) -> _Type | None:
        if (oid, modifier) not in self._seen:
            row = self._connection.execute(_TYPE, {"oid": oid, "modifier": modifier}).fetchone()
            self._seen[oid, modifier] = _Type(*row) if row is not None else None
        return self._seen[oid, modifier]


def _cast(expression: str, spelt: str) -> str:
    return f"({expression})::{spelt}"


def _texts(column_type: _Type, modifier: int) -> Iterator[str]:
    length = modifier - 4 if modifier >= 4 else None
    if column_type.name == "bpchar" and length is None:
        length = 1
    if length is None:
        yield from _TEXTS
        return
    if length >= 12:
        yield from (f"pg_catalog.left({text}, {length})" for text in _TEXTS)
    else:
        # Short values must still be distinct.
        yield f"pg_catalog.right(pg_catalog.lpad(pg_catalog.to_hex(n), {length}, '0'), {length})"
        yield from (f"pg_catalog.left({text}, {length})" for text in _TEXTS)


def _numerics(modifier: int) -> Iterator[str]:
    digits: Callable[[], int] = lambda: ((modifier - 4) >> 16) - _scale(modifier)  # noqa: E731
    most = 10 ** min(max(digits(), 0), 9) if modifier >= 4 else None
    if most is None:
        yield from ("n::numeric", "n + 1", "n % 100 / 100.0", "1", "0")
    elif most > 1:
        yield from (f"n % {most}", "n % 10 / 10.0", "1", "0")
    else:
        yield from ("n % 10 / 10.0", "0")


def _scale(modifier: int) -> int:
    """Returns the scale in a numeric's type modifier: eleven bits, signed since 15."""
    scale = (modifier - 4) & 0x7FF
    return scale - 0x800 if scale & 0x400 else scale
