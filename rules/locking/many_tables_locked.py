"""One transaction locks several tables, one after the other.

Each lock is kept until the transaction ends. While the transaction waits for the lock on the second table, the first table stays locked,
however quick its own change was: the wait for one table blocks the others too. Together with a transaction of the application that uses the
same tables in another order this causes a deadlock, which PostgreSQL resolves by aborting one of the two. With one transaction per table,
only one lock is held at a time. One DROP TABLE or CREATE TABLE with foreign keys to several existing tables locks these one by one, too.

A lock_timeout limits the wait. If one is in effect for each of these statements, and each is a change of the catalogue that takes a moment,
the finding has the severity info. If neither the migrations nor the settings ever set one, this is one finding in a run, because one setting
for the project limits all of these waits; lock-timeout-missing reports that, and this finding is information unless the transaction
stops the reads of three tables or more. If a statement works for a time that grows with a table, the finding is at that statement, and
reports show the finding about the work, which names the locks that are held meanwhile.

Unsafe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN note_2 text;
    ALTER TABLE customers ADD COLUMN note_2 text;
    COMMIT;

Safe, in two transactions:
    ALTER TABLE orders ADD COLUMN note_2 text;
    -- next migration
    ALTER TABLE customers ADD COLUMN note_2 text;

See: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from migsafe.linting.facts.changed_rows import long_work
from migsafe.linting.facts.held_locks import each_held_blocking_lock, stronger_held_locks
from migsafe.linting.facts.timeouts import timeout_in_effect
from migsafe.linting.facts.wording import blocked_on, command_name, join_names
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.sql.generation import NEXT_FROM_HERE
from migsafe.sql.operations import CreateTable, Drop, Name, Operation

_MANY_TABLES = 3
"""Two tables whose changes take a moment wait for the same setting that lock-timeout-missing asks for."""


class _Wait(NamedTuple):
    """A statement that waits for a lock while its transaction holds others: its position, these locks (all of them in the first one of a
    transaction), the lock, and whether a lock_timeout limits the wait."""

    position: int
    held: dict[Name, LockMode]
    relation: Name
    lock: LockMode
    limited: bool
    referenced: bool = False
    """Whether it locks the tables that foreign keys of the dropped table reference."""
    switched_off: bool = False
    """Whether the migration itself has set lock_timeout to 0."""


class _State(Struct):
    waits: list[_Wait] = []
    waiting: set[int] = set()
    """The transactions of these statements."""
    works: dict[int | None, tuple[int, dict[Name, LockMode]]] = {}
    """For each transaction, the first statement that takes a time that grows with a table while two tables are locked: its position, and the
    locks that are held before it."""
    first_works: dict[int | None, int] = {}
    """For each transaction, the position of the first such statement while any table is locked, at which long-work-under-lock reports all."""


@rule(
    category="locking",
    severity=Severity.WARNING,
    harm="",
    once=True,
    across_migrations=True,
    fix="unsafe",
    unsafe_because="the statement moves to a later migration, so a failure leaves the earlier statements committed",
)
def many_tables_locked(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record statements that lock a table while their transaction holds locks on other tables, and report each transaction once."""
    if isinstance(op, MigrationEnd):
        yield from _reported(at)
        return
    state = at.state(_State)
    locked = {effect.relation: effect.lock for effect in at.blocking_effects}
    new = [name for name in locked if name not in at.held]
    if not new and not long_work(at):
        return  # it neither waits for a table nor works for long, as most statements
    # A table that the transaction has dropped is not waited for: statements that name it fail.
    others = ((name, lock) for name, lock in each_held_blocking_lock(at) if name not in new and not at.catalog.is_absent(name))
    is_next = at.session.transaction in state.waiting and not long_work(at)
    # More tables than the statement itself locks: the others are known from the first wait.
    held = dict(islice(others, len(at.effects) + 1 if is_next else None))
    if isinstance(op, CreateTable) and op.partition_of is None and len(new) > 1 and not held:
        # It locks the tables that its foreign keys reference, one after the other.
        held = {new[0]: locked.pop(new[0])}
        new = new[1:]
    referenced: list[Name] = []
    if isinstance(op, Drop) and op.kind == "table" and not held:
        dropped = {at.resolve(name) for name in op.names}
        referenced = [name for name in new if name not in dropped]
    if len(referenced) > 1:
        # DROP TABLE locks the tables that its foreign keys reference, one after the other.
        held = {referenced[0]: locked[referenced[0]]}
        new = referenced[1:]
    # A foreign key always locks two tables at once, but an earlier statement may hold a lock that blocks more.
    together = {effect.relation: effect.lock for effect in at.effects if not (isinstance(op, CreateTable) or referenced)}
    if new and any(name not in together or lock > together[name] for name, lock in held.items()):
        limited = timeout_in_effect(at, "lock_timeout") != 0
        switched_off = not limited and at.session.settings.value("lock_timeout") is not None
        state.waits.append(_Wait(at.position, held, new[0], locked[new[0]], limited, bool(referenced), switched_off))
        if at.session.transaction is not None:
            state.waiting.add(at.session.transaction)
    if at.session.transaction not in state.first_works and long_work(at) and stronger_held_locks(at):
        state.first_works[at.session.transaction] = at.position
    if len({*held, *locked}) > 1 and long_work(at):
        state.works.setdefault(at.session.transaction, (at.position, held))


