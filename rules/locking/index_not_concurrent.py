"""CREATE INDEX without CONCURRENTLY stops writes until the index is built.

The build holds SHARE on the table: SELECT goes on, INSERT, UPDATE and DELETE wait, and the wait grows with the table. With CONCURRENTLY
the build holds SHARE UPDATE EXCLUSIVE, which lets reads and writes go on; it reads the table twice, and PostgreSQL refuses it inside a
transaction. A build that fails leaves an INVALID index, which has to be dropped before the next attempt.

Unsafe:
    CREATE INDEX orders_qty_idx ON orders (qty);

Safe, outside a transaction:
    CREATE INDEX CONCURRENTLY orders_qty_idx ON orders (qty);

Safe, because the table is new:
    CREATE TABLE orders (id bigint PRIMARY KEY, qty integer NOT NULL);
    CREATE INDEX orders_qty_idx ON orders (qty);

Safe, for a partitioned table, each partition's index outside a transaction:
    CREATE INDEX orders_qty_idx ON ONLY orders (qty);
    -- next migration
    CREATE INDEX CONCURRENTLY orders_2025_qty_idx ON orders_2025 (qty);
    -- next migration
    ALTER INDEX orders_qty_idx ATTACH PARTITION orders_2025_qty_idx;

See: https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from migsafe.lock import LockMode
from migsafe.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_index_name
from migsafe.sql.operations import CreateIndex
from migsafe.sql.written import create_index


@rule(category="locking", severity=Severity.ERROR)
def index_not_concurrent(op: CreateIndex, at: Context) -> Finding | None:
    """Report an index built on a relation that others may be writing to."""
    if op.concurrently or op.only or at.is_new(op.table):
        return None
    what = "CREATE UNIQUE INDEX" if op.unique else "CREATE INDEX"
    return at.finding(
        op,
        f"{what} takes SHARE on {at.resolve(op.table)} until it is built: every INSERT, UPDATE and DELETE waits",
        help=at.outside_transaction(create_index(op, op.name or default_index_name(op), concurrently=True) + ";"),
        relations=(op.table,),
        lock=LockMode.SHARE,
    )
