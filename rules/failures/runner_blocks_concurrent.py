"""CREATE INDEX CONCURRENTLY waits without end for a transaction that the runner keeps open.

CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY wait, before they finish, for every transaction whose snapshot is older than the index.
Flyway holds its lock on PostgreSQL in a transaction of another connection until all migrations are done. So the index waits for Flyway, and
Flyway waits for the index: the deployment hangs, and PostgreSQL sees no deadlock, because Flyway's connection is idle in its transaction.
DROP INDEX, DETACH PARTITION and REFRESH MATERIALIZED VIEW … CONCURRENTLY do not wait for it. With
`flyway.postgresql.transactional.lock=false` the lock belongs to the session, and the index does not wait.

Unsafe:
    -- V2__orders_note_idx.sql
    CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);

Safe, where Flyway's configuration has `flyway.postgresql.transactional.lock=false`:
    CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);

See: https://documentation.red-gate.com/flyway/reference/configuration/flyway-namespace/flyway-postgresql-namespace
    https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CreateIndex, Reindex


@rule(
    category="failures",
    severity=Severity.ERROR,
    one_per_migration=True,
    no_fix="a setting of the project must change, not the migration",
)
def runner_blocks_concurrent(op: CreateIndex | Reindex, at: Context) -> Finding | None:
    """Report an index that is built CONCURRENTLY on an existing table while the runner keeps a transaction open."""
    transaction = at.migration.up.runner_transaction
    if transaction is None or not op.concurrently or at.session.in_block:
        return None
    command = "CREATE INDEX" if isinstance(op, CreateIndex) else "REINDEX"
    relations = (op.table,) if isinstance(op, CreateIndex) else ()
    return at.finding(
        op,
        f"{command} CONCURRENTLY waits without end for the transaction {transaction.purpose}: the migration never finishes",
        help=f"-- {transaction.advice}",
        relations=relations,
    )
