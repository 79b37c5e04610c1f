"""DROP of all kinds of object."""

import re
from collections.abc import Sequence

from migsafe.patterns import lazy_pattern
from migsafe.schema.aggregates import aggregates_named
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.constraints import constraint_of_index
from migsafe.schema.dependents import DropResult, Part, drop_parts, find_dropped_parts
from migsafe.schema.descriptions import describe, name_in_quotes
from migsafe.schema.event_triggers import KIND, event_trigger_named
from migsafe.schema.extensions import extension_named
from migsafe.schema.objects import Attached, Constraint, Index, Object, Relation, RelationKind
from migsafe.schema.refused_drops import drop_refused, forget_existing
from migsafe.schema.roles import KINDS as ROLES
from migsafe.schema.routines import attached, trigger_named
from migsafe.sql.operations import Drop, Name

_RELATIONS = {
    "table": (RelationKind.TABLE, RelationKind.PARTITIONED),
    "foreign table": (RelationKind.FOREIGN,),
    "view": (RelationKind.VIEW,),
    "materialized view": (RelationKind.MATERIALIZED,),
    "sequence": (RelationKind.SEQUENCE,),
}
_MODIFIERS = lazy_pattern(r"\([^()]*\)")
_OUT_ARGUMENT = lazy_pattern(r"\s*out\b", re.IGNORECASE)
_ROUTINES = ("function", "procedure", "routine", "aggregate")


def find_named_parts(catalog: Catalog, op: Drop) -> tuple[list[Part], list[str]]:
    """Returns the known objects that a DROP names (for a schema, all its objects), and the names that are known not to exist."""
    named_parts: list[Part] = []
    missing: list[str] = []
    for number, name in enumerate(op.names):
        parts = _named(catalog, op, name, op.arguments[number] if number < len(op.arguments) else None)
        named_parts.extend(parts)
        if not parts and _is_known_missing(catalog, op, name):
            missing.append(_missing(catalog, op, name))
    return named_parts, missing


def _named(catalog: Catalog, op: Drop, name: Name, arguments: str | None) -> list[Part]:
    named: Object | None = None
    if op.kind in _RELATIONS:
        named = catalog.relation(name)
    elif op.kind == "index":
        named = catalog.index(name) or _in_another_schema(catalog, op, name)
    elif op.kind in ("type", "domain"):
        named = catalog.type_named(name)
    elif op.kind in _ROUTINES:
        return [*(Part(each.oid) for each in aggregates_named(catalog, op.kind, name)), *_routine(catalog, name, arguments)]
    elif op.kind in ("trigger", "rule", "policy"):
        table = catalog.relation(op.table) if op.table is not None else None
        if table is not None and op.kind == "trigger":
            return [Part(trigger.oid) for trigger in trigger_named(catalog, table, name.name)]
        named = attached(catalog, table, op.kind, name.name) if table is not None else None
    elif op.kind == "statistics":
        named = catalog.object_named("statistics", catalog.in_first_schema(name))
    elif op.kind == "publication":
        named = catalog.object_named("publication", Name(name.name))
    elif op.kind == KIND:
        named = event_trigger_named(catalog, name.name)
    elif op.kind == "extension":
        named = extension_named(catalog, name.name)
    elif op.kind == "schema":
        return [Part(contained.oid) for contained in catalog.objects_of(Object) if _is_in(contained, name.name)]
    return [] if named is None else [Part(named.oid)]


def _in_another_schema(catalog: Catalog, op: Drop, name: Name) -> Index | None:
    """Returns the only index of a name, in a schema that the search_path of the runner then has: without it, the DROP would fail."""
    if name.schema is not None or op.if_exists or catalog.is_absent(name):
        return None
    found = [index for index in catalog.objects_of(Index) if index.name.name == name.name]
    return found[0] if len(found) == 1 else None


