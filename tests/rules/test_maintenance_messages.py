"""The messages and the help of the rules about maintenance, partitions, rows and explicit locks, with the user's own names."""

import pytest

from migsafe.linting.finding import Finding, Severity
from migsafe.linting.rule import Limits
from migsafe.lock import LockMode
from tests.support.linted import judge_sql

HISTORY = """
CREATE TABLE parcels (id bigint PRIMARY KEY, weight bigint, code text NOT NULL);
CREATE INDEX parcels_weight_idx ON parcels (weight, code);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER parcels_touch BEFORE UPDATE ON parcels FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 (id bigint NOT NULL, day date NOT NULL);
CREATE TABLE halves (id bigint) PARTITION BY HASH (id);
CREATE TABLE halves_0 (id bigint);
CREATE TABLE logs (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE logs_rest PARTITION OF logs DEFAULT;
CREATE MATERIALIZED VIEW totals AS SELECT code, sum(weight) AS weight FROM parcels GROUP BY code;
-- next migration
"""


def finding(sql: str, runner: str = "plain", limits: Limits | None = None) -> Finding:
    findings = judge_sql(HISTORY + sql, runner=runner, limits=limits).findings
    return next(each for each in findings if each.category == "locking")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "VACUUM FULL parcels",
            "VACUUM FULL takes ACCESS EXCLUSIVE on public.parcels while it rewrites every row and index: "
            "every SELECT, INSERT, UPDATE and DELETE waits",
        ),
        (
            "VACUUM (FULL) totals",
            "VACUUM FULL takes ACCESS EXCLUSIVE on public.totals while it rewrites every row and index: every SELECT and REFRESH waits",
        ),
        (
            "VACUUM FULL",
            "VACUUM FULL takes ACCESS EXCLUSIVE on every table in turn, including the system catalogues, while it rewrites every row and "
            "index: every SELECT, INSERT, UPDATE and DELETE waits",
        ),
        (
            "ALTER INDEX parcels_weight_idx SET TABLESPACE fast",
            "SET TABLESPACE takes ACCESS EXCLUSIVE on the index public.parcels_weight_idx of public.parcels while it copies it: "
            "every query of the table waits, because planning locks its indexes",
        ),
        (
            "REFRESH MATERIALIZED VIEW totals",
            "REFRESH MATERIALIZED VIEW takes ACCESS EXCLUSIVE on public.totals until its query has run: every SELECT waits",
        ),
        (
            "REFRESH MATERIALIZED VIEW totals WITH NO DATA",
            "REFRESH … WITH NO DATA discards the rows of public.totals: every SELECT on it fails until the next REFRESH",
        ),
        (
            "REFRESH MATERIALIZED VIEW CONCURRENTLY totals",
            "PostgreSQL refuses REFRESH … CONCURRENTLY of public.totals, because it has no unique index on plain columns without WHERE",
        ),
        (
            "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            "ATTACH PARTITION takes ACCESS EXCLUSIVE on public.events_2026 while it reads every row, because no valid CHECK proves that its "
            "rows belong in the partition: every SELECT, INSERT, UPDATE and DELETE waits",
        ),
        (
            "CREATE TABLE logs_2026 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            "CREATE TABLE … PARTITION OF takes ACCESS EXCLUSIVE on the whole partitioned table public.logs while it reads every row of "
            "public.logs_rest, and first waits for every transaction that uses it: meanwhile every SELECT, INSERT, UPDATE and DELETE waits",
        ),
        (
            "UPDATE parcels SET weight = 0 WHERE code IS NOT NULL",
            "UPDATE WHERE code IS NOT NULL, which is true for every row, changes every row of public.parcels in one transaction, under "
            "ROW EXCLUSIVE: other UPDATEs and DELETEs of these rows wait until it ends",
        ),
        (
            "ALTER TABLE parcels DISABLE TRIGGER USER",
            "DISABLE TRIGGER USER on public.parcels: until it is reverted, no trigger checks or completes rows that any session writes. "
            "This migration does not revert it",
        ),
        (
            "BEGIN; ALTER TABLE parcels DISABLE TRIGGER ALL; ALTER TABLE parcels ENABLE TRIGGER ALL; COMMIT",
            "DISABLE TRIGGER ALL takes SHARE ROW EXCLUSIVE on public.parcels until the transaction ends: every INSERT, UPDATE and DELETE "
            "waits, and no foreign key and no trigger checks rows that the transaction writes",
        ),
        (
            "BEGIN; LOCK TABLE parcels IN SHARE MODE; COMMIT",
            "LOCK TABLE takes SHARE on public.parcels and keeps it until the transaction ends: every INSERT, UPDATE and DELETE waits",
        ),
    ],
)
def test_a_message_says_what_waits_and_why(sql: str, message: str) -> None:
    assert finding(sql).message == message


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        (
            "VACUUM FULL parcels",
            [
                "VACUUM parcels;",
                "-- to return space to the operating system without blocking reads and writes: pg_repack --table=public.parcels",
            ],
        ),
        (
            "CLUSTER parcels USING parcels_weight_idx",
            [
                "-- the extension pg_repack orders the rows in a new table without blocking reads and writes: pg_repack "
                "--table=public.parcels --order-by=weight,code"
            ],
        ),
        (
            "ALTER INDEX parcels_weight_idx SET TABLESPACE fast",
            ["REINDEX (TABLESPACE fast) INDEX CONCURRENTLY parcels_weight_idx;"],
        ),
        (
            "REFRESH MATERIALIZED VIEW totals",
            [
                "DROP INDEX CONCURRENTLY IF EXISTS totals_code_key;",
                "CREATE UNIQUE INDEX CONCURRENTLY totals_code_key ON totals (code);",
                "-- next migration",
                "REFRESH MATERIALIZED VIEW CONCURRENTLY totals;",
            ],
        ),
        (
            "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            [
                "ALTER TABLE events_2026 ADD CONSTRAINT events_2026_bound CHECK (day IS NOT NULL AND day >= '2026-01-01' "
                "AND day < '2027-01-01') NOT VALID;",
                "-- next migration",
                "ALTER TABLE events_2026 VALIDATE CONSTRAINT events_2026_bound;",
                "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
                "-- next migration",
                "ALTER TABLE events_2026 DROP CONSTRAINT events_2026_bound;",
            ],
        ),
        (
            "ALTER TABLE halves ATTACH PARTITION halves_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
            ["-- no CHECK can express the bound of a hash partition: attach the table while it is empty, then fill it in batches"],
        ),
        (
            "CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO (MAXVALUE) WITH (fillfactor = 70)",
            [
                "BEGIN;",
                "CREATE TABLE events_2027 (LIKE events INCLUDING ALL) WITH (fillfactor = 70);",
                "ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO (MAXVALUE);",
                "COMMIT;",
            ],
        ),
        (
            "ALTER TABLE events DETACH PARTITION events_2025",
            [
                "ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY;",
                "-- without a lock_timeout, which would leave the partition pending detach; then only DETACH PARTITION",
                "-- events_2025 FINALIZE completes it",
                "-- it leaves a CHECK with the bounds on events_2025, which can be dropped later",
            ],
        ),
        (
            "ALTER TABLE parcels DISABLE TRIGGER ALL",
            [
                "-- disable only the trigger that is in the way, and only in this transaction:",
                "BEGIN;",
                "ALTER TABLE parcels DISABLE TRIGGER parcels_touch;",
                "-- … the statements that need the trigger to be disabled",
                "ALTER TABLE parcels ENABLE TRIGGER parcels_touch;",
                "COMMIT;",
            ],
        ),
    ],
)
def test_the_safe_way_has_the_users_names(sql: str, lines: list[str]) -> None:
    assert finding(sql).help.splitlines() == lines


