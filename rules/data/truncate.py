"""TRUNCATE deletes every row immediately and permanently.

It has no WHERE, fires no row triggers, and cannot be undone after COMMIT; other sessions whose snapshot is older see an empty table too. It
holds ACCESS EXCLUSIVE until the transaction ends. With CASCADE it also empties every table that references this one. If the same transaction
fills the tables again from a query, as it does for totals that are computed from other tables, the finding has the severity info.

Unsafe:
    TRUNCATE orders;

Safe, because only this session can see the table:
    CREATE TEMP TABLE order_ids AS SELECT id FROM orders;
    TRUNCATE order_ids;

See: https://www.postgresql.org/docs/current/sql-truncate.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.wording import join_names
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.sql.operations import Insert, Name, Truncate


class _State(Struct):
    emptied: list[tuple[int, list[Name]]] = []
    """The position of each TRUNCATE, and the tables among its own that the migration did not create."""


@rule(category="data", severity=Severity.ERROR, no_fix="no edit of the statement keeps the rows")
def truncate(op: Truncate | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record the tables that the migration did not create itself, and report them when it is known whether it fills them again."""
    if isinstance(op, MigrationEnd):
        for position, tables in at.state(_State).emptied:
            yield _finding(position, tables, at)
        return
    tables = [at.resolve(table.name) for table in op.tables if not is_created_here(at, table.name)]
    if tables:
        at.state(_State).emptied.append((at.position, tables))


def _finding(position: int, tables: list[Name], at: Context) -> Finding:
    done = at.past[position]
    assert isinstance(done.operation, Truncate)
    names = join_names(tables)
    if not done.operation.cascade and all(_is_filled(table, position, at) for table in tables):
        return at.finding(
            done,
            f"TRUNCATE removes every row of {names} under ACCESS EXCLUSIVE, and the same transaction fills it again from a query: rows that "
            "the query does not return are lost, and every SELECT, INSERT, UPDATE and DELETE waits until the transaction ends",
            severity=Severity.INFO,
            relations=tables,
            lock=LockMode.ACCESS_EXCLUSIVE,
        )
    cascaded = " and of every table that references it" if done.operation.cascade else ""
    return at.finding(
        done,
        f"TRUNCATE permanently deletes every row of {names}{cascaded} under ACCESS EXCLUSIVE: every SELECT, INSERT, UPDATE and DELETE "
        "waits until the transaction ends",
        help="-- run it when no running release needs the rows; to keep a copy, first: CREATE TABLE … AS TABLE …",
        relations=tables,
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _is_filled(table: Name, position: int, at: Context) -> bool:
    """Whether a later statement of the same transaction inserts the rows of a query into a table."""
    transaction = at.past[position].transaction
    return transaction is not None and any(
        isinstance(done.operation, Insert)
        and done.operation.source == "query"
        and bool(done.operation.reads)
        and done.transaction == transaction
        and at.resolve(done.operation.table) == table
        for done in at.past[position + 1 :]
    )
