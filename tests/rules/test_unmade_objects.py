"""DROP … IF EXISTS of what no migration has made, before the migration makes it."""

import pytest

from migsafe.linting.judge import judge
from migsafe.linting.rulebook import Rulebook, choose_rules, shipped_rules
from migsafe.prediction.history import SelectedMigration
from migsafe.prediction.predictor import Predictor
from tests.support.linted import migration

INDEX_RULES = ["drop-index-not-concurrent"]
TABLE_RULES = ["drop-table", "lock-timeout-missing", "many-tables-locked"]
RULES = Rulebook(choose_rules(shipped_rules(), [*INDEX_RULES, *TABLE_RULES, "drop-object"]))
TABLE = "CREATE TABLE shelves (id bigint PRIMARY KEY, room text);"
NEW_INDEX = "CREATE INDEX CONCURRENTLY shelves_room_idx ON shelves (room);"
NEW_TABLE = "CREATE TABLE boxes (id bigint PRIMARY KEY, room text);"


def rules(*scripts: str, from_first_migration: bool = True, runs_again: bool = False) -> list[str]:
    """The rules with a finding about the last script."""
    predictor = Predictor(16)
    predictor.begin_history(from_first_migration=from_first_migration)
    predictor.catalog.runs_again = runs_again
    migrations = [SelectedMigration(migration(sql, f"{number}.sql"), predictor) for number, sql in enumerate(scripts)]
    last = f"{len(scripts) - 1}.sql"
    return sorted(finding.rule for finding in judge(migrations, RULES, pg_version=16).findings if finding.script.path == last)


@pytest.mark.parametrize(
    "sql",
    [
        f"DROP INDEX IF EXISTS shelves_room_idx; {NEW_INDEX}",
        f"DROP TABLE IF EXISTS boxes; {NEW_TABLE}",
        "DROP VIEW IF EXISTS rooms; CREATE VIEW rooms AS SELECT room FROM shelves;",
        "DROP MATERIALIZED VIEW IF EXISTS rooms; CREATE MATERIALIZED VIEW rooms AS SELECT room FROM shelves;",
        "DROP TABLE IF EXISTS boxes; CREATE TABLE boxes AS SELECT room FROM shelves;",
    ],
)
def test_it_only_makes_room(sql: str) -> None:
    assert rules(TABLE, sql) == []
    assert rules(TABLE, sql, from_first_migration=False) != []
    assert rules(TABLE, sql, runs_again=True) != []


def test_a_first_migration_may_be_the_only_one_that_is_known() -> None:
    assert "drop-table" in rules(f"DROP TABLE IF EXISTS boxes; {NEW_TABLE}")


def test_an_object_of_an_earlier_migration_exists() -> None:
    assert "drop-index-not-concurrent" in rules(TABLE + NEW_INDEX, f"DROP INDEX IF EXISTS shelves_room_idx; {NEW_INDEX}")
    assert "drop-table" in rules(NEW_TABLE, f"DROP TABLE IF EXISTS boxes; {NEW_TABLE}")


def test_what_is_not_made_again_may_exist() -> None:
    assert "drop-table" in rules(TABLE, "DROP TABLE IF EXISTS boxes;")
    assert "drop-index-not-concurrent" in rules(TABLE, "DROP INDEX IF EXISTS shelves_room_idx;")
    assert "drop-table" in rules(TABLE, f"DROP TABLE boxes; {NEW_TABLE}")


def test_a_dropped_table_is_not_waited_for() -> None:
    both = "CREATE TABLE boxes (id bigint PRIMARY KEY); CREATE TABLE lids (id bigint PRIMARY KEY);"
    assert "many-tables-locked" not in rules(both, "BEGIN; DROP TABLE boxes; DROP TABLE lids; COMMIT;")
    assert "many-tables-locked" in rules(both, "BEGIN; ALTER TABLE boxes ADD COLUMN n text; DROP TABLE lids; COMMIT;")
