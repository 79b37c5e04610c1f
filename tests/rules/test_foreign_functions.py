"""Calls of functions of other database systems."""

from collections.abc import Iterator

import psycopg
import pytest

from migsafe.linting.judge import judge
from migsafe.linting.rulebook import Rulebook, choose_rules, shipped_rules
from migsafe.prediction.history import SelectedMigration
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from tests.support.linted import migration
from tests.support.servers import oldest_and_newest

RULES = Rulebook(choose_rules(shipped_rules(), ["statement-fails"]))
SHOPS = "CREATE TABLE shops (id bigint PRIMARY KEY, name text, label text, opened timestamptz, data jsonb);"
CALLS = [
    ("ifnull", "UPDATE shops SET label = IFNULL(name, 'none');"),
    ("if", "UPDATE shops SET label = IF(name = 'x', 'a', 'b');"),
    ("getdate", "ALTER TABLE shops ADD COLUMN made timestamptz DEFAULT getdate();"),
    ("newid", "CREATE TABLE vans (id uuid DEFAULT newid());"),
    ("date_format", "CREATE VIEW days AS SELECT date_format(opened, '%Y') FROM shops;"),
    ("group_concat", "CREATE VIEW names AS SELECT group_concat(name) FROM shops;"),
    ("json_extract", "CREATE INDEX shops_data ON shops (json_extract(data, '$.x'));"),
    ("unix_timestamp", "ALTER TABLE shops ALTER COLUMN label SET DEFAULT unix_timestamp()::text;"),
]


def messages(sql: str, *, from_first_migration: bool = True) -> list[str]:
    predictor = Predictor(17)
    predictor.begin_history(from_first_migration=from_first_migration)
    migrations = [SelectedMigration(migration(SHOPS, "1.sql"), predictor), SelectedMigration(migration(sql, "2.sql"), predictor)]
    return [finding.message for finding in judge(migrations, RULES, pg_version=17).findings]


@pytest.mark.parametrize(("function", "sql"), CALLS)
def test_the_call_is_refused(function: str, sql: str) -> None:
    (message,) = messages(sql)
    assert f"function {function}(…) does not exist" in message


@pytest.mark.parametrize(("function", "sql"), CALLS)
def test_the_project_may_have_the_function(function: str, sql: str) -> None:
    assert messages(sql, from_first_migration=False) == []
    assert messages(f"CREATE EXTENSION orafce;\n{sql}") == []
    own = f'CREATE FUNCTION "{function}"(anyelement) RETURNS text LANGUAGE sql AS $$ SELECT NULL::text $$;'
    assert not any("(…)" in message for message in messages(f"{own}\n{sql}"))


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        yield server


@pytest.mark.server
@pytest.mark.parametrize(("function", "sql"), CALLS)
def test_a_server_refuses_the_call(server: Server, function: str, sql: str) -> None:
    with server.connect() as connection:
        connection.execute(f"DROP SCHEMA public CASCADE; CREATE SCHEMA public; {SHOPS}")
        with pytest.raises(psycopg.errors.UndefinedFunction, match=rf"function {function}\("):
            connection.execute(sql.encode())
