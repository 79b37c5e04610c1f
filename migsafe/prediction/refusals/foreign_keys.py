"""The limits of foreign keys: the persistence of both tables, the number and the types of their columns."""

from collections.abc import Iterable

from migsafe.prediction.refusals.definitions import added_constraints, complete_table, known_column, known_type, type_text
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.constraints import referenced_index
from migsafe.schema.default_names import free_constraint_name
from migsafe.schema.objects import EnumType, Index, Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Constraint, ConstraintKind, Name, Persistence, TypeName

_FAMILIES = {
    **dict.fromkeys(("smallint", "integer", "bigint"), "integer"),
    **dict.fromkeys(("numeric", "real", "double precision"), "fraction"),
    **dict.fromkeys(("text", "character varying", "character", "name"), "string"),
    **dict.fromkeys(("date", "timestamp without time zone", "timestamp with time zone"), "time"),
    **{name: name for name in ("uuid", "boolean", "bytea", "json", "jsonb", "inet", "money", "interval")},
}
"""Types between which `=` exists, by name. From a type of one family to a type of another there is no operator and no implicit cast, except
from an integer to a fraction (measured)."""


@refuses(sql.AddConstraint, sql.AddColumn, sql.CreateTable)
def add_foreign_key(catalog: Catalog, op: sql.AddConstraint | sql.AddColumn | sql.CreateTable) -> Refusal | None:
    """A foreign key references a table of the same persistence, with as many columns, of types that can be compared."""
    name = op.table if isinstance(op, sql.CreateTable) else op.target.name
    for definition in added_constraints(op):
        if definition.kind is ConstraintKind.FOREIGN_KEY and definition.references is not None:
            referenced = complete_table(catalog, definition.references.table)
            if referenced is None or catalog.resolve(definition.references.table) == catalog.in_first_schema(name):
                continue
            refusal = _refuse_persistence(catalog, op, referenced) or _refuse_columns(catalog, op, definition, referenced)
            if refusal is not None:
                return refusal
    return None


def _refuse_persistence(catalog: Catalog, op: sql.AddConstraint | sql.AddColumn | sql.CreateTable, referenced: Relation) -> Refusal | None:
    if isinstance(op, sql.CreateTable):
        name, persistence = op.table, op.persistence
    else:
        table = complete_table(catalog, op.target.name)
        if table is None:
            return None
        name, persistence = table.name, table.persistence
    allowed = {
        Persistence.PERMANENT: ((Persistence.PERMANENT,), "permanent tables"),
        Persistence.UNLOGGED: ((Persistence.PERMANENT, Persistence.UNLOGGED), "permanent or unlogged tables"),
        Persistence.TEMPORARY: ((Persistence.TEMPORARY,), "temporary tables"),
    }
    kinds, words = allowed[persistence]
    if referenced.persistence in kinds:
        return None
    is_unlogged = referenced.persistence is Persistence.UNLOGGED
    return Refusal(
        error=f"constraints on {persistence.value} tables may reference only {words}",
        detail=f"{referenced.name} is {referenced.persistence.value}",
        help=f"-- first: ALTER TABLE {referenced.name} SET LOGGED; or: ALTER TABLE {name} SET UNLOGGED;" if is_unlogged else "",
    )


def _refuse_columns(
    catalog: Catalog, op: sql.AddConstraint | sql.AddColumn | sql.CreateTable, definition: Constraint, referenced: Relation
) -> Refusal | None:
    assert definition.references is not None
    names = definition.references.columns
    numbers = [column.number for name in names if (column := referenced.column(name)) is not None]
    index = referenced_index(catalog, referenced, tuple(numbers)) if len(numbers) == len(names) else None
    if index is None:
        return None
    keys = numbers or [key.column for key in catalog.require(Index, index).keys if key.column is not None]
    if len(keys) != len(definition.columns):
        return Refusal(error="number of referencing and referenced columns for foreign key disagree")
    types = _defined_types(catalog, op)
    for name, number in zip(definition.columns, keys, strict=True):
        column = referenced.column_numbered(number)
        if column is None or types.get(name) is None or not are_incompatible(catalog, types[name], column.type):
            continue
        table = op.table if isinstance(op, sql.CreateTable) else op.target.name
        default = free_constraint_name(catalog, catalog.in_first_schema(table), definition.columns, "fkey").name
        return _incompatible(catalog, definition.name or default, (name, types[name]), (column.name, column.type), referenced)
    return None


