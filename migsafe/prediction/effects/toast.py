"""Whether PostgreSQL gives a table a TOAST table, which has an index of its own (heapam_relation_needs_toast_table in its
src/backend/access/heap/heapam_handler.c)."""

from migsafe.prediction.effects.effect_context import EffectContext
from migsafe.prediction.effects.known_facts import domain_of
from migsafe.schema.objects import EnumType, Relation
from migsafe.sql.operations import TypeName

_FIXED = {
    **dict.fromkeys(("boolean", "char"), 1),
    **dict.fromkeys(("smallint", "smallserial"), 2),
    **dict.fromkeys(("integer", "serial", "real", "date", "oid", "xid", "cid", "regclass", "regproc", "regtype"), 4),
    **dict.fromkeys(("bigint", "bigserial", "double precision", "money", "timestamp with time zone", "timestamp without time zone"), 8),
    **dict.fromkeys(("time without time zone", "pg_lsn", "xid8", "macaddr", "macaddr8", "tid"), 8),
    **dict.fromkeys(("time with time zone", "interval", "uuid", "point"), 16),
    **dict.fromkeys(("line", "circle"), 24),
    **dict.fromkeys(("box", "lseg"), 32),
    "name": 64,
}
"""The sizes in bytes of the types of fixed length, rounded up to their alignment."""

_THRESHOLD = 2032
_MOST_BYTES_A_CHARACTER = 4
_VALUE_HEADER = 8
_ROW_HEADER = 24
_DEEPEST_DOMAIN = 32


def has_toast(context: EffectContext, relation: Relation) -> bool:
    """Whether rows of a table may be too long for a page, judging by its known columns."""
    if not relation.complete:
        return True
    lengths = [_length(context, column.type) for column in relation.columns if column.generated != "virtual"]
    if None in lengths:
        return True
    shrinkable = any(column.type is not None and _base(context, column.type).name not in _FIXED for column in relation.columns)
    return shrinkable and _ROW_HEADER + len(lengths) // 8 + sum(filter(None, lengths)) > _THRESHOLD


def _base(context: EffectContext, written: TypeName) -> TypeName:
    """Returns the base type below a type's domains."""
    for _ in range(_DEEPEST_DOMAIN):
        domain = domain_of(context, written)
        if domain is None or written.dimensions:
            break
        written = domain.type
    return written


def _length(context: EffectContext, written: TypeName | None) -> int | None:
    """Returns the largest size of a value in bytes; None if there is no limit, or the limit is unknown."""
    if written is None:
        return None
    base = _base(context, written)
    if base.dimensions:
        return None
    if isinstance(context.catalog.type_of(base), EnumType):
        return 4
    if base.schema is None and base.name in _FIXED:
        return _FIXED[base.name]
    if base is not written:
        # PostgreSQL does not use the length limit of the type under a domain.
        return None
    size = base.modifiers[0] if base.modifiers else "1" if base.name in ("character", "bit") else ""
    if base.schema is not None or not size.isdecimal():
        return None
    match base.name:
        case "character" | "character varying":
            return _VALUE_HEADER + _MOST_BYTES_A_CHARACTER * int(size)
        case "numeric":
            return _VALUE_HEADER + int(size)
        case "bit" | "bit varying":
            return _VALUE_HEADER + int(size) // 8
    return None
