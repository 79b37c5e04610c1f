"""DELETE without WHERE, or with a condition that is always true.

It deletes every row, permanently once the transaction commits; a forgotten WHERE looks exactly like this. Each row stays locked until then,
and the deleted rows occupy disk space until VACUUM.

Unsafe:
    DELETE FROM sessions;

Safe:
    DELETE FROM sessions WHERE expires_at < '2024-01-01';

See: https://www.postgresql.org/docs/current/sql-delete.html
"""

from migsafe import expressions
from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Delete


@rule(category="data", severity=Severity.ERROR, speaks_for=("backfill-unbatched",), no_fix="only the author knows which rows must be deleted")
def delete_everything(op: Delete, at: Context) -> Finding | None:
    """Report a DELETE of every row of a table that the migration did not create."""
    table, relation = at.resolve(op.table), at.catalog.relation(op.table)
    everything = op.where is None or expressions.is_always_true(op.where, expressions.not_null_columns(relation))
    if not everything or op.current_of is not None or op.reads or is_created_here(at, op.table):
        return None
    return at.finding(
        op,
        f"DELETE removes every row of {table}",
        help="-- select the rows with WHERE, and delete a few thousand at a time",
        relations=(table,),
    )
