"""newer-than-server reports a function of a later release only if nothing else can have created one of that name."""

from migsafe.linting.judge import judge
from migsafe.linting.rulebook import Rulebook, choose_rules, shipped_rules
from migsafe.prediction.history import SelectedMigration
from migsafe.prediction.predictor import Predictor
from tests.support.linted import migration

RULE = Rulebook(choose_rules(shipped_rules(), ["newer-than-server"]))
CALL = "CREATE TABLE code (id uuid DEFAULT uuidv7());"


def messages(*scripts: str, pg_version: int = 16, from_first_migration: bool = True) -> list[str]:
    predictor = Predictor(pg_version)
    predictor.begin_history(from_first_migration=from_first_migration)
    selected = [SelectedMigration(migration(sql, f"{number}.sql"), predictor) for number, sql in enumerate(scripts)]
    return [finding.message for finding in judge(selected, RULE, pg_version).findings]


def test_a_function_of_a_later_release_is_reported() -> None:
    (message,) = messages(CALL)
    assert "uuidv7() exists from PostgreSQL 18: PostgreSQL 16 (pg-version) refuses" in message
    assert len(messages("SELECT any_value(a), random(1, 2), random() FROM (VALUES (1)) AS v (a);")) == 1
    assert len(messages("CREATE EXTENSION pgcrypto;", CALL)) == 1
    assert messages(CALL, pg_version=18) == []


def test_a_function_that_may_have_been_created_is_not() -> None:
    definition = "CREATE FUNCTION {}uuidv7() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';"
    assert messages(definition.format(""), CALL) == []
    assert messages(definition.format("app."), "SET search_path = app;" + CALL) == []
    assert messages("CREATE EXTENSION pg_uuidv7;", CALL) == []
    assert messages("DO $$ BEGIN EXECUTE (SELECT code FROM scripts); END $$;", CALL) == []
    assert messages("ALTER TABLE orders ADD note text;", CALL) == []
    assert messages(CALL, from_first_migration=False) == []
