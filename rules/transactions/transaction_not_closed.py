"""A BEGIN that no COMMIT follows.

The migration ends inside its transaction. When the connection ends PostgreSQL rolls it back, without an error: the runner takes the migration
for done, and nothing of it is there. Where the runner keeps the connection, the locks stay too, and what it sends next goes the same way.

Unsafe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN delivered boolean;

Safe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN delivered boolean;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-begin.html
"""

from migsafe.linting.facts.transaction_block import find_opening
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sources import Transaction
from migsafe.sql.operations import Begin


@rule(category="transactions", severity=Severity.ERROR)
def transaction_not_closed(op: MigrationEnd, at: Context) -> Finding | None:
    """Report what opened the transaction that is open when the migration ends. What the runner opens, it commits."""
    if at.migration.up.transaction is Transaction.FILE or not at.session.in_transaction_block:
        return None
    opened = find_opening(at)
    if opened is None:
        return None
    what = "BEGIN" if isinstance(opened.operation, Begin) else "AND CHAIN"
    return at.finding(
        opened,
        f"no COMMIT follows this {what}: PostgreSQL rolls back all that comes after it when the connection ends, without an error",
        help="-- at the end of the migration:\nCOMMIT;",
    )