def _routine(catalog: Catalog, name: Name, arguments: str | None) -> list[Part]:
    candidates = catalog.functions(name)
    if arguments is not None:
        # A type has several spellings: if none matches exactly, the number of input arguments decides.
        count = len(
            [argument for argument in _MODIFIERS.sub("", arguments).split(",") if argument.strip() and not _OUT_ARGUMENT.match(argument)]
        )
        exact = [function for function in candidates if ", ".join(function.arguments) == arguments.lower()]
        candidates = exact or [function for function in candidates if len(function.arguments) == count]
    return [Part(function.oid) for function in candidates[:1]]


def _is_in(candidate: Object, schema: str) -> bool:
    return candidate.name.schema == schema and not (isinstance(candidate, Attached) and candidate.kind != "statistics")


def _is_known_missing(catalog: Catalog, op: Drop, name: Name) -> bool:
    if op.kind in _RELATIONS or op.kind == "index":
        return catalog.is_absent(name)
    if op.kind in ("trigger", "rule", "policy") and op.table is not None:
        table = catalog.relation(op.table)
        if table is None:
            return catalog.is_absent(op.table)
        may_be_dynamic = op.kind == "trigger" and table.oid <= catalog.origin.opaque_until
        return table.complete and not may_be_dynamic and not catalog.may_have_part(table.oid, op.kind, name.name)
    return False


def drop_result(catalog: Catalog, op: Drop) -> DropResult:
    """Returns the result of a DROP."""
    parts, _ = find_named_parts(catalog, op)
    return find_dropped_parts(catalog, parts, cascade=op.cascade or op.kind == "schema")


@SCHEMA_CHANGES.register(Drop)
def drop(catalog: Catalog, op: Drop) -> None:
    """DROP."""
    parts, missing = find_named_parts(catalog, op)
    if not op.if_exists:
        for refusal in missing:
            place = f" ON {op.table}" if op.table is not None else ""
            catalog.add_refusal(refusal, help=f"DROP {op.kind.upper()} IF EXISTS {', '.join(map(str, op.names))}{place};")
    for name in op.names if op.kind == "index" else ():
        _refuse_table(catalog, name)
    for part in parts if op.kind != "schema" else ():  # a schema takes indexes and sequences along with their tables
        _refuse_kind(catalog, op, part)
    is_filled = op.kind == "schema" and bool(parts) and not op.cascade
    if is_filled:
        catalog.add_refusal(
            f"cannot drop schema {op.names[0]} because other objects depend on it",
            f"{describe(catalog, parts[0])} is in it",
            "-- first drop or move the objects in the schema",
        )
    result = find_dropped_parts(catalog, parts, cascade=op.cascade or op.kind == "schema")
    is_replaced = any(_is_replaced(catalog, op, part) for part in parts)
    certain = next((part for part in result.held_by if certainly_exists(catalog, catalog[part.oid])), None)
    if is_replaced:
        _forget_references(catalog, result.held_by)
    elif certain is not None:
        dropped, holders = describe(catalog, parts[0]), [describe(catalog, part) for part in result.held_by]
        catalog.add_refusal(
            f"cannot drop {dropped} because other objects depend on it"
            if len(parts) == 1
            else "cannot drop desired object(s) because other objects depend on them",
            f"{describe(catalog, certain)} depends on {dropped if len(parts) == 1 else 'one of them'}",
            f"-- first drop or change what depends on it: {', '.join(holders)}",
        )
    if is_filled:
        forget_existing(catalog, result.parts)
    elif certain is not None and not is_replaced:
        drop_refused(catalog, result)
    else:
        drop_parts(catalog, result.parts)
    if op.kind in _RELATIONS or op.kind == "index":
        for name in op.names:
            catalog.mark_absent(catalog.resolve(name))
    for name in op.names if op.kind in ROLES else ():
        catalog.roles.drop(name.name, certain=op.certain)
    if op.kind == "schema":
        for name in op.names:
            catalog.drop_schema(name.name)


def _refuse_table(catalog: Catalog, name: Name) -> None:
    """Refuses DROP INDEX of a table, a view or a sequence."""
    relation = catalog.relation(name)
    is_known = relation is not None and (relation.complete or relation.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED))
    if relation is not None and is_known and not relation.may_be_older and catalog.index(name) is None:
        catalog.add_refusal(f'"{relation.name.name}" is not an index', f"it is a {relation.kind.value}")


