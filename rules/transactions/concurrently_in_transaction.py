"""A statement that PostgreSQL refuses inside a transaction.

CREATE, DROP and REINDEX … CONCURRENTLY, DETACH PARTITION … CONCURRENTLY, VACUUM, CREATE DATABASE, ALTER SYSTEM and their kin commit on their
way, or do what no ROLLBACK takes back. Inside a transaction block PostgreSQL stops with "cannot run inside a transaction block", whoever
opened it: a BEGIN in the script, the runner, or several statements that are sent as one query. In a DO block, and in a function, they
never run; a COMMIT in a DO block is refused where a transaction is open around it. Each runner has its own way to run a migration outside
a transaction, and some send even then all of the file as one query: there the statement needs a migration to itself.

Unsafe:
    BEGIN;
    CREATE INDEX CONCURRENTLY orders_qty_idx ON orders (qty);
    COMMIT;

Unsafe, because a DO block is always inside a transaction:
    DO $$
    BEGIN
        CREATE INDEX CONCURRENTLY orders_qty_idx ON orders (qty);
    END $$;

Safe, outside a transaction:
    CREATE INDEX CONCURRENTLY orders_qty_idx ON orders (qty);

See: https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
"""

from migsafe.linting.facts.transaction_block import is_in_called_function, transaction_block_around
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block
from migsafe.schema.default_names import default_index_name
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.generation import create_index, join_migrations
from migsafe.sql.operations import (
    AlterObject,
    AlterSystem,
    Cluster,
    Commit,
    CreateIndex,
    CreateObject,
    DetachPartition,
    Discard,
    Do,
    Drop,
    Name,
    Operation,
    Reindex,
    Rollback,
    TwoPhase,
    Vacuum,
)

_Refused = (
    CreateIndex
    | Drop
    | Reindex
    | DetachPartition
    | Vacuum
    | Cluster
    | AlterSystem
    | CreateObject
    | AlterObject
    | Discard
    | TwoPhase
    | Commit
    | Rollback
)


@rule(category="transactions", severity=Severity.ERROR)
def concurrently_in_transaction(op: _Refused, at: Context) -> Finding | None:
    """Report what cannot run where it stands."""
    if isinstance(op, Commit | Rollback):
        return _ends_from_within(op, at)
    what = _detached_slot(op, at) or refused_in_transaction_block(op, at.catalog)
    if what is None:
        return None
    around = transaction_block_around(at)
    if is_in_called_function(at, op):
        why = f"{what} cannot be executed from a function"
    elif isinstance(at.statement.operations[0], Do):
        why = f"{what} cannot run in a DO block, which is always inside a transaction"
    elif around is not None:
        why = f"{what} cannot run inside a transaction block: {around.reason}"
    else:
        return None
    return at.finding(op, why, help=_outside(op, at), relations=_relations(op, at))


def _ends_from_within(op: Commit | Rollback, at: Context) -> Finding | None:
    """COMMIT and ROLLBACK in a DO block or a procedure, where something is open around it."""
    word = "COMMIT" if isinstance(op, Commit) else "ROLLBACK"
    around = transaction_block_around(at)
    if op is at.statement.operations[0] or around is None:
        return None
    where = "a procedure" if is_in_called_function(at, op) else "a DO block"
    return at.finding(
        op,
        f"{word} in {where} is refused inside a transaction block (invalid transaction termination): {around.reason}",
        help=f"-- run the statement in a migration that runs outside a transaction: {at.how_to_run_outside}",
    )


def _detached_slot(op: Operation, at: Context) -> str | None:
    """DROP SUBSCRIPTION drops the slot on the publisher too, unless the subscription has been told to forget it."""
    if not isinstance(op, Drop) or op.kind != "subscription" or op.if_exists:
        return None
    for done in at.past:
        match done.operation:
            case AlterObject(kind="subscription", name=name, action="set", options=options) if name in op.names:
                if any(one.name == "slot_name" for one in options):
                    return None
    return "DROP SUBSCRIPTION"


def _outside(op: Operation, at: Context) -> str:
    if isinstance(op, CreateIndex):
        return _index_outside(op, at)
    if isinstance(op, DetachPartition):
        sql = f"ALTER TABLE {op.target.name} DETACH PARTITION {op.partition} CONCURRENTLY;"
    elif is_in_called_function(at, op):
        return "-- call it by itself, not from a function"
    else:
        sql = f"{at.text(*op.span)};"
    return at.outside_transaction(sql)


def _index_outside(op: CreateIndex, at: Context) -> str:
    table = at.catalog.relation(op.table)
    if isinstance(table, Relation) and table.kind is RelationKind.PARTITIONED:
        return ""  # PostgreSQL refuses it everywhere, which another rule says
    name = op.name or default_index_name(op)
    built = at.outside_transaction(f"{create_index(op, name, concurrently=True)};")
    if not op.if_not_exists or name is None:
        return built
    # IF NOT EXISTS would take an INVALID index for a good one.
    left = f"DROP INDEX CONCURRENTLY IF EXISTS {Name(name, op.table.schema)}; -- what a failed build may have left"
    return join_migrations(at.outside_transaction(left), built)


def _relations(op: Operation, at: Context) -> list[Name]:
    match op:
        case CreateIndex(table=Name() as table) | Cluster(table=Name() as table):
            return [table]
        case DetachPartition(target=target):
            return [target.name]
        case Vacuum(tables=tables):
            return [table.name for table in tables]
        case Drop(kind="index", names=names):
            indexes = [at.catalog.index(name) for name in names]
            return [at.catalog[index.table].name for index in indexes if index is not None]
    return []
