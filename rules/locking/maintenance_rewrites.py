"""A table is written anew while nobody can use it: VACUUM FULL, CLUSTER, SET LOGGED, SET TABLESPACE, SET ACCESS METHOD.

Each holds ACCESS EXCLUSIVE while it copies the table and builds its indexes anew: even SELECT waits, for as long as that takes, and the disk
must hold both copies. VACUUM FULL without a table does it to every table in turn, and to the system catalogues.

What VACUUM FULL and CLUSTER are run for seldom needs them: plain VACUUM makes room that is used again while reads and writes go on, and the
extensions pg_repack and pg_squeeze build a table anew beside the old one. An index moves to another tablespace with REINDEX (TABLESPACE …)
CONCURRENTLY. The others need a time when nobody uses the table, or a new table that takes over.

Unsafe:
    VACUUM FULL orders;

Unsafe:
    CLUSTER orders USING orders_placed_at_idx;

Unsafe:
    ALTER TABLE events SET UNLOGGED;

Safe, outside a transaction:
    VACUUM orders;

See: https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY
    https://www.postgresql.org/docs/current/sql-cluster.html
    https://github.com/reorg/pg_repack
"""

from migsafe.linting.facts.wording import join_names
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.operations import Cluster, MoveAllInTablespace, Name, SetAccessMethod, SetLogged, SetTablespace, Vacuum
from migsafe.sql.operations.values import quoted

_Maintenance = Vacuum | Cluster | SetLogged | SetAccessMethod | SetTablespace | MoveAllInTablespace
_EVERYBODY = "every SELECT, INSERT, UPDATE and DELETE waits"


@rule(category="locking", severity=Severity.ERROR)
def maintenance_rewrites(
    op: Vacuum | Cluster | SetLogged | SetAccessMethod | SetTablespace | MoveAllInTablespace, at: Context
) -> Finding | None:
    """Report what writes tables, or an index, anew that others can know."""
    match op:
        case Vacuum(full=False):
            return None
        case Vacuum(tables=()) | Cluster(table=None) | MoveAllInTablespace():
            return _of_many(op, at)
        case SetTablespace(target=target) if target.kind == "index" or at.catalog.index(target.name) is not None:
            return _of_index(op, at)
    slow = at.slow()
    if not slow:
        return None
    tables = [effect.relation for effect in slow]
    return at.finding(
        op,
        f"{_name(op)} takes {slow[0].lock} on {join_names(tables)} while it {_work(op)}: every {slow[0].blocked_commands} waits",
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
        case SetLogged(logged=logged):
            return "SET LOGGED" if logged else "SET UNLOGGED"
        case SetAccessMethod():
            return "SET ACCESS METHOD"
    return "SET TABLESPACE"


def _work(op: _Maintenance) -> str:
    return "copies all its files" if isinstance(op, SetTablespace) else "writes every row and index anew"


def _help(op: _Maintenance, tables: list[Name], at: Context) -> str:
    kinds = {found.kind for name in tables if (found := at.catalog.relation(name)) is not None}
    if RelationKind.MATERIALIZED in kinds:
        return "-- a second materialized view, made as this one is to be and filled, can take over its name"
    repack = f"pg_repack {' '.join(f'--table={name}' for name in tables)}"
    match op:
        case Vacuum(tables=given):
            plain = at.outside_transaction(f"VACUUM {', '.join(str(one.name) for one in given)};")
            return f"{plain}\n-- to give room back to the disk while reads and writes go on: {repack}"
        case Cluster(index=index):
            order = f" --order-by={_columns(index, tables[0], at)}" if index is not None else ""
            return f"-- while reads and writes go on, the extension pg_repack orders the rows in a new table: {repack}{order}"
        case SetTablespace(tablespace=tablespace):
            return f"-- while reads and writes go on, the extension pg_repack copies the table: {repack} --tablespace={tablespace} --moveidx"
    return "-- when nobody uses it; or into a new table that a trigger keeps in step, and that takes over its name"


def _columns(index: str, table: Name, at: Context) -> str:
    """The columns of an index, as pg_repack takes them."""
    found, relation = at.catalog.index(Name(index, table.schema)), at.catalog.relation(table)
    if found is None or relation is None:
        return f"(the columns of {index})"
    columns = [relation.numbered(key.column) for key in found.keys if key.column is not None]
    return ",".join(column.name for column in columns if column is not None)


def _of_many(op: Vacuum | Cluster | MoveAllInTablespace, at: Context) -> Finding | None:
    """Report what names no table: it concerns those too that nobody knows, except in a database that is wholly known."""
    work = "while it writes every row and index anew"
    match op:
        case Vacuum():
            which, help = "on every table in turn, the system catalogues too,", at.outside_transaction("VACUUM;")
        case Cluster():
            if at.catalog.complete and not at.slow():
                return None
            which, help = "on every table in turn that was clustered before,", "-- while reads and writes go on: pg_repack, table by table"
        case MoveAllInTablespace(kind=kind, source=source, destination=destination):
            things = {"index": "indexes"}.get(kind, f"{kind}s")
            which, work = f"on all {things} in {source} at once", "and keeps it until the last file is copied"
            help = "-- while reads and writes go on: pg_repack, table by table"
            if kind == "index":
                move = at.outside_transaction(f"REINDEX (TABLESPACE {quoted(destination)}) INDEX CONCURRENTLY index_name;")
                help = f"-- one by one, while reads and writes go on:\n{move}"
    return at.finding(
        op,
        f"{_name(op)} takes {LockMode.ACCESS_EXCLUSIVE} {which} {work}: {_EVERYBODY}",
        help=help,
        relations=[effect.relation for effect in at.slow()],
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _of_index(op: SetTablespace, at: Context) -> Finding | None:
    """Report an index that is moved, unless it is one of a new table, or of a partitioned one, which has no file."""
    index = at.catalog.index(op.target.name)
    table = at.catalog.get(index.table) if index is not None else None
    known = isinstance(table, Relation)
    if (isinstance(table, Relation) and table.kind is RelationKind.PARTITIONED) or (at.catalog.is_absent(op.target.name) and not known):
        return None
    if known and not at.slow(only=True):
        return None
    where = f"{index.name} of {table.name}" if index is not None and isinstance(table, Relation) else str(at.resolve(op.target.name))
    return at.finding(
        op,
        f"SET TABLESPACE takes {LockMode.ACCESS_EXCLUSIVE} on the index {where} while it copies it: every query of its table waits for a plan",
        help=at.outside_transaction(f"REINDEX (TABLESPACE {quoted(op.tablespace)}) INDEX CONCURRENTLY {op.target.name};"),
        relations=[table.name] if isinstance(table, Relation) else (),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
