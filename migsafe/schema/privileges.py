"""Privileges, row security and replica identity: what decides whether other roles and subscribers can use a relation.

Of a grant, the catalogue keeps who has which privilege on an object, without the role that granted it. Column privileges count as privileges of
the relation.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.objects import DefaultPrivilege, DefaultPrivileges, Function, Object, Privilege, Relation, RelationKind
from migsafe.schema.removals import find_named_parts
from migsafe.sql import operations as sql
from migsafe.sql.operations import Drop, Name

ALL = "all"
"""The privilege of a GRANT or REVOKE of ALL."""

_ALL_PRIVILEGES = {
    "tables": ("select", "insert", "update", "delete", "truncate", "references", "trigger"),
    "sequences": ("usage", "select", "update"),
    "routines": ("execute",),
}
"""The privileges that ALL means, by the kind of object (manual, 5.8, Privileges); MAINTAIN (17) is only granted for administration."""

_DEFAULTS = Name("default privileges")
_KINDS = {"tables": "tables", "sequences": "sequences", "functions": "routines", "procedures": "routines", "routines": "routines"}


class Granted(NamedTuple):
    """An object, and its privileges that a REVOKE takes away."""

    object: Relation | Function
    privileges: tuple[Privilege, ...]


def privilege_kind(granted: Relation | Function) -> str:
    """Returns the kind of an object in ALTER DEFAULT PRIVILEGES."""
    if isinstance(granted, Function):
        return "routines"
    return "sequences" if granted.kind is RelationKind.SEQUENCE else "tables"


def named_objects(catalog: Catalog, op: sql.Grant) -> Iterator[Relation | Function]:
    """Yields the known relations and routines that a GRANT or REVOKE is about."""
    match op.kind:
        case "table" | "sequence":
            yield from (relation for name in op.objects if (relation := catalog.relation(name)) is not None)
        case "function" | "procedure" | "routine":
            for name in op.objects:
                yield from catalog.functions(name)
        case _ if op.kind.startswith("all "):
            schemas = {name.name for name in op.objects}
            wanted = _KINDS[op.kind.split()[1]]
            for known in catalog.objects_of(Object):
                if isinstance(known, Relation | Function) and known.name.schema in schemas and privilege_kind(known) == wanted:
                    yield known


def revoked(catalog: Catalog, op: sql.Grant) -> list[Granted]:
    """Returns the known objects from which a REVOKE takes privileges, with these."""
    wanted = set(op.privileges)
    results = []
    for granted in named_objects(catalog, op):
        lost = tuple(
            privilege for privilege in granted.privileges if privilege.grantee in op.grantees and (not wanted or privilege.name in wanted)
        )
        if lost:
            results.append(Granted(granted, lost))
    return results


def default_privileges(catalog: Catalog) -> tuple[DefaultPrivilege, ...]:
    """Returns the privileges that new objects get."""
    defaults = catalog.object_named("default privileges", _DEFAULTS)
    return defaults.privileges if isinstance(defaults, DefaultPrivileges) else ()


def revoked_defaults(catalog: Catalog, op: sql.AlterDefaultPrivileges) -> list[DefaultPrivilege]:
    """Returns the default privileges that an ALTER DEFAULT PRIVILEGES … REVOKE takes away."""
    kind, wanted = _KINDS.get(op.kind, op.kind), set(op.privileges)
    return [
        default
        for default in default_privileges(catalog)
        if default.kind == kind
        and default.privilege.grantee in op.grantees
        and (not wanted or default.privilege.name in wanted)
        and (not op.schemas or default.schema in op.schemas)
    ]


def _expanded(kind: str, names: Iterable[str], grantees: Iterable[str]) -> tuple[Privilege, ...]:
    each = tuple(names) or _ALL_PRIVILEGES.get(kind, (ALL,))
    return tuple(Privilege(grantee, name) for grantee in grantees for name in each)


@SCHEMA_CHANGES.register(sql.Grant)
def grant(catalog: Catalog, op: sql.Grant) -> None:
    """GRANT and REVOKE on relations and routines."""
    if op.revoke:
        if not op.grant_option:
            for granted, lost in revoked(catalog, op):
                _store(catalog, granted, tuple(privilege for privilege in granted.privileges if privilege not in lost))
        return
    for granted in list(named_objects(catalog, op)):
        added = _expanded(privilege_kind(granted), op.privileges, op.grantees)
        _store(catalog, granted, tuple(dict.fromkeys((*granted.privileges, *added))))


def _store(catalog: Catalog, granted: Relation | Function, privileges: tuple[Privilege, ...]) -> None:
    if privileges != granted.privileges:
        catalog.store(replace(granted, privileges=privileges))


@SCHEMA_CHANGES.register(sql.AlterDefaultPrivileges)
def alter_default_privileges(catalog: Catalog, op: sql.AlterDefaultPrivileges) -> None:
    """ALTER DEFAULT PRIVILEGES, for any role that creates objects: which role runs a migration is unknown."""
    kind = _KINDS.get(op.kind)
    if kind is None:
        return
    existing = catalog.object_named("default privileges", _DEFAULTS)
    current = default_privileges(catalog)
    if op.revoke:
        lost = revoked_defaults(catalog, op)
        changed = tuple(default for default in current if default not in lost)
    else:
        added = (
            DefaultPrivilege(kind, schema, privilege)
            for schema in op.schemas or (None,)
            for privilege in _expanded(kind, op.privileges, op.grantees)
        )
        changed = tuple(dict.fromkeys((*current, *added)))
    if changed != current:
        oid = existing.oid if existing is not None else catalog.new_oid()
        catalog.store(DefaultPrivileges(oid=oid, name=_DEFAULTS, privileges=changed))


def grant_defaults(catalog: Catalog, since: int) -> None:
    """Gives the default privileges to the relations and routines that were created after the object with a number."""
    defaults = default_privileges(catalog)
    for number in range(since + 1, catalog.last_oid + 1) if defaults else ():
        created = catalog.get(number)
        if isinstance(created, Relation | Function):
            own = (
                default.privilege
                for default in defaults
                if default.kind == privilege_kind(created) and default.schema in (None, created.name.schema)
            )
            _store(catalog, created, tuple(dict.fromkeys((*created.privileges, *own))))


def dropped_grants(catalog: Catalog, op: Drop) -> list[Granted]:
    """Returns the named objects that a DROP removes and on which the history has granted privileges."""
    parts, _ = find_named_parts(catalog, op)
    dropped = (catalog.get(part.oid) for part in parts)
    return [Granted(known, known.privileges) for known in dropped if isinstance(known, Relation | Function) and known.privileges]


@SCHEMA_CHANGES.register(sql.SetRowSecurity)
def set_row_security(catalog: Catalog, op: sql.SetRowSecurity) -> None:
    """ENABLE, DISABLE, FORCE, NO FORCE ROW LEVEL SECURITY."""
    relation = catalog.relation(op.target.name)
    if relation is not None and op.action in ("enable", "disable"):
        catalog.change(relation, row_security=op.action == "enable")
    elif relation is not None:
        catalog.change(relation, forced_row_security=op.action == "force")


@SCHEMA_CHANGES.register(sql.SetReplicaIdentity)
def set_replica_identity(catalog: Catalog, op: sql.SetReplicaIdentity) -> None:
    """REPLICA IDENTITY."""
    relation = catalog.relation(op.target.name)
    if relation is not None:
        index = catalog.index(Name(op.index, relation.name.schema)) if op.index is not None else None
        catalog.change(relation, replica_identity=op.identity, identity_index=index.oid if index is not None else None)


def has_replica_identity(catalog: Catalog, relation: Relation) -> bool | None:
    """Whether logical replication can identify the changed rows of a table; None if that is unknown."""
    match relation.replica_identity:
        case "full":
            return True
        case "nothing":
            return False
        case "index":
            return relation.identity_index is None or catalog.get(relation.identity_index) is not None
    if catalog.primary_key(relation.oid) is not None:
        return True
    return False if relation.complete else None
