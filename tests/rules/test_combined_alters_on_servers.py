"""What combine-alter-tables reports can be combined: the server accepts one ALTER TABLE, with the same result and no further scan."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import psycopg
import pytest

from migsafe.linting.rulebook import shipped_rules
from migsafe.replaying.servers.server import Server
from tests.support.linted import judge_sql
from tests.support.servers import oldest_and_newest

SETUP = """
CREATE TABLE t (
    a int, b int NOT NULL, c varchar(10), k int DEFAULT 1,
    CONSTRAINT a_nn CHECK (a IS NOT NULL), CONSTRAINT b_pos CHECK (b > 0), CONSTRAINT c_key UNIQUE (c)
);
INSERT INTO t SELECT i, i, i::text, 1 FROM generate_series(1, 100) AS i;
"""
ACTIONS = [
    *("ALTER a SET NOT NULL", "ALTER b DROP NOT NULL", "ALTER k SET DEFAULT 5", "ALTER k DROP DEFAULT", "ALTER m DROP DEFAULT"),
    *("DROP CONSTRAINT a_nn", "DROP CONSTRAINT c_key", "ADD CONSTRAINT c_key UNIQUE (c)", "ADD CONSTRAINT v CHECK (b > 0) NOT VALID"),
    *("ADD COLUMN m int DEFAULT 3", "ADD COLUMN k text", "DROP COLUMN k", "ALTER c TYPE text", "ALTER c TYPE varchar(5)"),
    "ADD PRIMARY KEY (a)",
]
STATE = """
SELECT (SELECT array_agg((attname, atttypid, atttypmod, attnotnull, atthasdef)::text ORDER BY attname)
        FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped),
       (SELECT array_agg(conname || pg_get_constraintdef(oid) ORDER BY conname) FROM pg_constraint WHERE conrelid = 't'::regclass)
"""


@pytest.fixture(scope="module", params=oldest_and_newest())
def connection(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    with Server(request.param) as server, server.connect() as connection:
        connection.autocommit = True
        connection.execute(SETUP)
        yield connection


def run(connection: psycopg.Connection[Any], *statements: str) -> tuple[bool, object] | None:
    """Returns whether the rows were read, and the table afterwards; None if a statement failed."""
    connection.execute("BEGIN")
    try:
        before = connection.execute("SELECT pg_stat_get_xact_numscans('t'::regclass)").fetchone()
        for statement in statements:
            connection.execute(statement.encode())
        after = connection.execute("SELECT pg_stat_get_xact_numscans('t'::regclass)").fetchone()
        return before != after, connection.execute(STATE).fetchone()
    except psycopg.Error:
        return None
    finally:
        connection.execute("ROLLBACK")


@pytest.mark.server
def test_reported_statements_can_be_combined(connection: psycopg.Connection[Any]) -> None:
    rules = [rule for rule in shipped_rules() if rule.name == "combine-alter-tables"]
    reported = 0
    for first, second in permutations(ACTIONS, 2):
        separate = run(connection, f"ALTER TABLE t {first}", f"ALTER TABLE t {second}")
        sql = f"{SETUP}\n-- next migration\nALTER TABLE t {first};\nALTER TABLE t {second};"
        if separate is None or not judge_sql(sql, rules).findings:
            continue
        reported += 1
        assert run(connection, f"ALTER TABLE t {first}, {second}") in (separate, (False, separate[1])), (first, second)
    assert reported > 80
