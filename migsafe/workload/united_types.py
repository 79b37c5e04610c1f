"""The types of the columns that UNION, INTERSECT and EXCEPT combine (select_common_type in src/backend/parser/parse_coerce.c)."""

from msgspec.structs import replace

from migsafe.expressions.queries.shapes import Output, Value
from migsafe.schema.objects import EnumType
from migsafe.sql.operations import TypeName
from migsafe.workload.lookups import Lookups
from migsafe.workload.scopes import Level
from migsafe.workload.types import base_type

_CATEGORIES = {
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision", "oid", "money"), "number"),
    **dict.fromkeys(("text", "character varying", "character", "name"), "string"),
    **dict.fromkeys(("date", "timestamp without time zone", "timestamp with time zone"), "time"),
    **dict.fromkeys(("time without time zone", "time with time zone"), "time"),
    **dict.fromkeys(("uuid", "json", "jsonb", "bytea"), "other"),
    **dict.fromkeys(("inet", "cidr"), "network"),
    **dict.fromkeys(("bit", "bit varying"), "bits"),
    **{name: name for name in ("boolean", "interval")},
}
"""pg_type.typcategory of common types: only types of one category have a common type."""
_UNTYPED = TypeName(name="unknown")
"""A string constant or NULL, which takes the type of the other column."""
_TEXT, _INTEGER = TypeName(name="text"), TypeName(name="integer")
_LARGEST_INTEGER = 2**31 - 1


def unmatched_types(catalog: Lookups, level: Level) -> tuple[TypeName, TypeName] | None:
    """Returns the types of the first column of a set operation whose types have nothing in common; None if all may have a common type."""
    left, right = (_types(catalog, branch) for branch in level.inner)
    for first, second in zip(left or (), right or (), strict=False):
        if first is not None and second is not None and _UNTYPED not in (first, second):
            categories = _category(catalog, first), _category(catalog, second)
            if None not in categories and categories[0] != categories[1]:
                return first, second
    return None


def _types(catalog: Lookups, level: Level) -> list[TypeName | None] | None:
    """Returns the types of the output columns of a query, each None if it is not known; None if their number is not known."""
    if level.shape.kind == "set":
        left, right = (_types(catalog, branch) for branch in level.inner)
        if left is None or right is None or len(left) != len(right):
            return None
        return [_united(first, second) for first, second in zip(left, right, strict=True)]
    if level.shape.kind != "select":
        return None
    if any(output.star for output in level.shape.outputs):
        return [_plain(column.type) for _, column in level.outputs] if level.complete else None
    return [_type(output) or _plain(column.type) for output, (_, column) in zip(level.shape.outputs, level.outputs, strict=True)]


def _type(output: Output) -> TypeName | None:
    """Returns the type of a constant; None for another expression."""
    value = output.operand
    if not isinstance(value, Value) or value.casts:
        return None
    if value.is_string or value.text.lower() == "null":
        return _UNTYPED
    return _INTEGER if value.text.isdigit() and int(value.text) <= _LARGEST_INTEGER else None


def _united(first: TypeName | None, second: TypeName | None) -> TypeName | None:
    """Returns a type of the category of two columns. Two constants without a type become text."""
    if first == _UNTYPED:
        return _TEXT if second == _UNTYPED else second
    return first if second in (_UNTYPED, first) else None


def _plain(data_type: TypeName | None) -> TypeName | None:
    return replace(data_type, modifiers=()) if data_type is not None else None


def _category(catalog: Lookups, data_type: TypeName) -> str | None:
    found = base_type(catalog, data_type)
    if found is None:
        return None
    if found[2]:
        return "array"
    return "enum" if isinstance(found[1], EnumType) else _CATEGORIES.get(found[0])
