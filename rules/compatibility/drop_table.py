"""DROP TABLE breaks the running release and deletes the rows.

During a deployment the old release keeps running until it is replaced, and each of its statements that names the table fails. Only a backup
can restore the rows. First deploy a release that does not use the table, and drop the table in a later one; renaming it in between shows
whether it is still in use, and can be undone. If CASCADE drops more than the table, drop-cascade speaks for
this rule.

Unsafe:
    DROP TABLE coupons;

Safe, because the table is new:
    CREATE TABLE coupons (code text PRIMARY KEY);
    DROP TABLE coupons;

See: https://www.postgresql.org/docs/current/sql-droptable.html
"""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.wording import deployments, once_released
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.sql.operations import Drop


@rule(category="compatibility", severity=Severity.ERROR)
def drop_table(op: Drop, at: Context) -> Finding | None:
    """Report every table of the statement that the migration did not create."""
    if op.kind not in ("table", "foreign table"):
        return None
    dropped = [name for name in op.names if not is_created_here(at, name) and not (op.if_exists and at.catalog.is_absent(name))]
    if not dropped:
        return None
    tables = ", ".join(str(at.resolve(name)) for name in dropped)
    them, their = ("them", "their") if len(dropped) > 1 else ("it", "its")
    drop = f"DROP {op.kind.upper()}"
    return at.finding(
        op,
        f"{drop} takes ACCESS EXCLUSIVE on {tables} and removes {them} with {their} rows: "
        f"the running release fails wherever it still uses {them}",
        help=(
            deployments(f"a release that does not use {them}", drop)
            + once_released(f"no running release uses {them}", at.rule)
            + f"{drop} {'IF EXISTS ' if op.if_exists else ''}{', '.join(map(str, dropped))};"
        ),
        relations=dropped,
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
