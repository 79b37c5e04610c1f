"""The help of findings about partitioned tables runs on a server: PostgreSQL refuses CONCURRENTLY, USING INDEX and, up to 17, NOT VALID foreign
keys for them."""

from collections.abc import Iterator

import pytest

from migsafe.linting.rulebook import find_rule, shipped_rules
from migsafe.replaying.servers.server import Server
from migsafe.sql.statements import read
from tests.support.linted import NEXT_MIGRATION, judge_sql
from tests.support.servers import oldest_and_newest, server_with_model

HISTORY = """
CREATE TABLE regions (id integer PRIMARY KEY);
CREATE TABLE seasons (id integer PRIMARY KEY);
CREATE TABLE events (
    id bigint, day date, region_id integer REFERENCES regions ON DELETE CASCADE, season_id integer, size integer, PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE INDEX events_region_id_size_idx ON events (region_id, size DESC) INCLUDE (season_id) WHERE size > 0;
CREATE INDEX events_region_id_idx ON events (region_id, day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (id);
CREATE TABLE events_2025_all PARTITION OF events_2025 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE logs (id bigint NOT NULL, day date, part text) PARTITION BY RANGE (day);
CREATE TABLE logs_rest PARTITION OF logs DEFAULT;
-- next migration
"""
ROWS = """
INSERT INTO regions SELECT generate_series(1, 100);
INSERT INTO seasons SELECT generate_series(1, 4);
INSERT INTO events SELECT n, '2025-06-01', n, n % 4 + 1, n FROM generate_series(1, 100) AS n;
INSERT INTO logs SELECT n, '2025-06-01', 'x' FROM generate_series(1, 100) AS n;
"""

# Each with the rule whose help is tried.
UNSAFE = [
    ("column-takes-others-along", "ALTER TABLE events DROP COLUMN region_id"),
    ("drop-index-uncovers-foreign-key", "DROP INDEX events_region_id_idx;\nDROP INDEX events_region_id_size_idx"),
    ("foreign-key-without-index", "ALTER TABLE events ADD FOREIGN KEY (season_id) REFERENCES seasons"),
    ("foreign-key-validates", "ALTER TABLE events ADD FOREIGN KEY (season_id) REFERENCES seasons"),
    ("primary-key-builds-index", "ALTER TABLE logs ADD PRIMARY KEY (id, day)"),
    ("unique-builds-index", "ALTER TABLE logs ADD UNIQUE (id, day)"),
    ("type-change-rewrites", "ALTER TABLE regions ALTER COLUMN id TYPE bigint"),
    ("unnamed-object", "CREATE INDEX ON events (size);\nANALYZE events"),
    ("unnamed-object", "CREATE INDEX ON ONLY events (size);\nANALYZE events"),
    ("unnamed-object", "ALTER TABLE events ADD UNIQUE (day, id, size);\nANALYZE events"),
    ("unnamed-object", "ALTER TABLE events ADD FOREIGN KEY (season_id) REFERENCES seasons;\nANALYZE events"),
    ("unnamed-object", "ALTER TABLE events ADD CHECK (size > 0);\nANALYZE events"),
]


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with server_with_model(request.param, HISTORY, ROWS) as server:
        yield server


@pytest.mark.server
@pytest.mark.parametrize(("rule", "unsafe"), UNSAFE)
def test_the_help_runs(server: Server, rule: str, unsafe: str) -> None:
    help_ = _help(rule, unsafe, server.installation.major)
    server.create_database("copy", template="model")
    try:
        with server.connect("copy") as connection:
            for migration in NEXT_MIGRATION.split(help_):
                for statement in read(migration):
                    connection.execute(migration[statement.span.start : statement.span.end].encode())
            assert connection.execute(b"SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid").fetchall() == _invalid(unsafe)
    finally:
        server.drop_database("copy")


def test_a_dropped_key_is_not_built_beside_the_old_one() -> None:
    assert _help("drop-primary-key", "ALTER TABLE events DROP CONSTRAINT events_pkey", 17) == (
        "ALTER TABLE events DROP CONSTRAINT events_pkey, ADD CONSTRAINT events_pkey PRIMARY KEY (…);"
    )


def _help(rule: str, unsafe: str, pg_version: int) -> str:
    return next(
        each for each in judge_sql(HISTORY + unsafe, [find_rule(rule, shipped_rules())], pg_version=pg_version).findings if each.rule == rule
    ).help


def _invalid(unsafe: str) -> list[tuple[str]]:
    return [("events_size_idx",)] if "ONLY" in unsafe else []
