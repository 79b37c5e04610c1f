"""Enums, domains, composite types."""

from collections.abc import Callable

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.columns import set_column, stored_type
from migsafe.schema.dependents import Part, drop_parts, find_dropped_parts, is_type_named
from migsafe.schema.objects import Composite, Domain, DomainCheck, EnumType, Relation, Type
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name, TypeName


def _make_room(catalog: Catalog, name: Name) -> None:
    before = catalog.type_named(name)
    if before is not None:
        catalog.add_refusal(f"type {name} already exists")
        drop_parts(catalog, find_dropped_parts(catalog, [Part(before.oid)]).parts)


@SCHEMA_CHANGES.register(sql.CreateEnum)
def create_enum(catalog: Catalog, op: sql.CreateEnum) -> None:
    """CREATE TYPE … AS ENUM."""
    name = catalog.in_first_schema(op.type)
    _make_room(catalog, name)
    catalog.store(EnumType(oid=catalog.new_oid(), name=name, values=op.values))


@SCHEMA_CHANGES.register(sql.AddEnumValue)
def add_enum_value(catalog: Catalog, op: sql.AddEnumValue) -> None:
    """ALTER TYPE … ADD VALUE."""
    enum = catalog.type_named(op.type)
    if not isinstance(enum, EnumType):
        return
    if op.value in enum.values:
        if not op.if_not_exists:
            catalog.add_refusal(f"enum label {op.value} already exists in {enum.name}")
        return
    values = list(enum.values)
    neighbour = op.before or op.after
    at = len(values)
    if neighbour is not None:
        if neighbour not in values:
            catalog.add_refusal(f"{neighbour} is not a label of the enum {enum.name}")
        else:
            at = values.index(neighbour) + (op.after is not None)
    values.insert(at, op.value)
    catalog.change(enum, values=tuple(values))


@SCHEMA_CHANGES.register(sql.RenameEnumValue)
def rename_enum_value(catalog: Catalog, op: sql.RenameEnumValue) -> None:
    """ALTER TYPE … RENAME VALUE."""
    enum = catalog.type_named(op.type)
    if isinstance(enum, EnumType):
        if op.value not in enum.values:
            catalog.add_refusal(f"{op.value} is not a label of the enum {enum.name}")
        catalog.change(enum, values=tuple(op.new_name if value == op.value else value for value in enum.values))


@SCHEMA_CHANGES.register(sql.CreateDomain)
def create_domain(catalog: Catalog, op: sql.CreateDomain) -> None:
    """CREATE DOMAIN."""
    name = catalog.in_first_schema(op.domain)
    _make_room(catalog, name)
    checks: list[DomainCheck] = []
    for given in op.constraints:
        if given.kind is ConstraintKind.CHECK and given.check is not None:
            checks.append(DomainCheck(_check_name(name, given, checks), given.check, not given.not_valid))
    user = catalog.type_of(op.type)
    base = replace(op.type, schema=user.name.schema) if user is not None else op.type
    catalog.store(
        Domain(
            oid=catalog.new_oid(), name=name, type=base, not_null=op.not_null, checks=tuple(checks), default=op.default, collation=op.collation
        )
    )


def _check_name(domain: Name, given: sql.Constraint, others: list[DomainCheck]) -> str:
    if given.name is not None:
        return given.name
    name, number = f"{domain.name}_check", 0
    while any(other.name == name for other in others):
        number += 1
        name = f"{domain.name}_check{number}"
    return name


