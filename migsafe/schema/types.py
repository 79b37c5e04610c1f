"""Enums, domains, composite types."""

import re
from collections.abc import Callable

from msgspec.structs import replace

from migsafe import versions
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import refuse_because_of
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.columns import next_column_number, set_column, stored_type
from migsafe.schema.dependents import Part, drop_parts, find_dropped_parts, is_type_named
from migsafe.schema.objects import Column, Composite, Domain, DomainCheck, EnumType, Function, Relation, Type
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name, TypeName
from migsafe.text import MARK_START


def _make_room(catalog: Catalog, name: Name, help: str = "") -> bool:
    """Whether CREATE creates a type of this name. If one exists, the statement is refused, but still replaces it, unless another object
    depends on it. `help` is what to write instead."""
    existing = catalog.type_named(name)
    if existing is None:
        return True
    refuse_because_of(catalog, existing, f'type "{name.name}" already exists', help=help)
    dropped = find_dropped_parts(catalog, [Part(existing.oid)]).parts
    if catalog.keeps_existing or any(part.oid != existing.oid for part in dropped):
        return False
    drop_parts(catalog, dropped)
    return True


@SCHEMA_CHANGES.register(sql.CreateEnum)
def create_enum(catalog: Catalog, op: sql.CreateEnum) -> None:
    """CREATE TYPE … AS ENUM."""
    name = catalog.in_first_schema(op.type)
    if not _make_room(catalog, name, _instead_of_enum(catalog, op, name)):
        existing = catalog.type_named(name)
        if isinstance(existing, EnumType) and op.certain and not op.caught:
            # The statement is refused; what follows may use the values of either.
            catalog.change(existing, values=tuple(dict.fromkeys((*existing.values, *op.values))))
        return
    complete = op.certain and not any(MARK_START in value for value in op.values)
    catalog.store(EnumType(oid=catalog.new_oid(), name=name, values=op.values, complete=complete))


def _instead_of_enum(catalog: Catalog, op: sql.CreateEnum, name: Name) -> str:
    """Returns what gives an existing enum the values that the statement names."""
    existing = catalog.type_named(name)
    if not isinstance(existing, EnumType) or not existing.complete:
        return ""
    added = [value.replace("'", "''") for value in op.values if value not in existing.values]
    added_here = "\n".join(f"ALTER TYPE {op.type} ADD VALUE '{value}';" for value in added)
    return added_here or "-- leave the statement out: the type has all these values"


@SCHEMA_CHANGES.register(sql.AddEnumValue)
def add_enum_value(catalog: Catalog, op: sql.AddEnumValue) -> None:
    """ALTER TYPE … ADD VALUE."""
    enum = catalog.type_named(op.type)
    if not isinstance(enum, EnumType):
        return
    if op.value in enum.values:
        if not op.if_not_exists:
            in_quotes = "'" + op.value.replace("'", "''") + "'"
            refuse_because_of(
                catalog, enum, f'enum label "{op.value}" already exists', help=f"ALTER TYPE {op.type} ADD VALUE IF NOT EXISTS {in_quotes};"
            )
        return
    values = list(enum.values)
    neighbour = op.before or op.after
    position = len(values)
    if neighbour is not None:
        if neighbour not in values:
            if enum.complete:
                catalog.add_refusal(f'"{neighbour}" is not an existing enum label')
        else:
            position = values.index(neighbour) + (op.after is not None)
    values.insert(position, op.value)
    catalog.change(enum, values=tuple(values))


@SCHEMA_CHANGES.register(sql.RenameEnumValue)
def rename_enum_value(catalog: Catalog, op: sql.RenameEnumValue) -> None:
    """ALTER TYPE … RENAME VALUE."""
    enum = catalog.type_named(op.type)
    if isinstance(enum, EnumType):
        if op.value not in enum.values and enum.complete:
            catalog.add_refusal(f'"{op.value}" is not an existing enum label')
        elif op.new_name in enum.values:
            catalog.add_refusal(f'enum label "{op.new_name}" already exists')
        catalog.change(enum, values=tuple(op.new_name if value == op.value else value for value in enum.values))


