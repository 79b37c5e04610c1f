"""What the rules about types advise."""

import pytest

from migsafe.linting.rule import Severity
from migsafe.linting.rulebook import shipped_rules
from tests.support.linted import judge_sql


def help_of(sql: str, rule: str) -> str:
    [finding] = [finding for finding in judge_sql(sql, rules=shipped_rules()).findings if finding.rule == rule]
    return finding.help


@pytest.mark.parametrize(
    ("column_type", "rule", "advised"),
    [
        ("json[]", "json-type", "-- c jsonb[]"),
        ("char(5)[]", "char-type", "-- c text[]"),
        ("timestamp[][]", "timestamp-without-time-zone", "-- c timestamptz[][]"),
        ("json", "json-type", "-- c jsonb"),
    ],
)
def test_an_array_stays_an_array(column_type: str, rule: str, advised: str) -> None:
    assert help_of(f"CREATE TABLE t (id bigint PRIMARY KEY, c {column_type})", rule) == advised


@pytest.mark.parametrize(
    ("further", "severity"),
    [
        ("", Severity.INFO),
        ("UPDATE notes SET line = NULL;", Severity.INFO),
        ("CREATE INDEX ON copy (line);", Severity.WARNING),
        ("INSERT INTO copy VALUES (1);", Severity.WARNING),
    ],
)
def test_a_copy_needs_no_key(further: str, severity: Severity) -> None:
    sql = f"CREATE TABLE notes (id bigint PRIMARY KEY, line text);\n-- next migration\nCREATE TABLE copy AS SELECT * FROM notes; {further}"
    [finding] = [finding for finding in judge_sql(sql, rules=shipped_rules()).findings if finding.rule == "table-without-primary-key"]
    assert finding.severity is severity


def test_a_bigint_is_never_narrowed() -> None:
    sql = "CREATE TABLE a (id numeric PRIMARY KEY); CREATE TABLE b (id bigint PRIMARY KEY, a_id bigint REFERENCES a)"
    assert help_of(sql, "foreign-key-type-mismatch") == "-- id of public.a as bigint"


@pytest.mark.parametrize(
    ("before", "severity"),
    [
        (("serial", "int", "int GENERATED ALWAYS AS IDENTITY"), Severity.INFO),
        (("serial", "int", "int", "uuid"), Severity.INFO),
        (("serial", "int", "int", "bigserial"), Severity.WARNING),
        ((*("int",) * 9, "bigint"), Severity.INFO),
        ((*("int",) * 8, "bigint"), Severity.WARNING),
        (("serial", "int"), Severity.WARNING),
    ],
)
def test_small_keys_are_a_decision_about_all_tables(before: tuple[str, ...], severity: Severity) -> None:
    tables = "".join(f"CREATE TABLE t{number} (id {key} PRIMARY KEY);\n" for number, key in enumerate(before))
    sql = f"{tables}-- next migration\nCREATE TABLE orders (id serial PRIMARY KEY);"
    findings = [finding for finding in judge_sql(sql, rules=shipped_rules()).findings if finding.rule == "int-primary-key"]
    [finding] = [finding for finding in findings if "public.orders" in finding.message]
    assert finding.severity is severity
    assert finding.message.endswith("2,147,483,647" + (", like those of the tables before it" if severity is Severity.INFO else ""))
