"""Measuring single statements with the ledger of `migsafe replay`."""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from migsafe.replaying.recording.ledger import Ledger
from migsafe.replaying.recording.measurement import Measurement
from migsafe.sql.statements import read


class StatementMeter:
    """Measures statements on a connection that is idle and in autocommit when the meter is made."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._ledger = Ledger(connection, connection)
        self._committed_rows = self._ledger.rows
        self._transaction: object = None

    def measure(self, sql: str) -> Measurement:
        """Runs one statement and returns its effects. An open transaction stays open; otherwise the statement runs in a new one, which commits.

        Raises the psycopg.Error of the statement.
        """
        if self._connection.info.transaction_status == TransactionStatus.INTRANS:
            self._join_transaction()
            return self._run(sql)
        self._ledger = Ledger(self._connection, self._connection)
        self._ledger.begin_transaction()
        self._ledger.prepare("BEGIN; ")
        try:
            measurement = self._run(sql)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        self._committed_rows = self._ledger.rows
        return measurement

    def _join_transaction(self) -> None:
        """Starts a ledger for the open transaction, if it is a new one, so that earlier statements are not measured with this one."""
        [(transaction,)] = self._connection.execute("SELECT pg_current_xact_id()::text").fetchall()
        if transaction != self._transaction:
            if self._transaction is not None:
                [(status,)] = self._connection.execute("SELECT pg_xact_status(%s::text::xid8)", (self._transaction,)).fetchall()
                self._committed_rows = self._ledger.rows if status == "committed" else self._committed_rows
            self._transaction = transaction
            self._ledger = Ledger(self._connection, self._connection, self._committed_rows)
            self._ledger.prepare()
            self._ledger.rolled_back_to_savepoint()
        self._ledger.measure_statement(())

    def _run(self, sql: str) -> Measurement:
        operations = [operation for statement in read(sql) for operation in statement.operations]
        self._connection.execute(sql.encode())
        return self._ledger.measure_statement(operations)
