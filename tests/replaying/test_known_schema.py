"""Predictions that begin with a database or a dump know its schema."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migsafe.replaying.servers import schema_dump
from migsafe.replaying.servers.existing import ExistingHost
from migsafe.replaying.servers.installations import Installation, inspect_installation
from migsafe.replaying.servers.physical_copy import PhysicalCopyHost
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.server import Server
from migsafe.text import Script
from tests.support.replays import replay_files
from tests.support.servers import oldest_and_newest

PRODUCTION = """
    CREATE TABLE customers (id int PRIMARY KEY, name text);
    CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, note varchar(10), at timestamp);
    CREATE INDEX orders_note ON orders (note);
    CREATE SCHEMA app;
    CREATE TABLE app.items (id int, orders int REFERENCES orders);
    CREATE PROCEDURE refill() LANGUAGE sql AS 'SELECT 1';
    INSERT INTO customers SELECT n, 'x' FROM generate_series(1, 300) AS n;
    INSERT INTO orders SELECT n, n, 'x', now() FROM generate_series(1, 300) AS n;
    INSERT INTO app.items VALUES (1, 1), (1, 2);
"""
FILES = {
    "0001.sql": "CREATE TABLE customers (id int PRIMARY KEY); CREATE TABLE older (id int);",
    "0002.sql": """
        ALTER TABLE orders ALTER note TYPE varchar(20), ALTER at TYPE timestamptz;
        ALTER TABLE items ADD x int;
        DROP INDEX half_built;
        ALTER TABLE customers ALTER id TYPE bigint;
        DROP TABLE customers CASCADE;
    """,
}


@pytest.fixture(scope="module", params=oldest_and_newest())
def production(request: pytest.FixtureRequest) -> Iterator[tuple[Installation, str]]:
    """An installation, and the connection string of a production database on it."""
    with Server(request.param, {"max_wal_senders": "4"}) as server:
        server.create_database("production")
        with server.connect("production") as connection:
            connection.execute(PRODUCTION)
            connection.execute("ALTER DATABASE production SET search_path = app, public; ALTER DATABASE production SET timezone = 'UTC'")
            with pytest.raises(Exception, match="could not create unique index"):
                connection.execute("CREATE UNIQUE INDEX CONCURRENTLY half_built ON app.items (id)")
        yield request.param, f"host={server.folder} port=5432 user=postgres dbname=production"


def test_with_a_template_the_schema_is_read_from_it(production: tuple[Installation, str], tmp_path: Path) -> None:
    with ExistingHost(production[1], template="production") as host:
        done = replay_files(host, tmp_path, FILES, "agreement", only="0002.sql")
    assert (done.problems, done.recording.failure, done.run.notes) == ([], None, [])
    assert done.outcome("agreement").summary == "5 of 5 statements had the predicted effects"


def test_with_a_physical_copy_the_schema_is_read_from_it(production: tuple[Installation, str], tmp_path: Path) -> None:
    installation, dsn = production
    if not (installation.bindir / "pg_basebackup").exists():
        pytest.skip("this installation has no pg_basebackup")
    with PhysicalCopyHost(dsn, [inspect_installation(installation.bindir)]) as host:
        done = replay_files(host, tmp_path, FILES, "agreement", only="0002.sql")
    assert (done.problems, done.recording.failure) == ([], None)
    assert done.outcome("agreement").summary == "5 of 5 statements had the predicted effects"


def test_without_pg_dump_the_reason_is_a_note(production: tuple[Installation, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_dump, "find_pg_dump", lambda major: None)
    with ExistingHost(production[1], template="production") as host:
        done = replay_files(host, tmp_path, FILES, "agreement", only="0002.sql")
    [note] = done.run.notes
    assert note.startswith("The schema could not be read from the database (there is no pg_dump of PostgreSQL")


def test_after_opaque_code_in_the_history_the_schema_is_read(host: PrivateHost, tmp_path: Path) -> None:
    code = "CREATE TABLE orders (id int PRIMARY KEY, note varchar(10)); DO $$ BEGIN EXECUTE concat('CREATE TABLE ', 'items (o int)'); END $$;"
    files = {"0001.sql": code, "0002.sql": "ALTER TABLE items ADD FOREIGN KEY (o) REFERENCES orders; ALTER TABLE orders ALTER note TYPE text;"}
    done = replay_files(host, tmp_path, files, "agreement", only="0002.sql")
    assert done.outcome("agreement").summary == "2 of 2 statements had the predicted effects"


@pytest.mark.parametrize(
    ("dump", "skipped"),
    [
        ("CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE renamed (id int);", "the history"),
        ("CREATE TABLE a (id int); CREATE TABLE b (id int);", "the history up to "),
        ("CREATE TABLE older (id int);", ""),
    ],
)
def test_a_dump_that_contains_the_history(any_host: PrivateHost, tmp_path: Path, dump: str, skipped: str) -> None:
    files = {
        "0001.sql": "CREATE TABLE a (id int);",
        "0002.sql": "CREATE TABLE b (id int);",
        "0003.sql": "CREATE TABLE IF NOT EXISTS c (id int); ALTER TABLE c RENAME TO renamed;",
        "0004.sql": "ALTER TABLE renamed ADD y int;",
    }
    done = replay_files(any_host, tmp_path, files, "agreement", only="0004.sql", schema=Script("production.sql", dump))
    assert (done.problems, done.recording.failure) == ([], None)
    assert done.outcome("agreement").passed
    assert bool(skipped) == bool(done.run.notes)
    assert not skipped or done.run.notes[0].startswith(f"production.sql contains the objects of {skipped}")
