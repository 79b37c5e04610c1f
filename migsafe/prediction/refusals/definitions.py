"""What several reasons need: the columns, types and constraints that an operation defines."""

from collections.abc import Iterator

from msgspec.structs import replace

from migsafe.schema.casts import BUILT_IN
from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import stored_type
from migsafe.schema.objects import Column, EnumType, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Constraint, Name, TypeName


def complete_table(catalog: Catalog, name: Name) -> Relation | None:
    """Returns a table of which the history tells everything."""
    table = catalog.relation(name)
    is_known = table is not None and table.complete and table.kind in (RelationKind.TABLE, RelationKind.PARTITIONED)
    return table if is_known else None


def may_make_nothing(catalog: Catalog, op: sql.CreateTable) -> bool:
    """Whether CREATE TABLE IF NOT EXISTS may find a relation of the name, and does nothing then."""
    return op.if_not_exists and not catalog.is_free(catalog.in_first_schema(op.table))


def known_column(catalog: Catalog, op: sql.AlterRelation, name: str) -> tuple[Relation, Column] | None:
    """Returns the table of an ALTER TABLE and its column, if the history tells everything about the table."""
    table = complete_table(catalog, op.target.name)
    column = table.column(name) if table is not None else None
    return (table, column) if table is not None and column is not None else None


def added_constraints(op: sql.CreateTable | sql.AddColumn | sql.AddConstraint) -> Iterator[Constraint]:
    """Returns the constraints that an operation adds to a table."""
    match op:
        case sql.AddConstraint():
            yield op.constraint
        case sql.AddColumn():
            yield from op.column.constraints
        case sql.CreateTable():
            for column in op.columns:
                yield from column.constraints
            yield from op.constraints


def type_text(catalog: Catalog, data_type: TypeName) -> str:
    """Returns a type without its modifiers, as PostgreSQL's messages show it: with its schema only if search_path does not find it."""
    schema = None if data_type.schema in (*catalog.search_path, "pg_catalog") else data_type.schema
    return str(replace(data_type, modifiers=(), schema=schema))


def is_built_in(data_type: TypeName) -> bool:
    """Whether a type is one of PostgreSQL's own."""
    return data_type.schema in (None, "pg_catalog") and data_type.name in BUILT_IN


def known_type(catalog: Catalog, data_type: TypeName | None) -> TypeName | None:
    """Returns a type if its casts are known: a built-in type, or an enum."""
    stored = stored_type(catalog, data_type)
    if stored is None or stored.setof:
        return None
    return stored if is_built_in(stored) or isinstance(catalog.type_of(stored), EnumType) else None


def changed_type(catalog: Catalog, op: sql.AlterColumnType) -> tuple[Relation, Column, TypeName, TypeName] | None:
    """Returns the table and the column whose type changes, and its types before and after, if all of them are known."""
    known, target = known_column(catalog, op, op.column), known_type(catalog, op.type)
    if known is None or target is None or op.target.kind not in ("table", "foreign table"):
        return None
    table, column = known
    source = known_type(catalog, column.type)
    return (table, column, source, target) if source is not None else None
