"""A name longer than 63 bytes.

PostgreSQL truncates it, and reports this only in a notice. Two long names with the same beginning become one, and the second statement
fails, or does nothing with IF NOT EXISTS. A search for the full name, in pg_class or in a tool, finds nothing.

Unsafe:
    CREATE INDEX CONCURRENTLY orders_customer_id_and_placed_at_and_currency_and_region_for_monthly_report_idx ON orders (currency);

Safe:
    CREATE INDEX CONCURRENTLY orders_monthly_report_idx ON orders (currency);

See: https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
"""

from msgspec import Struct

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CutIdentifier, Drop, DropColumn, DropConstraint


class _State(Struct):
    reported: set[str] = set()


@rule(category="design", severity=Severity.WARNING, no_fix="another name changes the final schema")
def identifier_too_long(op: CutIdentifier, at: Context) -> Finding | None:
    """Report a name that PostgreSQL truncates, once per migration. A DROP finds the object by the truncated name."""
    if all(isinstance(operation, Drop | DropColumn | DropConstraint | CutIdentifier) for operation in at.statement.operations):
        return None
    reported = at.state(_State).reported
    if op.written in reported:
        return None
    reported.add(op.written)
    size = len(op.written.encode())
    return at.finding(op, f"{op.written} has {size} bytes: PostgreSQL truncates it to the first 63, {op.kept}", help="-- use a shorter name")
