"""A view, a function, a type, a sequence or a schema is dropped while the running release may still use it.

Until it is replaced, the old release fails wherever it names the object. Release a version first that no longer does. A trigger's function,
which nobody can call, is not reported, nor what the same transaction makes anew under the same name. What takes more along by CASCADE is
reported by drop-cascade instead.

Unsafe:
    DROP VIEW open_orders;

Safe, because the name is never missing:
    BEGIN;
    DROP VIEW open_orders;
    CREATE VIEW open_orders AS SELECT 1 AS id;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-dropview.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.ownership import NameAbsence, is_created_here, is_name_created_here, is_trigger_function, name_absence
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.cascades import cascade_of
from migsafe.sql.operations import Drop, Name

_RELATIONS = ("view", "materialized view", "sequence")
_KINDS = (*_RELATIONS, "type", "domain", "function", "procedure", "routine", "aggregate", "schema")


@rule(category="compatibility", severity=Severity.WARNING)
def drop_object(op: Drop | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note what is dropped, and report when the migration ends what its transaction has not made anew."""
    if isinstance(op, MigrationEnd):
        for position, names in at.notes:
            yield from _dropped(at, position, names)
    elif op.kind in _KINDS and cascade_of(at.catalog, op) is None and not (op.kind == "schema" and op.cascade):
        names = [name for name in op.names if not _is_unseen(op, name, at)]
        if names:
            at.notes.append((len(at.past), names))


def _is_unseen(op: Drop, name: Name, at: Context) -> bool:
    if is_name_created_here(at, op.kind, name) or is_trigger_function(at, op.kind, name):
        return True
    return op.kind in _RELATIONS and (is_created_here(at, name) or (op.if_exists and at.catalog.is_absent(name)))


def _dropped(at: Context, position: int, names: list[Name]) -> Iterator[Finding]:
    done = at.past[position]
    op: Drop = done.operation  # type: ignore[assignment]  # those are noted
    gaps = {name: name_absence(at, position, op.kind, name) for name in names}
    lasting = [name for name, left in gaps.items() if left is NameAbsence.LASTING]
    short = [name for name, left in gaps.items() if left is NameAbsence.SHORT]
    relations = op.kind in _RELATIONS
    if lasting:
        listed = ", ".join(map(str, lasting))
        them = "them" if len(lasting) > 1 else "it"
        yield at.finding(
            done,
            f"DROP {op.kind.upper()} takes {listed} away: the release that is running fails wherever it still uses {them}",
            help=(
                f"-- once no release that still uses {them} is running, in a migration of its own:\n"
                f"DROP {op.kind.upper()} {'IF EXISTS ' if op.if_exists else ''}{listed};"
            ),
            relations=lasting if relations else (),
        )
    elif short:
        listed = ", ".join(map(str, short))
        yield at.finding(
            done,
            f"DROP {op.kind.upper()} takes {listed} away until it is made again below: the release that is running fails meanwhile",
            help=f"BEGIN;\nDROP {op.kind.upper()} {'IF EXISTS ' if op.if_exists else ''}{listed};\n-- make it again here\nCOMMIT;",
            relations=short if relations else (),
        )
