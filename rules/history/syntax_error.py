"""A statement that PostgreSQL's grammar refuses.

The migration stops there with an error, and what came before stays or goes as the runner's transaction has it. The other statements of
the file are judged all the same.

Unsafe:
    CREATE TABLE orders (id bigint PRIMARY KEY, placed_at );

Safe:
    CREATE TABLE orders (id bigint PRIMARY KEY, placed_at timestamptz);

See: https://www.postgresql.org/docs/current/sql-syntax.html
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Broken


@rule(category="history", severity=Severity.ERROR)
def syntax_error(op: Broken, at: Context) -> Finding | None:
    """Report what stands where PostgreSQL would stop, and what it would have taken."""
    return at.finding(op, f"expected {op.expected}, found {op.found}")
