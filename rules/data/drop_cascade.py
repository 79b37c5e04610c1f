"""CASCADE drops more than the statement names.

What rests on the object goes with it, without a list and without a question: views, foreign keys of other tables, columns of a type,
triggers of a function. What it is depends on the database where it runs, and may be more there than anywhere else. Without CASCADE
PostgreSQL refuses, and names what rests on it; drop that first, by its name. A CASCADE that is known to take nothing along is not reported.

Unsafe:
    CREATE TABLE coupons (code text PRIMARY KEY);
    CREATE VIEW open_coupons AS SELECT code FROM coupons;
    -- next migration
    DROP TABLE coupons CASCADE;

Safe, because nothing rests on it:
    CREATE TABLE coupons (code text PRIMARY KEY);
    DROP TABLE coupons CASCADE;

See: https://www.postgresql.org/docs/current/ddl-depend.html
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.cascades import cascade_of
from migsafe.schema.dependents import described
from migsafe.sql.operations import Drop, DropColumn, DropConstraint

_MOST = 5


@rule(category="data", severity=Severity.ERROR)
def drop_cascade(op: Drop | DropColumn | DropConstraint, at: Context) -> Finding | None:
    """Report what CASCADE takes along, as far as it is known, or that it may."""
    cascade = cascade_of(at.catalog, op)
    if cascade is None:
        return None
    taken = [described(at.catalog, part) for part in cascade.parts]
    listed = ", ".join(taken[:_MOST]) + (f" and {len(taken) - _MOST} more" if len(taken) > _MOST else "")
    if taken:
        said = f"CASCADE drops {listed} too{'' if cascade.known else ', and whatever else rests on it where it runs'}"
    else:
        said = "CASCADE drops whatever rests on it where it runs: views, foreign keys, columns, triggers"
    return at.finding(
        op,
        f"{_what(op)} {said}",
        help="-- drop by its name what rests on it, and then the object without CASCADE",
        relations=op.names if isinstance(op, Drop) and op.kind in ("table", "view", "materialized view") else (),
    )


def _what(op: Drop | DropColumn | DropConstraint) -> str:
    if isinstance(op, Drop):
        return f"DROP {op.kind.upper()} …"
    return "DROP COLUMN …" if isinstance(op, DropColumn) else "DROP CONSTRAINT …"
