"""A statement that PostgreSQL refuses inside a transaction.

CREATE, DROP and REINDEX … CONCURRENTLY, DETACH PARTITION … CONCURRENTLY, VACUUM, CREATE DATABASE, ALTER SYSTEM and similar commands commit
internally, or do work that ROLLBACK cannot undo. Inside a transaction block PostgreSQL fails with "cannot run inside a transaction block",
whether the block was opened by a BEGIN in the script, by the runner, or by several statements that are sent as one query. In a DO block or
a function they never run; a COMMIT in a DO block is refused if a transaction is open around it. Each runner has its own way to run a
migration outside a transaction. Some runners still send the whole file as one query: there the statement needs a separate migration.
Flyway refuses a script in which some statements can run in a transaction and others cannot, unless `flyway.mixed` is set; SET, DO and COMMENT
are such statements, too.
Alembic's `autocommit_block()` ends the transaction of Alembic; if env.py has begun one before `context.configure()` (with `engine.begin()`, or
with a statement that is not committed), the block raises AssertionError, and the migration ends there.

Unsafe:
    BEGIN;
    CREATE INDEX CONCURRENTLY orders_currency_idx ON orders (currency);
    COMMIT;

Unsafe, because a DO block is always inside a transaction:
    DO $$
    BEGIN
        CREATE INDEX CONCURRENTLY orders_currency_idx ON orders (currency);
    END $$;

Safe, outside a transaction:
    CREATE INDEX CONCURRENTLY orders_currency_idx ON orders (currency);

See: https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
"""

from msgspec import Struct

from migsafe.linting.facts.index_builds import repeatable_index_build
from migsafe.linting.facts.transaction_block import is_in_called_function, transaction_block_around
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block
from migsafe.schema.default_names import default_index_name
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.generation import create_index
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
    Repack,
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
    | Repack
    | AlterSystem
    | CreateObject
    | AlterObject
    | Discard
    | TwoPhase
    | Commit
    | Rollback
)


@rule(
    category="transactions",
    severity=Severity.ERROR,
    refuses=True,
    fix="unsafe",
    unsafe_because="the statement runs in a migration of its own, and a failure leaves an INVALID index",
)
def concurrently_in_transaction(op: Operation, at: Context) -> Finding | None:
    """Report a statement that PostgreSQL refuses at this place, or that is in a block that the runner refuses."""
    call = at.migration.up.call(op.span.start)
    if call is not None and call.raises and at.migration.up.begun_at is not None:
        return _in_refused_block(op, at, call.raises)
    if not isinstance(op, _Refused):
        return None
    if isinstance(op, Commit | Rollback):
        return _ends_transaction_inside(op, at)
    command = _drops_slot(op, at) or refused_in_transaction_block(op, at.catalog)
    if command is None:
        return None
    around = transaction_block_around(at)
    if is_in_called_function(at, op):
        message = f"{command} cannot be executed from a function"
    elif isinstance(at.statement.operations[0], Do):
        message = f"{command} cannot run in a DO block, which is always inside a transaction"
    elif around is not None:
        message = f"{command} cannot run inside a transaction block: {around.reason}"
    elif at.migration.up.refused_mix:
        return _mixed(op, at, command)
    else:
        return None
    return at.finding(op, message, help=_safe_way(op, at), relations=_relations(op, at))


def _mixed(op: Operation, at: Context, command: str) -> Finding | None:
    """Report the first statement because of which the runner refuses the script."""
    state = at.state(_State)
    if state.is_mixed:
        return None
    state.is_mixed = True
    return at.finding(
        op,
        f"the runner refuses the script: {command} cannot run inside a transaction, other statements of the script can, and "
        f"{at.migration.up.refused_mix}",
        help="-- move the statement to a script of its own, without SET, DO or COMMENT;\n"
        "-- or set `flyway.mixed=true`: the whole script then runs without a transaction",
        fix="",
    )


class _State(Struct):
    is_mixed: bool = False
    """Whether a finding says that the runner refuses the script."""
    last: int | None = None
    """The position of the last operation in a block that raises an error."""


def _in_refused_block(op: Operation, at: Context, block: str) -> Finding | None:
    """Report the first operation in a block that raises an error."""
    state = at.state(_State)
    first = state.last != at.position - 1
    state.last = at.position
    begun_at = at.migration.up.begun_at
    if not first or begun_at is None:
        return None
    return at.finding(
        op,
        f"{block} raises AssertionError, and the migration ends here: {begun_at[0]}:{begun_at[1]} begins a transaction before Alembic is "
        "configured, and Alembic cannot end it",
        help=f"-- {at.migration.own_transaction_advice}" if at.migration.own_transaction_advice else "",
        relations=_relations(op, at),
    )


def _ends_transaction_inside(op: Commit | Rollback, at: Context) -> Finding | None:
    """Report COMMIT and ROLLBACK in a DO block or a procedure with a transaction open around it."""
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


def _drops_slot(op: Operation, at: Context) -> str | None:
    """Returns `DROP SUBSCRIPTION` if it also drops the replication slot on the publisher: ALTER SUBSCRIPTION can detach the slot first."""
    if not isinstance(op, Drop) or op.kind != "subscription" or op.if_exists:
        return None
    for done in at.past:
        match done.operation:
            case AlterObject(kind="subscription", name=name, action="set", options=options) if name in op.names:
                if any(option.name == "slot_name" for option in options):
                    return None
    return "DROP SUBSCRIPTION"


def _safe_way(op: Operation, at: Context) -> str:
    if isinstance(op, CreateIndex):
        return _index_outside(op, at)
    if isinstance(op, DetachPartition):
        sql = f"ALTER TABLE {op.target.name} DETACH PARTITION {op.partition} CONCURRENTLY;"
    elif is_in_called_function(at, op):
        return "-- run it directly, not in a function"
    else:
        sql = f"{at.text(*op.span)};"
    return at.outside_transaction(sql)


def _index_outside(op: CreateIndex, at: Context) -> str:
    table = at.catalog.relation(op.table)
    if isinstance(table, Relation) and table.kind is RelationKind.PARTITIONED:
        return ""  # index-on-partitioned-concurrently reports it
    name = op.name or default_index_name(op, at.catalog)
    created = create_index(op, name, concurrently=True)
    if not op.if_not_exists or name is None:
        return at.outside_transaction(f"{created};")
    # IF NOT EXISTS would accept an INVALID index.
    return repeatable_index_build(at, Name(name, op.table.schema), created)


def _relations(op: Operation, at: Context) -> list[Name]:
    match op:
        case CreateIndex(table=Name() as table) | Cluster(table=Name() as table) | Repack(table=Name() as table):
            return [table]
        case DetachPartition(target=target):
            return [target.name]
        case Vacuum(tables=tables):
            return [table.name for table in tables]
        case Drop(kind="index", names=names):
            indexes = [at.catalog.index(name) for name in names]
            return [at.catalog[index.table].name for index in indexes if index is not None]
    return []
