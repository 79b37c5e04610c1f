"""Privileges, row security and replica identity: what decides whether other roles and subscribers can use a relation.

Of a grant, the catalogue keeps who has which privilege on an object, without the role that granted it. Column privileges count as privileges of
the relation.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.dependents import Part
from migsafe.schema.objects import Function, Index, Object, OtherPrivilege, OtherPrivileges, Privilege, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

ALL = "all"
"""The privilege of a GRANT or REVOKE of ALL."""

_ALL_PRIVILEGES = {
    "tables": ("select", "insert", "update", "delete", "truncate", "references", "trigger"),
    "sequences": ("usage", "select", "update"),
    "routines": ("execute",),
}
"""The privileges that ALL means, by the kind of object (manual, 5.8, Privileges); MAINTAIN (17) is only granted for administration."""

_DEFAULTS, _OTHERS = Name("default privileges"), Name("other privileges")
_OTHER_KINDS = ("schema", "database", "type", "domain", "language", "role")
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


def default_privileges(catalog: Catalog) -> tuple[OtherPrivilege, ...]:
    """Returns the privileges that new objects get; their kind is that of ALTER DEFAULT PRIVILEGES."""
    return _stored(catalog, _DEFAULTS)


def _stored(catalog: Catalog, name: Name) -> tuple[OtherPrivilege, ...]:
    stored = catalog.object_named("privileges", name)
    return stored.privileges if isinstance(stored, OtherPrivileges) else ()


def _store_others(catalog: Catalog, name: Name, privileges: Iterable[OtherPrivilege]) -> None:
    changed, existing = tuple(dict.fromkeys(privileges)), catalog.object_named("privileges", name)
    if changed != _stored(catalog, name):
        oid = existing.oid if existing is not None else catalog.new_oid()
        catalog.store(OtherPrivileges(oid=oid, name=name, privileges=changed))


def revoked_defaults(catalog: Catalog, op: sql.AlterDefaultPrivileges) -> list[OtherPrivilege]:
    """Returns the default privileges that an ALTER DEFAULT PRIVILEGES … REVOKE takes away. Those of a schema and those of the database add up:
    a REVOKE takes only from the ones that it names."""
    kind, wanted = _KINDS.get(op.kind, op.kind), set(op.privileges)
    return [
        default
        for default in default_privileges(catalog)
        if default.kind == kind
        and default.privilege.grantee in op.grantees
        and (not wanted or default.privilege.name in wanted)
        and default.name in (op.schemas or (None,))
    ]


def revoked_elsewhere(catalog: Catalog, op: sql.Grant) -> list[OtherPrivilege]:
    """Returns the privileges on schemas, databases, types and unknown relations, and the memberships in roles, that a REVOKE takes away."""
    names, wanted = _other_names(catalog, op), set(op.privileges)
    return [
        held
        for held in _stored(catalog, _OTHERS)
        if held.kind == op.kind
        and held.name in names
        and held.privilege.grantee in op.grantees
        and (not wanted or held.privilege.name in (ALL, *wanted))
    ]


def _other_names(catalog: Catalog, op: sql.Grant) -> tuple[str, ...]:
    """Returns the names of the objects of a GRANT under which their privileges are stored if the catalogue does not have the objects."""
    is_relation = op.kind in ("table", "sequence")
    return tuple(str(catalog.resolve(name)) if is_relation else name.name for name in op.objects)


def _expanded(kind: str, names: Iterable[str], grantees: Iterable[str]) -> tuple[Privilege, ...]:
    each = tuple(names) or _ALL_PRIVILEGES.get(kind, (ALL,))
    return tuple(Privilege(grantee, name) for grantee in grantees for name in each)


@SCHEMA_CHANGES.register(sql.Grant)
def grant(catalog: Catalog, op: sql.Grant) -> None:
    """GRANT and REVOKE."""
    if op.revoke:
        if op.grant_option:
            return
        for granted, lost in revoked(catalog, op):
            _store(catalog, granted, tuple(privilege for privilege in granted.privileges if privilege not in lost))
        gone = revoked_elsewhere(catalog, op)
        _store_others(catalog, _OTHERS, (held for held in _stored(catalog, _OTHERS) if held not in gone))
        return
    for granted in list(named_objects(catalog, op)):
        added = _expanded(privilege_kind(granted), op.privileges, op.grantees)
        _store(catalog, granted, tuple(dict.fromkeys((*granted.privileges, *added))))
    is_unknown = op.kind in ("table", "sequence") and any(catalog.relation(name) is None for name in op.objects)
    if op.kind in _OTHER_KINDS or is_unknown:
        each = _expanded(f"{op.kind}s", op.privileges, op.grantees)
        others = (OtherPrivilege(op.kind, name, privilege) for name in _other_names(catalog, op) for privilege in each)
        _store_others(catalog, _OTHERS, (*_stored(catalog, _OTHERS), *others))


def _store(catalog: Catalog, granted: Relation | Function, privileges: tuple[Privilege, ...]) -> None:
    if privileges != granted.privileges:
        catalog.store(replace(granted, privileges=privileges))


@SCHEMA_CHANGES.register(sql.AlterDefaultPrivileges)
def alter_default_privileges(catalog: Catalog, op: sql.AlterDefaultPrivileges) -> None:
    """ALTER DEFAULT PRIVILEGES, for any role that creates objects: which role runs a migration is unknown."""
    kind = _KINDS.get(op.kind)
    if kind is None:
        return
    current = default_privileges(catalog)
    if op.revoke:
        lost = revoked_defaults(catalog, op)
        _store_others(catalog, _DEFAULTS, (default for default in current if default not in lost))
        return
    added = (
        OtherPrivilege(kind, schema, privilege) for schema in op.schemas or (None,) for privilege in _expanded(kind, op.privileges, op.grantees)
    )
    _store_others(catalog, _DEFAULTS, (*current, *added))


def grant_defaults(catalog: Catalog, since: int) -> None:
    """Gives the default privileges to the relations and routines that were created after the object with a number."""
    defaults = default_privileges(catalog)
    for number in range(since + 1, catalog.last_oid + 1) if defaults else ():
        created = catalog.get(number)
        if isinstance(created, Relation | Function):
            own = (
                default.privilege
                for default in defaults
                if default.kind == privilege_kind(created) and default.name in (None, created.name.schema)
            )
            _store(catalog, created, tuple(dict.fromkeys((*created.privileges, *own))))


def grants_on(catalog: Catalog, parts: Iterable[Part]) -> list[Granted]:
    """Returns the relations and routines among the parts on which the history has granted privileges."""
    objects = (catalog.get(part.oid) for part in parts if not part.column)
    return [Granted(known, known.privileges) for known in objects if isinstance(known, Relation | Function) and known.privileges]


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


def identity_columns(catalog: Catalog, relation: Relation) -> frozenset[int] | None:
    """Returns the numbers of the columns of a table's replica identity; None if they are unknown, or if it has none."""
    match relation.replica_identity:
        case "full":
            return frozenset(column.number for column in relation.columns) if relation.complete else None
        case "index":
            index = catalog.get(relation.identity_index) if relation.identity_index is not None else None
            return frozenset(index.columns) if isinstance(index, Index) else None
        case "nothing":
            return None
    key = catalog.primary_key(relation.oid)
    return frozenset(key.columns) if key is not None else None
