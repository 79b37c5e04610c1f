"""The model follows generated histories as real servers do: the same catalogue in the end, and nothing refused that a server takes."""

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from migsafe.forecast import Forecast
from migsafe.replay.server import Server
from migsafe.sources import Transaction
from migsafe.sql.statements import read
from tests.replay.servers import each_installation
from tests.schema.catalogue import difference, from_model, from_server
from tests.schema.generated import BEFORE, histories

EXAMPLES = 120


@pytest.fixture(scope="module", params=each_installation())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        server.create_database("history")
        yield server


def follow(history: list[str], server: Server) -> list[str]:
    """Run a history on the server and in the model, which leaves out what the server refuses; what differs in the end."""
    forecast = Forecast(server.installation.major)
    forecast.catalog.complete = True
    forecast.begin(Transaction.STATEMENT)
    wrong: list[str] = []
    with server.connect("history") as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        for sql in (*BEFORE.split("; "), *history):
            in_transaction = connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE
            try:
                if in_transaction and not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT")):
                    connection.execute("SAVEPOINT statement")
                connection.execute(sql)
            except psycopg.Error:
                if in_transaction:
                    connection.execute("ROLLBACK TO statement" if "SAVEPOINT" not in sql and sql != "ROLLBACK TO s" else "ROLLBACK")
                    if sql == "ROLLBACK TO s":
                        _follow(forecast, "ROLLBACK")
                continue
            seen = _follow(forecast, sql)
            if seen is not None:
                wrong.append(f"{sql}: the server takes it, the model says: {seen}")
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.execute("COMMIT")
            _follow(forecast, "COMMIT")
        return wrong + difference(from_server(connection), from_model(forecast.catalog))


def _follow(forecast: Forecast, sql: str) -> str | None:
    [statement] = read(sql)
    return forecast.follow(statement, judged=False).refused


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories())
def test_a_generated_history_gives_the_same_catalogue(server: Server, history: list[str]) -> None:
    assert follow(history, server) == []
