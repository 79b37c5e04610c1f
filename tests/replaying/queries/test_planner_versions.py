"""After a migration, only the queries are planned again whose plans may have changed."""

import pytest

from migsafe.replaying.queries.planner_versions import mentions, read_planner_versions
from migsafe.replaying.servers.private import PrivateHost

pytestmark = pytest.mark.server

SCHEMA = """
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
CREATE TABLE tags (id bigint PRIMARY KEY);
CREATE TABLE days (day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE days_2024 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE VIEW notes AS SELECT note FROM orders;
"""
CHANGES: list[tuple[str, set[str] | None]] = [
    ("SELECT 1", set()),
    ("CREATE INDEX ON orders (note)", {"orders", "notes"}),
    ("ALTER TABLE orders ALTER id TYPE numeric", {"orders", "notes"}),
    ("INSERT INTO tags SELECT generate_series(1, 100); ANALYZE tags", {"tags", "notes"}),
    ("CREATE TABLE others (id bigint)", {"others", "notes"}),
    ("ALTER TABLE days_2024 ADD CHECK (day > '2023-01-01')", {"days", "days_2024", "notes"}),
    ("ALTER TABLE tags ADD FOREIGN KEY (id) REFERENCES tags NOT VALID", {"tags", "notes"}),
    ("ALTER TABLE others RENAME TO rest", {"others", "rest", "notes"}),
    ("CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'", None),
    ("CREATE TYPE state AS ENUM ('a')", None),
]


def test_the_names_whose_plans_may_have_changed(host: PrivateHost) -> None:
    host.create_database("versions")
    try:
        with host.connect("versions") as connection:
            connection.execute(SCHEMA.encode())
            versions = read_planner_versions(connection)
            for sql, names in CHANGES:
                for statement in sql.split("; "):
                    connection.execute(statement.encode())
                earlier, versions = versions, read_planner_versions(connection)
                assert versions.changed_names(earlier) == names, sql
    finally:
        host.drop_database("versions")
    assert mentions("SELECT * FROM Orders", frozenset({"orders"}))
    assert not mentions("SELECT * FROM tags", frozenset({"orders"}))
