"""What single messages and safe ways must say."""

import pytest

from migsafe.linting.finding import Finding
from migsafe.linting.rule import Limits
from migsafe.linting.rulebook import shipped_rules
from tests.support.linted import judge_sql

TABLES = """
CREATE TABLE readers (id bigint PRIMARY KEY);
CREATE TABLE loans (id bigint PRIMARY KEY, due date);
ALTER TABLE loans ADD CONSTRAINT due_known CHECK (due IS NOT NULL) NOT VALID;
CREATE TABLE days (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE days_rest PARTITION OF days DEFAULT;
-- next migration
"""


def finding(sql: str, rule: str, limits: Limits | None = None, pg_version: int = 17) -> Finding:
    rules = [each for each in shipped_rules() if each.name == rule]
    (found,) = judge_sql(TABLES + sql, rules, limits=limits, pg_version=pg_version).findings
    return found


def test_each_lock_is_named_with_its_table() -> None:
    reported = finding("SET lock_timeout = 0; ALTER TABLE loans ADD COLUMN reader bigint REFERENCES readers;", "lock-timeout-missing", Limits())
    assert "requests ACCESS EXCLUSIVE on public.loans and SHARE ROW EXCLUSIVE on public.readers" in reported.message


def test_an_unlogged_table_loses_its_rows() -> None:
    assert "a crash of the server empties the table" in finding("ALTER TABLE loans SET UNLOGGED;", "maintenance-rewrites").message
    assert "a crash" not in finding("ALTER TABLE unknown SET LOGGED;", "maintenance-rewrites").message


@pytest.mark.parametrize("pg_version", [17, 18])
def test_an_existing_check_is_validated(pg_version: int) -> None:
    reported = finding("ALTER TABLE loans ALTER COLUMN due SET NOT NULL;", "set-not-null-scans", pg_version=pg_version)
    assert "VALIDATE CONSTRAINT due_known" in reported.help
    assert "ADD CONSTRAINT" not in reported.help


def test_the_help_of_a_validation_keeps_the_words_around_the_table() -> None:
    reported = finding("ALTER TABLE IF EXISTS ONLY loans ADD COLUMN a text, VALIDATE CONSTRAINT due_known;", "validate-holds-lock")
    assert reported.help.count("ALTER TABLE IF EXISTS ONLY loans ") == 2


def test_a_default_partition_is_proved_first() -> None:
    reported = finding(
        "CREATE TABLE days_2026 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');", "partition-of-locks-parent"
    )
    steps = [reported.help.index(step) for step in ("NOT VALID", "VALIDATE CONSTRAINT", "ATTACH PARTITION", "DROP CONSTRAINT")]
    assert steps == sorted(steps)
    assert "ALTER TABLE public.days_rest ADD CONSTRAINT" in reported.help
