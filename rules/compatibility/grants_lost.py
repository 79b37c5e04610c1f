"""An object is dropped and created again, and loses the privileges that were granted on it.

The new object has only the privileges of its owner, the defaults for PUBLIC, and what ALTER DEFAULT PRIVILEGES grants. The running release
fails with `permission denied` if it connects as another role. Grant the privileges again in the same transaction. CREATE OR REPLACE keeps
them.

Unsafe:
    CREATE VIEW late_orders AS SELECT id FROM orders;
    GRANT SELECT ON late_orders TO clerk;
    -- next migration
    BEGIN;
    DROP VIEW late_orders;
    CREATE VIEW late_orders AS SELECT id, total FROM orders;
    COMMIT;

Safe:
    CREATE VIEW late_orders AS SELECT id FROM orders;
    GRANT SELECT ON late_orders TO clerk;
    -- next migration
    CREATE OR REPLACE VIEW late_orders AS SELECT id, total FROM orders;

See: https://www.postgresql.org/docs/current/ddl-priv.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.dropped_parts import dropped_parts
from migsafe.linting.facts.ownership import is_created_here, is_name_created_here
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.objects import Function, Privilege, Relation, RelationKind
from migsafe.schema.privileges import Granted, grants_on
from migsafe.sql.operations import Drop, DropColumn


class _State(Struct):
    dropped: list[tuple[int, Granted]] = []
    """The positions of DROPs, each with an object that it drops and the privileges on it."""


@rule(category="compatibility", severity=Severity.WARNING, no_fix="the privileges that the help restores change the final schema")
def grants_lost(op: Drop | DropColumn | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record dropped objects with privileges, and report those that exist again at the end of the migration without them."""
    if isinstance(op, Drop | DropColumn):
        for granted in grants_on(at.catalog, dropped_parts(at)):
            if not _is_created_here(at, granted.object):
                at.state(_State).dropped.append((at.position, granted))
        return
    for position, granted in at.state(_State).dropped:
        now = _created_again(at, granted.object)
        lost = [privilege for privilege in granted.privileges if privilege not in now.privileges] if now is not None else []
        if now is not None and lost:
            yield _finding(at, position, now, lost)


def _is_created_here(at: Context, known: Relation | Function) -> bool:
    return is_created_here(at, known.name) if isinstance(known, Relation) else is_name_created_here(at, known.kind, known.name)


def _created_again(at: Context, dropped: Relation | Function) -> Relation | Function | None:
    if isinstance(dropped, Relation):
        relation = at.catalog.relation(dropped.name)
        return relation if relation is not None and relation.oid != dropped.oid else None
    named = [function for function in at.catalog.functions(dropped.name) if function.oid != dropped.oid]
    same = [function for function in named if function.arguments == dropped.arguments]
    return (same or named)[0] if len(same or named) == 1 else None


def _finding(at: Context, position: int, now: Relation | Function, lost: list[Privilege]) -> Finding:
    roles: dict[str, list[str]] = {}
    for grantee, name in lost:
        roles.setdefault("PUBLIC" if grantee == "public" else grantee, []).append(name.upper())
    if isinstance(now, Function):
        kind, target = now.kind, f"{now.kind.upper()} {now.name}({', '.join(now.arguments)})"
    else:
        kind = now.kind.value
        target = f"{'SEQUENCE ' if now.kind is RelationKind.SEQUENCE else ''}{now.name}"
    granted = " and ".join(f"{', '.join(names)} for {role}" for role, names in roles.items())
    return at.finding(
        at.past[position],
        f"the {kind} {now.name} is dropped and created again without the privileges that were granted on it: {granted}; the running release "
        "fails with permission denied if it needs them",
        help="-- in the same transaction, after it is created again:\n"
        + "\n".join(f"GRANT {', '.join(names)} ON {target} TO {role};" for role, names in roles.items()),
        relations=(now.name,) if isinstance(now, Relation) else (),
    )
