"""The predicted second run is what PostgreSQL does: each statement of kinds.sql runs twice, on every version."""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from migsafe.linting.reruns.operation_uses import object_uses
from migsafe.linting.reruns.second_run import ExecutedOperation, second_run_problems
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.experiments.contents import read_rows, read_schema, read_tables
from migsafe.replaying.servers.server import Server
from migsafe.sources import Transaction
from migsafe.sources.migration import whole_script
from migsafe.sql.operations import Do
from migsafe.sql.statements import read
from migsafe.text import Script
from tests.support.servers import oldest_and_newest

HERE = Path(__file__).parent
SCHEMA = (HERE / "schema.sql").read_text()
LINE = re.compile(r"(\S.*;) -- (fails|twice|harmless)(?: from (\d+))?")


class Kind(NamedTuple):
    """A statement, the outcome of its second run, and the first version of PostgreSQL that has it."""

    sql: str
    outcome: str
    version: int


KINDS = [Kind(match[1], match[2], int(match[3] or 0)) for match in map(LINE.fullmatch, (HERE / "kinds.sql").read_text().splitlines()) if match]


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        server.create_database("model")
        with server.connect("model") as connection:
            for statement in read(SCHEMA):
                connection.execute(SCHEMA[statement.span.start : statement.span.end].encode())
        yield server


def test_every_line_is_a_statement_with_an_outcome() -> None:
    lines = [line for line in (HERE / "kinds.sql").read_text().splitlines() if line and not line.startswith("--")]
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert {kind.outcome for kind in KINDS} == {"fails", "twice", "harmless"}


@pytest.mark.server
def test_the_outcome_in_the_file_is_that_of_the_server(server: Server) -> None:
    found = measured(server)
    assert found == {kind.sql: kind.outcome for kind in KINDS if kind.sql in found}


@pytest.mark.parametrize("version", [14, 18])
def test_the_predicted_outcome_is_that_in_the_file(version: int) -> None:
    wrong = []
    for kind in KINDS:
        found = believed(kind.sql, version)
        if version >= kind.version and not (found == kind.outcome or (found == "fails or twice" and kind.outcome != "harmless")):
            wrong.append((kind.sql, kind.outcome, found))
    assert wrong == []


def measured(server: Server) -> dict[str, str]:
    kinds = [kind.sql for kind in KINDS if server.installation.major >= kind.version]
    found: dict[str, str] = {}
    with server.connect("model") as connection:
        for sql in kinds:
            # What cannot be in a transaction, or is not itself there, runs outside.
            with suppress(psycopg.errors.ActiveSqlTransaction, psycopg.errors.InternalError_):
                found[sql] = run_twice(connection, sql)
            connection.execute("ROLLBACK")
    for sql in kinds:
        if sql not in found:
            server.create_database("copy", template="model")
            with server.connect("copy") as connection:
                found[sql] = run_twice_outside(connection, sql)
            server.drop_database("copy")
    return found


def run_twice(connection: "psycopg.Connection[Any]", sql: str) -> str:
    """Returns the outcome of a second run in a transaction, which is faster: its changes are inspected, then rolled back."""
    for statement in ("BEGIN", sql, "SAVEPOINT between"):
        connection.execute(statement.encode())
    try:
        connection.execute(sql.encode())
    except psycopg.errors.InternalError_:
        raise
    except psycopg.Error:
        return "fails"
    after = read_schema(connection), read_rows(connection, read_tables(connection).tables)
    connection.execute("ROLLBACK TO between")
    return "harmless" if (read_schema(connection), read_rows(connection, read_tables(connection).tables)) == after else "twice"


def run_twice_outside(connection: "psycopg.Connection[Any]", sql: str) -> str:
    connection.execute(sql.encode())
    before = read_schema(connection), read_rows(connection, read_tables(connection).tables)
    try:
        connection.execute(sql.encode())
    except psycopg.Error:
        return "fails"
    return "harmless" if (read_schema(connection), read_rows(connection, read_tables(connection).tables)) == before else "twice"


@cache
def predictor_after_schema(version: int) -> Predictor:
    predictor = Predictor(version)
    predictor.apply(whole_script(Script("schema.sql", SCHEMA), Transaction.STATEMENT))
    return predictor


def believed(sql: str, version: int) -> str:
    predictor = predictor_after_schema(version)
    ran = []
    with predictor.trial():
        predictor.begin(Transaction.STATEMENT)
        for statement in read(sql):
            for operation, _ in predictor.predict_operations(statement, with_effects=False):
                text = sql[slice(*(operation.span if isinstance(statement.operations[0], Do) else statement.span))]
                ran.append(ExecutedOperation(len(ran), 1, tuple(object_uses(operation, text, predictor.catalog))))
    again = second_run_problems(ran, 2)
    return again[0].outcome.value if again else "harmless"
