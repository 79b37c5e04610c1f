"""A DROP … IF EXISTS CASCADE that only makes room for a new object drops nothing."""

from tests.support.linted import judge_sql

HISTORY = """
-- V1__loans.sql
CREATE TABLE loans (id bigint PRIMARY KEY);

-- next migration
-- V2__readers.sql
DROP TABLE IF EXISTS readers CASCADE;
CREATE TABLE readers (id bigint PRIMARY KEY);
DROP VIEW IF EXISTS late_loans CASCADE;
CREATE VIEW late_loans AS SELECT id FROM loans;

-- next migration
-- V3__again.sql
DROP TABLE IF EXISTS loans CASCADE;
CREATE TABLE loans (id bigint PRIMARY KEY);
"""


def test_only_a_table_of_the_history_is_lost() -> None:
    found = [finding for finding in judge_sql(HISTORY).findings if finding.rule in ("drop-cascade", "drop-table", "drop-object")]
    assert {(finding.rule, finding.migration) for finding in found} == {("drop-cascade", "3")}
