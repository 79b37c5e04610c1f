"""Predictions that a test makes up."""

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


def effect(relation: str, lock: LockMode, kind: str = "table", **more: Any) -> Effect:
    """An effect on a relation of the schema public."""
    return Effect(relation=Name(relation, "public"), kind=kind, lock=lock, **more)


def predicted(sql: str, *rows: Row, path: str = "db/0001_change.sql", sent: Transaction = Transaction.STATEMENT) -> PredictedMigration:
    """A migration whose statements have these effects."""
    half = Half(Script(path, sql), (Span(0, len(sql)),), sent)
    statements = list(read(sql))
    given = [*rows, *([()] * (len(statements) - len(rows)))]
    made = [
        PredictedStatement(statement=statement, transaction=number, **(row if isinstance(row, dict) else {"effects": tuple(row)}))
        for statement, number, row in zip(statements, transaction_numbers(half, statements), given, strict=True)
    ]
    return PredictedMigration(Migration("0001", "plain", half), tuple(made))
