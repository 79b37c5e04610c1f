"""The help of the locking rules runs, and scans or rewrites nothing under a lock that blocks reads or writes."""

from collections.abc import Iterator

import psycopg
import pytest

from migsafe.prediction.effects.effect import Effect
from migsafe.replaying.recording.nontransactional import measure_nontransactional
from migsafe.replaying.servers.server import Server
from migsafe.sql.statements import read
from tests.support.linted import NEXT_MIGRATION, judge_sql
from tests.support.servers import oldest_and_newest, server_with_model
from tests.support.statement_meter import StatementMeter

pytestmark = pytest.mark.server

HISTORY = """
CREATE TABLE regions (id bigint PRIMARY KEY);
CREATE DOMAIN amount AS bigint CHECK (VALUE >= 0);
CREATE TABLE parcels (
    id bigint PRIMARY KEY,
    code varchar(20) CONSTRAINT parcels_code_known CHECK (code <> ''),
    name text,
    at timestamp,
    weight bigint
);
CREATE INDEX parcels_name_idx ON parcels (name);
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- next migration
"""
ROWS = """
INSERT INTO regions SELECT generate_series(1, 1000);
INSERT INTO parcels SELECT n, 'code', 'name', '2025-01-01', n FROM generate_series(1, 1000) AS n;
INSERT INTO events SELECT n, '2025-06-01' FROM generate_series(1, 1000) AS n;
"""
UNSAFE = [
    "ALTER TABLE parcels ADD COLUMN reference uuid NOT NULL UNIQUE DEFAULT gen_random_uuid() CHECK (reference IS NOT NULL)",
    "ALTER TABLE parcels ADD COLUMN number bigserial",
    "ALTER TABLE parcels ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE parcels ADD COLUMN double bigint GENERATED ALWAYS AS (weight * 2) STORED",
    "ALTER TABLE parcels ADD COLUMN cost amount DEFAULT 1",
    "ALTER TABLE parcels ADD COLUMN size bigint UNIQUE",
    "ALTER TABLE parcels ADD COLUMN region_id bigint DEFAULT 1 REFERENCES regions (id)",
    "ALTER TABLE parcels ADD CHECK (weight > 0)",
    "ALTER TABLE parcels ADD FOREIGN KEY (weight) REFERENCES regions",
    "ALTER TABLE parcels ALTER COLUMN weight TYPE integer",
    "ALTER TABLE parcels ALTER COLUMN at TYPE timestamptz",
    "ALTER TABLE parcels ALTER COLUMN code TYPE varchar(50)",
    "ALTER TABLE parcels ALTER COLUMN name TYPE varchar(50)",
    "ALTER TABLE parcels ALTER COLUMN name SET NOT NULL",
    "ALTER TABLE parcels ADD COLUMN region_id bigint; ALTER TABLE parcels ADD FOREIGN KEY (region_id) REFERENCES regions",
    "ALTER TABLE parcels ADD COLUMN size integer; UPDATE parcels SET size = 1",
    "ALTER TABLE events ADD FOREIGN KEY (id) REFERENCES regions",
    "CREATE INDEX ON events (id)",
    "CREATE INDEX IF NOT EXISTS parcels_code_idx ON parcels (code)",
    "DROP INDEX parcels_name_idx",
    "REINDEX (VERBOSE) TABLE parcels",
]


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with server_with_model(request.param, HISTORY, ROWS) as server:
        yield server


@pytest.mark.parametrize("unsafe", UNSAFE)
def test_the_safe_way_works_under_no_lock(server: Server, unsafe: str) -> None:
    help_ = next(each for each in judge_sql(HISTORY + unsafe).findings if each.category == "locking" or each.rule == "type-narrowed").help
    server.create_database("copy", template="model")
    try:
        for migration in NEXT_MIGRATION.split(help_):
            for statement in read(migration):
                sql = migration[statement.span.start : statement.span.end]
                for effect in _effects(server, sql):
                    assert not (effect.blocks and (effect.scan or effect.rewrite or effect.rebuilt)), sql
    finally:
        server.drop_database("copy")


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
