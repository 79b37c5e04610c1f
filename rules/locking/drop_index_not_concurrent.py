"""DROP INDEX without CONCURRENTLY blocks reads and writes of the table.

It takes ACCESS EXCLUSIVE on the table. The work itself is short, but first the statement waits for every running query, and every new
SELECT, INSERT, UPDATE and DELETE waits behind it. Inside a transaction the lock is kept until the transaction ends. With CONCURRENTLY it
takes SHARE UPDATE EXCLUSIVE and waits for the queries that use the index, without blocking others. PostgreSQL refuses CONCURRENTLY inside a
transaction, for several indexes at once, and with CASCADE.

An index of a partitioned table cannot be dropped CONCURRENTLY, so nothing is reported for one. Nor if another statement of the transaction
locks the table as much, as ALTER TABLE … DROP COLUMN does, or if the migration drops the table; nor for a DROP INDEX IF EXISTS that only makes
room for an index which the migration creates, where no earlier migration has created one. If the same transaction builds an index that replaces
this one, index-not-concurrent speaks for both. An index that no migration has created is taken for one of the only table that the transaction
has locked.

Unsafe:
    DROP INDEX orders_status_idx;

Safe, outside a transaction:
    DROP INDEX CONCURRENTLY orders_status_idx;

See: https://www.postgresql.org/docs/current/sql-dropindex.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.held_locks import held_blocking_locks
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.operations import Drop, Name


class _Dropped(Struct):
    """A DROP INDEX: its finding, its position, the OIDs of the tables whose indexes are dropped (None for one that is unknown), and the tables
    that it locks."""

    finding: Finding
    position: int
    tables: list[int | None]
    locked: list[Name]


class _State(Struct):
    findings: list[_Dropped] = []
    locked: set[tuple[int | None, Name]] = set()
    """The tables that a reported DROP INDEX locks, each with the transaction."""


@rule(category="locking", severity=Severity.WARNING, fix="unsafe", unsafe_because="a failure leaves the index INVALID")
def drop_index_not_concurrent(op: Drop | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record DROPs of indexes whose tables other sessions may use, and report those whose tables exist at the end of the migration."""
    state = at.state(_State)
    if isinstance(op, MigrationEnd):
        for done in state.findings:
            if any(table is None or at.catalog.get(table) is not None for table in done.tables) and not _is_locked_later(done, at):
                yield done.finding
        return
    if op.kind != "index" or op.concurrently:
        return
    dropped = [name for name in op.names if _may_be_in_use(name, op, at)]
    if dropped and not _is_locked_already(at):
        state.locked.update((at.session.transaction, effect.relation) for effect in at.blocking_effects)
        tables, locked = [_table_of(name, at) for name in dropped], [effect.relation for effect in at.blocking_effects]
        state.findings.append(_Dropped(_reported(op, dropped, at), at.position, tables, locked))


def _is_locked_already(at: Context) -> bool:
    """Whether another statement of the transaction, such as an ALTER TABLE, has locked the tables as much: the DROP does not wait."""
    dropped = at.state(_State).locked
    tables = [effect.relation for effect in at.blocking_effects] or _only_locked_table(at)
    return bool(tables) and all(
        at.held.get(table) is LockMode.ACCESS_EXCLUSIVE and (at.session.transaction, table) not in dropped for table in tables
    )


def _only_locked_table(at: Context) -> list[Name]:
    """Returns the table that the transaction has locked, if it is one: the usual table of an index that no migration has created."""
    locked = [name for name, lock in held_blocking_locks(at).items() if lock is LockMode.ACCESS_EXCLUSIVE]
    return locked if len(locked) == 1 else []


def _is_locked_later(dropped: _Dropped, at: Context) -> bool:
    """Whether other statements of the transaction lock the tables as much, and would wait as long: CONCURRENTLY would save no lock."""
    transaction = at.past[dropped.position].transaction
    locked = {
        effect.relation
        for done in at.past[dropped.position + 1 :]
        if done.transaction == transaction and not (isinstance(done.operation, Drop) and done.operation.kind == "index")
        for effect in done.effects
        if effect.lock is LockMode.ACCESS_EXCLUSIVE
    }
    return transaction is not None and bool(dropped.locked) and locked.issuperset(dropped.locked)


def _reported(op: Drop, dropped: list[Name], at: Context) -> Finding:
    tables = [effect.relation for effect in at.blocking_effects if effect.kind != "partitioned table"]
    where = " and ".join(map(str, tables)) or f"the table of {' and '.join(str(at.resolve(name)) for name in dropped)}"
    one_by_one = "IF EXISTS " if op.if_exists or len(dropped) > 1 or not op.certain else ""
    sql = "\n".join(f"DROP INDEX CONCURRENTLY {one_by_one}{name};" for name in dropped)
    return at.finding(
        op,
        f"DROP INDEX takes ACCESS EXCLUSIVE on {where}, and first waits for every transaction that uses it: meanwhile every SELECT, INSERT, "
        "UPDATE and DELETE waits",
        help=at.outside_transaction(
            f"-- CONCURRENTLY does not allow CASCADE: first drop the objects that depend on the index\n{sql}" if op.cascade else sql
        ),
        fix="" if op.cascade or len(dropped) < len(op.names) else None,
        relations=tables,
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _may_be_in_use(name: Name, op: Drop, at: Context) -> bool:
    index = at.catalog.index(name)
    table = at.catalog.get(index.table) if index is not None else None
    if isinstance(table, Relation):
        return table.kind is not RelationKind.PARTITIONED and not at.catalog.is_new(table)
    return not (at.catalog.is_never_found(name) if op.if_exists else at.catalog.is_absent(name))


def _table_of(name: Name, at: Context) -> int | None:
    index = at.catalog.index(name)
    return index.table if index is not None else None
