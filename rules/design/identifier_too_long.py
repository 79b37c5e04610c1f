"""A name of more than 63 bytes.

PostgreSQL cuts it, and says so only in a notice. Two long names that begin alike become one, and the second statement fails, or does
nothing where it says IF NOT EXISTS; and who looks for the whole name later, in pg_class or in a tool, finds nothing.

Unsafe:
    CREATE INDEX CONCURRENTLY orders_customer_id_and_placed_at_and_currency_and_region_for_monthly_report_idx ON orders (currency);

Safe:
    CREATE INDEX CONCURRENTLY orders_monthly_report_idx ON orders (currency);

See: https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CutIdentifier


@rule(category="design", severity=Severity.WARNING)
def identifier_too_long(op: CutIdentifier, at: Context) -> Finding | None:
    """Report a name that PostgreSQL cuts, once a migration."""
    if op.written in at.notes:
        return None
    at.notes.append(op.written)
    size = len(op.written.encode())
    return at.finding(
        op, f"{op.written} has {size} bytes: PostgreSQL keeps the first 63, {op.kept}, and drops the rest", help="-- a shorter name"
    )
