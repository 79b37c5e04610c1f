"""CASCADE drops more than the statement names.

It also drops the objects that depend on the named object, without a list and without confirmation: views, foreign keys of other tables,
columns of a dropped type, triggers of a dropped function. Which objects these are depends on the database where the statement runs. Without
CASCADE PostgreSQL refuses and lists the dependent objects: drop those first, by name. A CASCADE that is known to drop nothing else is not
reported.

Unsafe:
    CREATE TABLE coupons (code text PRIMARY KEY);
    CREATE VIEW open_coupons AS SELECT code FROM coupons;
    -- next migration
    DROP TABLE coupons CASCADE;

Safe, because no object depends on it:
    CREATE TABLE coupons (code text PRIMARY KEY);
    DROP TABLE coupons CASCADE;

See: https://www.postgresql.org/docs/current/ddl-depend.html
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.cascades import find_cascade
from migsafe.schema.dependents import object_description
from migsafe.sql.operations import Drop, DropColumn, DropConstraint

_MOST = 5


_SPEAKS_FOR = ("drop-column", "drop-constraint", "drop-object", "drop-primary-key", "drop-table")


@rule(category="data", severity=Severity.ERROR, speaks_for=_SPEAKS_FOR)
def drop_cascade(op: Drop | DropColumn | DropConstraint, at: Context) -> Finding | None:
    """Report the known objects that CASCADE drops, or that it may drop unknown ones."""
    cascade = find_cascade(at.catalog, op)
    if cascade is None:
        return None
    dropped = [object_description(at.catalog, part) for part in cascade.parts]
    if dropped:
        objects = ", ".join(dropped[:_MOST]) + (f" and {len(dropped) - _MOST} more" if len(dropped) > _MOST else "")
        unknown_objects = "" if cascade.known else ", and any other dependent object in the database where it runs"
        consequence = f"CASCADE also drops {objects}{unknown_objects}"
    else:
        consequence = "CASCADE drops every dependent object in the database where it runs: views, foreign keys, columns, triggers"
    return at.finding(
        op,
        f"{_command(op)} {consequence}",
        help="-- drop the dependent objects first, by name, then the object without CASCADE",
        relations=op.names if isinstance(op, Drop) and op.kind in ("table", "view", "materialized view") else (),
    )


def _command(op: Drop | DropColumn | DropConstraint) -> str:
    if isinstance(op, Drop):
        return f"DROP {op.kind.upper()} …"
    return "DROP COLUMN …" if isinstance(op, DropColumn) else "DROP CONSTRAINT …"
