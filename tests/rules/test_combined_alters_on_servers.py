"""What combine-alter-tables reports can be combined: the server accepts one ALTER TABLE, with the same result and no further scan."""

from collections.abc import Iterator
from itertools import pairwise, permutations
from typing import Any, NamedTuple

import psycopg
import pytest

from migsafe.linting.rulebook import shipped_rules
from migsafe.replaying.servers.server import Server
from tests.support.linted import judge_sql
from tests.support.servers import oldest_and_newest

SETUP = """
CREATE TABLE parents (id int PRIMARY KEY);
INSERT INTO parents SELECT generate_series(1, 100);
CREATE TABLE t (
    a int, b int NOT NULL, c varchar(10), k int DEFAULT 1, g int GENERATED ALWAYS AS (b * 2) STORED, p int,
    CONSTRAINT a_nn CHECK (a IS NOT NULL), CONSTRAINT b_pos CHECK (b > 0), CONSTRAINT c_key UNIQUE (c)
);
CREATE UNIQUE INDEX b_idx ON t (b);
INSERT INTO t (a, b, c, k, p) SELECT i, i, i::text, 1, i FROM generate_series(1, 100) AS i;
"""
ACTIONS = [
    *("ALTER a SET NOT NULL", "ALTER b DROP NOT NULL", "ALTER k SET DEFAULT 5", "ALTER k DROP DEFAULT", "ALTER k DROP NOT NULL"),
    *("ALTER m DROP DEFAULT", "ALTER m SET NOT NULL", "ALTER m SET DEFAULT 4", "DROP CONSTRAINT a_nn", "DROP CONSTRAINT c_key"),
    *("ADD CONSTRAINT c_key UNIQUE (c)", "ADD CONSTRAINT v CHECK (b > 0) NOT VALID", "DROP CONSTRAINT v", "ADD CONSTRAINT w CHECK (k > 0)"),
    *("ADD COLUMN m int NOT NULL DEFAULT 3", "ADD COLUMN k text", "DROP COLUMN k", "DROP COLUMN m", "DROP COLUMN c", "ALTER m TYPE bigint"),
    *("ALTER c TYPE text", "ALTER c TYPE varchar(5)", "ALTER b TYPE bigint", "ADD PRIMARY KEY (a)", "ADD FOREIGN KEY (p) REFERENCES parents"),
    *("ADD CONSTRAINT b_idx PRIMARY KEY USING INDEX b_idx", "ALTER g DROP EXPRESSION", "ALTER b ADD GENERATED ALWAYS AS IDENTITY"),
    *("SET UNLOGGED", "SET LOGGED", "REPLICA IDENTITY USING INDEX b_idx", "SET (fillfactor = 70)", "RESET (fillfactor)"),
]
STATE = """
SELECT (SELECT array_agg((attname, atttypid, atttypmod, attnotnull, attidentity, attgenerated, attstorage, attstattarget,
                          pg_get_expr(adbin, adrelid))::text ORDER BY attname)
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped),
       (SELECT array_agg(conname || pg_get_constraintdef(oid) ORDER BY conname) FROM pg_constraint WHERE conrelid = 't'::regclass),
       (SELECT array_agg(pg_get_indexdef(indexrelid) || indisprimary || indisclustered || indisreplident ORDER BY indexrelid::regclass::text)
        FROM pg_index WHERE indrelid = 't'::regclass),
       (SELECT (relpersistence, reloptions, relreplident, relrowsecurity)::text FROM pg_class WHERE oid = 't'::regclass)
"""


class Outcome(NamedTuple):
    """What statements cost, how many times they read the table and how many times they wrote it anew, and the table afterwards."""

    scans: int
    rewrites: int
    state: object


@pytest.fixture(scope="module", params=oldest_and_newest())
def connection(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    with Server(request.param) as server, server.connect() as connection:
        connection.autocommit = True
        connection.execute(SETUP)
        yield connection


def run(connection: psycopg.Connection[Any], *statements: str) -> Outcome | None:
    """Returns the outcome of statements; None if one of them fails."""
    scans, file_node = "SELECT pg_stat_get_xact_numscans('t'::regclass)", "SELECT pg_relation_filenode('t')"
    connection.execute("BEGIN")
    try:
        before, files = connection.execute(scans).fetchone(), [connection.execute(file_node).fetchone()]
        for statement in statements:
            connection.execute(statement.encode())
            files.append(connection.execute(file_node).fetchone())
        after = connection.execute(scans).fetchone()
        assert before is not None
        assert after is not None
        rewrites = sum(first != second for first, second in pairwise(files))
        return Outcome(after[0] - before[0], rewrites, connection.execute(STATE).fetchone())
    except psycopg.Error:
        return None
    finally:
        connection.execute("ROLLBACK")


@pytest.mark.server
def test_reported_statements_can_be_combined(connection: psycopg.Connection[Any]) -> None:
    rules = [rule for rule in shipped_rules() if rule.name == "combine-alter-tables"]
    wrong, reported = [], 0
    for first, second in permutations(ACTIONS, 2):
        separate = run(connection, f"ALTER TABLE t {first}", f"ALTER TABLE t {second}")
        sql = f"{SETUP}\n-- next migration\nALTER TABLE t {first};\nALTER TABLE t {second};"
        if separate is None or not judge_sql(sql, rules, pg_version=connection.info.server_version // 10000).findings:
            continue
        reported += 1
        combined = run(connection, f"ALTER TABLE t {first}, {second}")
        if combined is None or combined.state != separate.state or combined.scans > separate.scans or combined.rewrites > separate.rewrites:
            wrong.append((first, second, separate, combined))
    assert wrong == []
    assert reported > 300
