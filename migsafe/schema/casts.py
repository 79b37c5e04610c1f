"""PostgreSQL's built-in casts: which types can be converted to which, and whether the stored bytes stay the same.

The tables are pg_cast of PostgreSQL 14 to 18, which differ in two pairs only. Pairs that pg_cast does not list follow the rules
of find_coercion_pathway (src/backend/parser/parse_coerce.c): strings are converted through the text form, arrays element by element. A test
compares all casts with running servers. Casts that CREATE CAST has created are not known here.

The names of types are those of TypeName, without modifiers.
"""

from enum import Enum

from migsafe import versions


class Cast(Enum):
    """The ways to convert a value to another type."""

    RELABELLED = "relabelled"
    """The bytes stay the same (castmethod `b`)."""
    TIMEZONE = "timezone"
    """Between timestamps with and without time zone: the bytes stay the same if TimeZone is UTC."""
    COMPUTED = "computed"
    """A function computes a new value."""


def _rows(text: str) -> dict[str, frozenset[str]]:
    rows = (line.split(":") for line in text.strip().splitlines())
    return {source.strip(): frozenset(target.strip() for target in targets.split(",")) for source, targets in rows}


_OBJECTS = frozenset(
    """regclass regcollation regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype""".split()
)
"""Names of catalogue objects; all are stored as object identifiers and have the same casts."""

CATEGORIES = {
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision"), "number"),
    **dict.fromkeys(("text", "character varying"), "string"),
    **dict.fromkeys(("date", "timestamp without time zone", "timestamp with time zone"), "time"),
    **dict.fromkeys(("uuid", "json", "jsonb"), "other"),
    "boolean": "boolean",
}
"""The categories of the usual types (pg_type.typcategory). No type of another category is converted to one of these implicitly."""

_RELABELLING = _rows(
    """
    bit: bit varying
    bit varying: bit
    character varying: character, text
    text: character, character varying
    cidr: inet
    integer: oid
    oid: integer
    regoper: regoperator
    regoperator: regoper
    regproc: regprocedure
    regprocedure: regproc
    xml: character, character varying, text
    citext: text, character varying, character
    """
)
_AUTOMATIC = _rows(
    """
    char: character, character varying, text
    bigint: double precision, integer, money, numeric, oid, real, smallint
    box: polygon
    character: char, character varying, name, text, citext
    character varying: char, name, regclass, citext
    text: char, name, regclass, citext
    boolean: citext
    inet: cidr, citext
    date: timestamp with time zone, timestamp without time zone
    double precision: bigint, integer, numeric, real, smallint
    integer: bigint, double precision, money, numeric, real, smallint
    interval: time without time zone
    json: jsonb
    jsonb: json
    macaddr: macaddr8
    macaddr8: macaddr
    money: numeric
    numeric: bigint, double precision, integer, money, real, smallint
    oid: bigint
    path: polygon
    point: box
    polygon: path
    real: bigint, double precision, integer, numeric, smallint
    smallint: bigint, double precision, integer, numeric, oid, real
    time with time zone: time without time zone
    time without time zone: interval, time with time zone
    timestamp with time zone: date, time with time zone, time without time zone, timestamp without time zone
    timestamp without time zone: date, time without time zone, timestamp with time zone
    """
)
_ONLY_EXPLICIT = _rows(
    """
    char: integer
    bigint: bit
    bit: bigint, integer
    boolean: integer
    box: circle, lseg, point
    character: xml
    character varying: xml
    circle: box, point, polygon
    daterange: datemultirange
    int4range: int4multirange
    int8range: int8multirange
    integer: char, bit, boolean
    jsonb: bigint, boolean, double precision, integer, numeric, real, smallint
    lseg: point
    numrange: nummultirange
    polygon: box, circle, point
    text: xml
    tsrange: tsmultirange
    tstzrange: tstzmultirange
    xid8: xid
    """
)
_INTEGERS = frozenset(("smallint", "integer", "bigint"))
_TIMESTAMPS = frozenset(("timestamp with time zone", "timestamp without time zone"))

BUILT_IN = (
    _AUTOMATIC.keys()
    | _ONLY_EXPLICIT.keys()
    | _OBJECTS
    | frozenset(
        """xml cidr aclitem bytea cid datemultirange gtsvector int4multirange int8multirange jsonpath line name nummultirange pg_lsn
        pg_node_tree pg_snapshot refcursor tid tsmultirange tsquery tstzmultirange tsvector txid_snapshot uuid xid""".split()
    )
    | {"bit varying"}
)
"""Every built-in type that a column may have, except arrays and some types of the system catalogues."""

RANGES = frozenset(
    """int4range int8range numrange tsrange tstzrange daterange int4multirange int8multirange nummultirange tsmultirange tstzmultirange
    datemultirange""".split()
)

_STRINGS = frozenset(("text", "character varying", "character", "name", "citext"))
COLLATABLE = _STRINGS


def is_string(name: str, pg_version: int) -> bool:
    """Whether a type is of the string category, so that every type can be converted to it through its text form."""
    return name in _STRINGS or (name == "char" and pg_version < versions.CHAR_HAS_INTERNAL_CATEGORY)


def cast(source: str, target: str, *, explicit: bool, pg_version: int) -> Cast | None:
    """Returns how `source` is converted to `target`; None if PostgreSQL has no such cast, or if it has only an explicit one and `explicit` is
    False.

    Conversion to the same type is RELABELLED. A type that is not built in has only the casts through its text form.
    """
    if source == target or target in _RELABELLING.get(source, ()) or _is_object_cast(source, target, (*_OBJECTS, "integer", "oid")):
        return Cast.RELABELLED
    if target == "citext" and source in ("text", "character varying"):
        return Cast.RELABELLED
    if source in _TIMESTAMPS and target in _TIMESTAMPS:
        return Cast.TIMEZONE
    if target in _ONLY_EXPLICIT.get(source, ()):
        return Cast.COMPUTED if explicit else None
    if target in _AUTOMATIC.get(source, ()) or _is_object_cast(source, target, ("smallint", "bigint")) or is_string(target, pg_version):
        return Cast.COMPUTED
    if explicit and (is_string(source, pg_version) or _is_cast_of_version(source, target, pg_version)):
        return Cast.COMPUTED
    return None


def _is_object_cast(source: str, target: str, types: tuple[str, ...]) -> bool:
    """Whether one type is an object name (regclass and similar) and the other one of `types`; False for two different types of object names."""
    if source in _OBJECTS:
        return target in types and target not in _OBJECTS and target != "smallint"
    return target in _OBJECTS and source in types and source not in _OBJECTS


def _is_cast_of_version(source: str, target: str, pg_version: int) -> bool:
    if (source, target) == ("path", "point"):
        return pg_version < versions.PATH_TO_POINT_CAST_REMOVED
    if {source, target} == {"bytea", "uuid"}:
        return pg_version >= versions.UUID_TO_BYTEA_CASTS
    return pg_version >= versions.INTEGER_TO_BYTEA_CASTS and (
        (source == "bytea" and target in _INTEGERS) or (target == "bytea" and source in _INTEGERS)
    )


_COMPARED_AS = {"character varying": "text", "cidr": "inet", **dict.fromkeys(_OBJECTS, "oid")}


def comparison_type(name: str) -> str:
    """Returns the type whose operators and operator classes PostgreSQL uses for a type that has none of its own (GetDefaultOpClass)."""
    return _COMPARED_AS.get(name, name)
