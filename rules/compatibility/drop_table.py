"""DROP TABLE takes the table away from the release that is still running.

During a deployment the old release goes on until it is replaced, and every statement of it that names the table fails. The rows cannot be
had back. First release a version that no longer uses the table, and drop it with a later one; a rename in between shows whether somebody
still needs it, and can be undone. Where CASCADE takes more along than the table, that is reported instead, by drop-cascade.

Unsafe:
    DROP TABLE coupons;

Safe, because the table is new and nobody has seen it:
    CREATE TABLE coupons (code text PRIMARY KEY);
    DROP TABLE coupons;

See: https://www.postgresql.org/docs/current/sql-droptable.html
"""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.cascades import cascade_of
from migsafe.sql.operations import Drop


@rule(category="compatibility", severity=Severity.ERROR)
def drop_table(op: Drop, at: Context) -> Finding | None:
    """Report every table of the statement that the migration did not create."""
    if op.kind not in ("table", "foreign table") or cascade_of(at.catalog, op) is not None:
        return None
    dropped = [name for name in op.names if not is_created_here(at, name) and not (op.if_exists and at.catalog.is_absent(name))]
    if not dropped:
        return None
    tables = ", ".join(str(at.resolve(name)) for name in dropped)
    them, their = ("them", "their") if len(dropped) > 1 else ("it", "its")
    what = f"DROP {op.kind.upper()}"
    return at.finding(
        op,
        f"{what} takes ACCESS EXCLUSIVE on {tables} and removes {them} with {their} rows: "
        f"the release that is running fails wherever it still uses {them}",
        help=(
            f"-- once no release that still uses {them} is running, in a migration of its own:\n"
            f"{what} {'IF EXISTS ' if op.if_exists else ''}{', '.join(map(str, dropped))};"
        ),
        relations=dropped,
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