def _defined_types(catalog: Catalog, op: sql.AddConstraint | sql.AddColumn | sql.CreateTable) -> dict[str, TypeName | None]:
    types: dict[str, TypeName | None] = {}
    if not isinstance(op, sql.CreateTable):
        table = catalog.relation(op.target.name)
        types.update({column.name: column.type for column in table.columns} if table is not None else {})
    columns: Iterable[sql.Column] = op.columns if isinstance(op, sql.CreateTable) else (op.column,) if isinstance(op, sql.AddColumn) else ()
    types.update({column.name: column.type for column in columns})
    return types


def are_incompatible(catalog: Catalog, referencing: TypeName | None, referenced: TypeName | None) -> bool:
    """Whether PostgreSQL certainly finds no operator that compares a referencing column with a referenced one."""
    own, other = known_type(catalog, referencing), known_type(catalog, referenced)
    if own is None or other is None or own.dimensions or other.dimensions:
        return False
    own_family, other_family = _family(catalog, own), _family(catalog, other)
    return (
        own_family is not None
        and other_family is not None
        and own_family != other_family
        and (own_family, other_family)
        != (
            "integer",
            "fraction",
        )
    )


def _family(catalog: Catalog, data_type: TypeName) -> str | None:
    user = catalog.type_of(data_type)
    return str(user.name) if isinstance(user, EnumType) else _FAMILIES.get(data_type.name)


def _incompatible(
    catalog: Catalog,
    constraint: str,
    own: tuple[str, TypeName | None],
    other: tuple[str, TypeName | None],
    referenced: Relation,
) -> Refusal:
    types = [type_text(catalog, stored) if (stored := known_type(catalog, each)) is not None else "?" for each in (own[1], other[1])]
    return Refusal(
        error=f'foreign key constraint "{constraint}" cannot be implemented',
        detail=f'key columns "{own[0]}" and "{other[0]}" are of incompatible types: {types[0]} and {types[1]}',
        help=f"-- give {Name(own[0])} the type of {referenced.name}.{Name(other[0])}: {types[1]}",
    )


@refuses(sql.AlterColumnType)
def alter_type(catalog: Catalog, op: sql.AlterColumnType) -> Refusal | None:
    """The columns of a foreign key keep types that can be compared."""
    known = known_column(catalog, op, op.column)
    if known is None or op.target.only:
        return None
    table, column = known
    for constraint in (*catalog.constraints(table.oid), *catalog.foreign_keys_to(table.oid)):
        if constraint.kind is not ConstraintKind.FOREIGN_KEY or constraint.references is None or constraint.references == constraint.table:
            continue
        own_table, other_table = catalog.get(constraint.table), catalog.get(constraint.references)
        if not isinstance(own_table, Relation) or not isinstance(other_table, Relation):
            continue
        for number, other_number in zip(constraint.columns, constraint.referenced_columns, strict=False):
            own, other = own_table.column_numbered(number), other_table.column_numbered(other_number)
            if own is None or other is None:
                continue
            own_type, other_type = own.type, other.type
            if (constraint.table, number) == (table.oid, column.number):
                own_type = op.type
            elif (constraint.references, other_number) == (table.oid, column.number):
                other_type = op.type
            else:
                continue
            if are_incompatible(catalog, own_type, other_type):
                return _incompatible(catalog, constraint.name.name, (own.name, own_type), (other.name, other_type), other_table)
    return None


@refuses(sql.SetLogged)
def set_logged(catalog: Catalog, op: sql.SetLogged) -> Refusal | None:
    """A logged table references only logged tables."""
    table = complete_table(catalog, op.target.name)
    if table is None or table.kind is RelationKind.PARTITIONED:
        return None
    own = table.name.name
    for constraint in catalog.constraints(table.oid) if op.logged else catalog.foreign_keys_to(table.oid):
        other = catalog.get((constraint.references or 0) if op.logged else constraint.table)
        if constraint.kind is not ConstraintKind.FOREIGN_KEY or not isinstance(other, Relation) or other.oid == table.oid:
            continue
        if op.logged and other.persistence is Persistence.UNLOGGED:
            return Refusal(
                error=f'could not change table "{own}" to logged because it references unlogged table "{other.name.name}"',
                help=f"-- first: ALTER TABLE {other.name} SET LOGGED;",
            )
        if not op.logged and other.persistence is Persistence.PERMANENT:
            return Refusal(
                error=f'could not change table "{own}" to unlogged because it references logged table "{other.name.name}"',
                detail=f"constraint {constraint.name.name} of {other.name} references {table.name}",
                help=f"-- first: ALTER TABLE {other.name} SET UNLOGGED;",
            )
    return None