@SCHEMA_CHANGES.register(sql.CreateDomain)
def create_domain(catalog: Catalog, op: sql.CreateDomain) -> None:
    """CREATE DOMAIN."""
    name = catalog.in_first_schema(op.domain)
    if not _make_room(catalog, name):
        return
    checks: list[DomainCheck] = []
    for constraint in op.constraints:
        if constraint.kind is ConstraintKind.CHECK and constraint.check is not None:
            checks.append(DomainCheck(_check_name(name, constraint, checks), constraint.check, not constraint.not_valid))
    base_type = catalog.type_of(op.type)
    stored = replace(op.type, schema=base_type.name.schema) if base_type is not None else op.type
    catalog.store(
        Domain(
            oid=catalog.new_oid(),
            name=name,
            type=stored,
            not_null=op.not_null,
            checks=tuple(checks),
            default=op.default,
            collation=op.collation,
        )
    )


def _check_name(domain: Name, constraint: sql.Constraint, checks: list[DomainCheck]) -> str:
    if constraint.name is not None:
        return constraint.name
    name, number = f"{domain.name}_check", 0
    while any(check.name == name for check in checks):
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
            constraint = op.constraint
            assert constraint.check is not None
            check = DomainCheck(_check_name(domain.name, constraint, list(domain.checks)), constraint.check, not constraint.not_valid)
            catalog.change(domain, checks=(*domain.checks, check))
        case "add constraint" if op.constraint is not None and op.constraint.kind is ConstraintKind.NOT_NULL:
            catalog.change(domain, not_null=True)
        case "drop constraint":
            remaining = tuple(check for check in domain.checks if check.name != op.constraint_name)
            if len(remaining) == len(domain.checks) and not op.if_exists:
                catalog.add_refusal(f'constraint "{op.constraint_name}" of domain "{domain.name.name}" does not exist')
            catalog.change(domain, checks=remaining)
        case "validate constraint":
            checks = tuple(replace(check, valid=True) if check.name == op.constraint_name else check for check in domain.checks)
            catalog.change(domain, checks=checks)


@SCHEMA_CHANGES.register(sql.CreateCompositeType)
def create_composite(catalog: Catalog, op: sql.CreateCompositeType) -> None:
    """CREATE TYPE … AS (…)."""
    name = catalog.in_first_schema(op.type)
    if not _make_room(catalog, name):
        return
    attributes = tuple((attribute.name, stored_type(catalog, attribute.type)) for attribute in op.attributes)
    catalog.store(Composite(oid=catalog.new_oid(), name=name, attributes=attributes))


def rename_in_type(catalog: Catalog, op: sql.RenameColumn | sql.RenameConstraint) -> None:
    """RENAME ATTRIBUTE of a composite type, and of the tables made OF it; RENAME CONSTRAINT of a domain."""
    user_type = catalog.type_named(op.target.name)
    if isinstance(op, sql.RenameColumn) and isinstance(user_type, Composite):
        catalog.change(user_type, attributes=tuple((op.new_name if name == op.column else name, kind) for name, kind in user_type.attributes))
        for table in [table for table in catalog.relations() if table.of_type == user_type.name]:
            column = table.column(op.column)
            if column is not None:
                set_column(catalog, table, column.number, name=op.new_name)
    elif isinstance(op, sql.RenameConstraint) and isinstance(user_type, Domain):
        checks = tuple(replace(check, name=op.new_name) if check.name == op.constraint else check for check in user_type.checks)
        catalog.change(user_type, checks=checks)


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
            drop_parts(catalog, dropped_with_attribute(catalog, composite, op))
            catalog.change(composite, attributes=tuple(attribute for attribute in composite.attributes if attribute[0] != op.attribute))
        case "alter":
            attributes = tuple((name, stored if name == op.attribute else kind) for name, kind in composite.attributes)
            catalog.change(composite, attributes=attributes)
    for table in [table for table in catalog.relations() if table.of_type == composite.name] if op.cascade else ():
        _cascade(catalog, op, table, stored)


