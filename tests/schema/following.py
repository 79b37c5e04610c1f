"""A history run on a server, and followed by the model."""

from typing import Any

import psycopg
from msgspec import Struct
from psycopg.pq import TransactionStatus

from migsafe.prediction.predictor import Predictor, in_execution_order
from migsafe.schema.application import apply_operation
from migsafe.sources import Transaction
from migsafe.sql.statements import Statement, read
from tests.schema.catalogue import difference, from_model, from_server

_STEERING = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class Followed(Struct):
    """What came of a history: `wrong` is what the model believes otherwise than the server in the end, and what it calls refused and the
    server took. The counts are of statements: that the server took, refused, and that both refused."""

    wrong: list[str]
    taken: int = 0
    refused: int = 0
    foreseen: int = 0


def followed(history: list[str], connection: "psycopg.Connection[Any]", major: int) -> Followed:
    """Run a history on an empty database and in the model, which leaves out what the server refuses."""
    _clear(connection)
    forecast = Predictor(major)
    forecast.catalog.complete = True
    forecast.begin(Transaction.STATEMENT)
    found = Followed([])
    for sql in history:
        [statement] = read(sql)
        if _runs(connection, sql):
            found.taken += 1
            refused = forecast.predict_statement(statement, with_effects=False).refusal
            if refused is not None:
                found.wrong.append(f"{sql}: the server takes it, the model says: {refused}")
        else:
            found.refused += 1
            found.foreseen += _is_refused(forecast, statement)
    if connection.info.transaction_status != TransactionStatus.IDLE:
        connection.execute("COMMIT")
        [commit] = read("COMMIT")
        forecast.predict_statement(commit, with_effects=False)
    found.wrong += difference(from_server(connection), from_model(forecast.catalog))
    return found


def _clear(connection: "psycopg.Connection[Any]") -> None:
    connection.execute("DISCARD ALL")
    for (schema,) in connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
    ).fetchall():
        connection.execute(f"DROP SCHEMA {schema} CASCADE")
    connection.execute("CREATE SCHEMA public")


def _runs(connection: "psycopg.Connection[Any]", sql: str) -> bool:
    """Run a statement; one that the server refuses leaves a transaction as it was before it."""
    in_block = connection.info.transaction_status != TransactionStatus.IDLE
    guarded = in_block and (not sql.startswith(_STEERING) or sql.startswith(("ROLLBACK TO", "RELEASE")))
    if guarded:
        connection.execute("SAVEPOINT before_the_statement")
    try:
        connection.execute(sql.encode())
    except psycopg.Error:
        if guarded:
            connection.execute("ROLLBACK TO before_the_statement")
        return False
    return True


def _is_refused(forecast: Predictor, statement: Statement) -> bool:
    """Whether the model sees that a statement is refused; it is left as it was."""
    if any(forecast.session.refusal(operation) for operation in statement.operations):
        return True
    catalog = forecast.catalog
    catalog.search_path = forecast.session.settings.search_path
    mark = catalog.mark()
    refusals = [why for operation in in_execution_order(statement.operations) for why in apply_operation(catalog, operation)]
    catalog.undo(mark)
    return bool(refusals)
