"""Data types and names in the form of the signatures."""

from typing import Any

from pglast import ast, enums

from migsafe.sql.operations import TypeName
from tests.sql.oracle.entry import dotted
from tests.sql.oracle.shapes import expression_shape, shape

_SQL_NAMES = {
    "int4": "integer",
    "int2": "smallint",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "varchar": "character varying",
    "varbit": "bit varying",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
    "serial4": "serial",
    "serial2": "smallserial",
    "serial8": "bigserial",
}
_FIELDS = ("month", "year", "day", "hour", "minute", "second")
_FIELD_BITS = dict(zip(_FIELDS, (1, 2, 3, 10, 11, 12), strict=True))
_ANY_FIELDS = 0x7FFF
_ONE = shape(ast.A_Const({"@": "A_Const", "isnull": False, "val": {"@": "Integer", "ival": 1}}))


def tree_type(node: Any) -> str | None:
    """A type of a parse tree."""
    if node is None:
        return None
    names = [part.sval for part in node.names]
    modifiers = list(node.typmods or ())
    fields = ""
    if node.pct_type:
        name = dotted(names[-2:])
    elif len(names) == 1 or names[0] == "pg_catalog":
        own = names[-1]
        if own == "bpchar" and len(names) > 1 and modifiers:
            name = "character"
        elif own == "interval" and len(names) > 1 and modifiers:
            name, fields = own, _interval_fields(modifiers.pop(0).val.ival)
        else:
            name = _SQL_NAMES.get(own) or dotted((own,))
    else:
        name = dotted(names[-2:])
    return spelt_type(
        name, [shape(modifier) for modifier in modifiers], len(node.arrayBounds or ()), setof=node.setof, fields=fields, percent=node.pct_type
    )


def _interval_fields(mask: int) -> str:
    if mask == _ANY_FIELDS:
        return ""
    named = [field for field in ("year", "month", "day", "hour", "minute", "second") if mask & (1 << _FIELD_BITS[field])]
    return named[0] if len(named) == 1 else f"{named[0]} to {named[-1]}"


def operation_type(found: TypeName | None) -> str | None:
    """A type of an operation."""
    if found is None:
        return None
    if found.schema is not None:
        name = dotted((found.schema, found.name))
    else:
        name = found.name if found.name in _SQL_NAMES.values() else dotted((found.name,))
    return spelt_type(
        name,
        [expression_shape(modifier) for modifier in found.modifiers],
        found.dimensions,
        setof=found.setof,
        fields=found.fields,
        percent=found.percent_type,
    )


def spelt_type(name: str, modifiers: list[str], dimensions: int, *, setof: bool, fields: str, percent: bool) -> str:
    """Return the parts of a type in one line, without the default length 1 of character and bit."""
    if name in ("character", "bit") and modifiers == [_ONE]:
        modifiers = []
    text = f"{name}({', '.join(modifiers)})" if modifiers else name
    return f"{'setof ' if setof else ''}{text}{' ' + fields if fields else ''}{'%type' if percent else ''}{'[]' * dimensions}"


def type_as_name(node: Any) -> str:
    """Return the name of the type or domain in DROP, COMMENT and similar statements."""
    names = [part.sval for part in node.names]
    if len(names) == 1 or names[0] == "pg_catalog":
        return _SQL_NAMES.get(names[-1]) or dotted(names[-1:])
    return dotted(names)


_ROLES = {
    enums.RoleSpecType.ROLESPEC_CURRENT_ROLE: "current_role",
    enums.RoleSpecType.ROLESPEC_CURRENT_USER: "current_user",
    enums.RoleSpecType.ROLESPEC_SESSION_USER: "session_user",
    enums.RoleSpecType.ROLESPEC_PUBLIC: "public",
}


def role(node: Any) -> str | None:
    """Return the name of a role, or the key word for one."""
    return None if node is None else _ROLES.get(node.roletype) or str(node.rolename)
