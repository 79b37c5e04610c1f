"""REPLICA IDENTITY changes what logical replication sends about changed and deleted rows.

REPLICA IDENTITY selects the columns of the old row that are written to the write-ahead log. With NOTHING, and with DEFAULT without a
primary key, every UPDATE and DELETE fails while the table is published for them. With FULL the whole old row is logged, and the subscriber
looks it up by all columns, which without a suitable index reads the whole table for each row. USING INDEX changes the columns that
consumers such as Debezium receive as the key of a deleted row. Coordinate the change with the consumers of the stream.

Unsafe:
    ALTER TABLE orders REPLICA IDENTITY FULL;

Safe, because the table is new:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
    ALTER TABLE orders REPLICA IDENTITY FULL;

See: https://www.postgresql.org/docs/current/logical-replication-publication.html#LOGICAL-REPLICATION-PUBLICATION-REPLICA-IDENTITY
"""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.sql.operations import SetReplicaIdentity
from migsafe.sql.operations.values import quoted

_CONSEQUENCES = {
    "nothing": "every UPDATE and DELETE fails while the table is published for them",
    "full": "every UPDATE and DELETE logs the whole old row, and a subscriber without a suitable index reads its whole table for each",
    "default": "every UPDATE and DELETE fails while the table is published for them, unless it has a primary key",
    "index": "consumers receive other columns as the key of a changed or deleted row",
}


@rule(category="compatibility", severity=Severity.WARNING, no_fix="the consumers of the table's changes must be prepared first")
def replica_identity_changed(op: SetReplicaIdentity, at: Context) -> Finding | None:
    """Report a change on a table that the migration did not create."""
    table = op.target.name
    if is_created_here(at, table) or (op.target.if_exists and at.catalog.is_absent(table)):
        return None
    identity = f"USING INDEX {quoted(op.index)}" if op.index is not None else op.identity.upper()
    return at.finding(
        op,
        f"REPLICA IDENTITY {identity} changes what logical replication sends about {at.resolve(table)}: {_CONSEQUENCES[op.identity]}",
        help=(
            f"-- when all consumers of its changes are prepared; this lists its publications:\n"
            f"SELECT pubname FROM pg_publication_tables WHERE tablename = '{table.name}';\n"
            f"-- migsafe: ignore[{at.rule}] all consumers of its changes are prepared\n"
            f"ALTER TABLE {table} REPLICA IDENTITY {identity};"
        ),
        relations=(table,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