def test_the_help_says_how_to_run_outside_a_transaction_with_the_runner() -> None:
    outside = "-- in a migration that runs outside a transaction: "
    assert finding("ALTER TABLE events DETACH PARTITION events_2025", runner="dbmate").help.startswith(outside)
    assert finding("UPDATE parcels SET weight = 0", runner="dbmate").help.startswith(outside)


def test_a_refresh_that_is_refused_is_an_error() -> None:
    assert finding("REFRESH MATERIALIZED VIEW CONCURRENTLY totals").severity is Severity.ERROR
    assert finding("REFRESH MATERIALIZED VIEW totals").severity is Severity.WARNING


def test_a_value_that_is_the_same_for_all_rows_needs_no_batches() -> None:
    added = finding("ALTER TABLE parcels ADD COLUMN size integer; UPDATE parcels SET size = weight;")
    assert added.help.startswith("-- if the value is the same for all rows, use ADD COLUMN … DEFAULT, which takes a moment; otherwise:\n")


def test_changes_in_with_are_not_offered_in_batches() -> None:
    both = finding("WITH more AS (INSERT INTO halves VALUES (1) RETURNING id) UPDATE parcels SET weight = more.id FROM more")
    assert "LOOP" not in both.help


def test_batches_do_not_use_a_key_that_the_statement_changes() -> None:
    assert finding("UPDATE parcels SET id = id + 1").help == "-- in the order of a unique column, 10,000 rows per transaction"


def test_time_on_a_small_table_is_no_harm_but_a_lock_is() -> None:
    small = Limits(lock_timeout=2000, rows={"public.parcels": 10})
    assert finding("UPDATE parcels SET weight = 0", limits=small).severity is Severity.INFO
    assert finding("VACUUM FULL parcels", limits=small).severity is Severity.INFO
    assert finding("ALTER TABLE parcels DISABLE TRIGGER ALL", limits=small).severity is Severity.WARNING


def test_a_lock_is_named() -> None:
    assert finding("ALTER TABLE elsewhere DISABLE RULE quiet").lock is LockMode.ACCESS_EXCLUSIVE
    assert finding("UPDATE parcels SET weight = 0").lock is LockMode.ROW_EXCLUSIVE
