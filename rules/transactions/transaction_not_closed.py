"""A BEGIN without a COMMIT.

The migration ends inside its transaction. PostgreSQL rolls it back when the connection ends, without an error: the runner records the
migration as done, although none of its changes exist. If the runner keeps the connection, the locks remain too, and its next statements are
rolled back as well.

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


@rule(category="transactions", severity=Severity.ERROR, fix="unsafe", unsafe_because="the statements, which were rolled back, are committed")
def transaction_not_closed(op: MigrationEnd, at: Context) -> Finding | None:
    """Report the statement that opened the transaction that is open when the migration ends. The runner commits its own transactions."""
    if at.migration.up.transaction is Transaction.FILE or not at.session.in_transaction_block:
        return None
    opened = find_opening(at)
    if opened is None:
        return None
    command = "BEGIN" if isinstance(opened.operation, Begin) else "AND CHAIN"
    return at.finding(
        opened,
        f"no COMMIT follows this {command}: PostgreSQL rolls back everything after it when the connection ends, without an error",
        help="-- at the end of the migration:\nCOMMIT;",
    )
