"""How a safe way builds a unique index."""

from migsafe.linting.rule import Context
from migsafe.sources import Transaction
from migsafe.sql.operations import Name


def unique_index_build(at: Context, index: Name, create: str) -> str:
    """Returns a CREATE UNIQUE INDEX CONCURRENTLY that can run again, outside a transaction; `create` is the statement without `;`.

    Rows with equal values stop the build, and the INVALID index keeps the name. A runner that sends a migration as one query cannot send the
    DROP INDEX along, because several statements in one query are one transaction.
    """
    drop = f"DROP INDEX CONCURRENTLY IF EXISTS {index};\n" if at.migration.up.transaction is not Transaction.QUERY else ""
    return at.outside_transaction(f"{drop}{create};")
