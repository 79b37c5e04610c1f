"""VACUUM FULL, CLUSTER, REPACK, SET LOGGED, SET TABLESPACE, SET ACCESS METHOD and MERGE or SPLIT PARTITION rewrite a table while it is locked.

Each holds ACCESS EXCLUSIVE while it copies the table and rebuilds its indexes: even SELECT waits until it ends, and the disk must hold both
copies. VACUUM FULL without a table does this to every table in turn, including the system catalogues.

An unlogged table is empty after a crash of the server, and standbys have no rows of it.

VACUUM FULL and CLUSTER are seldom needed: plain VACUUM makes space reusable without blocking reads and writes, and the extensions pg_repack
and pg_squeeze rebuild a table next to the old one. REINDEX (TABLESPACE …) CONCURRENTLY moves an index to another tablespace. The other
commands need a maintenance window, or a new table that replaces the old one.

PostgreSQL 19 has REPACK for VACUUM FULL and CLUSTER, with an option CONCURRENTLY that blocks reads and writes only while it swaps the files.
MERGE PARTITIONS and SPLIT PARTITION block the whole partitioned table while they copy the rows.

Unsafe:
    VACUUM FULL orders;

Unsafe:
    CLUSTER orders USING orders_placed_at_idx;

Unsafe:
    ALTER TABLE events SET UNLOGGED;

Unsafe, on PostgreSQL 19:
    REPACK orders;

Safe, outside a transaction:
    VACUUM orders;

Safe, on PostgreSQL 19, outside a transaction:
    REPACK (CONCURRENTLY) orders;

See: https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY
    https://www.postgresql.org/docs/current/sql-cluster.html
    https://www.postgresql.org/docs/19/sql-repack.html
    https://github.com/reorg/pg_repack
"""

from migsafe import versions
from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.facts.wording import join_names
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.operations import (
    Cluster,
    MergePartitions,
    MoveAllInTablespace,
    Name,
    Repack,
    SetAccessMethod,
    SetLogged,
    SetTablespace,
    SplitPartition,
    Vacuum,
)
from migsafe.sql.operations.values import quoted

_Maintenance = Vacuum | Cluster | Repack | MergePartitions | SplitPartition | SetLogged | SetAccessMethod | SetTablespace | MoveAllInTablespace
_REPACK_NEEDS = "-- it needs a primary key or an index as replica identity, and a free replication slot"
_ALL_WAIT = "every SELECT, INSERT, UPDATE and DELETE waits"


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    no_fix="the statements that block less do not have the same result",
)
def maintenance_rewrites(
    op: Vacuum | Cluster | Repack | MergePartitions | SplitPartition | SetLogged | SetAccessMethod | SetTablespace | MoveAllInTablespace,
    at: Context,
) -> Finding | None:
    """Report commands that rewrite existing tables, or an index of one."""
    match op:
        case Vacuum(full=False) | Repack(concurrently=True):
            return None
        case Vacuum(tables=()) | Cluster(table=None) | Repack(table=None) | MoveAllInTablespace():
            return _of_many(op, at)
        case SetTablespace(target=target) if target.kind == "index" or at.catalog.index(target.name) is not None:
            return _of_index(op, at)
    slow = at.slow_effects()
    if not slow:
        return None
    tables = [effect.relation for effect in slow]
    if isinstance(op, MergePartitions | SplitPartition):
        tables = list(dict.fromkeys((at.resolve(op.target.name), *tables)))
    return at.finding(
        op,
        f"{_name(op)} takes {slow[0].lock} on {join_names(tables)} while it {_work(op)}: every {slow[0].blocked_commands} waits{_loss(op)}"
        f"{while_held(at)}",
        help=_help(op, tables, at),
        relations=tables,
        lock=slow[0].lock,
    )


def _name(op: _Maintenance) -> str:
    match op:
        case Vacuum():
            return "VACUUM FULL"
        case Cluster():
            return "CLUSTER"
        case Repack():
            return "REPACK"
        case MergePartitions():
            return "MERGE PARTITIONS"
        case SplitPartition():
            return "SPLIT PARTITION"
        case SetLogged(logged=logged):
            return "SET LOGGED" if logged else "SET UNLOGGED"
        case SetAccessMethod():
            return "SET ACCESS METHOD"
    return "SET TABLESPACE"


def _work(op: _Maintenance) -> str:
    if isinstance(op, MergePartitions | SplitPartition):
        return "copies every row to the new partition" + ("s" if isinstance(op, SplitPartition) else "")
    return "copies all its files" if isinstance(op, SetTablespace) else "rewrites every row and index"


def _loss(op: _Maintenance) -> str:
    """Returns what else happens to the rows of a table that becomes unlogged."""
    if isinstance(op, SetLogged) and not op.logged:
        return "; from then on a crash of the server empties the table, and standbys do not have its rows"
    return ""


