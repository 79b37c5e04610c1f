"""A history that runs on a server and in the simulated database, and the comparison of the two."""

from typing import Any

import psycopg
from msgspec import Struct
from psycopg.pq import TransactionStatus

from migsafe.prediction.execution_order import in_execution_order
from migsafe.prediction.predictor import Predictor
from migsafe.schema.application import apply_operation
from migsafe.sources import Transaction
from migsafe.sql.statements import Statement, read
from tests.schema.catalogue import difference, from_model, from_server

_TRANSACTION_COMMANDS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class Comparison(Struct):
    """The result of a history. `wrong` has the differences between the model and the server at the end, and the statements that only the model
    refused. The counts are of statements: accepted by the server, refused by the server, and refused by both."""

    wrong: list[str]
    accepted: int = 0
    refused: int = 0
    refused_by_both: int = 0


def compare_history(history: list[str], connection: "psycopg.Connection[Any]", major: int) -> Comparison:
    """Runs a history on an empty database and in the model; the model skips the statements that the server refuses."""
    _clear(connection)
    predictor = Predictor(major)
    predictor.catalog.complete = True
    predictor.begin(Transaction.STATEMENT)
    result = Comparison([])
    for sql in history:
        [statement] = read(sql)
        if _runs_on_server(connection, sql):
            result.accepted += 1
            refused = predictor.predict_statement(statement, with_effects=False).refusal
            if refused is not None:
                result.wrong.append(f"{sql}: the server accepts it, the model refuses it: {refused}")
        else:
            result.refused += 1
            result.refused_by_both += _is_refused(predictor, statement)
    if connection.info.transaction_status != TransactionStatus.IDLE:
        connection.execute("COMMIT")
        [commit] = read("COMMIT")
        predictor.predict_statement(commit, with_effects=False)
    result.wrong += difference(from_server(connection), from_model(predictor.catalog))
    return result


def _clear(connection: "psycopg.Connection[Any]") -> None:
    connection.execute("DISCARD ALL")
    for (schema,) in connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
    ).fetchall():
        connection.execute(f"DROP SCHEMA {schema} CASCADE")
    connection.execute("CREATE SCHEMA public")


def _runs_on_server(connection: "psycopg.Connection[Any]", sql: str) -> bool:
    """Runs a statement, and returns whether the server accepted it; a refused statement does not change the transaction."""
    in_block = connection.info.transaction_status != TransactionStatus.IDLE
    needs_savepoint = in_block and (not sql.startswith(_TRANSACTION_COMMANDS) or sql.startswith(("ROLLBACK TO", "RELEASE")))
    if needs_savepoint:
        connection.execute("SAVEPOINT before_the_statement")
    try:
        connection.execute(sql.encode())
    except psycopg.Error:
        if needs_savepoint:
            connection.execute("ROLLBACK TO before_the_statement")
        return False
    return True


def _is_refused(predictor: Predictor, statement: Statement) -> bool:
    """Whether the model refuses a statement; the model does not change."""
    if any(predictor.session.refusal(operation) for operation in statement.operations):
        return True
    catalog = predictor.catalog
    catalog.search_path = predictor.session.settings.search_path
    mark = catalog.mark()
    refusals = [reason for operation in in_execution_order(statement.operations) for reason in apply_operation(catalog, operation)]
    catalog.undo(mark)
    return bool(refusals)
