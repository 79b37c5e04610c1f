"""Measuring single statements with the ledger of `migsafe replay`."""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from migsafe.replaying.exchange import exchange
from migsafe.replaying.recording.contents import Contents
from migsafe.replaying.recording.ledger import Ledger, read_contents
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.snapshot import take_snapshot
from migsafe.sql.operations import Operation
from migsafe.sql.statements import read


def measure(
    connection: "psycopg.Connection[Any]", ledger: Ledger, sql: str, operations: tuple[Operation, ...], *, begins: bool = False
) -> Measurement:
    """Runs one statement, after BEGIN if it `begins` a transaction, which stays open; returns its effects. Raises its psycopg.Error."""
    forgets = "deallocate" in sql.lower() or "discard" in sql.lower()
    message = ledger.message(begins=begins, forgets=forgets)
    results, error = exchange(connection, message.around(sql))
    if error is not None:
        ledger.discard_prepared()
        raise error
    return ledger.measure(message, results, operations)


class StatementMeter:
    """Measures statements on a connection that is idle and in autocommit when the meter is made."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._ledger = self._new_ledger()
        self._committed_rows = dict(self._ledger.contents.rows)
        self._transaction: object = None

    def measure(self, sql: str) -> Measurement:
        """Runs one statement and returns its effects. An open transaction stays open; otherwise the statement runs in a new one, which commits.

        Raises the psycopg.Error of the statement.
        """
        operations = tuple(operation for statement in read(sql) for operation in statement.operations)
        if self._connection.info.transaction_status == TransactionStatus.INTRANS:
            self._join_transaction()
            return measure(self._connection, self._ledger, sql, operations)
        self._ledger = self._new_ledger()
        self._ledger.begin_transaction()
        try:
            measurement = measure(self._connection, self._ledger, sql, operations, begins=True)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        self._committed_rows = dict(self._ledger.contents.rows)
        return measurement

    def _new_ledger(self) -> Ledger:
        return Ledger(self._connection, read_contents(self._connection, self._connection))

    def _join_transaction(self) -> None:
        """Starts a ledger for the open transaction, if it is a new one, so that earlier statements are not measured with this one."""
        [(transaction,)] = self._connection.execute("SELECT pg_current_xact_id()::text").fetchall()
        if transaction != self._transaction:
            if self._transaction is not None:
                [(status,)] = self._connection.execute("SELECT pg_xact_status(%s::text::xid8)", (self._transaction,)).fetchall()
                self._committed_rows = dict(self._ledger.contents.rows) if status == "committed" else self._committed_rows
            self._transaction = transaction
            self._ledger = Ledger(self._connection, Contents(take_snapshot(self._connection), self._committed_rows))
            self._ledger.rolled_back_to_savepoint()
        measure(self._connection, self._ledger, "SELECT", ())