def _cascade(catalog: Catalog, op: sql.AlterCompositeType, table: Relation, stored: TypeName | None) -> None:
    """Changes a table OF a composite type as its type, without the indexes and constraints of a column that is dropped."""
    column = table.column(op.attribute)
    if op.action == "add" and column is None:
        catalog.change(table, columns=(*table.columns, Column(number=next_column_number(table), name=op.attribute, type=stored)))
    elif op.action == "alter" and column is not None:
        set_column(catalog, table, column.number, type=stored)
    elif op.action == "drop" and column is not None:
        catalog.change(table, columns=tuple(each for each in table.columns if each is not column), complete=False)


def dropped_with_attribute(catalog: Catalog, composite: Composite, op: sql.AlterCompositeType) -> tuple[Part, ...]:
    """Returns the views that DROP ATTRIBUTE … CASCADE drops: those that read the attribute from the result of a function."""
    if op.action != "drop" or not op.cascade or catalog.pg_version < versions.FUNCTION_RESULTS_HAVE_COLUMNS:
        return ()
    is_named = re.compile(rf"\b{re.escape(op.attribute)}\b|\*", re.IGNORECASE).search
    functions = {
        function.name for function in catalog.objects_of(Function) if any(is_type_named(each, composite.name) for each in function.types)
    }
    views = [
        Part(relation.oid)
        for relation in (catalog.relations() if functions else ())
        if relation.query is not None
        and any(call.name == name.name and call.schema in (None, name.schema) for call in relation.query.calls for name in functions)
        and is_named(relation.query.sql)
    ]
    return find_dropped_parts(catalog, views, cascade=True).parts


def move_type(catalog: Catalog, moved_type: Type, name: Name) -> None:
    """Changes a type's name or schema, also in the columns and types that use it."""
    old_name = moved_type.name

    def moved(type_name: TypeName | None) -> TypeName | None:
        return (
            replace(type_name, name=name.name, schema=name.schema)
            if type_name is not None and is_type_named(type_name, old_name)
            else type_name
        )

    catalog.change(moved_type, name=name)
    for relation in list(catalog.relations()):
        for column in relation.columns:
            if is_type_named(column.type, old_name):
                set_column(catalog, catalog.require(Relation, relation.oid), column.number, type=moved(column.type))
    _move_in_types(catalog, moved)
    move_in_routines(catalog, old_name, name)


def _move_in_types(catalog: Catalog, moved: Callable[[TypeName | None], TypeName | None]) -> None:
    for domain in catalog.objects_of(Domain):
        catalog.change(domain, type=moved(domain.type))
    for composite in catalog.objects_of(Composite):
        catalog.change(composite, attributes=tuple((name, moved(type_name)) for name, type_name in composite.attributes))


def move_in_routines(catalog: Catalog, old_name: Name, name: Name) -> None:
    """Changes the name of a type, or of the type of a relation's rows, in the arguments and results of routines."""
    for function in catalog.objects_of(Function):
        if any(is_type_named(each, old_name) for each in function.types):
            moved = (replace(each, name=name.name, schema=name.schema) if is_type_named(each, old_name) else each for each in function.types)
            catalog.change(function, types=tuple(moved))


def domains_of(catalog: Catalog, type_name: TypeName | None) -> list[Domain]:
    """Returns the domain that a type names, and the domains below it."""
    domains: list[Domain] = []
    domain = catalog.type_of(type_name) if type_name is not None and not type_name.dimensions else None
    while isinstance(domain, Domain) and domain not in domains:
        domains.append(domain)
        domain = catalog.type_of(domain.type)
    return domains
