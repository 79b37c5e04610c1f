"""A new column gets its value, NOT NULL and its foreign key where it is added, if that reads no rows."""

import pytest

from tests.support.linted import judge_sql

HISTORY = """
CREATE TABLE regions (id bigint PRIMARY KEY);
CREATE TABLE parcels (id bigint PRIMARY KEY, code text);
-- next migration
SET lock_timeout = '2s';
BEGIN;
ALTER TABLE parcels ADD COLUMN size integer;
"""
SET_NOT_NULL = "ALTER TABLE parcels ALTER COLUMN size SET NOT NULL"


def helps(sql: str) -> dict[str, str]:
    return {finding.rule: finding.help for finding in judge_sql(f"{HISTORY}{sql}; COMMIT;").findings}


@pytest.mark.parametrize(
    ("update", "value"),
    [
        ("UPDATE parcels SET size = 1", "1"),
        ("UPDATE parcels SET size = -1 WHERE size IS NULL", "-1"),
        ("UPDATE ONLY parcels AS p SET size = '1'::integer", "CAST('1' AS INT)"),
        ("UPDATE parcels SET size = true", "TRUE"),
    ],
)
def test_a_constant_is_a_default(update: str, value: str) -> None:
    found = helps(f"{update}; {SET_NOT_NULL}")
    assert found["backfill-unbatched"].splitlines()[1] == f"ALTER TABLE parcels ADD COLUMN size integer DEFAULT {value};"
    for rule in ("set-not-null-scans", "required-column-added"):
        assert found[rule].splitlines()[1] == f"ALTER TABLE parcels ADD COLUMN size integer NOT NULL DEFAULT {value};"


@pytest.mark.parametrize(
    "update",
    [
        "UPDATE parcels SET size = length(code)",
        "UPDATE parcels SET size = 1 WHERE code = 'a'",
        "UPDATE parcels SET size = 1; UPDATE parcels SET size = 2 WHERE id = 3",
        "UPDATE parcels SET size = 1 FROM regions WHERE regions.id = parcels.id",
        "UPDATE parcels SET size = NULL",
    ],
)
def test_other_values_are_filled_in(update: str) -> None:
    found = helps(f"{update}; {SET_NOT_NULL}")
    for rule in ("set-not-null-scans", "required-column-added"):
        assert "DEFAULT" not in found[rule]


def test_a_column_with_a_default_is_not_added_with_another_value() -> None:
    sql = f"ALTER TABLE parcels ADD COLUMN weight integer DEFAULT 1; UPDATE parcels SET weight = 2; {SET_NOT_NULL.replace('size', 'weight')}"
    assert "ADD COLUMN" not in helps(sql)["set-not-null-scans"]


@pytest.mark.parametrize(
    ("key", "clause"),
    [
        ("FOREIGN KEY (size) REFERENCES regions", "CONSTRAINT parcels_size_fkey REFERENCES regions;"),
        (
            "CONSTRAINT to_region FOREIGN KEY (size) REFERENCES regions (id) ON DELETE SET NULL DEFERRABLE",
            "CONSTRAINT to_region REFERENCES regions (id) ON DELETE SET NULL DEFERRABLE;",
        ),
    ],
)
def test_a_foreign_key_of_a_new_column_is_one_of_its_definition(key: str, clause: str) -> None:
    found = helps(f"ALTER TABLE parcels ADD {key}")
    assert found["foreign-key-validates"].splitlines()[1] == f"ALTER TABLE parcels ADD COLUMN size integer {clause}"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE parcels SET size = 1; ALTER TABLE parcels ADD FOREIGN KEY (size) REFERENCES regions",
        "CREATE TABLE areas (id integer PRIMARY KEY); ALTER TABLE parcels ADD FOREIGN KEY (size) REFERENCES areas",
        "ALTER TABLE parcels ADD FOREIGN KEY (id) REFERENCES regions",
    ],
)
def test_other_foreign_keys_are_validated_later(sql: str) -> None:
    assert "VALIDATE CONSTRAINT" in helps(sql)["foreign-key-validates"]
