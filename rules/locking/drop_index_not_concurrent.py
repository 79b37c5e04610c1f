"""DROP INDEX without CONCURRENTLY stops reads and writes of the index's table.

It takes ACCESS EXCLUSIVE on the table: once it has the lock the work is short, but until then it waits for every query that is running, and
every new SELECT, INSERT, UPDATE and DELETE waits behind it; inside a transaction the lock is kept until that ends. With CONCURRENTLY it
takes SHARE UPDATE EXCLUSIVE and waits for the queries that use the index, and nobody waits for it. PostgreSQL refuses that inside a
transaction, for several indexes at once, and with CASCADE.

The index of a partitioned table can be dropped in no other way, so nothing is reported for one.

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
    """Report the indexes of a DROP whose tables others may be using, or of which nothing is known."""
    if op.kind != "index" or op.concurrently:
        return None
    dropped = [name for name in op.names if _is_hurt(name, at)]
    if not dropped:
        return None
    tables = [effect.relation for effect in at.blocking_effects if effect.kind != "partitioned table"]
    where = " and ".join(map(str, tables)) or f"the table of {' and '.join(str(at.resolve(name)) for name in dropped)}"
    one_by_one = "IF EXISTS " if op.if_exists or len(dropped) > 1 else ""
    sql = "\n".join(f"DROP INDEX CONCURRENTLY {one_by_one}{name};" for name in dropped)
    return at.finding(
        op,
        f"DROP INDEX takes ACCESS EXCLUSIVE on {where}, and waits for all who use it: meanwhile every SELECT, INSERT, UPDATE and DELETE waits",
        help=at.outside_transaction(f"-- there is no CASCADE with it: drop what rests on the index first\n{sql}" if op.cascade else sql),
        relations=tables,
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _is_hurt(name: Name, at: Context) -> bool:
    index = at.catalog.index(name)
    table = at.catalog.get(index.table) if index is not None else None
    if not isinstance(table, Relation):
        return not at.catalog.is_absent(name)
    return table.kind is not RelationKind.PARTITIONED and not at.catalog.is_new(table)
