"""A table to which a required column without a value was added has no rows, because PostgreSQL refuses the column otherwise."""

import pytest

from tests.support.linted import reported_rules

TABLES = "CREATE TABLE readers (id bigint PRIMARY KEY); CREATE TABLE loans (id bigint PRIMARY KEY, due date);\n-- next migration\n"
LATER = "CREATE INDEX loans_reader_idx ON loans (reader); ALTER TABLE loans ADD CHECK (reader > 0);"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("reader bigint NOT NULL", ["required-column-added"]),
        ("reader bigint", ["index-not-concurrent", "check-validates"]),
        ("reader bigint NOT NULL DEFAULT 1", ["index-not-concurrent", "check-validates"]),
    ],
)
def test_later_work_on_an_empty_table_is_silent(column: str, expected: list[str]) -> None:
    sql = f"{TABLES}BEGIN; ALTER TABLE loans ADD COLUMN {column}; {LATER} COMMIT;"
    assert [rule for rule in reported_rules(sql) if rule not in ("constraint-added", "long-work-under-lock")] == expected
