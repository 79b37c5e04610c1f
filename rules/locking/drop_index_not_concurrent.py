"""DROP INDEX without CONCURRENTLY blocks reads and writes of the table.

It takes ACCESS EXCLUSIVE on the table. The work itself is short, but first the statement waits for every running query, and every new
SELECT, INSERT, UPDATE and DELETE waits behind it. Inside a transaction the lock is kept until the transaction ends. With CONCURRENTLY it
takes SHARE UPDATE EXCLUSIVE and waits for the queries that use the index, without blocking others. PostgreSQL refuses CONCURRENTLY inside a
transaction, for several indexes at once, and with CASCADE.

An index of a partitioned table cannot be dropped CONCURRENTLY, so nothing is reported for one.

Unsafe:
    DROP INDEX orders_status_idx;

Safe, outside a transaction:
    DROP INDEX CONCURRENTLY orders_status_idx;

See: https://www.postgresql.org/docs/current/sql-dropindex.html
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.operations import Drop, Name


@rule(category="locking", severity=Severity.WARNING)
def drop_index_not_concurrent(op: Drop, at: Context) -> Finding | None:
    """Report the indexes of a DROP whose tables other sessions may use, or whose tables are unknown."""
    if op.kind != "index" or op.concurrently:
        return None
    dropped = [name for name in op.names if _may_be_in_use(name, at)]
    if not dropped:
        return None
    tables = [effect.relation for effect in at.blocking_effects if effect.kind != "partitioned table"]
    where = " and ".join(map(str, tables)) or f"the table of {' and '.join(str(at.resolve(name)) for name in dropped)}"
    one_by_one = "IF EXISTS " if op.if_exists or len(dropped) > 1 else ""
    sql = "\n".join(f"DROP INDEX CONCURRENTLY {one_by_one}{name};" for name in dropped)
    return at.finding(
        op,
        f"DROP INDEX takes ACCESS EXCLUSIVE on {where}, and first waits for every transaction that uses it: meanwhile every SELECT, INSERT, "
        "UPDATE and DELETE waits",
        help=at.outside_transaction(
            f"-- CONCURRENTLY does not allow CASCADE: first drop the objects that depend on the index\n{sql}" if op.cascade else sql
        ),
        relations=tables,
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _may_be_in_use(name: Name, at: Context) -> bool:
    index = at.catalog.index(name)
    table = at.catalog.get(index.table) if index is not None else None
    if not isinstance(table, Relation):
        return not at.catalog.is_absent(name)
    return table.kind is not RelationKind.PARTITIONED and not at.catalog.is_new(table)
