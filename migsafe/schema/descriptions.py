"""Objects as PostgreSQL's error messages name them (getObjectDescription in src/backend/catalog/objectaddress.c)."""

from migsafe.schema.catalog import TEMPORARY, Catalog
from migsafe.schema.dependents import Part
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
    described = catalog.get(part.oid)
    match described:
        case Relation() if part.column:
            column = described.column_numbered(part.column)
            name = f"column {Name(column.name) if column else '?'} of {_relation(catalog, described)}"
            return f"default value for {name}" if part.default else name
        case Relation():
            return _relation(catalog, described)
        case Index():
            return f"index {visible_name(catalog, described.name)}"
        case Constraint() | Trigger():
            return f"{type(described).__name__.lower()} {Name(described.name.name)} on {_table(catalog, described.table)}"
        case Attached(kind="statistics"):
            return f"statistics object {visible_name(catalog, described.name)}"
        case Attached():
            return f"{described.kind} {Name(described.name.name)} on {_table(catalog, described.table)}"
        case Function():
            return f"function {visible_name(catalog, described.name)}({','.join(described.arguments)})"
        case EnumType() | Domain() | Composite():
            return f"type {visible_name(catalog, described.name)}"
        case PublishedColumns():
            publication = catalog.get(described.publication)
            of = f"publication of {_table(catalog, described.table)}"
            return f"{of} in publication {Name(publication.name.name)}" if publication is not None else of
        case Extension():
            return f"extension {described.name.name}"
        case Publication():
            return f"publication {described.name.name}"
        case None:
            return "another object"
    return str(described.name)


def _table(catalog: Catalog, oid: int) -> str:
    table = catalog.get(oid)
    return _relation(catalog, table) if isinstance(table, Relation) else "a table"


def _relation(catalog: Catalog, relation: Relation) -> str:
    kind = RelationKind.TABLE if relation.kind is RelationKind.PARTITIONED else relation.kind
    return f"{kind.value} {visible_name(catalog, relation.name)}"
