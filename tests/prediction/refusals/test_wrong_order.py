"""Statements behind a DROP that PostgreSQL refuses, because other objects depend on what it names: these are there, so that a statement that
drops or changes them later is not refused. The predicted refusals are compared with a server's; both run each statement by itself."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from migsafe import versions
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from migsafe.sources import Half, Transaction
from migsafe.sql.statements import read
from migsafe.text import Script, Span
from tests.support.servers import oldest_and_newest

CASES = [
    pytest.param(*text.split("-- then\n"), id=title)
    for paragraph in (Path(__file__).parent / "wrong_order.sql").read_text().strip().split("\n\n")
    for title, _, text in [paragraph.removeprefix("-- ").partition("\n")]
]


def _half(sql: str) -> Half:
    return Half(Script("case.sql", sql), (Span(0, len(sql)),), Transaction.STATEMENT)


def _refused(pg_version: int, preparation: str, sql: str) -> list[str]:
    """Returns the statements that are predicted to be refused."""
    predictor = Predictor(pg_version)
    predictor.begin_history(from_first_migration=True)
    predictor.apply(_half(preparation))
    predictions = list(predictor.predict_migration(_half(sql)))
    assert predictor.catalog.from_beginning, "a statement behind the refused one is taken for one about an older object"
    spans = [prediction.statement.span for prediction in predictions if prediction.refusal is not None]
    return [sql[span.start : span.end] for span in spans]


@pytest.mark.parametrize(("preparation", "sql"), CASES)
def test_the_refusals_are_predicted(preparation: str, sql: str) -> None:
    expected = [line.removesuffix("; -- refused") for line in sql.splitlines() if line.endswith(" -- refused")]
    assert [text.removesuffix(";") for text in _refused(versions.NEWEST, preparation, sql)] == expected


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        yield server


@pytest.mark.server
@pytest.mark.parametrize(("preparation", "sql"), CASES)
def test_the_server_refuses_the_same_statements(server: Server, preparation: str, sql: str) -> None:
    refused = []
    with server.connect() as connection:
        connection.execute("DROP SCHEMA IF EXISTS app CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.execute(preparation.encode())
        for statement in read(sql):
            text = sql[statement.span.start : statement.span.end]
            try:
                connection.execute(text.encode())
            except psycopg.Error:
                refused.append(text)
    assert _refused(server.installation.major, preparation, sql) == refused
