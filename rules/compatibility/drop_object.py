"""A view, function, type, sequence or schema is dropped while the running release may still use it.

Until it is replaced, the old release fails wherever it names the object. First deploy a release that does not use the object. Not reported:
a trigger function, which queries cannot call, and an object that the same transaction creates again under the same name. If CASCADE drops
more, drop-cascade speaks for this rule; for a schema it is drop-database-or-schema.

Unsafe:
    DROP VIEW open_orders;

Safe, because other sessions always see the view:
    BEGIN;
    DROP VIEW open_orders;
    CREATE VIEW open_orders AS SELECT 1 AS id;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-dropview.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import NameAbsence, is_created_here, is_name_created_here, is_trigger_function, name_absence
from migsafe.linting.facts.wording import deployments, once_released
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import Drop, Name

_RELATIONS = ("view", "materialized view", "sequence")
_KINDS = (*_RELATIONS, "type", "domain", "function", "procedure", "routine", "aggregate", "schema")


class _State(Struct):
    dropped: list[tuple[int, list[Name]]] = []
    """The positions of DROPs, each with the names that it drops."""


@rule(category="compatibility", severity=Severity.WARNING)
def drop_object(op: Drop | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record what is dropped, and report at the end of the migration what its transaction did not create again."""
    if isinstance(op, MigrationEnd):
        for position, names in at.state(_State).dropped:
            yield from _dropped(at, position, names)
    elif op.kind in _KINDS:
        names = [name for name in op.names if not _is_unknown_to_release(op, name, at)]
        if names:
            at.state(_State).dropped.append((at.position, names))


def _is_unknown_to_release(op: Drop, name: Name, at: Context) -> bool:
    if is_name_created_here(at, op.kind, name) or is_trigger_function(at, op.kind, name):
        return True
    return op.kind in _RELATIONS and (is_created_here(at, name) or (op.if_exists and at.catalog.is_absent(name)))


def _dropped(at: Context, position: int, names: list[Name]) -> Iterator[Finding]:
    done = at.past[position]
    op: Drop = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
    absences = {name: name_absence(at, position, op.kind, name) for name in names}
    permanent = [name for name, absence in absences.items() if absence is NameAbsence.PERMANENT]
    temporary = [name for name, absence in absences.items() if absence is NameAbsence.TEMPORARY]
    relations = op.kind in _RELATIONS
    drop = f"DROP {op.kind.upper()}"
    if permanent:
        objects = ", ".join(map(str, permanent))
        them = "them" if len(permanent) > 1 else "it"
        yield at.finding(
            done,
            f"{drop} removes {objects}: the running release fails wherever it still uses {them}",
            help=deployments(f"a release that does not use {them}", drop)
            + once_released(f"no running release uses {them}", at.rule)
            + f"{drop} {'IF EXISTS ' if op.if_exists else ''}{objects};",
            relations=permanent if relations else (),
        )
    elif temporary:
        objects = ", ".join(map(str, temporary))
        yield at.finding(
            done,
            f"{drop} removes {objects} until a later statement creates it again: the running release fails in between",
            help=f"BEGIN;\n{drop} {'IF EXISTS ' if op.if_exists else ''}{objects};\n-- create it again here\nCOMMIT;",
            relations=temporary if relations else (),
        )
