"""The objects that CASCADE drops."""

from msgspec import Struct

from migsafe.schema.alterations import column_drop_result
from migsafe.schema.altered_constraints import constraint_drop_result
from migsafe.schema.catalog import Catalog
from migsafe.schema.dependents import Part, find_dropped_parts
from migsafe.schema.known_objects import TEMPORARY
from migsafe.schema.objects import Constraint, Object, Relation
from migsafe.schema.removals import find_named_parts
from migsafe.sql.operations import Drop, DropColumn, DropConstraint

Cascading = Drop | DropColumn | DropConstraint
_RELATIONS = ("table", "foreign table", "view", "materialized view", "sequence")


class Cascade(Struct):
    """The objects that are dropped only because of CASCADE: `parts`. If not all objects are `known`, there may be more."""

    parts: tuple[Part, ...]
    known: bool


def find_cascade(catalog: Catalog, op: Cascading) -> Cascade | None:
    """Returns the objects that CASCADE drops; None without CASCADE, or if it certainly drops nothing. For a schema, all its objects."""
    if not op.cascade or (isinstance(op, Drop) and op.kind == "schema"):
        return None
    if isinstance(op, Drop):
        parts, known = _find_dropped(catalog, op)
        held = find_dropped_parts(catalog, parts).held_by
    else:
        table = catalog.relation(op.target.name)
        if table is None:
            return None if catalog.is_absent(op.target.name) else Cascade((), known=False)
        column = table.column(op.column) if isinstance(op, DropColumn) else None
        constraint = catalog.constraint(table.oid, op.constraint) if isinstance(op, DropConstraint) else None
        known = table.complete or is_created_by_release(catalog, table)
        if column is not None:
            held = column_drop_result(catalog, table, column, cascade=False, only=op.target.only).held_by
        elif constraint is not None:
            held = constraint_drop_result(catalog, constraint, cascade=False, only=op.target.only).held_by
        else:
            return None if known else Cascade((), known=False)
    cascaded = tuple(part for part in held if not _is_own_object(catalog, part))
    return None if known and not cascaded else Cascade(cascaded, known)


def find_outside_schema(catalog: Catalog, op: Drop) -> tuple[Part, ...]:
    """Returns the objects in other schemas that DROP SCHEMA … CASCADE drops: those that need its objects."""
    parts, _ = find_named_parts(catalog, op)
    return tuple(part for part in find_dropped_parts(catalog, parts).held_by if not _is_own_object(catalog, part))


def _find_dropped(catalog: Catalog, op: Drop) -> tuple[list[Part], bool]:
    """Returns the known objects that a DROP names, and whether all of them are known."""
    parts, _ = find_named_parts(catalog, op)
    if op.kind in ("index", "trigger", "rule", "policy", "statistics", "publication"):
        return parts, True  # only the parts on partitions depend on these
    is_missing = catalog.is_never_found if op.kind in _RELATIONS else catalog.is_absent
    names = [name for name in op.names if not (op.if_exists and is_missing(name))]
    objects = [catalog.get(part.oid) for part in parts]
    return parts, len(objects) >= len(names) and all(
        not isinstance(dropped_object, Relation) or dropped_object.complete or is_created_by_release(catalog, dropped_object)
        for dropped_object in objects
    )


def is_created_by_release(catalog: Catalog, relation: Relation) -> bool:
    """Whether the migration, or an earlier one of its release, has created the relation, so that only objects of these depend on it."""
    is_of_release = catalog.release.contains(relation.created_in, relation.name) and not relation.may_be_older
    return relation.created_in == catalog.migration or is_of_release or relation.name.schema == TEMPORARY


def _is_own_object(catalog: Catalog, part: Part) -> bool:
    """Whether the release has created the dropped relation, or the table of the dropped constraint."""
    dropped_object: Object | None = catalog.get(part.oid)
    if isinstance(dropped_object, Constraint):
        dropped_object = catalog.get(dropped_object.table)
    return isinstance(dropped_object, Relation) and not part.column and is_created_by_release(catalog, dropped_object)
