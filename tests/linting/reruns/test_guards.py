"""The statements that are offered in place of those that cannot run again: they have no findings, and a server runs them twice."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migsafe.linting.rule import Finding, Severity
from migsafe.linting.rulebook import choose_rules, shipped_rules
from migsafe.replaying.servers.server import Server
from migsafe.sql.statements import read
from tests.support.linted import judge_sql
from tests.support.servers import any_installation

pytestmark = pytest.mark.server

RULES = choose_rules(shipped_rules())
SETUP = """
CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, qty integer DEFAULT 1, code text CONSTRAINT filled CHECK (code <> ''));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE INDEX orders_code_idx ON orders (code);
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
CREATE POLICY own ON orders USING (qty > 0);
CREATE TABLE events (id bigint, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX events_day_idx ON ONLY events (day);
"""
STATEMENTS = [
    "ALTER TABLE orders ADD COLUMN note text",
    "ALTER TABLE orders ADD note text",
    "ALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0)",
    'ALTER TABLE orders ADD CONSTRAINT "Positive one" CHECK (qty > 0) NOT VALID',
    "ALTER TABLE orders ADD CONSTRAINT of_customer FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE",
    "ALTER TABLE orders ADD CONSTRAINT one_code UNIQUE (code)",
    "ALTER TABLE orders DROP CONSTRAINT filled",
    "CREATE INDEX orders_qty_idx ON orders (qty)",
    "CREATE UNIQUE INDEX CONCURRENTLY orders_qty_idx ON orders (qty) WHERE qty > 5",
    "DROP INDEX orders_code_idx",
    "CREATE INDEX events_id_idx ON ONLY events (id)",
    "DROP INDEX events_day_idx",
    "CREATE TYPE mood AS ENUM ('sad')",
    "CREATE DOMAIN small AS integer CHECK (VALUE < 10)",
    "CREATE SEQUENCE numbers",
    "CREATE SCHEMA shop",
    "CREATE VIEW many AS SELECT * FROM orders",
    "CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()",
    "CREATE POLICY other ON orders USING (qty > 1)",
    "DROP POLICY own ON orders",
    "ALTER TABLE orders ADD CHECK (qty > 0)",
    "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id)",
    "ALTER TABLE orders ADD UNIQUE (code, qty)",
    "CREATE INDEX ON orders (qty)",
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(any_installation()) as server:
        server.create_database("model")
        with server.connect("model") as connection:
            connection.execute(SETUP)
        yield server


@pytest.fixture
def connection(server: Server) -> Iterator["psycopg.Connection[Any]"]:
    server.create_database("copy", template="model")
    with server.connect("copy") as connection:
        yield connection
    server.drop_database("copy")


@pytest.mark.parametrize("sql", STATEMENTS)
def test_an_offered_statement_runs_twice_and_has_no_findings(connection: "psycopg.Connection[Any]", sql: str) -> None:
    # Where both speak of a name that is missing, unnamed-object offers the way.
    rule, safe = max((one.rule, one.help) for one in findings(f"{sql};\nSELECT 1;") if one.category == "idempotency")
    assert not all(line.startswith("--") for line in safe.splitlines()), rule
    assert [one.rule for one in findings(safe) if one.severity > Severity.INFO] == []
    for _ in range(2):
        for statement in read(safe):
            connection.execute(safe[slice(*statement.span)].encode())


def findings(sql: str) -> list[Finding]:
    """Returns the findings in SQL that runs after the setup."""
    return [one for one in judge_sql(f"{SETUP}\n-- next migration\n{sql}", RULES).findings if one.script.text == sql]
