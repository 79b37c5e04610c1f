"""A long statement runs in a transaction that already holds a blocking lock.

A lock is kept until the end of its transaction, not of its statement. A quick ALTER TABLE followed by an UPDATE of every row keeps ACCESS
EXCLUSIVE during the whole UPDATE, and even SELECT waits. Run the quick change and the long statement in separate transactions.

An UPDATE, DELETE or MERGE with a filter is not reported if only earlier migrations, which are read as history, took the locks.

Unsafe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN total_2 numeric;
    UPDATE orders SET total_2 = total WHERE total_2 IS NULL AND id % 2 = 0;
    COMMIT;

Safe, in two transactions:
    ALTER TABLE orders ADD COLUMN total_2 numeric;
    -- next migration
    UPDATE orders SET total_2 = total WHERE total_2 IS NULL AND id BETWEEN 1 AND 10000;

See: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from migsafe.linting.facts.changed_rows import long_work, unrestricting_filter
from migsafe.linting.facts.held_locks import first_takers, stronger_held_locks
from migsafe.linting.facts.wording import blocked_on, command_name, join_names, locked_relations
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.default_names import default_name
from migsafe.schema.formulas import identifiers
from migsafe.sql.generation import NEXT_FROM_HERE
from migsafe.sql.operations import (
    AlterColumnType,
    CreateMaterializedView,
    Delete,
    Drop,
    Insert,
    Merge,
    Name,
    Operation,
    Rename,
    Update,
    ValidateConstraint,
)
from migsafe.sql.operations.values import quoted


class _LongWork(NamedTuple):
    """A long operation, by its position in the migration, the held locks that block more than the operation itself, and what took them.
    `alone`: a rule about the operation itself may speak for this one, so it is a finding of its own."""

    position: int
    relations: list[Name]
    locks: dict[Name, LockMode]
    taken: str
    alone: bool


class _State(Struct):
    works: list[_LongWork] = []


@rule(
    category="locking",
    severity=Severity.ERROR,
    once=True,
    speaks_for=("many-tables-locked",),
    across_migrations=True,
    fix="unsafe",
    unsafe_because="the statement moves to a later migration, so a failure leaves the earlier statements committed",
)
def long_work_under_lock(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record long operations during which an earlier statement's lock blocks more than they do, and report them when the migration ends."""
    if isinstance(op, MigrationEnd):
        yield from _reported(at)
        return
    work = long_work(at)
    locks = stronger_held_locks(at) if work else {}
    if locks and not (_is_filtered(op, at) and _may_be_over(locks, at)):
        blocks_itself = any(effect.blocks and not effect.new for effect in work)
        relations = [effect.relation for effect in work]
        alone = blocks_itself or isinstance(op, ValidateConstraint)
        at.state(_State).works.append(_LongWork(at.position, relations, locks, first_takers(locks, at), alone))


def _is_filtered(op: Operation, at: Context) -> bool:
    """Whether a statement has a filter, so that it may change a few rows only."""
    return isinstance(op, Update | Delete | Merge) and unrestricting_filter(op, at) is None


def _may_be_over(locks: dict[Name, LockMode], at: Context) -> bool:
    """Whether earlier migrations took all of the locks, and may have been applied long before this one."""
    shared = at.shared_transaction
    return shared is not None and not any(earlier.judged for earlier in shared.earlier) and all(at.taker(name) is None for name in locks)


def _reported(at: Context) -> Iterator[Finding]:
    together: dict[object, list[_LongWork]] = {}
    for number, work in enumerate(at.state(_State).works):
        together.setdefault(number if work.alone else (at.past[work.position].transaction,), []).append(work)
    for works in together.values():
        first, others = works[0], len({at.past[work.position].statement.index for work in works}) - 1
        done = at.past[first.position]
        strongest = max(first.locks.values(), key=lambda lock: lock.strength)
        further = f"; {others} more such statement{' follows' if others == 1 else 's follow'}" if others else ""
        rebuilt, refilled = _rebuilt_view(first.position, at), _refilled_table(first.position, at)
        blocked = f"every SELECT on {rebuilt} waits" if list(first.locks) == [rebuilt] else blocked_on(first.locks)
        yield at.finding(
            done,
            f"{command_name(at, done)} runs for a time that grows with {join_names(first.relations)} while the transaction holds "
            f"{locked_relations(first.locks)} from {first.taken or 'an earlier statement'}: {blocked} until the transaction ends{further}",
            help=_built_beside(rebuilt, first.position, at)
            if rebuilt is not None
            else _filled_beside(refilled)
            if refilled is not None
            else _help(at),
            fix=NEXT_FROM_HERE if at.shared_transaction is None and rebuilt is None and refilled is None else "",
            relations=[*first.relations, *first.locks],
            lock=strongest,
        )


