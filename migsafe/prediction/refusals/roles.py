"""Roles that the history has dropped or renamed, and those that still have privileges when they are dropped."""

from collections.abc import Iterable

from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.dependents import Part
from migsafe.schema.descriptions import describe
from migsafe.schema.objects import Function, Relation
from migsafe.schema.refusal import Refusal
from migsafe.schema.roles import KINDS
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name


@refuses(sql.Grant, sql.AlterDefaultPrivileges, sql.CreatePolicy, sql.CreateSchema, sql.SetOwner, sql.Utility, sql.SetVariable, sql.Rename)
def name_role(catalog: Catalog, op: sql.Operation) -> Refusal | None:
    """A role that a statement names exists."""
    name = next((name for name in _roles(op) if catalog.roles.is_gone(name)), None)
    if name is None:
        return None
    return Refusal(error=f'role "{name}" does not exist', detail="a migration has dropped or renamed it")


def _roles(op: sql.Operation) -> Iterable[str]:
    match op:
        case sql.Grant(kind=kind, objects=objects, grantees=grantees):
            return (*grantees, *(each.name for each in objects)) if kind == "role" else grantees
        case sql.AlterDefaultPrivileges():
            return (*op.roles, *op.grantees)
        case sql.CreatePolicy():
            return op.roles
        case sql.CreateSchema(owner=owner) | sql.SetOwner(owner=owner):
            return () if owner is None else (owner,)
        case sql.Utility(command=command, name=name) if command.startswith(("drop owned", "reassign owned")):
            return () if name is None else (str(name),)
        case sql.SetVariable(variable="role", value=value):
            return () if value is None else (value,)
        case sql.Rename(kind=kind, name=Name() as renamed, if_exists=False) if kind in KINDS:
            return (renamed.name,)
    return ()


@refuses(sql.Drop)
def drop_role(catalog: Catalog, op: sql.Drop) -> Refusal | None:
    """A dropped role exists, and has no privileges on other objects (checkSharedDependencies in pg_shdepend.c)."""
    for name in op.names if op.kind in KINDS else ():
        if catalog.roles.is_gone(name.name) and not op.if_exists:
            return Refusal(error=f'role "{name.name}" does not exist', help=f"DROP ROLE IF EXISTS {name};")
        granted = _object_with_privileges(catalog, name.name)
        if granted is not None:
            return Refusal(
                error=f'role "{name.name}" cannot be dropped because some objects depend on it',
                detail=f"privileges for {describe(catalog, Part(granted.oid))}",
                help=f"-- first, in each database: REASSIGN OWNED BY {name} TO CURRENT_USER; and DROP OWNED BY {name};",
            )
    return None


def _object_with_privileges(catalog: Catalog, role: str) -> Relation | Function | None:
    if not catalog.roles.exists(role) or not catalog.roles.has_certain_privileges:
        return None
    known: list[Relation | Function] = [*catalog.objects_of(Relation), *catalog.objects_of(Function)]
    for granted in known:
        if any(privilege.grantee == role for privilege in granted.privileges) and certainly_exists(catalog, granted):
            return granted
    return None