@SCHEMA_CHANGES.register(sql.AlterDomain)
def alter_domain(catalog: Catalog, op: sql.AlterDomain) -> None:
    """ALTER DOMAIN."""
    domain = catalog.type_named(op.domain)
    if not isinstance(domain, Domain):
        return
    match op.action:
        case "set default" | "drop default":
            catalog.change(domain, default=op.default)
        case "set not null" | "drop not null":
            catalog.change(domain, not_null=op.action == "set not null")
        case "add constraint" if op.constraint is not None and op.constraint.check is not None:
            given = op.constraint
            assert given.check is not None
            check = DomainCheck(_check_name(domain.name, given, list(domain.checks)), given.check, not given.not_valid)
            catalog.change(domain, checks=(*domain.checks, check))
        case "add constraint" if op.constraint is not None and op.constraint.kind is ConstraintKind.NOT_NULL:
            catalog.change(domain, not_null=True)
        case "drop constraint":
            kept = tuple(check for check in domain.checks if check.name != op.constraint_name)
            if len(kept) == len(domain.checks) and not op.if_exists:
                catalog.add_refusal(f"constraint {op.constraint_name} of domain {domain.name} does not exist")
            catalog.change(domain, checks=kept)
        case "validate constraint":
            checks = tuple(replace(check, valid=True) if check.name == op.constraint_name else check for check in domain.checks)
            catalog.change(domain, checks=checks)


@SCHEMA_CHANGES.register(sql.CreateCompositeType)
def create_composite(catalog: Catalog, op: sql.CreateCompositeType) -> None:
    """CREATE TYPE … AS (…)."""
    name = catalog.in_first_schema(op.type)
    _make_room(catalog, name)
    attributes = tuple((one.name, stored_type(catalog, one.type)) for one in op.attributes)
    catalog.store(Composite(oid=catalog.new_oid(), name=name, attributes=attributes))


def rename_in_type(catalog: Catalog, op: sql.RenameColumn | sql.RenameConstraint) -> None:
    """RENAME ATTRIBUTE of a composite type, and of the tables made OF it; RENAME CONSTRAINT of a domain."""
    one = catalog.type_named(op.target.name)
    if isinstance(op, sql.RenameColumn) and isinstance(one, Composite):
        catalog.change(one, attributes=tuple((op.new_name if name == op.column else name, kind) for name, kind in one.attributes))
        for table in [table for table in catalog.relations() if table.of_type == one.name]:
            column = table.column(op.column)
            if column is not None:
                set_column(catalog, table, column.number, name=op.new_name)
    elif isinstance(op, sql.RenameConstraint) and isinstance(one, Domain):
        checks = tuple(replace(check, name=op.new_name) if check.name == op.constraint else check for check in one.checks)
        catalog.change(one, checks=checks)


@SCHEMA_CHANGES.register(sql.AlterCompositeType)
def alter_composite(catalog: Catalog, op: sql.AlterCompositeType) -> None:
    """One ADD, DROP or ALTER ATTRIBUTE."""
    composite = catalog.type_named(op.type)
    if not isinstance(composite, Composite):
        return
    stored = stored_type(catalog, op.data_type)
    match op.action:
        case "add":
            catalog.change(composite, attributes=(*composite.attributes, (op.attribute, stored)))
        case "drop":
            catalog.change(composite, attributes=tuple(one for one in composite.attributes if one[0] != op.attribute))
        case "alter":
            attributes = tuple((name, stored if name == op.attribute else kind) for name, kind in composite.attributes)
            catalog.change(composite, attributes=attributes)


def move_type(catalog: Catalog, one: Type, name: Name) -> None:
    """Changes a type's name or schema, also in the columns and types that use it."""
    before = one.name

    def moved(given: TypeName | None) -> TypeName | None:
        return replace(given, name=name.name, schema=name.schema) if given is not None and is_type_named(given, before) else given

    catalog.change(one, name=name)
    for relation in list(catalog.relations()):
        for column in relation.columns:
            if is_type_named(column.type, before):
                set_column(catalog, catalog.require(Relation, relation.oid), column.number, type=moved(column.type))
    _move_in_types(catalog, moved)


def _move_in_types(catalog: Catalog, moved: Callable[[TypeName | None], TypeName | None]) -> None:
    for domain in catalog.objects_of(Domain):
        catalog.change(domain, type=moved(domain.type))
    for composite in catalog.objects_of(Composite):
        catalog.change(composite, attributes=tuple((name, moved(kind)) for name, kind in composite.attributes))
