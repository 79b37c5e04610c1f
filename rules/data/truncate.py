"""TRUNCATE takes every row, at once and for good.

No WHERE, no trigger of a row, no way back once it is committed; other sessions that took their snapshot before see an empty table, too. It
holds ACCESS EXCLUSIVE until the transaction ends. With CASCADE it empties every table that refers to this one as well.

Unsafe:
    TRUNCATE orders;

Safe, because only this session can see it:
    CREATE TEMP TABLE found AS SELECT id FROM orders;
    TRUNCATE found;

See: https://www.postgresql.org/docs/current/sql-truncate.html
"""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.wording import join_names
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.sql.operations import Truncate


@rule(category="data", severity=Severity.ERROR)
def truncate(op: Truncate, at: Context) -> Finding | None:
    """Report the tables that the migration did not make itself."""
    emptied = [one.name for one in op.tables if not is_created_here(at, one.name)]
    if not emptied:
        return None
    tables = join_names([at.resolve(name) for name in emptied])
    too = ", and every table that refers to it" if op.cascade else ""
    return at.finding(
        op,
        f"TRUNCATE takes every row of {tables}{too} for good, under ACCESS EXCLUSIVE: meanwhile every SELECT, INSERT, UPDATE and DELETE waits",
        help="-- when nobody needs the rows any longer; a copy before it costs little: CREATE TABLE … AS TABLE …",
        relations=emptied,
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
