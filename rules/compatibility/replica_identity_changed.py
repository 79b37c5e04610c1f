"""REPLICA IDENTITY changes what logical replication sends about changed and deleted rows.

REPLICA IDENTITY selects the columns of the old row that are written to the write-ahead log. With NOTHING, and with DEFAULT without a
primary key, every UPDATE and DELETE fails while the table is published for them. With FULL the whole old row is logged, and the subscriber
looks it up by all columns, which without a suitable index reads the whole table for each row. USING INDEX changes the columns that
consumers such as Debezium receive as the key of a deleted row. Without its index, because DROP INDEX, DROP CONSTRAINT or DROP COLUMN removes
it, a table has no identity, and falls back to no other one. Coordinate the change with the consumers of the stream.

Unsafe:
    ALTER TABLE orders REPLICA IDENTITY FULL;

Unsafe, because the index is the identity:
    CREATE TABLE orders (id bigint NOT NULL, code text NOT NULL CONSTRAINT orders_code_key UNIQUE);
    CREATE UNIQUE INDEX orders_id_idx ON orders (id);
    ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_id_idx;
    -- next migration
    DROP INDEX CONCURRENTLY orders_id_idx;

Safe, because the table is new:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
    ALTER TABLE orders REPLICA IDENTITY FULL;

See: https://www.postgresql.org/docs/current/logical-replication-publication.html#LOGICAL-REPLICATION-PUBLICATION-REPLICA-IDENTITY
"""

from collections.abc import Iterator

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Index, Relation
from migsafe.sql.operations import Drop, DropColumn, DropConstraint, Name, SetReplicaIdentity
from migsafe.sql.operations.values import quoted

_CONSEQUENCES = {
    "nothing": "every UPDATE and DELETE fails while the table is published for them",
    "full": "every UPDATE and DELETE logs the whole old row, and a subscriber without a suitable index reads its whole table for each",
    "default": "every UPDATE and DELETE fails while the table is published for them, unless it has a primary key",
    "index": "consumers receive other columns as the key of a changed or deleted row",
}


@rule(category="compatibility", severity=Severity.WARNING, no_fix="the consumers of the table's changes must be prepared first")
def replica_identity_changed(op: SetReplicaIdentity | Drop | DropConstraint | DropColumn, at: Context) -> Iterator[Finding]:
    """Report a change on a table that the migration did not create, and the end of the index that is its identity."""
    if not isinstance(op, SetReplicaIdentity):
        for index, relation in _dropped_identities(op, at):
            yield _dropped(op, at, index, relation)
        return
    table = op.target.name
    if is_created_here(at, table) or (op.target.if_exists and at.catalog.is_absent(table)):
        return
    identity = f"USING INDEX {quoted(op.index)}" if op.index is not None else op.identity.upper()
    yield at.finding(
        op,
        f"REPLICA IDENTITY {identity} changes what logical replication sends about {at.resolve(table)}: {_CONSEQUENCES[op.identity]}",
        help=_prepared(at, table, f"ALTER TABLE {table} REPLICA IDENTITY {identity};"),
        relations=(table,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _dropped_identities(op: Drop | DropConstraint | DropColumn, at: Context) -> Iterator[tuple[Index, Relation]]:
    """Returns the indexes that a statement drops and that are the replica identity of a table, with that table."""
    names = op.names if isinstance(op, Drop) and op.kind == "index" else ()
    tables = [at.catalog.get(index.table) for name in names if (index := at.catalog.index(name)) is not None]
    if not isinstance(op, Drop):
        tables = [at.catalog.relation(op.target.name)]
    for table in tables:
        if not isinstance(table, Relation) or table.replica_identity != "index" or table.identity_index is None:
            continue
        identity = at.catalog.get(table.identity_index)
        if isinstance(identity, Index) and not is_created_here(at, table.name) and _drops(op, at, identity, table):
            yield identity, table


def _drops(op: Drop | DropConstraint | DropColumn, at: Context, index: Index, table: Relation) -> bool:
    if isinstance(op, Drop):
        return any((named := at.catalog.index(name)) is not None and named.oid == index.oid for name in op.names)
    if isinstance(op, DropConstraint):
        constraint = at.catalog.constraint(table.oid, op.constraint)
        return constraint is not None and constraint.index == index.oid
    column = table.column(op.column)
    return column is not None and column.number in index.columns


def _dropped(op: Drop | DropConstraint | DropColumn, at: Context, index: Index, table: Relation) -> Finding:
    key = at.catalog.primary_key(table.oid)
    other = "DEFAULT" if key is not None and key.index != index.oid else "FULL"
    statement = f"{at.text(*at.statement.span)};" if isinstance(at.statement.operations[0], type(op)) else "-- the statement that drops it"
    drop = at.outside_transaction(statement) if isinstance(op, Drop) and op.concurrently else statement
    return at.finding(
        op,
        f"the statement drops {index.name}, the replica identity of {table.name}: {_CONSEQUENCES['nothing']}",
        help=f"{_prepared(at, table.name, f'ALTER TABLE {table.name} REPLICA IDENTITY {other};')}\n-- next migration\n{drop}",
        relations=(table.name,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _prepared(at: Context, table: Name, statement: str) -> str:
    return (
        f"-- when all consumers of its changes are prepared; this lists its publications:\n"
        f"SELECT pubname FROM pg_publication_tables WHERE tablename = '{table.name}';\n"
        f"-- migsafe: ignore[{at.rule}] all consumers of its changes are prepared\n"
        f"{statement}"
    )
