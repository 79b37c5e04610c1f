"""Predictions for tests of reports."""

from collections.abc import Sequence
from typing import Any

from migsafe.library.locks import PredictedMigration, PredictedStatement
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.session import transaction_numbers
from migsafe.sources import Half, Migration, Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read
from migsafe.text import Script, Span

Row = Sequence[Effect] | dict[str, Any]


def effect(relation: str, lock: LockMode, kind: str = "table", **fields: Any) -> Effect:
    """Returns an effect on a relation of the schema public."""
    return Effect(relation=Name(relation, "public"), kind=kind, lock=lock, **fields)


def predicted_migration(
    sql: str, *rows: Row, path: str = "db/0001_change.sql", sent: Transaction = Transaction.STATEMENT
) -> PredictedMigration:
    """Returns a migration whose statements have these effects; statements without a row have none."""
    half = Half(Script(path, sql), (Span(0, len(sql)),), sent)
    statements = list(read(sql))
    all_rows = [*rows, *([()] * (len(statements) - len(rows)))]
    predicted_statements = [
        PredictedStatement(statement=statement, transaction=number, **(row if isinstance(row, dict) else {"effects": tuple(row)}))
        for statement, number, row in zip(statements, transaction_numbers(half, statements), all_rows, strict=True)
    ]
    return PredictedMigration(Migration("0001", "plain", half), tuple(predicted_statements))
