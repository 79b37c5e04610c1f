"""Histories in the simulated database and on real servers: the same catalogue at the end, and no refusal of what a server accepts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from migsafe.replaying.servers.server import Server
from migsafe.sql.statements import read
from tests.schema.following import compare_history
from tests.schema.generated import histories
from tests.support.servers import oldest_and_newest

pytestmark = pytest.mark.server

EXAMPLES = 150
HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.sql"))

ConnectionAndVersion = tuple["psycopg.Connection[Any]", int]


@pytest.fixture(scope="module", params=oldest_and_newest())
def connection_and_version(request: pytest.FixtureRequest) -> Iterator[ConnectionAndVersion]:
    """A connection to a server, and its major version."""
    with Server(request.param) as server:
        server.create_database("history")
        with server.connect("history") as connection:
            yield connection, server.installation.major


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories())
def test_generated_history_gives_the_same_catalogue(connection_and_version: ConnectionAndVersion, history: list[str]) -> None:
    assert compare_history(history, *connection_and_version).wrong == []


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_stored_history_gives_the_same_catalogue(connection_and_version: ConnectionAndVersion, path: Path) -> None:
    sql = path.read_text(encoding="utf-8")
    statements = [sql[statement.span.start : statement.span.end] for statement in read(sql)]
    assert compare_history(statements, *connection_and_version).wrong == []
