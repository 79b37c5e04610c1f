"""Whether an object that the history created still exists."""

from collections.abc import Iterator

from migsafe.schema.casts import BUILT_IN
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Attached, Composite, Constraint, Domain, EnumType, Index, Object, Relation, Trigger
from migsafe.schema.volatility import volatility_of
from migsafe.sql.operations import Name


def certainly_exists(catalog: Catalog, known: Object) -> bool:
    """Whether no opaque code can have dropped an object since it was created."""
    if known.oid > catalog.origin.opaque_until:
        return True
    table = catalog.get(known.table) if isinstance(known, Index | Constraint | Trigger | Attached) else known
    return isinstance(table, Relation) and table.complete


def refuse_because_of(catalog: Catalog, known: Object, error: str, detail: str = "", help: str = "") -> None:
    """Records why PostgreSQL would refuse the operation that is being applied, if the object because of which it does certainly exists. The
    other parameters are those of Refusal."""
    if certainly_exists(catalog, known):
        catalog.add_refusal(error, detail, help)


def is_unmade_enum(catalog: Catalog, name: Name) -> bool:
    """Whether it is known that an enum does not exist, because the history made all objects and has no type of this name."""
    if not catalog.from_beginning or not catalog.origin.made_all or catalog.relation(name) is not None:
        return False
    return all(stored.name.name != name.name for stored in _types(catalog))


def _types(catalog: Catalog) -> Iterator[Object]:
    """Yields the enums, domains and composite types."""
    return (stored for kind in (EnumType, Domain, Composite) for stored in catalog.objects_of(kind))


def is_absent_type(catalog: Catalog, name: Name) -> bool:
    """Whether it is known that no enum, domain or composite type has this name, because it was dropped, or because the session has set a
    search_path that does not find the schema in which the history has created it."""
    if name.schema is None and catalog.has_no_schemas and any(stored.name.name == name.name for stored in _types(catalog)):
        return True
    if name.schema is None and name.name not in BUILT_IN and catalog.path_is_set and catalog.from_beginning and catalog.origin.made_all:
        is_elsewhere = any(stored.name.name == name.name for stored in _types(catalog))
        return is_elsewhere and catalog.type_named(name) is None and catalog.relation(name) is None
    schemas = (name.schema,) if name.schema is not None else catalog.search_path
    was_dropped = any(Name(name.name, schema) in catalog.dropped_types for schema in schemas)
    return was_dropped and catalog.type_named(name) is None and catalog.relation(name) is None


def is_absent_function(catalog: Catalog, name: Name) -> bool:
    """Whether it is known that no function has this name, because the last one was dropped, or search_path was emptied."""
    if name.schema is None and catalog.has_no_schemas and catalog.functions_named(name.name):
        return volatility_of(Name(name.name), catalog.pg_version) is None
    schemas = (name.schema,) if name.schema is not None else catalog.search_path
    return any(Name(name.name, schema) in catalog.dropped_functions for schema in schemas) and not catalog.functions_named(name.name)


def note_removed_column(catalog: Catalog, oid: int, column: str, new_name: str | None = None) -> None:
    """Records that a table of which not all columns are known has none of this name any more, but one of its new name."""
    table = catalog.require(Relation, oid)
    if not table.complete and table.column(column) is None:
        catalog.change(table, removed_columns=(table.removed_columns | {column}) - {new_name})
