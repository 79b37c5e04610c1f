"""DELETE without WHERE, or with one that is always true.

Every row goes. What was meant as a step of a larger plan is final once the transaction commits, and a WHERE that was forgotten looks just
like this. Each row is locked until then, and all of them stay in the files until VACUUM.

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


@rule(category="data", severity=Severity.ERROR)
def delete_everything(op: Delete, at: Context) -> Finding | None:
    """Report a DELETE that takes every row of a table that others can have rows in."""
    table, relation = at.resolve(op.table), at.catalog.relation(op.table)
    everything = op.where is None or expressions.is_always_true(op.where, expressions.not_null_columns(relation))
    if not everything or op.current_of is not None or op.reads or is_created_here(at, op.table):
        return None
    return at.finding(
        op,
        f"this DELETE takes every row of {table}",
        help="-- say which rows with WHERE, a few thousand at a time",
        relations=(table,),
    )
