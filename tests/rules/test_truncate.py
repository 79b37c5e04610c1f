"""What a TRUNCATE loses depends on whether its transaction fills the table again."""

import pytest

from migsafe.linting.finding import Severity
from tests.support.linted import judge_sql

TABLES = (
    "CREATE TABLE sales (id bigint PRIMARY KEY, price int); CREATE TABLE totals (price int); CREATE TABLE notes (id int);\n-- next migration\n"
)
FILL = "INSERT INTO totals SELECT sum(price) FROM sales;"
REFRESH = f"CREATE FUNCTION refresh() RETURNS void LANGUAGE plpgsql AS $$ BEGIN TRUNCATE totals; {FILL} END $$; SELECT refresh();"


@pytest.mark.parametrize(
    ("sql", "severity"),
    [
        (f"BEGIN; TRUNCATE totals; {FILL} COMMIT;", Severity.INFO),
        (REFRESH, Severity.INFO),
        (f"TRUNCATE totals; {FILL}", Severity.ERROR),
        (f"BEGIN; {FILL} TRUNCATE totals; COMMIT;", Severity.ERROR),
        (f"BEGIN; TRUNCATE totals, notes; {FILL} COMMIT;", Severity.ERROR),
        (f"BEGIN; TRUNCATE totals CASCADE; {FILL} COMMIT;", Severity.ERROR),
        ("BEGIN; TRUNCATE totals; INSERT INTO totals VALUES (1); COMMIT;", Severity.ERROR),
    ],
)
def test_a_table_that_is_filled_again_is_information(sql: str, severity: Severity) -> None:
    assert [finding.severity for finding in judge_sql(TABLES + sql).findings if finding.rule == "truncate"] == [severity]
