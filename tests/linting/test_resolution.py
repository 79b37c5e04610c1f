"""Findings that a later migration of the run resolves are left out."""

import pytest

from migsafe.linting.rulebook import shipped_rules
from tests.support.linted import judge_sql

CREATE = "CREATE TABLE loans (id bigint, due date);"
FIRST = "CREATE TABLE loans (id bigint PRIMARY KEY, due date, reader bigint); CREATE INDEX loans_due_idx ON loans (due, reader);"
NARROW = "\n-- next migration\nCREATE INDEX CONCURRENTLY loans_narrow_idx ON loans (due);"


def reported(sql: str, rule: str) -> list[str]:
    return [finding.rule for finding in judge_sql(sql, [each for each in shipped_rules() if each.name == rule]).findings]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ("", ["table-without-primary-key"]),
        ("\n-- next migration\nDROP TABLE loans;", []),
        ("\n-- next migration\nALTER TABLE loans RENAME TO lent;", ["table-without-primary-key"]),
        ("\n-- next migration\nDROP TABLE loans;\n-- next migration\nCREATE TABLE loans (id bigint PRIMARY KEY);", []),
    ],
)
def test_a_table_that_is_dropped_later_needs_no_key(later: str, expected: list[str]) -> None:
    assert reported(CREATE + later, "table-without-primary-key") == expected


@pytest.mark.parametrize("dropped", ["loans_due_idx", "loans_narrow_idx"])
def test_an_index_whose_twin_is_dropped_later_is_not_redundant(dropped: str) -> None:
    assert reported(FIRST + NARROW, "redundant-index") == ["redundant-index"]
    assert reported(f"{FIRST}{NARROW}\n-- next migration\nDROP INDEX CONCURRENTLY {dropped};", "redundant-index") == []


CHANGED = """-- V1__loans.sql
CREATE TABLE loans (id bigint PRIMARY KEY, code varchar(9), note varchar(9));
-- next migration
-- V2__longer.sql
ALTER TABLE loans ALTER COLUMN code TYPE text, ALTER COLUMN note TYPE text;
"""


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ("", ["statistics-lost"]),
        ("ANALYZE loans (code);", ["statistics-lost"]),
        ("ANALYZE loans;", []),
        ("ANALYZE loans (note); ANALYZE loans (code);", []),
        ("ANALYZE loans (note); ALTER TABLE loans DROP COLUMN code;", []),
        ("ANALYZE; ALTER TABLE loans RENAME COLUMN code TO code_2;", []),
        ("ANALYZE loans; ALTER TABLE loans ALTER COLUMN code TYPE varchar(3);", ["statistics-lost"]),
        ("BEGIN; ANALYZE loans; ROLLBACK;", ["statistics-lost"]),
    ],
)
def test_columns_that_are_analyzed_later_have_statistics(later: str, expected: list[str]) -> None:
    sql = CHANGED + (f"-- next migration\n-- V3__next.sql\n{later}\n" if later else "")
    assert list(dict.fromkeys(reported(sql, "statistics-lost"))) == expected


def test_a_suppression_of_a_resolved_finding_is_used() -> None:
    sql = f"-- migsafe: ignore[table-without-primary-key] for one release\n{CREATE}\n-- next migration\nDROP TABLE loans;"
    assert reported(sql, "suppression-unused") == []
