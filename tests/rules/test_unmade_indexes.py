"""drop-index-not-concurrent, where the history tells whether the index can exist."""

import pytest
from msgspec.structs import replace

from migsafe.linting.judge import judge
from migsafe.linting.rulebook import Rulebook, choose_rules, shipped_rules
from migsafe.prediction.history import SelectedMigration
from migsafe.prediction.predictor import Predictor
from tests.support.linted import migration

RULE = Rulebook(choose_rules(shipped_rules(), ["drop-index-not-concurrent"]))
TABLE = "CREATE TABLE shelves (id bigint PRIMARY KEY, room text);"
REBUILT = "DROP INDEX IF EXISTS shelves_room_idx; CREATE INDEX shelves_room_idx ON shelves (room);"


def dropped(*scripts: str, from_first_migration: bool = True, may_change: bool = False) -> list[str]:
    predictor = Predictor(16)
    predictor.begin_history(from_first_migration=from_first_migration)
    migrations = [replace(migration(sql, f"{number}.sql"), may_change=may_change) for number, sql in enumerate(scripts)]
    return [finding.rule for finding in judge([SelectedMigration(each, predictor) for each in migrations], RULE, pg_version=16).findings]


def test_an_index_that_no_migration_made_does_not_exist() -> None:
    assert dropped(TABLE, REBUILT) == []


@pytest.mark.parametrize("drop", ["DROP INDEX shelves_room_idx;", "DROP INDEX IF EXISTS shelves_room_idx;"])
def test_an_index_of_an_earlier_migration_exists(drop: str) -> None:
    assert dropped(f"{TABLE} CREATE INDEX shelves_room_idx ON shelves (room);", drop) == ["drop-index-not-concurrent"]


def test_an_index_may_be_older_than_the_first_known_migration() -> None:
    assert dropped(TABLE, REBUILT, from_first_migration=False) == ["drop-index-not-concurrent"]


def test_a_repeatable_migration_drops_the_index_of_its_last_run() -> None:
    assert dropped(TABLE, REBUILT, may_change=True) == ["drop-index-not-concurrent"]