def _refuse_kind(catalog: Catalog, op: Drop, part: Part) -> None:
    dropped_object = catalog[part.oid]
    kinds = _RELATIONS.get(op.kind)
    is_known = isinstance(dropped_object, Relation) and (dropped_object.complete or dropped_object.kind is RelationKind.MATERIALIZED)
    if kinds is not None and isinstance(dropped_object, Relation) and is_known and dropped_object.kind not in kinds:
        catalog.add_refusal(
            f'"{dropped_object.name.name}" is not a {op.kind}',
            f"it is a {dropped_object.kind.value}",
            f"DROP {_kind_word(dropped_object)} {dropped_object.name};",
        )
    if isinstance(dropped_object, Index) and op.kind == "index":
        constraint = constraint_of_index(catalog, dropped_object)
        if constraint is not None:
            table = catalog[constraint.table].name
            catalog.add_refusal(
                f"cannot drop {describe(catalog, part)} because {describe(catalog, Part(constraint.oid))} requires it",
                help=f"ALTER TABLE {table} DROP CONSTRAINT {Name(constraint.name.name)};",
            )
        elif dropped_object.parent is not None and catalog.get(dropped_object.parent) is not None:
            parent = describe(catalog, Part(dropped_object.parent))
            catalog.add_refusal(
                f"cannot drop {describe(catalog, part)} because {parent} requires it", help=f"-- drop {parent} instead, with all its parts"
            )
    if isinstance(dropped_object, Relation) and dropped_object.kind is RelationKind.SEQUENCE and dropped_object.owner is not None:
        owner = catalog.get(dropped_object.owner[0])
        column = owner.column_numbered(dropped_object.owner[1]) if isinstance(owner, Relation) else None
        if owner is not None and column is not None and column.identity is not None and dropped_object.of_identity:
            catalog.add_refusal(
                f"cannot drop {describe(catalog, part)} because {describe(catalog, Part(*dropped_object.owner))} requires it",
                help=f"ALTER TABLE {owner.name} ALTER COLUMN {Name(column.name)} DROP IDENTITY;",
            )


def _is_replaced(catalog: Catalog, op: Drop, part: Part) -> bool:
    """Whether a DROP names another kind of relation than the one that the history has used, and not created: something else has replaced it."""
    known, kinds = catalog[part.oid], _RELATIONS.get(op.kind)
    return kinds is not None and isinstance(known, Relation) and not known.complete and known.kind is RelationKind.TABLE not in kinds


def _forget_references(catalog: Catalog, parts: Sequence[Part]) -> None:
    """Records that what referenced a replaced table may have been changed with it."""
    for part in parts:
        constraint = catalog[part.oid]
        table = catalog.get(constraint.table) if isinstance(constraint, Constraint) else None
        if isinstance(table, Relation):
            catalog.change(table, complete=False)


def _kind_word(relation: Relation) -> str:
    return "TABLE" if relation.kind is RelationKind.PARTITIONED else relation.kind.value.upper()


def _missing(catalog: Catalog, op: Drop, name: Name) -> str:
    """Returns the message about a dropped object that does not exist."""
    if op.kind in ("trigger", "rule", "policy") and op.table is not None:
        if catalog.relation(op.table) is None:
            return f"relation {name_in_quotes(op.table)} does not exist"
        table_word = "relation" if op.kind == "rule" else "table"
        return f'{op.kind} "{name.name}" for {table_word} "{op.table.name}" does not exist'
    return f"{op.kind} {name_in_quotes(name)} does not exist"


def drop_temporary(catalog: Catalog) -> None:
    """Drops the temporary relations at the end of a connection."""
    parts = [Part(relation.oid) for relation in catalog.temporary_relations()]
    if parts:
        drop_parts(catalog, find_dropped_parts(catalog, parts, cascade=True).parts)
