"""Migrations whose runner sets search_path: what they name without a schema is found once the replay has the same one."""

from pathlib import Path

import pytest

from migsafe.replaying.servers.private import PrivateHost
from tests.support.replays import replay_files, script

pytestmark = pytest.mark.server

FILES = {
    "0001.sql": "CREATE SCHEMA IF NOT EXISTS store; CREATE TABLE store.items (id int PRIMARY KEY);",
    "0002.sql": "ALTER TABLE items ADD COLUMN note text;",
    "0003.sql": "ALTER TABLE items ADD COLUMN other text;",
}
CAUSE = (
    'relation "items" does not exist; store.items exists, in a schema that search_path does not contain. If the connection of the migrations '
    "sets search_path, do the same with `ALTER ROLE CURRENT_USER SET search_path = store, public;` in a file, and --schema"
)


def test_a_migration_of_the_history_names_the_schema_and_the_way(host: PrivateHost, tmp_path: Path) -> None:
    done = replay_files(host, tmp_path, FILES, only="0003.sql")
    assert [problem.partition(": ")[2] for problem in done.problems] == [f"this migration of the history fails at line 1: {CAUSE}"]
    assert [problem.hint for problem in done.run.problems] == [""]


def test_a_replayed_migration_names_them_too(host: PrivateHost, tmp_path: Path) -> None:
    done = replay_files(host, tmp_path, FILES, only="0002.sql")
    failure = done.recording.failure
    assert failure is not None
    assert f"{failure.message}{done.replayed[-1].likely_cause}" == CAUSE


def test_the_way_works(host: PrivateHost, tmp_path: Path) -> None:
    schema = script("CREATE SCHEMA store; ALTER ROLE CURRENT_USER SET search_path = store, public;", "schema.sql")
    done = replay_files(host, tmp_path, FILES, "agreement", only="0003.sql", schema=schema)
    assert (done.problems, done.recording.failure) == ([], None)
    assert done.outcome("agreement").passed
    with host.server.connect("postgres") as connection:
        connection.execute("ALTER ROLE owner RESET search_path")


def test_a_relation_that_no_schema_has_is_only_missing(any_host: PrivateHost, tmp_path: Path) -> None:
    done = replay_files(
        any_host, tmp_path, {"0001.sql": "CREATE TABLE items (id int);", "0002.sql": "ALTER TABLE others ADD a int;"}, only="0002.sql"
    )
    assert done.replayed[-1].likely_cause == ""
