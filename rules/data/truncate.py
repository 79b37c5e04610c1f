"""TRUNCATE deletes every row immediately and permanently.

It has no WHERE, fires no row triggers, and cannot be undone after COMMIT; other sessions whose snapshot is older see an empty table too. It
holds ACCESS EXCLUSIVE until the transaction ends. With CASCADE it also empties every table that references this one.

Unsafe:
    TRUNCATE orders;

Safe, because only this session can see the table:
    CREATE TEMP TABLE order_ids AS SELECT id FROM orders;
    TRUNCATE order_ids;

See: https://www.postgresql.org/docs/current/sql-truncate.html
"""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.wording import join_names
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.sql.operations import Truncate


@rule(category="data", severity=Severity.ERROR, no_fix="no edit of the statement keeps the rows")
def truncate(op: Truncate, at: Context) -> Finding | None:
    """Report the tables that the migration did not create itself."""
    emptied = [table.name for table in op.tables if not is_created_here(at, table.name)]
    if not emptied:
        return None
    tables = join_names([at.resolve(name) for name in emptied])
    cascaded = " and of every table that references it" if op.cascade else ""
    return at.finding(
        op,
        f"TRUNCATE permanently deletes every row of {tables}{cascaded} under ACCESS EXCLUSIVE: every SELECT, INSERT, UPDATE and DELETE "
        "waits until the transaction ends",
        help="-- run it when no running release needs the rows; to keep a copy, first: CREATE TABLE … AS TABLE …",
        relations=emptied,
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
