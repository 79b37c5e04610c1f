"""What PostgreSQL refuses inside a transaction block (PreventInTransactionBlock in its source)."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation

_CREATED_ALONE = frozenset(("database", "tablespace"))
_ALTERED_ALONE = frozenset((("database", "set tablespace"), ("subscription", "refresh"), ("subscription", "set publication")))


_MAY_BE_ALONE = frozenset(
    (
        *(sql.CreateIndex, sql.Drop, sql.DetachPartition, sql.Reindex, sql.Vacuum, sql.Cluster, sql.AlterSystem),
        *(sql.CreateObject, sql.AlterObject),
    )
)


def alone(operation: Operation, catalog: Catalog) -> str | None:
    """What PostgreSQL calls an operation that cannot run inside a transaction block; None for any other."""
    if type(operation) not in _MAY_BE_ALONE:
        return None
    match operation:
        case sql.CreateIndex(concurrently=True):
            return "CREATE INDEX CONCURRENTLY"
        case sql.Drop(kind="index", concurrently=True):
            return "DROP INDEX CONCURRENTLY"
        case sql.Drop(kind="database" | "tablespace" as kind):
            return f"DROP {kind.upper()}"
        case sql.DetachPartition(concurrently=True):
            return "ALTER TABLE … DETACH CONCURRENTLY"
        case sql.Reindex():
            return _reindex(operation, catalog)
        case sql.Vacuum():
            return "VACUUM"
        case sql.Cluster(table=None):
            return "CLUSTER without a table"
        case sql.Cluster(table=sql.Name() as name):
            table = catalog.relation(name)
            return "CLUSTER of a partitioned table" if table is not None and table.kind is RelationKind.PARTITIONED else None
        case sql.AlterSystem():
            return "ALTER SYSTEM"
        case sql.CreateObject(kind=kind) if kind in _CREATED_ALONE:
            return f"CREATE {kind.upper()}"
        case sql.AlterObject(kind=kind, action=action) if (kind, action) in _ALTERED_ALONE:
            return f"ALTER {kind.upper()} … {action.upper()}"
    return None


def _reindex(op: sql.Reindex, catalog: Catalog) -> str | None:
    if op.concurrently:
        return "REINDEX CONCURRENTLY"
    if op.kind in ("schema", "database", "system"):
        return f"REINDEX {op.kind.upper()}"
    if op.name is None:
        return None
    index = catalog.index(op.name) if op.kind == "index" else None
    oid = index.table if index is not None else None
    table = catalog.get(oid) if oid is not None else catalog.relation(op.name)
    return f"REINDEX {op.kind.upper()} of a partitioned one" if getattr(table, "kind", None) is RelationKind.PARTITIONED else None
