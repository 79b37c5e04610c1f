"""Syntax errors in bodies: what migsafe reports, PostgreSQL refuses."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from migsafe.linting.facts.function_bodies import routine_of
from migsafe.replaying.servers.server import Server
from migsafe.sql.body_errors import Routine
from migsafe.sql.body_syntax import body_error
from migsafe.sql.operations import CreateFunction, Do
from migsafe.sql.statements import read
from tests.support.servers import oldest_and_newest

BODIES = [
    """
DECLARE
    total int := 1; name text; line record; lines CURSOR FOR SELECT 1; limited CONSTANT int NOT NULL DEFAULT 3; other ALIAS FOR $1;
BEGIN
    <<outer>>
    FOR i IN REVERSE 10..1 BY 2 LOOP
        total := total + i;
        CONTINUE outer WHEN total > 3;
        EXIT outer;
    END LOOP outer;
    FOR line IN SELECT 1 AS a, 'b' AS b LOOP RAISE NOTICE '% %', line.a, line.b; END LOOP;
    FOREACH total IN ARRAY ARRAY[1, 2] LOOP PERFORM length(name); END LOOP;
    WHILE total > 0 LOOP total = total - 1; END LOOP;
    LOOP EXIT; END LOOP;
    RETURN total;
END;
""",
    """
BEGIN
    IF a = 1 THEN b := 'a'; ELSIF a = 2 THEN b := 'b'; ELSE b := CASE WHEN a > 1 THEN 'c' ELSE 'd' END; END IF;
    CASE a WHEN 1, 2 THEN b := 'a'; WHEN 3 THEN NULL; ELSE b := 'z'; END CASE;
    SELECT count(*) INTO STRICT a FROM item WHERE note = b;
    INSERT INTO item (id, note) VALUES (a, b) RETURNING id INTO a;
    EXECUTE format('SELECT %s', a) INTO b USING a, b;
    BEGIN
        UPDATE item SET id = a WHERE note = b;
    EXCEPTION WHEN unique_violation OR SQLSTATE '22012' THEN
        RAISE EXCEPTION 'no %', a USING ERRCODE = 'P0001';
    WHEN OTHERS THEN GET STACKED DIAGNOSTICS b = MESSAGE_TEXT;
    END;
    CREATE TABLE IF NOT EXISTS item (id int);
    ASSERT a > 0, 'no';
    RETURN (SELECT id FROM item LIMIT a);
END
""",
]
ROUTINE = Routine(kind="function", name="f", returns="integer", parameters=("a", "b"))
SET_ROUTINE = Routine(kind="function", name="f", returns="integer", returns_set=True)
TOKEN = re.compile(r"'[^']*'|\w+|:=|\.\.|<<|>>|[^\s\w]")


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        yield server


def mutations(body: str) -> Iterator[str]:
    """Yields the body without one of its tokens, and with a token at the place of another one."""
    tokens = list(TOKEN.finditer(body))
    chance = random.Random(13)
    for token in tokens:
        yield body[: token.start()] + body[token.end() :]
        yield body[: token.start()] + chance.choice(tokens)[0] + body[token.end() :]


@pytest.mark.parametrize("body", BODIES)
def test_a_valid_body_has_no_error(body: str) -> None:
    assert body_error(body, "plpgsql", ROUTINE) is None


@pytest.mark.server
@pytest.mark.parametrize("body", BODIES)
def test_what_is_reported_is_refused(server: Server, body: str) -> None:
    caught = refused = 0
    with server.connect() as connection:
        for changed in (body, *mutations(body)):
            error = body_error(changed, "plpgsql", ROUTINE)
            is_refused = False
            try:
                connection.execute(b"BEGIN")
                connection.execute(f"CREATE FUNCTION f(a int, b text) RETURNS int LANGUAGE plpgsql AS $body${changed}$body$".encode())
            except psycopg.Error:
                is_refused = True
            finally:
                connection.execute(b"ROLLBACK")
            assert error is None or is_refused, changed
            refused += is_refused
            caught += error is not None
    assert caught > refused * 0.65


@pytest.mark.parametrize(
    ("body", "expected", "found"),
    [
        ("BEGIN IF a THEN NULL; END; END", "IF", "the end of the statement"),
        ("BEGIN LOOP NULL; END LOOP; ", "END", "the end of the body"),
        ("BEGIN; RETURN 1; END", "a statement", "the end of the statement"),
        ("DECLARE x int; RETURN 1; END", "a declaration or BEGIN", "END"),
        ("BEGIN RETURN 1 END", '";"', "the end of the body"),
        ("BEGIN NULL; END; SELECT 1", "the end of the body", "SELECT"),
        ("BEGIN FOREACH a IN y LOOP NULL; END LOOP; END", "ARRAY", "y"),
        ("BEGIN CASE WHEN a NULL; END CASE; END", "THEN", "the end of the statement"),
        ("BEGIN FOR a IN SELEC id FROM item LOOP NULL; END LOOP; END", "a statement", '"SELEC"'),
        ("BEGIN RETURN QUERY SELEC id FROM item; END", "a statement", '"SELEC"'),
    ],
)
def test_the_error_says_what_is_expected(body: str, expected: str, found: str) -> None:
    error = body_error(body, "plpgsql", SET_ROUTINE if "QUERY" in body else ROUTINE)
    assert error is not None
    assert (error.expected, error.found) == (expected, found)


def test_labels_of_operators() -> None:
    assert body_error("SELECT a IS, b AND FROM item", "sql", ROUTINE) is None
    assert body_error("SELECT (a IS) FROM item", "sql", ROUTINE) is not None


PARAGRAPHS = [paragraph.partition("\n")[::2] for paragraph in (Path(__file__).parent / "routine_bodies.sql").read_text().strip().split("\n\n")]
"""An expectation, `-- accepted` or `-- refused: message`, and a statement."""


@pytest.mark.parametrize(("expectation", "sql"), PARAGRAPHS)
def test_the_error_is_that_of_the_server(expectation: str, sql: str) -> None:
    (statement,) = read(sql)
    operation = statement.operations[0]
    if isinstance(operation, Do):
        code: str | None = sql[operation.body.start : operation.body.end].strip("$")
    else:
        assert isinstance(operation, CreateFunction)
        code = operation.code
    assert code is not None
    error = body_error(code, "plpgsql", routine_of(operation))
    assert (f"-- refused: {error.error}" if error is not None else "-- accepted") == expectation


@pytest.mark.server
def test_the_server_refuses_the_routines(server: Server) -> None:
    with server.connect() as connection:
        for expectation, sql in PARAGRAPHS:
            connection.execute(b"BEGIN")
            try:
                connection.execute(sql.encode())
                message = "-- accepted"
            except psycopg.Error as error:
                message = f"-- refused: {error.diag.message_primary}"
            finally:
                connection.execute(b"ROLLBACK")
            assert message == expectation, sql
