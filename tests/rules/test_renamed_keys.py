"""An index or a constraint that is dropped and created again under another name is renamed instead."""

import pytest

from migsafe.linting.finding import Finding
from tests.support.linted import judge_sql

HISTORY = """
CREATE TABLE regions (id bigint PRIMARY KEY, code text UNIQUE);
CREATE TABLE parcels (
    id bigint PRIMARY KEY, code text, region bigint, CONSTRAINT parcels_code UNIQUE (code, region),
    CONSTRAINT parcels_region FOREIGN KEY (region) REFERENCES regions (id) ON DELETE CASCADE
);
CREATE INDEX parcels_region_idx ON parcels (region DESC) WHERE region IS NOT NULL;
-- next migration
SET lock_timeout = '2s';
BEGIN;
"""
INDEX = "DROP INDEX parcels_region_idx; CREATE INDEX by_region ON parcels"
UNIQUE = "ALTER TABLE parcels DROP CONSTRAINT parcels_code; ALTER TABLE parcels ADD CONSTRAINT by_code UNIQUE"
FOREIGN_KEY = "ALTER TABLE parcels DROP CONSTRAINT parcels_region; ALTER TABLE parcels ADD CONSTRAINT to_region FOREIGN KEY (region) REFERENCES"


def finding(sql: str) -> Finding:
    (reported,) = (each for each in judge_sql(f"{HISTORY}{sql}; COMMIT;").findings if each.category == "locking")
    return reported


@pytest.mark.parametrize(
    ("sql", "way"),
    [
        (f"{INDEX} (region DESC) WHERE region IS NOT NULL", "ALTER INDEX parcels_region_idx RENAME TO by_region;"),
        (f"{UNIQUE} (code, region)", "ALTER TABLE parcels RENAME CONSTRAINT parcels_code TO by_code;"),
        (f"{FOREIGN_KEY} regions ON DELETE CASCADE", "ALTER TABLE parcels RENAME CONSTRAINT parcels_region TO to_region;"),
        (f"{FOREIGN_KEY} regions (id) ON DELETE CASCADE", "ALTER TABLE parcels RENAME CONSTRAINT parcels_region TO to_region;"),
    ],
)
def test_an_equal_one_is_renamed(sql: str, way: str) -> None:
    reported = finding(sql)
    assert reported.help.splitlines()[1:] == [way]
    assert reported.is_fixable
    assert len(reported.replaces) == 2


@pytest.mark.parametrize(
    "sql",
    [
        f"{INDEX} (region DESC)",
        f"{INDEX} (region) WHERE region IS NOT NULL",
        f"{INDEX} (region DESC) WITH (fillfactor = 70) WHERE region IS NOT NULL",
        f"{UNIQUE} (region, code)",
        f"{UNIQUE} NULLS NOT DISTINCT (code, region)",
        f"{UNIQUE} (code, region) DEFERRABLE",
        f"{FOREIGN_KEY} regions ON DELETE SET NULL",
        f"{FOREIGN_KEY} regions MATCH FULL ON DELETE CASCADE",
        f"{FOREIGN_KEY} regions ON DELETE CASCADE DEFERRABLE",
    ],
)
def test_another_one_is_built(sql: str) -> None:
    assert "RENAME" not in finding(sql).help


def test_a_drop_in_the_same_statement_leaves_the_edit_to_the_author() -> None:
    sql = "ALTER TABLE parcels DROP CONSTRAINT parcels_code, ADD CONSTRAINT by_code UNIQUE (code, region)"
    reported = finding(sql)
    assert "RENAME CONSTRAINT parcels_code TO by_code" in reported.help
    assert not reported.is_fixable
