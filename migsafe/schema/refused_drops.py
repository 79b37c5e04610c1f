"""What is known after a DROP that PostgreSQL refuses because other objects depend on what it names."""

from collections.abc import Sequence

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.dependents import DropResult, Part, drop_parts, find_dropped_parts, forget_parts
from migsafe.schema.objects import Attached, Constraint, Index, Relation, Trigger


def drop_refused(catalog: Catalog, result: DropResult) -> None:
    """Removes what a DROP names that PostgreSQL refuses because other objects depend on it. These are there: a later statement may drop or
    change them, in the wrong order. So a column stays, with an unknown type, and it is unknown whether the others exist."""
    columns = [part for part in result.held_by if part.column and not part.default and not _is_generated(catalog, part)]
    staying = set(find_dropped_parts(catalog, columns, cascade=True).parts)
    for part in columns:
        relation = catalog.require(Relation, part.oid)
        catalog.change(relation, columns=tuple(replace(each, type=None) if each.number == part.column else each for each in relation.columns))
    forget_existing(catalog, [part for part in result.parts if part not in result.own and part not in staying])
    drop_parts(catalog, result.own)


def forget_existing(catalog: Catalog, parts: Sequence[Part]) -> None:
    """Removes objects that prevented a DROP: they are known to have existed, and a later statement may drop them."""
    for part in parts:
        _note_possible(catalog, part)
    forget_parts(catalog, parts)


def _is_generated(catalog: Catalog, part: Part) -> bool:
    column = catalog.require(Relation, part.oid).column_numbered(part.column)
    return column is not None and bool(column.generated)


def _note_possible(catalog: Catalog, part: Part) -> None:
    held = catalog[part.oid]
    if isinstance(held, Relation) and part.column and not part.default:
        column = held.column_numbered(part.column)
        if column is not None:
            catalog.note_possible_part(held.oid, "column", column.name)
    elif isinstance(held, Relation | Index):
        catalog.note_possible_part(0, "relation", str(held.name))
    elif isinstance(held, Constraint | Trigger | Attached):
        kind = held.kind if isinstance(held, Attached) else type(held).__name__.lower()
        catalog.note_possible_part(held.table, kind, held.name.name)
