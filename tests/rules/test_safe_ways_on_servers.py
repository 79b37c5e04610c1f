"""The help of the rules about partitions, refreshes and changes of all rows runs, scans nothing under a blocking lock, and has the result."""

from collections.abc import Iterator

import psycopg
import pytest

from migsafe.prediction.effects.effect import Effect
from migsafe.replaying.recording.nontransactional import measure_nontransactional
from migsafe.replaying.servers.server import Server
from migsafe.sql.operations import Begin, Commit
from migsafe.sql.statements import read
from tests.support.linted import NEXT_MIGRATION, judge_sql
from tests.support.servers import oldest_and_newest, server_with_model
from tests.support.statement_meter import StatementMeter

HISTORY = """
CREATE TABLE regions (id bigint PRIMARY KEY);
CREATE TABLE seasons (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric, note text, day date NOT NULL);
CREATE TABLE pairs (a integer, b integer, note text, PRIMARY KEY (a, b));
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY, day date NOT NULL, region_id bigint REFERENCES regions, size integer, PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE INDEX events_size_idx ON events (size DESC) WHERE size > 0;
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 (id bigint NOT NULL, day date NOT NULL, region_id bigint, size integer);
CREATE TABLE logs (id bigint, day date, part text) PARTITION BY RANGE (day, id);
CREATE TABLE logs_rest PARTITION OF logs DEFAULT;
CREATE TABLE logs_2026 (id bigint, day date, part text);
CREATE TABLE places (id bigint, code text) PARTITION BY LIST (upper(code));
CREATE TABLE places_eu (id bigint, code text);
CREATE TABLE places_none (id bigint, code text);
CREATE MATERIALIZED VIEW totals AS SELECT day, sum(total) AS total FROM orders GROUP BY day;
CREATE MATERIALIZED VIEW days AS SELECT id, day FROM orders;
CREATE UNIQUE INDEX days_id_key ON days (id);
-- next migration
"""
ROWS = """
INSERT INTO regions SELECT generate_series(1, 1000);
INSERT INTO seasons SELECT generate_series(1, 4);
INSERT INTO orders SELECT n, n, 'note', date '2025-01-01' + n % 9 FROM generate_series(1, 25000) AS n;
INSERT INTO pairs SELECT n % 10, n, 'note' FROM generate_series(1, 1000) AS n;
INSERT INTO events (day, region_id, size) SELECT '2025-06-01', n, n FROM generate_series(1, 1000) AS n;
INSERT INTO events_2026 SELECT n, '2026-06-01', n, n FROM generate_series(1, 1000) AS n;
INSERT INTO logs SELECT n, '2025-06-01', 'x' FROM generate_series(1, 1000) AS n;
INSERT INTO logs_2026 SELECT n, '2026-06-01', 'x' FROM generate_series(1, 1000) AS n;
INSERT INTO places_eu SELECT n, 'de' FROM generate_series(1, 1000) AS n;
REFRESH MATERIALIZED VIEW totals;
REFRESH MATERIALIZED VIEW days;
ANALYZE;
"""
PARTITIONS = (
    "SELECT inhparent::regclass || ' ' || inhrelid::regclass FROM pg_inherits WHERE inhparent::regclass::text IN ('events', 'logs', 'places')"
)

# Unsafe statements, each with a query and what it returns after the safe statements.
UNSAFE = [
    ("ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')", PARTITIONS, "events events_2026"),
    ("ALTER TABLE logs ATTACH PARTITION logs_2026 FOR VALUES FROM ('2026-01-01', 1) TO ('2026-12-31', 9)", PARTITIONS, "logs logs_2026"),
    ("ALTER TABLE places ATTACH PARTITION places_eu FOR VALUES IN ('DE', 'FR', NULL)", PARTITIONS, "places places_eu"),
    ("CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')", PARTITIONS, "events events_2027"),
    (
        "CREATE TABLE places_us PARTITION OF places (CHECK (id > 0)) FOR VALUES IN ('US') PARTITION BY HASH (id)",
        PARTITIONS,
        "places places_us",
    ),
    ("REFRESH MATERIALIZED VIEW totals", "SELECT count(*)::text FROM pg_index WHERE indrelid = 'totals'::regclass AND indisunique", "1"),
    ("REFRESH MATERIALIZED VIEW CONCURRENTLY totals", "SELECT count(*)::text FROM totals", "9"),
    ("REFRESH MATERIALIZED VIEW days", "SELECT count(*)::text FROM days", "25000"),
    ("UPDATE orders SET total = total + 1", "SELECT sum(total)::bigint::text FROM orders", str(sum(range(25001)) + 25000)),
    ("UPDATE orders AS o SET note = r.id FROM (SELECT 7 AS id) AS r", "SELECT min(note) || max(note) FROM orders", "77"),
    ("UPDATE orders SET note = $n$ where $n$ WHERE true", "SELECT min(note) || max(note) FROM orders", " where  where "),
    ("UPDATE pairs SET note = note || '+'", "SELECT min(note) || max(note) FROM pairs", "note+note+"),
    ("DELETE FROM orders USING seasons", "SELECT count(*)::text FROM orders", "0"),
    ("VACUUM FULL orders", "SELECT count(*)::text FROM orders", "25000"),
    ("ALTER INDEX events_2025_pkey SET TABLESPACE pg_default", "SELECT count(*)::text FROM events_2025", "1000"),
]


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with server_with_model(request.param, HISTORY, ROWS) as server:
        yield server


@pytest.mark.server
@pytest.mark.parametrize(("unsafe", "look", "seen"), UNSAFE)
def test_the_help_has_the_result_of_the_statement(server: Server, unsafe: str, look: str, seen: str) -> None:
    help_ = next(each for each in judge_sql(HISTORY + unsafe).findings if each.category == "locking").help
    server.create_database("copy", template="model")
    try:
        for migration in NEXT_MIGRATION.split(help_):
            for statement in read(migration):
                sql = migration[statement.span.start : statement.span.end]
                for effect in () if isinstance(statement.operations[0], Begin | Commit) else _effects(server, sql):
                    assert not (_stops(effect) and (effect.scan or effect.rewrite or effect.rebuilt)), sql
        with server.connect("copy") as connection:
            assert (seen,) in connection.execute(look.encode()).fetchall()
    finally:
        server.drop_database("copy")


@pytest.mark.parametrize("unsafe", [unsafe for unsafe, _, _ in UNSAFE])
def test_the_safe_way_is_safe_after_the_same_history(unsafe: str) -> None:
    help_ = next(each for each in judge_sql(HISTORY + unsafe).findings if each.category == "locking").help
    assert [(one.rule, one.message) for one in judge_sql(HISTORY + help_).findings if one.category == "locking"] == []


def _stops(effect: Effect) -> bool:
    """Whether other sessions wait. Only another REFRESH writes to a materialized view."""
    return "reads" in effect.blocks if effect.kind == "materialized view" else bool(effect.blocks)


def _effects(server: Server, sql: str) -> tuple[Effect, ...]:
    with server.connect("copy") as connection:
        try:
            return StatementMeter(connection).measure(sql).effects
        except psycopg.errors.ActiveSqlTransaction:
            pass
        except psycopg.errors.InvalidTransactionTermination:
            # Batches commit, which PostgreSQL refuses inside a transaction.
            connection.execute("ROLLBACK")
            connection.execute(sql.encode())
            return ()
    return measure_nontransactional(server, "copy", sql).effects
