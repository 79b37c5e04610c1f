"""REVOKE of a privilege that the history, or a default, has granted.

The running release may still need it: from then on each of its statements that uses the privilege fails with `permission denied`. First
deploy a release that does not use the object, or that connects as another role. A privilege that the migration grants again is not reported.
REASSIGN OWNED gives everything that a role owns to another one: the first role keeps only what was granted to it.

Unsafe:
    GRANT SELECT, INSERT ON orders TO clerk;
    -- next migration
    REVOKE INSERT ON orders FROM clerk;

Safe, because only the right to grant it to others is revoked:
    GRANT SELECT, INSERT ON orders TO clerk WITH GRANT OPTION;
    -- next migration
    REVOKE GRANT OPTION FOR INSERT ON orders FROM clerk;

See: https://www.postgresql.org/docs/current/sql-revoke.html
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import is_created_here, is_name_created_here
from migsafe.linting.facts.wording import after_release, deployments, join_names
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.schema.objects import Function, Privilege, Relation
from migsafe.schema.privileges import Granted, revoked, revoked_defaults, revoked_elsewhere
from migsafe.schema.routines import PUBLIC_EXECUTE
from migsafe.sql.operations import AlterDefaultPrivileges, Grant, Name, Utility


class _State(Struct):
    revoked: list[tuple[int, tuple[Granted, ...]]] = []
    """The positions of REVOKEs, each with what it takes away."""


@rule(category="compatibility", severity=Severity.WARNING, no_fix="the application must change first, and only its authors know when it has")
def privileges_revoked(op: Grant | AlterDefaultPrivileges | Utility | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report what is lost: at once, or for relations and routines at the end of the migration, if it does not grant the privileges again."""
    match op:
        case MigrationEnd():
            for position, lost in at.state(_State).revoked:
                yield from _revoked(at, at.past[position], lost)
        case Grant(revoke=True, grant_option=False):
            lost = tuple(granted for granted in revoked(at.catalog, op) if not _is_created_here(at, granted.object))
            if lost:
                at.state(_State).revoked.append((at.position, lost))
            yield from _elsewhere(op, at)
        case AlterDefaultPrivileges(revoke=True):
            yield from _defaults(op, at)
        case Utility(command="reassign owned"):
            yield at.finding(
                op,
                f"REASSIGN OWNED: {op.name} no longer owns its tables, views, functions and other objects, and loses the privileges of an "
                "owner: the running release fails if it connects as this role and was not granted what it needs",
                help=deployments("GRANTs for what the running release uses", "REASSIGN OWNED").rstrip(),
            )


def _is_created_here(at: Context, granted: Relation | Function) -> bool:
    if isinstance(granted, Relation):
        return is_created_here(at, granted.name)
    return is_name_created_here(at, granted.kind, granted.name)


def _revoked(at: Context, done: PastOperation, lost: tuple[Granted, ...]) -> Iterator[Finding]:
    absent = [(granted.object, privilege) for granted in lost for privilege in granted.privileges if _is_missing(at, granted, privilege)]
    if not absent:
        return
    names = list(dict.fromkeys(granted.name for granted, _ in absent))
    roles, what = _roles(privilege for _, privilege in absent), _listed(privilege for _, privilege in absent)
    yield at.finding(
        done,
        f"REVOKE takes {what} on {join_names(names)} from {roles}: statements of the running release that need it fail with permission denied",
        help=after_release(f"a release that does not need {what} as {roles}", f"no running release needs {what} as {roles}", at.rule),
        relations=names if isinstance(absent[0][0], Relation) else (),
    )


def _is_missing(at: Context, granted: Granted, privilege: Privilege) -> bool:
    """Whether a role does not have a privilege at the end of the migration, although the object still exists.

    A routine that the migration opens to some roles instead of all, and a function that only triggers call, need no EXECUTE for PUBLIC.
    """
    now = at.catalog.get(granted.object.oid)
    if not isinstance(now, Relation | Function) or privilege in now.privileges:
        return False
    if privilege == PUBLIC_EXECUTE and isinstance(now, Function):
        return "trigger" not in now.returns and set(now.privileges) <= set(granted.object.privileges)
    return True


def _elsewhere(op: Grant, at: Context) -> Iterator[Finding]:
    """Report lost privileges on schemas, databases and types, and memberships in roles."""
    held = [other for other in revoked_elsewhere(at.catalog, op) if not is_name_created_here(at, op.kind, Name(other.name or ""))]
    if not held:
        return
    names, roles = ", ".join(dict.fromkeys(str(other.name) for other in held)), _roles(other.privilege for other in held)
    what = "the membership in" if op.kind == "role" else f"{_listed(other.privilege for other in held)} on {op.kind}"
    yield at.finding(
        op,
        f"REVOKE takes {what} {names} from {roles}: statements of the running release that need it fail with permission denied",
        help=after_release(f"a release that does not need it as {roles}", f"no running release needs it as {roles}", at.rule),
    )


def _defaults(op: AlterDefaultPrivileges, at: Context) -> Iterator[Finding]:
    """Report default privileges that the history has granted: new objects will lack them."""
    lost = [default.privilege for default in revoked_defaults(at.catalog, op)]
    if lost:
        yield at.finding(
            op,
            f"ALTER DEFAULT PRIVILEGES … REVOKE: {_roles(lost)} will not get {_listed(lost)} on {op.kind} that are created from now on: a "
            "release that uses them fails with permission denied",
            help="-- grant what the application needs on each new object, in the migration that creates it",
        )


def _roles(privileges: Iterable[Privilege]) -> str:
    return " and ".join(dict.fromkeys("PUBLIC" if privilege.grantee == "public" else privilege.grantee for privilege in privileges))


def _listed(privileges: Iterable[Privilege]) -> str:
    return ", ".join(dict.fromkeys(privilege.name.upper() for privilege in privileges))