def _rebuilt_view(position: int, at: Context) -> Name | None:
    """Returns the materialized view that a statement creates again after its transaction has dropped it; None for another statement."""
    done = at.past[position]
    if not isinstance(done.operation, CreateMaterializedView):
        return None
    view = at.resolve(done.operation.view)
    for other in at.past[:position]:
        drop = other.operation
        if isinstance(drop, Drop) and drop.kind == "materialized view" and other.transaction == done.transaction:
            if view in {effect.relation for effect in other.effects}:
                return view
    return None


def _refilled_table(position: int, at: Context) -> Name | None:
    """Returns the table that a statement fills after its transaction has taken the name of that table from another one; None for another
    statement."""
    done = at.past[position]
    if not isinstance(done.operation, Insert):
        return None
    table = at.resolve(done.operation.table)
    for other in at.past[:position]:
        rename = other.operation
        # Its name means the new table now.
        if isinstance(rename, Rename) and rename.kind == "table" and other.transaction == done.transaction and at.resolve(rename.name) == table:
            return table
    return None


def _filled_beside(table: Name) -> str:
    """Returns the safe way to replace a table. In a separate transaction, queries would find an empty table meanwhile."""
    return (
        f"-- fill the new table under another name, in an earlier migration, a few thousand rows at a time;\n"
        f"-- then rename both tables in one transaction, and copy only the rows that were written meanwhile: a separate transaction after the\n"
        f"-- rename would leave {table} empty to the running release"
    )


def _built_beside(view: Name, position: int, at: Context) -> str:
    """Returns the safe way to replace a materialized view. In a separate transaction, queries would not find it meanwhile."""
    new, creation = Name(default_name(view.name, (), "new"), view.schema), at.past[position].operation
    assert isinstance(creation, CreateMaterializedView)
    changed = _changed_below(creation, position, at)
    if changed is not None:
        return (
            f"-- PostgreSQL refuses to change the columns of {changed} that a view reads, so the new view cannot be built before:\n"
            "-- add new columns instead, fill them in batches, build the view over them under another name, in an earlier migration,\n"
            f"-- then drop {view} and give its name to the new view in one transaction; drop the old columns when no running release names them"
        )
    columns = f" ({', '.join(map(quoted, creation.columns))})" if creation.columns else ""
    return (
        "-- build it under another name, with its indexes, in an earlier migration:\n"
        f"CREATE MATERIALIZED VIEW {new}{columns} AS {creation.query.sql};\n-- next migration\n"
        f"DROP MATERIALIZED VIEW {view};\nALTER MATERIALIZED VIEW {new} RENAME TO {quoted(view.name)};"
    )


def _changed_below(creation: CreateMaterializedView, position: int, at: Context) -> Name | None:
    """Returns a table of which the view reads a column whose type the transaction has changed before, which needs that no view reads it."""
    read, names = {at.resolve(name) for name in creation.query.reads}, {*identifiers(creation.query.sql)}
    for other in at.past[:position]:
        change = other.operation
        if isinstance(change, AlterColumnType) and other.transaction == at.past[position].transaction:
            if at.resolve(change.target.name) in read and (change.column in names or "*" in creation.query.sql.replace("(*)", "")):
                return at.resolve(change.target.name)
    return None


def _help(at: Context) -> str:
    shared = at.shared_transaction
    if shared is not None and shared.own_transaction_advice:
        return f"-- {shared.own_transaction_advice}, so that each migration runs in its own transaction"
    return "-- run it in a separate transaction or migration"
