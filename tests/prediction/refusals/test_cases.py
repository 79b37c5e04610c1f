"""Statements that PostgreSQL refuses, and similar ones that it accepts: the predicted refusal is compared with a server's message.

A case is a paragraph of an SQL file: its title as a comment, the statements that come before, a comment that says whether the last statement is
`accepted` or `refused: message`, and that statement. Where versions differ, each has its comment (`refused before 18: message`,
`refused since 18: message`); `not before 15` means that older versions do not know the syntax. Each statement is sent by itself, outside a
transaction block.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from migsafe import versions
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from migsafe.sources import Half, Transaction
from migsafe.sql.statements import read
from migsafe.text import Script, Span
from tests.support.servers import oldest_and_newest

EXPECTATION = re.compile(r"^-- (accepted|refused(?: (before|since) (\d+))?: (.*))\n", re.MULTILINE)
FIRST = re.compile(r"^-- not before (\d+)\n", re.MULTILINE)


class Expectation(NamedTuple):
    """The message with which the versions `before` or `since` another refuse a statement; None if they accept it."""

    message: str | None
    bound: str | None
    version: int


class Case(NamedTuple):
    """A case: its statements before the last one, the last one, and what is expected of it."""

    title: str
    preparation: str
    sql: str
    expectations: tuple[Expectation, ...]
    first: int

    def expected(self, pg_version: int) -> str | None:
        """Returns the message with which a version refuses the statement; None if it accepts it."""
        for message, bound, version in self.expectations:
            if bound is None or (pg_version < version if bound == "before" else pg_version >= version):
                return message
        return None


def _cases() -> Iterator[Case]:
    for path in sorted((Path(__file__).parent / "cases").glob("*.sql")):
        for paragraph in path.read_text().strip().split("\n\n"):
            title, _, text = paragraph.removeprefix("-- ").partition("\n")
            first = FIRST.search(text)
            text = FIRST.sub("", text)
            matches = list(EXPECTATION.finditer(text))
            assert matches, paragraph
            expectations = tuple(Expectation(match[4], match[2], int(match[3] or 0)) for match in matches)
            yield Case(
                f"{path.stem}: {title}", text[: matches[0].start()], text[matches[-1].end() :], expectations, int(first[1]) if first else 0
            )


CASES = list(_cases())


def _half(sql: str) -> Half:
    return Half(Script("case.sql", sql), (Span(0, len(sql)),), Transaction.STATEMENT)


@pytest.mark.parametrize("pg_version", [versions.OLDEST, 18, versions.NEWEST])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_the_refusal_is_predicted(case: Case, pg_version: int) -> None:
    if pg_version < case.first:
        pytest.skip("a newer syntax")
    predictor = Predictor(pg_version)
    predictor.begin_history(from_first_migration=True)
    # A transaction block, a prepared statement and a setting end with the connection, so such a case is one migration.
    # Which rows a referenced table has is known in the migration that creates it.
    is_one = case.title.startswith(("sessions: ", "search_path: ", "references_of_rows: "))
    if not is_one:
        predictor.apply(_half(case.preparation))
        assert [contradiction.text for contradiction in predictor.contradictions] == []
    predictions = list(predictor.predict_migration(_half(case.preparation + case.sql if is_one else case.sql)))
    assert [prediction.refusal for prediction in predictions[:-1]] == [None] * (len(predictions) - 1)
    refusal = predictions[-1].refusal
    assert (refusal.error if refusal is not None else None) == case.expected(pg_version)


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        yield server


def _prepare(connection: psycopg.Connection, statement: str) -> None:
    try:
        connection.execute(statement.encode())
    except psycopg.errors.FeatureNotSupported as error:
        if not statement.startswith("CREATE EXTENSION"):
            raise
        pytest.skip(f"this installation lacks an extension: {error.diag.message_primary}")


@pytest.mark.server
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_the_server_refuses_it(server: Server, case: Case) -> None:
    if server.installation.major < case.first:
        pytest.skip("a newer syntax")
    message = None
    with server.connect() as connection:
        connection.execute("DROP SCHEMA IF EXISTS app CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.execute("DROP PUBLICATION IF EXISTS changes; DROP ROLE IF EXISTS shop_reader, shop_viewer, shop_keeper")
        for statement in read(case.preparation):
            _prepare(connection, case.preparation[statement.span.start : statement.span.end])
        try:
            connection.execute(case.sql.encode())
        except psycopg.Error as error:
            message = error.diag.message_primary
    assert message == case.expected(server.installation.major)
