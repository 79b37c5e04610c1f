"""PostgreSQL refuses inside a transaction block exactly the predicted operations: after BEGIN, and in a DO block."""

from collections.abc import Iterator

import psycopg
import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from migsafe.sources import Transaction
from migsafe.sources.migration import whole_script
from migsafe.text import Script
from tests.support.servers import each_installation

pytestmark = pytest.mark.server

SETUP = """
CREATE TABLE p (id integer PRIMARY KEY, note text);
CREATE INDEX p_note ON p (note);
CLUSTER p USING p_pkey;
CREATE TABLE parts (a integer, b integer) PARTITION BY LIST (a);
CREATE TABLE part PARTITION OF parts FOR VALUES IN (1);
CREATE INDEX parts_b ON parts (b);
CREATE MATERIALIZED VIEW seen AS SELECT 1 AS a;
CREATE UNIQUE INDEX seen_a ON seen (a);
CREATE SCHEMA s;
CREATE SUBSCRIPTION sub CONNECTION 'host=/nowhere' PUBLICATION pub WITH (connect = false);
ALTER SUBSCRIPTION sub ENABLE;
"""

STATEMENTS = """
CREATE INDEX p_new ON p (note)
CREATE INDEX CONCURRENTLY p_new ON p (note)
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS p_note ON p (note)
DROP INDEX p_note
DROP INDEX CONCURRENTLY p_note
DROP INDEX CONCURRENTLY IF EXISTS nothing
REINDEX INDEX p_note
REINDEX INDEX CONCURRENTLY p_note
REINDEX TABLE p
REINDEX TABLE CONCURRENTLY p
REINDEX (CONCURRENTLY) TABLE p
REINDEX (CONCURRENTLY false) TABLE p
REINDEX TABLE parts
REINDEX INDEX parts_b
REINDEX SCHEMA s
REINDEX DATABASE postgres
REINDEX SYSTEM postgres
ALTER TABLE parts DETACH PARTITION part
ALTER TABLE parts DETACH PARTITION part CONCURRENTLY
VACUUM
VACUUM p
VACUUM FULL p
VACUUM (ANALYZE) p
ANALYZE p
CLUSTER
CLUSTER p
CLUSTER p USING p_note
REFRESH MATERIALIZED VIEW seen
REFRESH MATERIALIZED VIEW CONCURRENTLY seen
CREATE DATABASE d
DROP DATABASE d
DROP DATABASE IF EXISTS d
ALTER DATABASE postgres SET work_mem = '8MB'
ALTER DATABASE postgres SET TABLESPACE pg_default
ALTER DATABASE postgres CONNECTION LIMIT 100
CREATE TABLESPACE fast LOCATION '/nowhere'
DROP TABLESPACE IF EXISTS fast
ALTER TABLESPACE pg_default SET (seq_page_cost = 1)
ALTER SYSTEM SET work_mem = '8MB'
ALTER SYSTEM RESET ALL
DISCARD ALL
DISCARD PLANS
COMMIT PREPARED 'one'
ROLLBACK PREPARED 'one'
CREATE SUBSCRIPTION other CONNECTION 'host=/nowhere' PUBLICATION pub
CREATE SUBSCRIPTION other CONNECTION 'host=/nowhere' PUBLICATION pub WITH (connect = false)
CREATE SUBSCRIPTION other CONNECTION 'host=/nowhere' PUBLICATION pub WITH (create_slot = off)
ALTER SUBSCRIPTION sub REFRESH PUBLICATION
ALTER SUBSCRIPTION sub SET PUBLICATION other
ALTER SUBSCRIPTION sub SET PUBLICATION other WITH (refresh = false)
ALTER SUBSCRIPTION sub ADD PUBLICATION other
ALTER SUBSCRIPTION sub ADD PUBLICATION other WITH (refresh = off)
ALTER SUBSCRIPTION sub DISABLE
ALTER SUBSCRIPTION sub SET (slot_name = NONE)
CHECKPOINT
LISTEN news
NOTIFY news
REASSIGN OWNED BY postgres TO pg_monitor
""".strip().splitlines()

REFUSALS = ("cannot run inside a transaction block", "cannot be executed from a function")


@pytest.fixture(scope="module", params=each_installation())
def connection(request: pytest.FixtureRequest) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with Server(request.param) as server, server.connect() as connection:
        for statement in SETUP.split(";\n"):
            connection.execute(statement.encode())
        yield connection


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_transaction_block_refuses_what_is_predicted(connection: "psycopg.Connection[tuple[object, ...]]", sql: str) -> None:
    connection.execute("BEGIN")
    try:
        assert predicted(f"BEGIN;\n{sql};", connection) == refused(connection, sql)
    finally:
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("sql", [sql for sql in STATEMENTS if not sql.startswith(("COMMIT", "ROLLBACK"))])
def test_a_do_block_refuses_what_is_predicted(connection: "psycopg.Connection[tuple[object, ...]]", sql: str) -> None:
    block = f"DO $$ BEGIN {sql}; END $$"
    connection.execute("BEGIN")
    try:
        assert predicted(f"{block};", connection) == refused(connection, block)
    finally:
        connection.execute("ROLLBACK")


def test_statements_after_a_commit_in_one_query_are_in_a_block_again(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    for sql in ("COMMIT; VACUUM p; BEGIN", "COMMIT; SELECT 1; VACUUM p"):
        connection.execute("BEGIN")
        assert refused(connection, sql)
        connection.execute("ROLLBACK")


def refused(connection: "psycopg.Connection[tuple[object, ...]]", sql: str) -> bool:
    try:
        connection.execute(sql.encode())
    except psycopg.Error as error:
        return any(refusal in str(error) for refusal in REFUSALS)
    return False


def predicted(sql: str, connection: "psycopg.Connection[tuple[object, ...]]") -> bool:
    predictor = Predictor(connection.info.server_version // 10_000)
    predictor.apply(whole_script(Script("before.sql", SETUP), Transaction.STATEMENT))
    last = list(predictor.predict_migration(whole_script(Script("now.sql", sql), Transaction.STATEMENT)))[-1]
    return last.refusal is not None and any(refusal in last.refusal.error for refusal in REFUSALS)
