"""How severe several locked tables in one transaction are: it depends on the lock_timeout; a finding about work done meanwhile says it too."""

import pytest

from migsafe.linting.rule import Limits, Severity
from migsafe.linting.rulebook import choose_rules, shipped_rules
from tests.support.linted import judge_sql

TABLES = """
CREATE TABLE depots (id bigint PRIMARY KEY, size integer, hub bigint);
CREATE TABLE carriers (id bigint PRIMARY KEY);
-- next migration
"""
TWO = "ALTER TABLE depots ADD COLUMN a text; ALTER TABLE carriers ADD COLUMN a text;"
ROUTES = "CREATE TABLE routes (id bigint PRIMARY KEY, depot bigint REFERENCES depots, carrier bigint REFERENCES carriers);"

HUB = "ALTER TABLE depots ADD CONSTRAINT hub FOREIGN KEY (hub) REFERENCES carriers NOT VALID;"


@pytest.mark.parametrize(
    ("sql", "severity"),
    [
        (f"BEGIN; {TWO} COMMIT;", Severity.INFO),
        (f"SET lock_timeout = 0; BEGIN; {TWO} COMMIT;", Severity.WARNING),
        (f"BEGIN; {TWO} UPDATE depots SET size = 1 WHERE size = 2; COMMIT;", None),
        (f"BEGIN; {TWO} UPDATE depots SET size = 1 WHERE id = 2; COMMIT;", Severity.INFO),
        (f"BEGIN; {TWO} ALTER TABLE carriers ADD CHECK (id > 0); COMMIT;", None),
        (ROUTES, Severity.INFO),
        (f"SET lock_timeout = 0; {ROUTES}", Severity.WARNING),
        (TWO, None),
        ("CREATE TABLE routes (id bigint PRIMARY KEY, depot bigint REFERENCES depots);", None),
        # A foreign key locks two tables at once; an earlier statement may have stopped the reads of one of them.
        (f"SET lock_timeout = 0; BEGIN; {HUB} COMMIT;", None),
        (f"SET lock_timeout = 0; BEGIN; ALTER TABLE depots ADD COLUMN a text; {HUB} COMMIT;", Severity.WARNING),
        (f"SET lock_timeout = 0; BEGIN; COMMENT ON TABLE depots IS 'a'; {HUB} COMMIT;", None),
        # ACCESS SHARE, which a view or the body of a function takes, waits for no query.
        ("SET lock_timeout = 0; BEGIN; ALTER TABLE depots ADD COLUMN a text; CREATE VIEW v AS SELECT id FROM carriers; COMMIT;", None),
        ("BEGIN; ALTER TABLE depots RENAME TO places; ALTER TABLE places ADD COLUMN a text; COMMIT;", None),
    ],
)
def test_a_moment_under_a_lock_timeout_is_information(sql: str, severity: Severity | None) -> None:
    reported = [finding.severity for finding in judge_sql(TABLES + sql).findings if finding.rule == "many-tables-locked"]
    assert reported == ([] if severity is None else [severity])


@pytest.mark.parametrize(
    ("sql", "severity"),
    [
        ("SET lock_timeout = 0; DROP TABLE routes;", Severity.WARNING),
        ("SET lock_timeout = '2s'; DROP TABLE routes;", Severity.INFO),
        ("SET lock_timeout = 0; DROP TABLE stops;", None),
        ("SET lock_timeout = 0; DROP TABLE routes, depots, carriers CASCADE;", None),
    ],
)
def test_drop_table_locks_the_referenced_tables_one_by_one(sql: str, severity: Severity | None) -> None:
    stops = "CREATE TABLE stops (id bigint PRIMARY KEY, depot bigint REFERENCES depots);"
    reported = judge_sql(TABLES.replace("-- next", f"{ROUTES} {stops}\n-- next") + sql).findings
    found = [finding for finding in reported if finding.rule == "many-tables-locked"]
    assert [finding.severity for finding in found] == ([] if severity is None else [severity])
    assert all("each foreign key of the table" in finding.help for finding in found)


def test_a_dropped_table_that_is_not_the_first_locked_one_waits_in_its_own_transaction() -> None:
    sql = f"{TABLES}SET lock_timeout = 0; BEGIN; ALTER TABLE depots ADD COLUMN a text; DROP TABLE carriers; COMMIT;"
    (finding,) = (finding for finding in judge_sql(sql).findings if finding.rule == "many-tables-locked")
    assert finding.help.startswith("-- use a separate transaction or migration for each table")


def test_a_project_without_lock_timeout_is_told_once() -> None:
    first, _, _ = TABLES.partition("-- next")
    pieces = (first, TWO, TWO.replace(" a ", " b "))
    sql = "-- next migration\n".join(f"-- V{number}__change.sql\n{piece}\n" for number, piece in enumerate(pieces, 1))
    (finding,) = (finding for finding in judge_sql(sql, limits=Limits()).findings if finding.rule == "many-tables-locked")
    assert finding.message.endswith("; the same is true of 1 other migration")


@pytest.mark.parametrize(
    ("sql", "severities"),
    [
        (f"BEGIN; {TWO} COMMIT;", [Severity.INFO]),
        (ROUTES, [Severity.INFO]),
        (f"BEGIN; {TWO} ALTER TABLE orders ADD COLUMN b text; COMMIT;", [Severity.WARNING]),
        (f"BEGIN; {TWO} {HUB} {ROUTES} COMMIT;", [Severity.INFO]),
        # Each severity once.
        (f"BEGIN; {TWO} ALTER TABLE orders ADD COLUMN b text; COMMIT; {ROUTES}", [Severity.WARNING, Severity.INFO]),
    ],
)
def test_lock_timeout_missing_reports_two_waits_in_a_project_without_lock_timeout(sql: str, severities: list[Severity]) -> None:
    rules = choose_rules(shipped_rules(), select=["many-tables-locked", "lock-timeout-missing"])
    reported = judge_sql(TABLES + sql, rules, limits=Limits()).findings
    assert [finding.severity for finding in reported if finding.rule == "many-tables-locked"] == severities
    assert "lock-timeout-missing" in [finding.rule for finding in reported]


def test_work_on_two_tables_is_one_finding() -> None:
    sql = (
        "ALTER TABLE depots ADD COLUMN a text; UPDATE depots SET a = 'a'; ALTER TABLE carriers ADD COLUMN a text; UPDATE carriers SET a = 'a';"
    )
    found = judge_sql(f"{TABLES}BEGIN; {sql} COMMIT;").findings
    assert [finding.rule for finding in found if finding.rule in ("many-tables-locked", "long-work-under-lock")] == ["long-work-under-lock"]
    suppressed = sql.replace("UPDATE depots", "\n-- migsafe: ignore[long-work-under-lock] few rows\nUPDATE depots")
    (finding,) = (each for each in judge_sql(f"{TABLES}BEGIN; {suppressed} COMMIT;").findings if each.rule == "many-tables-locked")
    assert finding.message.startswith("the transaction works for a time that grows with a table while it holds locks on public.depots")
