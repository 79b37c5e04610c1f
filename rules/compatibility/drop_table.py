"""DROP TABLE takes the table away from the release that is still running.

During a deployment the old release goes on until it is replaced, and every statement of it that names the table fails. The rows cannot be
had back. First release a version that no longer uses the table, and drop it with a later one; a rename in between shows whether somebody
still needs it, and can be undone.

Unsafe:
    DROP TABLE coupons;

Safe, because the table is new and nobody has seen it:
    CREATE TABLE coupons (code text PRIMARY KEY);
    DROP TABLE coupons;

See: https://www.postgresql.org/docs/current/sql-droptable.html
"""

from migsafe.lock import LockMode
from migsafe.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Drop


@rule(category="compatibility", severity=Severity.ERROR)
def drop_table(op: Drop, at: Context) -> Finding | None:
    """Report every table of the statement that the migration did not create."""
    dropped = [name for name in op.names if not at.is_new(name)] if op.kind == "table" else []
    if not dropped:
        return None
    tables = ", ".join(str(at.resolve(name)) for name in dropped)
    them, their = ("them", "their") if len(dropped) > 1 else ("it", "its")
    return at.finding(
        op,
        f"DROP TABLE takes ACCESS EXCLUSIVE on {tables} and removes {them} with {their} rows: "
        f"the release that is running fails wherever it still uses {them}",
        help=(
            f"-- once no release that still uses {them} is running, in a migration of its own:\n"
            f"DROP TABLE {'IF EXISTS ' if op.if_exists else ''}{', '.join(map(str, dropped))};"
        ),
        relations=dropped,
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
