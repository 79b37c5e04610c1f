"""The paths of objects, and their names in messages."""

from functools import lru_cache
from typing import NamedTuple

from migsafe.linting.reruns.object_use import NO_SCHEMA, Path
from migsafe.schema.catalog import Catalog
from migsafe.sql.operations import CreateFunction, Name
from migsafe.sql.operations.values import quoted
from migsafe.sql.statements import read

RELATIONS = frozenset(("table", "foreign table", "view", "materialized view", "sequence", "index"))
_TYPES = frozenset(("type", "domain"))
_ROUTINES = frozenset(("function", "procedure", "routine"))
_ROLES = frozenset(("role", "user", "group"))
_IN_SCHEMAS = ("collation", "conversion", "operator", "statistics", "text search", "aggregate")

_OF_TABLES = ("duplicate_table", "undefined_table")
_OF_ROUTINES = ("duplicate_function", "undefined_function")
EXISTENCE_ERRORS = {
    **dict.fromkeys(RELATIONS - {"index"}, _OF_TABLES),
    "index": ("duplicate_table", "undefined_object"),
    **dict.fromkeys((*_ROUTINES, "aggregate", "operator"), _OF_ROUTINES),
    "schema": ("duplicate_schema", "invalid_schema_name"),
    "database": ("duplicate_database", ""),
    **dict.fromkeys(
        (f"text search {kind}" for kind in ("configuration", "dictionary", "parser", "template")), ("unique_violation", "undefined_object")
    ),
}
"""PostgreSQL's error conditions for an object that already exists and for one that does not exist, by kind; for other kinds they are
duplicate_object and undefined_object."""


class NamedObject(NamedTuple):
    """The path of an object, and its name in messages."""

    path: Path
    label: str


def relation_named(name: Name, catalog: Catalog, kind: str, *, new: bool = False) -> NamedObject:
    """Returns a table, view, sequence or index; a `new` one is in the schema where CREATE creates it."""
    full = catalog.in_first_schema(name) if new else catalog.resolve(name)
    known = catalog.relation(name) if not new else None
    called = known.kind.value if known is not None else "index" if not new and catalog.index(name) is not None else kind
    return NamedObject((full.schema or "public", f"relation {full.name}"), f"{called} {full}")


def column_of(table: NamedObject, name: str) -> NamedObject:
    """Returns a column of a table."""
    return NamedObject((*table.path, f"column {name}"), f"column {quoted(name)} of {table.label.rpartition(' ')[2]}")


def constraint_of(table: NamedObject, name: str) -> NamedObject:
    """Returns a constraint of a table."""
    return NamedObject((*table.path, f"constraint {name}"), f"constraint {quoted(name)} of {table.label.rpartition(' ')[2]}")


def object_on_table(kind: str, name: str, table: Name, catalog: Catalog) -> NamedObject:
    """Returns a trigger, rule or policy."""
    place = relation_named(table, catalog, "table")
    return NamedObject((*place.path, f"{kind} {name}"), f"{kind} {quoted(name)} on {place.label.rpartition(' ')[2]}")


def object_in_schema(kind: str, name: Name, catalog: Catalog) -> NamedObject:
    """Returns a type, a domain, or another object in a schema."""
    known = catalog.type_named(name) if kind in _TYPES else None
    full = known.name if known is not None else catalog.in_first_schema(name)
    called = "type" if kind in _TYPES else kind
    return NamedObject((full.schema or "public", f"{called} {full.name}"), f"{kind} {name}")


def routine_named(kind: str, name: Name, arguments: str | None, catalog: Catalog) -> NamedObject:
    """Returns a function or procedure, identified by its name and the types of its arguments; `arguments` is None if they are omitted."""
    functions = catalog.functions(name)
    full = functions[0].name if functions else catalog.in_first_schema(name)
    only_types = ", ".join(functions[0].arguments) if len(functions) == 1 else ""
    types = _types(arguments) if arguments is not None else only_types
    return NamedObject((full.schema or "public", f"routine {full.name}({types})"), f"{kind} {name}")


@lru_cache(512)
def _types(arguments: str) -> str:
    """Returns the types of arguments under PostgreSQL's own names, without argument names, modes and defaults."""
    for statement in read(f"CREATE FUNCTION f({arguments}) RETURNS void LANGUAGE sql AS ''"):
        match statement.operations[0]:
            case CreateFunction(arguments=parsed):
                return ", ".join(str(argument.type) for argument in parsed if argument.mode in ("in", "inout", "variadic"))
    return arguments


def object_named(kind: str, name: Name | None, catalog: Catalog, detail: str = "") -> NamedObject:
    """Returns an object of any kind; an object without a name is identified by its detail."""
    if name is None:
        return NamedObject((NO_SCHEMA, f"{kind} {detail}"), f"{kind} {detail}")
    if kind in RELATIONS:
        return relation_named(name, catalog, kind)
    if kind in _TYPES:
        return object_in_schema(kind, name, catalog)
    if kind in _ROUTINES:
        return routine_named(kind, name, None, catalog)
    if kind == "schema":
        return NamedObject((name.name,), f"schema {name}")
    called = "role" if kind in _ROLES else kind
    label = f"{called} {name.name}{f' {detail}' if detail else ''}"
    if kind.startswith(_IN_SCHEMAS):
        return NamedObject((catalog.in_first_schema(name).schema or "public", label), f"{kind} {name}")
    return NamedObject((NO_SCHEMA, label), f"{called} {name}")
