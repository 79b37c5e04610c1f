"""Load: the workload's SELECTs are executed with values of rows before, during and after a migration, and nothing of it remains."""

from pathlib import Path

import pytest

from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.replaying.probes import load_sessions
from migsafe.replaying.probes.load_values import ValueSource
from migsafe.replaying.servers.private import PrivateHost
from migsafe.sql.operations import Name
from migsafe.workload.compared_columns import ComparedColumn
from migsafe.workload.query import CallSite, Query, Workload
from tests.support.replays import replay_files

pytestmark = pytest.mark.server

TABLES = """
    CREATE TABLE orders (id int PRIMARY KEY, state text, seen timestamptz);
    CREATE SEQUENCE numbers;
    CREATE FUNCTION next_number() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('numbers') $$;
"""
TEXTS = {
    "by_id": "SELECT id, state, seen FROM orders WHERE id = $1 LIMIT $2",
    "states": "SELECT state FROM orders WHERE id = ANY ($1) AND ($2::boolean OR seen < now())",
    "lock": "SELECT id FROM orders WHERE id = $1 FOR UPDATE",
    "next_number": "SELECT next_number()",
    "alone": "SELECT pg_advisory_lock(id) FROM orders WHERE id = $1",
    "divided": "SELECT 1 / (id - id) FROM orders",
    "change": "UPDATE orders SET state = $1 WHERE id = $2",
}
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'migsafe%' AND query LIKE '%FROM orders%' AND pid <> pg_backend_pid()"


def queries() -> ProjectQueries:
    found = tuple(
        Query(text=text, fingerprint=name, places=(CallSite("app.py", line, name),), calls=20 if name == "by_id" else 1)
        for line, (name, text) in enumerate(TEXTS.items(), 1)
    )
    return ProjectQueries(Workload(queries=found, running=found))


def test_load_before_during_and_after_a_migration(any_host: PrivateHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_sessions, "_SECONDS_BEFORE", 0.4)
    monkeypatch.setattr(load_sessions, "_SECONDS_AFTER", 0.3)
    text = "BEGIN; LOCK TABLE orders; SELECT pg_sleep(0.5); COMMIT; ALTER TABLE orders RENAME seen TO seen_at;"
    files = {"0001.sql": TABLES, "0002.sql": text}
    done = replay_files(any_host, tmp_path, files, only="0002.sql", queries=queries(), load=2)
    load = done.recording.load
    assert load is not None
    assert (load.sessions, load.queries) == (2, 2)
    before, during, after = load.before, load.during, load.after
    assert before.queries > 5
    assert before.errors == {}
    assert before.p50 <= before.p99 <= before.slowest
    assert during.slowest > 300
    # Two queries waited; those that were due meanwhile would have waited, too: half of them for more than half of the time.
    assert during.p50 > 100
    assert during.slowest_query is not None
    # Both use the column that has another name now.
    assert (after.queries, after.p99) == (0, 0.0)
    assert set(after.errors) == {"42703"}
    assert {unused.query.name: unused.reason for unused in load.unused} == {
        "next_number": "it writes, or locks rows",
        "alone": "it calls pg_advisory_lock, which may do more than read",
        "divided": "division by zero (22012)",
    }
    with any_host.server.connect() as connection:
        assert connection.execute(SESSIONS).fetchone() == (0,)


def test_values_come_from_the_rows_that_a_query_is_about(any_host: PrivateHost) -> None:
    any_host.create_database("values")
    orders = Name("orders", "public")
    columns = {
        1: ComparedColumn(relation=orders, expression='"id"', operator="="),
        2: ComparedColumn(relation=orders, expression='"state"', operator="="),
        3: ComparedColumn(relation=orders, expression='"id"', operator="any"),
        4: ComparedColumn(relation=orders, expression='"state"', operator="like"),
    }
    query = Query(text="SELECT $1, $2, $3, $4, $5 FROM orders LIMIT ($6)", fingerprint="x")
    try:
        with any_host.connect("values") as connection:
            connection.execute(f"{TABLES} INSERT INTO orders SELECT n, 'state ' || n FROM generate_series(1, 5000) AS n; ANALYZE".encode())
            types = [
                oid for (oid,) in connection.execute("SELECT unnest('{int,text,int[],text,bool,bigint}'::regtype[])::oid::int8").fetchall()
            ]
            sets = ValueSource(connection).parameters(query, types, columns)
            connection.execute("TRUNCATE orders")
            [identifier, *_] = ValueSource(connection).parameters(query, types, columns)[0]
    finally:
        any_host.drop_database("values")
    assert len(set(sets)) > 10
    for number, state, several, pattern, boolean, limit in sets:
        assert state == b"state " + (number or b"")
        assert several is not None
        assert several.startswith(b"{" + (number or b""))
        assert (pattern, limit in (b"10", b"20", b"50", b"100")) == (b"sta%", True)
        assert boolean in (b"true", b"false")
    assert identifier is not None  # without rows, a value of the type