def _help(op: _Maintenance, tables: list[Name], at: Context) -> str:
    kinds = {relation.kind for name in tables if (relation := at.catalog.relation(name)) is not None}
    if RelationKind.MATERIALIZED in kinds:
        return "-- instead, create and fill a second materialized view, and give it the name of this one"
    if isinstance(op, Vacuum | Cluster) and at.catalog.pg_version >= versions.REPACK:
        order = f" USING INDEX {quoted(op.index)}" if isinstance(op, Cluster) and op.index is not None else ""
        repacked = "\n".join(f"REPACK (CONCURRENTLY) {name}{order};" for name in tables)
        return f"{at.outside_transaction(repacked)}\n{_REPACK_NEEDS}"
    repack = f"pg_repack {' '.join(f'--table={name}' for name in tables)}"
    match op:
        case Repack():
            sql = at.text(*op.span)
            rest = sql[len("REPACK") :].strip()
            settings = f"(CONCURRENTLY, {rest[1:]}" if rest.startswith("(") else f"(CONCURRENTLY) {rest}"
            concurrently = at.outside_transaction(f"REPACK {settings};")
            return f"{concurrently}\n{_REPACK_NEEDS}"
        case MergePartitions() | SplitPartition():
            return (
                "-- create the new table without PARTITION OF, with a CHECK for its bound, and copy the rows in batches while a trigger keeps "
                "it in sync; then DETACH PARTITION … CONCURRENTLY the old one and ATTACH PARTITION the new one"
            )
        case Vacuum(tables=vacuumed):
            plain = at.outside_transaction(f"VACUUM {', '.join(str(table.name) for table in vacuumed)};")
            return f"{plain}\n-- to return space to the operating system without blocking reads and writes: {repack}"
        case Cluster(index=index):
            order = f" --order-by={_columns(index, tables[0], at)}" if index is not None else ""
            return f"-- the extension pg_repack orders the rows in a new table without blocking reads and writes: {repack}{order}"
        case SetTablespace(tablespace=tablespace):
            moved = f"{repack} --tablespace={tablespace} --moveidx"
            return f"-- the extension pg_repack copies the table without blocking reads and writes: {moved}"
    if isinstance(op, SetLogged) and not op.logged:
        return "-- leave the table logged, unless all of its rows can be lost; otherwise run it in a maintenance window"
    return "-- in a maintenance window; or copy the rows to a new table, keep it in sync with a trigger, and give it the name of this table"


def _columns(index: str, table: Name, at: Context) -> str:
    """Returns the columns of an index in the form that pg_repack expects."""
    definition, relation = at.catalog.index(Name(index, table.schema)), at.catalog.relation(table)
    if definition is None or relation is None:
        return f"(the columns of {index})"
    columns = [relation.column_numbered(key.column) for key in definition.keys if key.column is not None]
    return ",".join(column.name for column in columns if column is not None)


def _of_many(op: Vacuum | Cluster | Repack | MoveAllInTablespace, at: Context) -> Finding | None:
    """Report a command that names no table: it also affects unknown tables, unless the database is completely known."""
    work = "while it rewrites every row and index"
    match op:
        case Vacuum():
            which, help = "on every table in turn, including the system catalogues,", at.outside_transaction("VACUUM;")
        case Cluster():
            if at.catalog.complete and not at.slow_effects():
                return None
            which, help = "on every previously clustered table in turn,", "-- without blocking reads and writes: pg_repack, table by table"
        case Repack(by_index=by_index):
            if by_index and at.catalog.complete and not at.slow_effects():
                return None
            which = "on every previously clustered table in turn," if by_index else "on every table in turn,"
            help = "-- without blocking reads and writes: REPACK (CONCURRENTLY), table by table"
        case MoveAllInTablespace(kind=kind, source=source, destination=destination):
            things = {"index": "indexes"}.get(kind, f"{kind}s")
            which, work = f"on all {things} in {source} at once", "and keeps it until the last file is copied"
            help = "-- without blocking reads and writes: pg_repack, table by table"
            if kind == "index":
                move = at.outside_transaction(f"REINDEX (TABLESPACE {quoted(destination)}) INDEX CONCURRENTLY index_name;")
                help = f"-- one by one, without blocking reads and writes:\n{move}"
    return at.finding(
        op,
        f"{_name(op)} takes {LockMode.ACCESS_EXCLUSIVE} {which} {work}: {_ALL_WAIT}",
        help=help,
        relations=[effect.relation for effect in at.slow_effects()],
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _of_index(op: SetTablespace, at: Context) -> Finding | None:
    """Report an index that is moved, unless its table is new, or partitioned: the index of a partitioned table has no file."""
    index = at.catalog.index(op.target.name)
    table = at.catalog.get(index.table) if index is not None else None
    known = isinstance(table, Relation)
    if (isinstance(table, Relation) and table.kind is RelationKind.PARTITIONED) or (at.catalog.is_absent(op.target.name) and not known):
        return None
    if known and not at.slow_effects(only=True):
        return None
    where = f"{index.name} of {table.name}" if index is not None and isinstance(table, Relation) else str(at.resolve(op.target.name))
    return at.finding(
        op,
        f"SET TABLESPACE takes {LockMode.ACCESS_EXCLUSIVE} on the index {where} while it copies it: "
        "every query of the table waits, because planning locks its indexes",
        help=at.outside_transaction(f"REINDEX (TABLESPACE {quoted(op.tablespace)}) INDEX CONCURRENTLY {op.target.name};"),
        relations=[table.name] if isinstance(table, Relation) else (),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
