"""A migration that uses a table before it creates it fails: at the use, or at the CREATE if the table is there."""

from collections.abc import Iterator

import psycopg
import pytest

from migsafe.linting.rulebook import choose_rules, shipped_rules
from migsafe.replaying.servers.server import Server
from tests.support.linted import judge_sql
from tests.support.servers import oldest_and_newest

SHOPS = "CREATE TABLE shops (id bigint PRIMARY KEY);"
VANS = "CREATE TABLE vans (id bigint PRIMARY KEY, plate text);"
USES = [
    "CREATE TABLE repairs (id bigint PRIMARY KEY, van bigint REFERENCES vans (id));",
    "ALTER TABLE shops ADD COLUMN van bigint REFERENCES vans (id);",
    "ALTER TABLE vans ALTER COLUMN plate SET DEFAULT 'none';",
    "CREATE INDEX vans_plate ON vans (plate);",
    "CREATE VIEW plates AS SELECT plate FROM vans;",
    "INSERT INTO shops (id) SELECT id FROM vans;",
    "DELETE FROM vans WHERE plate = 'X';",
    "CREATE POLICY own ON shops USING (id IN (SELECT id FROM vans));",
]


def messages(migration: str) -> list[str]:
    """The refusals in a migration after one that creates another table."""
    rules = choose_rules(shipped_rules(), ["statement-fails"])
    return [finding.message for finding in judge_sql(f"{SHOPS}\n\n-- next migration\n{migration}", rules).findings]


@pytest.mark.parametrize("use", USES)
def test_the_use_is_refused_once(use: str) -> None:
    (message,) = messages(f"{use}\n{VANS}")
    assert 'relation "vans" does not exist (a later statement' in message
    assert messages(f"{VANS}\n{use}") == []


@pytest.mark.parametrize(
    "use",
    ["ALTER TABLE shops ADD COLUMN size size;", "CREATE TABLE vans (size size[]);", "ALTER TABLE shops ALTER COLUMN id TYPE size USING NULL;"],
)
@pytest.mark.parametrize("creation", ["CREATE TYPE size AS ENUM ('s', 'l');", "CREATE DOMAIN size AS text;"])
def test_a_type_comes_before_its_column(use: str, creation: str) -> None:
    (message,) = messages(f"{use}\n{creation}")
    assert "does not exist (a later statement" in message
    assert messages(f"{creation}\n{use}") == []


def test_a_type_may_be_there_or_built_in() -> None:
    assert messages("ALTER TABLE shops ADD COLUMN area box;\nCREATE TYPE box AS ENUM ('s', 'l');") == []
    guarded = "DO $$ BEGIN CREATE TYPE size AS ENUM ('s'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
    assert messages(f"ALTER TABLE shops ADD COLUMN size size;\n{guarded}") == []
    assert messages("ALTER TABLE shops ADD COLUMN size size;\nDROP TYPE IF EXISTS size;\nCREATE TYPE size AS ENUM ('s');") == []


@pytest.mark.parametrize(
    "between",
    [
        "ALTER TABLE vans RENAME TO older_vans;",
        "DROP TABLE IF EXISTS vans;",
        "SET search_path = other;",
        "CALL swap();",
        "DROP SCHEMA old CASCADE;",
    ],
)
def test_another_table_may_have_had_the_name(between: str) -> None:
    assert messages(f"INSERT INTO shops (id) SELECT id FROM vans;\n{between}\n{VANS.replace('PRIMARY KEY', 'NOT NULL')}") == []


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        yield server


@pytest.mark.server
@pytest.mark.parametrize("use", USES)
def test_a_server_refuses_one_of_the_two(server: Server, use: str) -> None:
    with server.connect() as connection:
        connection.execute(f"DROP SCHEMA public CASCADE; CREATE SCHEMA public; {SHOPS}")
        with pytest.raises(psycopg.errors.UndefinedTable, match='relation "vans" does not exist'):
            connection.execute(use.encode())
        connection.execute(VANS.encode())
        connection.execute(use.encode())
        with pytest.raises(psycopg.errors.DuplicateTable):
            connection.execute(VANS.encode())
