"""Objects as PostgreSQL's error messages name them (getObjectDescription in src/backend/catalog/objectaddress.c)."""

from collections.abc import Callable

from migsafe.schema.aggregates import Aggregate
from migsafe.schema.catalog import Catalog
from migsafe.schema.dependents import Part
from migsafe.schema.event_triggers import EventTrigger
from migsafe.schema.known_objects import TEMPORARY
from migsafe.schema.objects import (
    Attached,
    Composite,
    Constraint,
    Domain,
    EnumType,
    Extension,
    Function,
    Index,
    Publication,
    PublishedColumns,
    Relation,
    RelationKind,
    Trigger,
)
from migsafe.sql.operations import Name


def name_in_quotes(name: Name) -> str:
    """Returns a name between double quotes, as messages show it: with its schema only if the name has one."""
    return f'"{name.name}"' if name.schema is None else f'"{name.schema}.{name.name}"'


def visible_name(catalog: Catalog, name: Name) -> str:
    """Returns a name with its schema only if search_path does not find it."""
    return str(Name(name.name)) if name.schema in (*catalog.search_path, TEMPORARY, None) else str(name)


def describe(catalog: Catalog, part: Part) -> str:
    """Returns what PostgreSQL calls an object: `view v`, `column a of table t`, `constraint c on table t`."""
    return _described(catalog, part, lambda name: visible_name(catalog, name))


def describe_with_schema(catalog: Catalog, part: Part) -> str:
    """Returns the same with the schema of each name, as migsafe's own messages show it: `view public.v`."""
    return _described(catalog, part, str)


def _described(catalog: Catalog, part: Part, shown: Callable[[Name], str]) -> str:
    described = catalog.get(part.oid)
    match described:
        case Relation() if part.column:
            column = described.column_numbered(part.column)
            name = f"column {Name(column.name) if column else '?'} of {_relation(described, shown)}"
            return f"default value for {name}" if part.default else name
        case Relation():
            return _relation(described, shown)
        case Index():
            return f"index {shown(described.name)}"
        case Constraint() | Trigger():
            return f"{type(described).__name__.lower()} {Name(described.name.name)} on {_table(catalog, described.table, shown)}"
        case Attached(kind="statistics"):
            return f"statistics object {shown(described.name)}"
        case Attached():
            return f"{described.kind} {Name(described.name.name)} on {_table(catalog, described.table, shown)}"
        case Function():
            return f"function {shown(described.name)}({','.join(described.arguments)})"
        case Aggregate():
            return f"aggregate {shown(described.name)}"
        case EnumType() | Domain() | Composite():
            return f"type {shown(described.name)}"
        case PublishedColumns():
            publication = catalog.get(described.publication)
            of = f"publication of {_table(catalog, described.table, shown)}"
            return f"{of} in publication {Name(publication.name.name)}" if publication is not None else of
        case EventTrigger():
            return f"event trigger {described.name.name}"
        case Extension():
            return f"extension {described.name.name}"
        case Publication():
            return f"publication {described.name.name}"
        case None:
            return "another object"
    return str(described.name)


def _table(catalog: Catalog, oid: int, shown: Callable[[Name], str]) -> str:
    table = catalog.get(oid)
    return _relation(table, shown) if isinstance(table, Relation) else "a table"


def _relation(relation: Relation, shown: Callable[[Name], str]) -> str:
    kind = RelationKind.TABLE if relation.kind is RelationKind.PARTITIONED else relation.kind
    return f"{kind.value} {shown(relation.name)}"
