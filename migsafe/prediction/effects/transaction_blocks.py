"""The operations that PostgreSQL refuses inside a transaction block (PreventInTransactionBlock in its source)."""

from migsafe import versions
from migsafe.patterns import lazy_pattern
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation

_REFUSED_KINDS = frozenset(("database", "tablespace"))
_FALSE = frozenset(("false", "off", "0"))
"""The values that switch an option off."""

_EXPLANATION = lazy_pattern(r" (?:without a table|of a partitioned \w+)$")
"""What the name of a command says beyond the server's name for it."""

_MAY_BE_REFUSED = frozenset(
    (
        *(sql.CreateIndex, sql.Drop, sql.DetachPartition, sql.Reindex, sql.Vacuum, sql.Cluster, sql.Repack, sql.AlterSystem),
        *(sql.CreateObject, sql.AlterObject, sql.Discard, sql.TwoPhase),
    )
)


def refused_in_transaction_block(operation: Operation, catalog: Catalog) -> str | None:
    """Returns what PostgreSQL calls an operation that cannot run inside a transaction block; None for any other operation."""
    if type(operation) not in _MAY_BE_REFUSED:
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
            table = catalog.relation(name) if catalog.pg_version >= versions.CLUSTER_OF_PARTITIONED else None
            return "CLUSTER of a partitioned table" if table is not None and table.kind is RelationKind.PARTITIONED else None
        case sql.Repack():
            return _repack(operation, catalog)
        case sql.AlterSystem():
            return "ALTER SYSTEM"
        case sql.CreateObject(kind=kind) if kind in _REFUSED_KINDS:
            return f"CREATE {kind.upper()}"
        case sql.CreateObject(kind="subscription") if not (_FALSE & {_value(operation, "connect"), _value(operation, "create_slot")}):
            return "CREATE SUBSCRIPTION … WITH (create_slot = true)"
        case sql.AlterObject(kind="database", action="set tablespace"):
            return "ALTER DATABASE … SET TABLESPACE"
        case sql.AlterObject(kind="subscription"):
            return _alter_subscription(operation, catalog.pg_version)
        case sql.Discard(target="all"):
            return "DISCARD ALL"
        case sql.TwoPhase(action="commit prepared" | "rollback prepared" as action):
            return action.upper()
    return None


def transaction_block_error(command: str, pg_version: int, *, in_transaction_block: bool) -> str:
    """Returns the server's message for a command that `refused_in_transaction_block` names: in a transaction block, or else in a DO block
    (PreventInTransactionBlock in xact.c)."""
    name = _EXPLANATION.sub("", command).replace("DATABASE … ", "DATABASE ").replace("…", "...")
    if in_transaction_block:
        return f"{name} cannot run inside a transaction block"
    return f"{name} cannot be executed from a function{' or procedure' if pg_version >= versions.REWORDED_ERRORS else ''}"


def _alter_subscription(op: sql.AlterObject, pg_version: int) -> str | None:
    if op.action == "refresh publication":
        return "ALTER SUBSCRIPTION … REFRESH"
    if op.action.endswith(" publication") and _value(op, "refresh") not in _FALSE:
        return "ALTER SUBSCRIPTION with refresh"
    if op.action == "set" and pg_version >= versions.SUBSCRIPTION_FAILOVER and _value(op, "failover") is not None:
        return "ALTER SUBSCRIPTION … SET (failover)"
    if op.action == "set" and pg_version >= versions.SUBSCRIPTION_TWO_PHASE and _value(op, "two_phase") in _FALSE:
        return "ALTER SUBSCRIPTION … SET (two_phase)"
    return None


def _value(op: sql.CreateObject | sql.AlterObject, option: str) -> str | None:
    """Returns the value of an option, in lower case; None if the statement does not set it."""
    return next(((given.value or "true").lower() for given in op.options if given.name == option), None)


def _repack(op: sql.Repack, catalog: Catalog) -> str | None:
    if op.concurrently:
        return "REPACK (CONCURRENTLY)"
    if op.table is None:
        return "REPACK without a table"
    table = catalog.relation(op.table)
    return "REPACK of a partitioned table" if table is not None and table.kind is RelationKind.PARTITIONED else None


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
    return f"REINDEX {op.kind.upper()} of a partitioned {op.kind}" if getattr(table, "kind", None) is RelationKind.PARTITIONED else None