def _reported(at: Context) -> Iterator[Finding]:
    state = at.state(_State)
    by_transaction: dict[tuple[int | None, int], list[_Wait]] = {}
    for wait in state.waits:
        number = at.past[wait.position].transaction
        by_transaction.setdefault((number, wait.position if number is None else -1), []).append(wait)
    for (number, _), waits in by_transaction.items():
        if number in state.works and state.works[number][1]:
            position, held = state.works[number]
            yield _long_work(at, position, held, state.first_works.get(number, position))
            continue
        finding = _finding(at, waits)
        is_limited = all(wait.limited for wait in waits)
        if is_limited and number not in state.works:
            finding = replace(finding, severity=min(finding.severity, Severity.INFO))
        elif not is_limited and not at.predictor.has_lock_timeout:
            # The cause is the missing setting of the project, as for lock-timeout-missing, which has reported it.
            is_other = number in state.works or any(wait.switched_off for wait in waits)
            many = is_other or len(_without_reads(waits)) >= _MANY_TABLES
            severity = finding.severity if many else min(finding.severity, Severity.INFO)
            finding = replace(finding, cause=f"project, {severity.name}", severity=severity)
        yield finding


def _without_reads(waits: list[_Wait]) -> set[Name]:
    """Returns the tables that no other session can read while these statements wait, and after them."""
    held = {name for wait in waits for name, lock in wait.held.items() if "reads" in lock.blocks}
    return held | {wait.relation for wait in waits if "reads" in wait.lock.blocks}


def _long_work(at: Context, position: int, held: dict[Name, LockMode], first: int) -> Finding:
    done = at.past[min(first, position)]
    subject = f"{command_name(at, done)} works" if first >= position else "the transaction works"
    holder = "the transaction holds" if first >= position else "it holds"
    help, fix = _apart(at)
    return at.finding(
        done,
        f"{subject} for a time that grows with a table while {holder} locks on {join_names([*held])}: "
        f"{blocked_on(held)} until the transaction ends",
        help=help,
        fix=fix,
        relations=[*held],
        lock=max(held.values(), key=lambda lock: lock.strength),
    )


def _apart(at: Context) -> tuple[str, str]:
    """Returns how to lock the tables one by one, as help and as fix: in a shared transaction, only a setting of the runner divides it."""
    shared = at.shared_transaction
    if shared is not None and shared.own_transaction_advice:
        return f"-- {shared.own_transaction_advice}, so that each migration runs in its own transaction", ""
    return "-- use a separate transaction or migration for each table", NEXT_FROM_HERE


def _finding(at: Context, waits: list[_Wait]) -> Finding:
    first = waits[0]
    done = at.past[first.position]
    also = [wait.relation for wait in waits[1:] if wait.relation not in first.held and wait.relation != first.relation]
    next_tables = f" (and then for {join_names(also)})" if also else ""
    unlimited = "" if all(wait.limited for wait in waits) else " without a lock_timeout"
    help, fix = _apart(at)
    if fix and isinstance(done.operation, CreateTable):
        help, fix = "-- create the table without these foreign keys, and add each of them in a separate transaction", ""
    if fix and first.referenced:
        help, fix = "-- first drop each foreign key of the table in a separate transaction", ""
    if unlimited:
        help += "\n-- and set a lock_timeout, so that a wait ends: SET lock_timeout = '2s';"
    return at.finding(
        done,
        f"{command_name(at, done)} waits{unlimited} for {first.lock} on {first.relation}{next_tables} while the transaction holds locks on "
        f"{join_names([*first.held])}: {blocked_on(first.held)} until the transaction ends, and {_deadlock(first)}",
        help=help,
        fix=fix,
        relations=[first.relation, *first.held],
        lock=first.lock,
    )


def _deadlock(wait: _Wait) -> str:
    """Returns which transactions of the application deadlock with a wait, as a clause."""
    held = join_names([*wait.held]) if len(wait.held) == 1 else "one of these"
    uses, holds = ("uses" if "reads" in lock.blocks else "writes to" for lock in (wait.lock, max(wait.held.values())))
    return f"a transaction that {uses} {wait.relation} before {'' if uses == holds else f'it {holds} '}{held} deadlocks with it"
