"""How severe a foreign key without an index is."""

import pytest

from migsafe.linting.rule import Severity
from tests.support.linted import judge_sql

HISTORY = """
CREATE TYPE state AS ENUM ('open', 'closed');
CREATE TABLE states (state state PRIMARY KEY, title text);
CREATE TABLE flags (id boolean PRIMARY KEY);
CREATE TABLE revisions (id bigint PRIMARY KEY);
CREATE TABLE readers (id bigint PRIMARY KEY);
CREATE TABLE first_audit (id bigint PRIMARY KEY, revision bigint REFERENCES revisions, reader bigint REFERENCES readers);
CREATE TABLE second_audit (id bigint PRIMARY KEY, revision bigint REFERENCES revisions, reader bigint REFERENCES readers);
CREATE INDEX ON second_audit (reader);
-- next migration
"""


@pytest.mark.parametrize(
    ("reference", "severity"),
    [
        ("value state REFERENCES states", Severity.INFO),
        ("value boolean REFERENCES flags", Severity.INFO),
        ("value bigint REFERENCES revisions", Severity.WARNING),
        ("value bigint REFERENCES readers", Severity.WARNING),
        ("value bigint REFERENCES second_audit", Severity.WARNING),
    ],
)
def test_a_table_of_values_is_information(reference: str, severity: Severity) -> None:
    findings = judge_sql(f"{HISTORY}CREATE TABLE loans (id bigint PRIMARY KEY, {reference});").findings
    found = [each for each in findings if each.rule == "foreign-key-without-index" and "public.loans" in each.relations]
    assert [each.severity for each in found] == [severity]
