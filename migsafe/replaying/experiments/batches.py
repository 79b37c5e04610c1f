"""A change of all rows of a table, tried in batches instead of in one transaction, on a copy of the database."""

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from migsafe.replaying.exchange import execute
from migsafe.replaying.experiments.subject import Subject
from migsafe.replaying.refusals import error_class
from migsafe.replaying.sending import Refused, execute_statement, set_up, skip_reason
from migsafe.session import sent_statements
from migsafe.sql import operations as sql

if TYPE_CHECKING:
    from psycopg import Connection


class BatchedChange(Struct, frozen=True, kw_only=True):
    """A statement that changes all rows, by index, and what the same change in batches came to.

    `transactions` is the number of batches, `duration_ms` the time of all of them. `differences` are the rows and values that differ from what
    the migration leaves; they are not `compared` if another run of the migration leaves others, too. `failure` says why the batches could not
    be tried; empty if they were.
    """

    statement: int
    transactions: int = 0
    duration_ms: float = 0.0
    differences: tuple[str, ...] = ()
    compared: bool = True
    failure: str = ""


def change_in_batches(subject: Subject, batched: Mapping[int, str]) -> tuple[BatchedChange, ...]:
    """Runs a migration on a copy with other SQL in place of some statements, by their index: the same changes in batches. Each of the other
    statements is committed by itself. Returns how that went."""
    if subject.before is None:
        return tuple(BatchedChange(statement=statement, failure="this needs a copy of the database") for statement in batched)
    changes: list[BatchedChange] = []
    with subject.copy(subject.before) as database:
        with subject.working(database) as connection:
            try:
                changes += _run(connection, subject, batched)
            except error_class() as error:
                failure = error.diag.message_primary or str(error).strip()
                return tuple(BatchedChange(statement=statement, failure=failure) for statement in batched)
        differences = tuple(subject.lost_rows(subject.state_after, subject.state(database), ()))
    is_compared = not differences or _is_repeatable(subject, subject.before)
    return tuple(replace(change, differences=differences if is_compared else (), compared=is_compared) for change in changes)


def _run(connection: "Connection[Any]", subject: Subject, batched: Mapping[int, str]) -> Iterator[BatchedChange]:
    """Sends the statements of a migration outside a transaction. Raises psycopg.Error."""
    half = subject.migration.up
    set_up(connection, half)
    for sent in sent_statements(half):
        statement = sent.statement
        if statement.index in batched:
            first, started = _transaction_number(connection), perf_counter()
            with subject.guard(connection):
                execute(connection, batched[statement.index])
            duration_ms = 1000 * (perf_counter() - started)
            # Reading the number needs a transaction, too.
            transactions = _transaction_number(connection) - first - 1
            yield BatchedChange(statement=statement.index, transactions=transactions, duration_ms=duration_ms)
        elif not isinstance(statement.operations[0], sql.TransactionControl | sql.LockTable) and not skip_reason(statement, half):
            with subject.guard(connection):
                execute_statement(connection, statement, half.script.text)


def _transaction_number(connection: "Connection[Any]") -> int:
    [(number,)] = connection.execute("SELECT pg_catalog.txid_current()").fetchall()
    return int(number)


def _is_repeatable(subject: Subject, before: str) -> bool:
    """Whether a second run of the migration leaves the same rows: no clock and no random number gives their values."""
    with subject.copy(before) as database:
        try:
            subject.run(database, subject.migration.up)
        except Refused:
            return False
        return not subject.lost_rows(subject.state_after, subject.state(database), ())
