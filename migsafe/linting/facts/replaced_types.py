"""A column that takes the name of another one, but has a type of another kind."""

from migsafe.sql.operations import TypeName

_KINDS = {
    **dict.fromkeys(("smallint", "integer", "bigint", "smallserial", "serial", "bigserial", "numeric", "real", "double precision"), "number"),
    **dict.fromkeys(("text", "character varying", "character"), "text"),
    **dict.fromkeys(("date", "timestamp without time zone", "timestamp with time zone"), "time"),
    "boolean": "boolean",
}
"""Types between which PostgreSQL converts by itself (pg_cast, castcontext `i` or `a`), or that drivers read as the same kind of value. Other
types, such as enums and uuid, are read as text by some drivers: nothing is certain about them."""


def is_other_kind(before: TypeName | None, after: TypeName | None) -> bool:
    """Whether a release that reads and writes values of one type fails with values of the other: both are common built-in types, of another
    kind, or one is an array."""
    kinds = [_KINDS.get(each.name) if each is not None and each.schema in (None, "pg_catalog") else None for each in (before, after)]
    if before is None or after is None or None in kinds:
        return False
    return bool(before.dimensions) != bool(after.dimensions) or kinds[0] != kinds[1]
