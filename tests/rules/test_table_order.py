"""A migration that uses a table, a type, a sequence or a function before it creates it fails: at the use, or at the CREATE if it is there."""

import re
from collections.abc import Iterator

import psycopg
import pytest

from migsafe.linting.judge import judge
from migsafe.linting.rulebook import Rulebook, choose_rules, shipped_rules
from migsafe.prediction.history import SelectedMigration
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from tests.support.linted import judge_sql, migration
from tests.support.servers import oldest_and_newest

SHOPS = "CREATE TABLE shops (id bigint PRIMARY KEY);"
VANS = "CREATE TABLE vans (id bigint PRIMARY KEY, plate text);"
RULES = choose_rules(shipped_rules(), ["statement-fails"])
USES = [
    "CREATE TABLE repairs (id bigint PRIMARY KEY, van bigint REFERENCES vans (id));",
    "ALTER TABLE shops ADD COLUMN van bigint REFERENCES vans (id);",
    "ALTER TABLE vans ALTER COLUMN plate SET DEFAULT 'none';",
    "CREATE INDEX vans_plate ON vans (plate);",
    "CREATE VIEW plates AS SELECT plate FROM vans;",
    "INSERT INTO shops (id) SELECT id FROM vans;",
    "DELETE FROM vans WHERE plate = 'X';",
    "CREATE POLICY own ON shops USING (id IN (SELECT id FROM vans));",
    "CREATE FUNCTION count_vans() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM vans $$;",
    "COMMENT ON TABLE vans IS 'of the shops';",
    "GRANT SELECT ON vans TO public;",
]
KEEP = "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
GRADE = "CREATE FUNCTION grade(bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS $$ SELECT $1 * 2 $$;"
LABEL = "CREATE FUNCTION label() RETURNS text LANGUAGE sql AS $$ SELECT 'new' $$;"
CALLS = [
    (KEEP, "CREATE TRIGGER keep BEFORE UPDATE ON shops FOR EACH ROW EXECUTE FUNCTION keep();", "keep()"),
    (GRADE, "CREATE INDEX shops_grade ON shops (grade(id));", "grade(bigint)"),
    (GRADE, "CREATE VIEW grades AS SELECT grade(id) AS grade FROM shops;", "grade(bigint)"),
    (GRADE, "ALTER TABLE shops ADD CONSTRAINT graded CHECK (grade(id) > 0);", "grade(bigint)"),
    (GRADE, "CREATE POLICY graded ON shops USING (grade(id) > 0);", "grade(bigint)"),
    (GRADE, "CREATE TABLE parts (id bigint, doubled bigint GENERATED ALWAYS AS (grade(id)) STORED);", "grade(bigint)"),
    (GRADE, "CREATE FUNCTION best() RETURNS bigint LANGUAGE sql AS $$ SELECT grade(id) FROM shops $$;", "grade(bigint)"),
    (LABEL, "ALTER TABLE shops ADD COLUMN label text DEFAULT label();", "label()"),
    (LABEL, "CREATE TABLE parts (id bigint, label text DEFAULT label());", "label()"),
]


def messages(sql: str) -> list[str]:
    """The refusals in a migration after one that creates another table, and after others that are not known."""
    return [finding.message for finding in judge_sql(f"{SHOPS}\n\n-- next migration\n{sql}", RULES).findings]


def messages_of_history(sql: str) -> list[str]:
    """The refusals in the second migration of a history."""
    predictor = Predictor(17)
    predictor.begin_history(from_first_migration=True)
    migrations = [SelectedMigration(migration(SHOPS, "1.sql"), predictor), SelectedMigration(migration(sql, "2.sql"), predictor)]
    return [finding.message for finding in judge(migrations, Rulebook(RULES), pg_version=17).findings]


@pytest.mark.parametrize("use", USES)
def test_the_use_is_refused_once(use: str) -> None:
    (message,) = messages(f"{use}\n{VANS}")
    assert 'relation "vans" does not exist (a later statement' in message
    assert messages(f"{VANS}\n{use}") == []


@pytest.mark.parametrize(("creation", "use", "called"), CALLS)
def test_a_call_before_the_function_is_refused_once(creation: str, use: str, called: str) -> None:
    for statement in (creation, creation.replace("CREATE", "CREATE OR REPLACE", 1)):
        (message,) = messages_of_history(f"{use}\n{statement}")
        assert f"function {called} does not exist (a later statement" in message
        assert messages_of_history(f"{statement}\n{use}") == []


@pytest.mark.parametrize(
    "sql",
    [
        f"CREATE FUNCTION best() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN grade(1); END $$;\n{GRADE}",
        f"SET check_function_bodies = off;\nCREATE FUNCTION best() RETURNS bigint LANGUAGE sql AS $$ SELECT grade(1) $$;\n{GRADE}",
        f"{KEEP}\nCREATE TRIGGER k BEFORE UPDATE ON shops FOR EACH ROW EXECUTE FUNCTION keep();\n{KEEP.replace('CREATE', 'CREATE OR REPLACE')}",
        f"CREATE INDEX shops_lower ON shops (lower(id::text));\n{GRADE.replace('grade', 'lower')}",
        f"ALTER FUNCTION mark(bigint) RENAME TO grade;\nCREATE INDEX shops_grade ON shops (grade(id));\n{GRADE.replace('bigint', 'text')}",
        f"DROP FUNCTION IF EXISTS grade(bigint);\nCREATE INDEX shops_grade ON shops (app.grade(id));\n{GRADE}",
    ],
)
def test_another_function_may_have_the_name(sql: str) -> None:
    assert messages_of_history(sql) == []


def test_an_unknown_migration_may_have_made_another_function() -> None:
    assert messages(f"CREATE INDEX shops_grade ON shops (grade(id));\n{GRADE}") == []
    trigger = "CREATE TRIGGER keep BEFORE UPDATE ON shops FOR EACH ROW EXECUTE FUNCTION keep();"
    assert messages(f"{trigger}\n{KEEP.replace('CREATE', 'CREATE OR REPLACE')}") == []
    assert "function keep() does not exist" in messages(f"{trigger}\n{KEEP}")[0]


def test_an_extension_may_bring_a_function_that_is_replaced() -> None:
    use = "CREATE INDEX shops_grade ON shops (grade(id));"
    assert messages_of_history(f"CREATE EXTENSION postgis;\n{use}\n{GRADE.replace('CREATE', 'CREATE OR REPLACE')}") == []


def test_a_sequence_comes_before_the_default_that_names_it() -> None:
    sequence, use = "CREATE SEQUENCE van_numbers;", "ALTER TABLE shops ADD COLUMN van bigint DEFAULT nextval('van_numbers');"
    (message,) = messages(f"{use}\n{sequence}")
    assert 'relation "van_numbers" does not exist' in message
    assert messages(f"{sequence}\n{use}") == []


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


@pytest.mark.server
@pytest.mark.parametrize(("creation", "use", "called"), CALLS)
def test_a_server_refuses_the_call(server: Server, creation: str, use: str, called: str) -> None:
    with server.connect() as connection:
        connection.execute(f"DROP SCHEMA public CASCADE; CREATE SCHEMA public; {SHOPS}")
        with pytest.raises(psycopg.errors.UndefinedFunction, match=f"function {re.escape(called)} does not exist"):
            connection.execute(use.encode())
        connection.execute(creation.encode())
        connection.execute(use.encode())
