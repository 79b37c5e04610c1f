"""The measurement of statements that run outside transactions: it is the same on every run and version."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from migsafe.lock import LockMode
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.nontransactional import measure_nontransactional
from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.server import Server
from tests.support.servers import each_installation

pytestmark = pytest.mark.server

AE = LockMode.ACCESS_EXCLUSIVE

TABLES = """
    CREATE TABLE orders (id int PRIMARY KEY, note text);
    CREATE INDEX orders_note ON orders (note);
    CREATE TABLE customers (id int);
    CREATE TABLE events (day date) PARTITION BY RANGE (day);
    CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (minvalue) TO ('2020-01-01');
    CREATE MATERIALIZED VIEW sums AS SELECT note, count(*) FROM orders GROUP BY note;
    CREATE INDEX sums_note ON sums (note);
    INSERT INTO orders SELECT n, n FROM generate_series(1, 1000) AS n;
"""


@pytest.fixture(scope="module", params=each_installation())
def server(request: pytest.FixtureRequest, start_host: Callable[[Installation], PrivateHost]) -> Iterator[Server]:
    server = start_host(request.param).server
    server.create_database("model")
    with server.connect("model") as connection:
        connection.execute(TABLES)
    yield server
    server.drop_database("model")


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    server.create_database("shop", template="model")
    yield "shop"
    server.drop_database("shop")


def seen(measurement: Measurement) -> list[str]:
    """Returns each effect in words."""
    return [
        " ".join(
            (
                effect.relation.name,
                str(effect.lock),
                *(("index locked",) if effect.index_lock is AE else ()),
                *(("rewrite",) if effect.rewrite else ()),
                *(("scan",) if effect.scan else ()),
                *effect.rebuilt,
                *(("waits",) if effect.waits else ()),
            )
        )
        for effect in measurement.effects
    ]


CASES = {
    "CREATE INDEX CONCURRENTLY ON orders (note)": ["orders SHARE UPDATE EXCLUSIVE scan waits"],
    "DROP INDEX CONCURRENTLY orders_note": ["orders SHARE UPDATE EXCLUSIVE waits"],
    "REINDEX TABLE CONCURRENTLY orders": ["orders SHARE UPDATE EXCLUSIVE scan orders_pkey orders_note waits"],
    "REINDEX INDEX CONCURRENTLY sums_note": ["sums SHARE UPDATE EXCLUSIVE sums_note waits"],
    "VACUUM orders": ["orders SHARE UPDATE EXCLUSIVE"],
    "VACUUM FULL orders": ["orders ACCESS EXCLUSIVE index locked rewrite scan"],
    "ALTER TABLE events DETACH PARTITION events_old CONCURRENTLY": [
        "events SHARE UPDATE EXCLUSIVE waits",
        "events_old ACCESS EXCLUSIVE",
    ],
    "ALTER SYSTEM RESET work_mem": [],
}


@pytest.mark.parametrize("sql", CASES)
def test_all_locks_of_a_statement_are_measured(server: Server, database: str, sql: str) -> None:
    assert seen(measure_nontransactional(server, database, sql)) == CASES[sql]


def test_unmeasurable_effects_are_reported(server: Server, database: str) -> None:
    assert not measure_nontransactional(server, database, "ANALYZE orders").scans_measured
    measurement = measure_nontransactional(server, database, "DROP INDEX CONCURRENTLY orders_note")
    assert [name.name for name in measurement.partial_index_locks] == ["orders"]


def test_an_error_of_the_statement_is_raised(server: Server, database: str) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        measure_nontransactional(server, database, "REINDEX TABLE CONCURRENTLY nowhere")
