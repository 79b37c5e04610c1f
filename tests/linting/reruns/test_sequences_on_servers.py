"""Scripts in which one statement drops or renames the object of another: a second run stops at the same statement as in PostgreSQL."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as some

from migsafe.linting.reruns.object_use import Outcome
from migsafe.linting.reruns.operation_uses import object_uses
from migsafe.linting.reruns.second_run import ExecutedOperation, second_run_problems
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from migsafe.sources import Transaction
from migsafe.sources.migration import whole_script
from migsafe.sql.statements import read
from migsafe.text import Script
from tests.support.servers import any_installation

SETUP = """
CREATE TABLE t (a integer, b text);
CREATE TABLE other (a integer);
CREATE SCHEMA s;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""
STATEMENTS = [
    *("CREATE TABLE made (a integer, b text)", "CREATE TABLE IF NOT EXISTS made (a integer, b text)", "CREATE TABLE made AS SELECT 1 AS a"),
    *("DROP TABLE made", "DROP TABLE IF EXISTS made", "DROP TABLE t", "DROP TABLE IF EXISTS t", "CREATE TABLE t (a integer, b text)"),
    *("ALTER TABLE t RENAME TO u", "ALTER TABLE IF EXISTS t RENAME TO u", "ALTER TABLE u RENAME TO t", "ALTER TABLE made RENAME TO t"),
    *("ALTER TABLE t ADD COLUMN c integer", "ALTER TABLE t ADD COLUMN IF NOT EXISTS c integer", "ALTER TABLE t DROP COLUMN b"),
    *("ALTER TABLE t DROP COLUMN IF EXISTS b", "ALTER TABLE t RENAME COLUMN b TO c", "ALTER TABLE made ADD COLUMN c integer"),
    *("ALTER TABLE made DROP COLUMN b", "ALTER TABLE made RENAME COLUMN a TO d", "ALTER TABLE t ALTER COLUMN b SET DEFAULT 'x'"),
    *("CREATE INDEX i ON t (a)", "CREATE INDEX IF NOT EXISTS i ON t (a)", "CREATE INDEX i ON made (a)", "CREATE INDEX j ON other (a)"),
    *("DROP INDEX i", "DROP INDEX IF EXISTS i", "ALTER INDEX i RENAME TO j", "DROP INDEX IF EXISTS j"),
    *("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)", "ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)", "ALTER TABLE t ADD PRIMARY KEY (a)"),
    *("ALTER TABLE t DROP CONSTRAINT k", "ALTER TABLE t DROP CONSTRAINT IF EXISTS k", "ALTER TABLE t DROP CONSTRAINT IF EXISTS t_pkey"),
    *("ALTER TABLE t RENAME CONSTRAINT k TO l", "ALTER TABLE t DROP CONSTRAINT IF EXISTS k, ADD CONSTRAINT k CHECK (a > 1)"),
    *("CREATE TRIGGER w BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()", "DROP TRIGGER w ON t", "DROP TRIGGER IF EXISTS w ON t"),
    *("CREATE TYPE e AS ENUM ('x')", "DROP TYPE e", "DROP TYPE IF EXISTS e", "ALTER TYPE e RENAME TO f", "ALTER TYPE e ADD VALUE 'y'"),
    *("CREATE TABLE s.x (a integer)", "DROP TABLE s.x", "ALTER TABLE s.x SET SCHEMA public", "DROP TABLE IF EXISTS x"),
    *("DROP SCHEMA s CASCADE", "DROP SCHEMA IF EXISTS s CASCADE", "CREATE SCHEMA s", "CREATE SCHEMA IF NOT EXISTS s"),
    *("CREATE VIEW v AS SELECT 1 AS a", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a", "DROP VIEW v", "DROP VIEW IF EXISTS v"),
    *("CREATE FUNCTION f(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n'", "DROP FUNCTION f(int)", "DROP FUNCTION IF EXISTS f(a int4)"),
    *("UPDATE t SET b = 'x'", "UPDATE t SET a = 1 WHERE b IS NULL", "DELETE FROM made", "TRUNCATE t", "SELECT 1"),
]


@pytest.fixture(scope="module")
def connection() -> Iterator["psycopg.Connection[Any]"]:
    with Server(any_installation()) as server, server.connect() as connection:
        connection.execute(SETUP)
        yield connection


@pytest.mark.server
@trying(max_examples=400, deadline=None, derandomize=True)
@given(script=some.lists(some.sampled_from(STATEMENTS), min_size=2, max_size=7))
def test_a_second_run_stops_at_the_same_statement_as_on_the_server(connection: "psycopg.Connection[Any]", script: list[str]) -> None:
    ran, stops = measured(connection, script)
    assert stops == predicted(ran, connection.info.server_version // 10_000), ran


def measured(connection: "psycopg.Connection[Any]", script: list[str]) -> tuple[list[str], int | None]:
    """Returns the statements that a first run executes, and the place of the statement at which a second run stops."""
    connection.execute("BEGIN")
    try:
        ran = [sql for sql in script if tried(connection, sql)]
        return ran, next((place for place, sql in enumerate(ran) if not tried(connection, sql)), None)
    finally:
        connection.execute("ROLLBACK")


def tried(connection: "psycopg.Connection[Any]", sql: str) -> bool:
    connection.execute("SAVEPOINT before")
    try:
        connection.execute(sql.encode())
    except psycopg.Error:
        connection.execute("ROLLBACK TO before")
        return False
    connection.execute("RELEASE before")
    return True


def predicted(script: list[str], version: int) -> int | None:
    # Where a second run stops, whatever the cause.
    ran, places = noted(script, version)
    stops = [again.place for again in second_run_problems(ran, 2, only_causes=False) if again.outcome is Outcome.FAILS]
    return min((places[place] for place in stops), default=None)


@cache
def predictor_after_setup(version: int) -> Predictor:
    predictor = Predictor(version)
    predictor.apply(whole_script(Script("setup.sql", SETUP), Transaction.STATEMENT))
    return predictor


def noted(script: list[str], version: int) -> tuple[list[ExecutedOperation], list[int]]:
    """Returns what the operations of the statements do, in one transaction, with the statement of each."""
    predictor = predictor_after_setup(version)
    ran, places = [], []
    with predictor.trial():
        predictor.begin(Transaction.STATEMENT)
        for place, sql in enumerate(script):
            [statement] = read(sql)
            for operation, _ in predictor.predict_operations(statement, with_effects=False):
                ran.append(ExecutedOperation(len(ran), 1, tuple(object_uses(operation, sql, predictor.catalog))))
                places.append(place)
    return ran, places


@trying(max_examples=200, deadline=None, derandomize=True)
@given(script=some.lists(some.sampled_from(STATEMENTS), min_size=2, max_size=9))
def test_every_place_where_a_first_run_may_stop_is_considered(script: list[str]) -> None:
    ran, places = noted(script, 17)
    apart = {
        again.place
        for end in range(1, len(ran) + 1)
        if end == len(ran) or places[end] != places[end - 1]
        for again in second_run_problems(ran[:end], 2, only_causes=False)
    }
    together = second_run_problems(
        [one._replace(transaction=place) for one, place in zip(ran, places, strict=True)], len(script), only_causes=False
    )
    assert {again.place for again in together} == apart
