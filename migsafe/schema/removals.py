"""DROP of all kinds of object."""

import re

from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.constraints import constraint_of_index
from migsafe.schema.dependents import DropResult, Part, drop_parts, find_dropped_parts, object_description
from migsafe.schema.objects import Attached, Index, Object, Relation, RelationKind
from migsafe.schema.routines import attached, trigger_named
from migsafe.sql.operations import Drop, Name

_RELATIONS = {
    "table": (RelationKind.TABLE, RelationKind.PARTITIONED),
    "foreign table": (RelationKind.FOREIGN,),
    "view": (RelationKind.VIEW,),
    "materialized view": (RelationKind.MATERIALIZED,),
    "sequence": (RelationKind.SEQUENCE,),
}
_MODIFIERS = re.compile(r"\([^()]*\)")
_GOES_OUT = re.compile(r"\s*out\b", re.IGNORECASE)
_ROUTINES = ("function", "procedure", "routine", "aggregate")


def dropped(catalog: Catalog, op: Drop) -> tuple[list[Part], list[str]]:
    """Returns the known objects that a DROP names (for a schema, all its objects), and the names that are known not to exist."""
    found: list[Part] = []
    missing: list[str] = []
    for number, name in enumerate(op.names):
        parts = _named(catalog, op, name, op.arguments[number] if number < len(op.arguments) else None)
        found.extend(parts)
        if not parts and _is_known_missing(catalog, op, name):
            missing.append(f"{op.kind} {catalog.resolve(name) if op.kind in _RELATIONS or op.kind == 'index' else name} does not exist")
    return found, missing


def _named(catalog: Catalog, op: Drop, name: Name, arguments: str | None) -> list[Part]:
    one: Object | None = None
    if op.kind in _RELATIONS:
        one = catalog.relation(name)
    elif op.kind == "index":
        one = catalog.index(name)
    elif op.kind in ("type", "domain"):
        one = catalog.type_named(name)
    elif op.kind in _ROUTINES:
        return _routine(catalog, name, arguments)
    elif op.kind in ("trigger", "rule", "policy"):
        table = catalog.relation(op.table) if op.table is not None else None
        if table is not None and op.kind == "trigger":
            return [Part(trigger.oid) for trigger in trigger_named(catalog, table, name.name)]
        one = attached(catalog, table, op.kind, name.name) if table is not None else None
    elif op.kind == "statistics":
        one = catalog.object_named("statistics", catalog.in_first_schema(name))
    elif op.kind == "publication":
        one = catalog.object_named("publication", Name(name.name))
    elif op.kind == "schema":
        return [Part(inside.oid) for inside in catalog.objects_of(Object) if _is_in(inside, name.name)]
    return [] if one is None else [Part(one.oid)]


def _routine(catalog: Catalog, name: Name, arguments: str | None) -> list[Part]:
    candidates = catalog.functions(name)
    if arguments is not None:
        # Written types may be spelt in several ways: where none matches, the count of those that go in decides.
        count = len([one for one in _MODIFIERS.sub("", arguments).split(",") if one.strip() and not _GOES_OUT.match(one)])
        exact = [one for one in candidates if ", ".join(one.arguments) == arguments.lower()]
        candidates = exact or [one for one in candidates if len(one.arguments) == count]
    return [Part(one.oid) for one in candidates[:1]]


def _is_in(one: Object, schema: str) -> bool:
    return one.name.schema == schema and not (isinstance(one, Attached) and one.kind != "statistics")


def _is_known_missing(catalog: Catalog, op: Drop, name: Name) -> bool:
    if op.kind in _RELATIONS or op.kind == "index":
        return catalog.is_absent(name)
    if op.kind in ("trigger", "rule", "policy") and op.table is not None:
        table = catalog.relation(op.table)
        return table.complete if table is not None else catalog.is_absent(op.table)
    return False


def drop_fall(catalog: Catalog, op: Drop) -> DropResult:
    """Returns the result of a DROP."""
    parts, _ = dropped(catalog, op)
    return find_dropped_parts(catalog, parts, cascade=op.cascade or op.kind == "schema")


@SCHEMA_CHANGES.register(Drop)
def drop(catalog: Catalog, op: Drop) -> None:
    """DROP."""
    parts, missing = dropped(catalog, op)
    if not op.if_exists:
        for what in missing:
            catalog.add_refusal(what)
    for part in parts:
        _refuse_kind(catalog, op, part)
    if op.kind == "schema" and parts and not op.cascade:
        catalog.add_refusal(f"{object_description(catalog, parts[0])} is in schema {op.names[0]}")
    falling = find_dropped_parts(catalog, parts, cascade=op.cascade or op.kind == "schema")
    if falling.held_by:
        catalog.add_refusal(f"{object_description(catalog, falling.held_by[0])} depends on {object_description(catalog, parts[0])}")
    drop_parts(catalog, falling.parts)
    if op.kind in _RELATIONS or op.kind == "index":
        for name in op.names:
            catalog.mark_absent(catalog.resolve(name))
    if op.kind == "schema":
        for name in op.names:
            catalog.drop_schema(name.name)


def _refuse_kind(catalog: Catalog, op: Drop, part: Part) -> None:
    one = catalog[part.oid]
    kinds = _RELATIONS.get(op.kind)
    if kinds is not None and isinstance(one, Relation) and one.complete and one.kind not in kinds:
        catalog.add_refusal(f"{one.name} is a {one.kind.value}, not a {op.kind}")
    if isinstance(one, Index) and op.kind == "index":
        constraint = constraint_of_index(catalog, one)
        if constraint is not None:
            catalog.add_refusal(f"{object_description(catalog, Part(constraint.oid))} requires index {one.name}")


def drop_temporary(catalog: Catalog) -> None:
    """Drops the temporary relations at the end of a connection."""
    parts = [Part(one.oid) for one in catalog.temporary_relations()]
    if parts:
        drop_parts(catalog, find_dropped_parts(catalog, parts, cascade=True).parts)
