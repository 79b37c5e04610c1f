"""A migration that fails because of rows: which rows can cause it, and what a replay with empty tables may say afterwards."""

from pathlib import Path

import pytest

from migsafe.library.replay_facts import rows_at_start
from migsafe.library.replay_verdict import replay_verdict
from migsafe.linting.finding import Finding, Severity
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.row_failures import RowCause
from migsafe.replaying.servers.private import PrivateHost
from migsafe.schema.statistics import ColumnStatistics
from migsafe.sql.operations import Name
from tests.support.replays import ROWS, FinishedReplay, replay_files

pytestmark = pytest.mark.server

TABLES = "CREATE TABLE customer (id int PRIMARY KEY); CREATE TABLE orders (id int PRIMARY KEY, customer int, kind int, note text NOT NULL);\n"
REGION = "CREATE TABLE region (id int PRIMARY KEY CHECK (id < 5));\n"


def findings(done: FinishedReplay) -> list[Finding]:
    return replay_verdict(done.replayed, Budgets(), done.run.problems, 18).findings


def failures(done: FinishedReplay) -> list[Finding]:
    return [finding for finding in findings(done) if finding.rule == "replay-fails"]


FAIL_ON_ANY_ROW = {
    "ADD COLUMN": "ALTER TABLE orders ADD w int NOT NULL;",
    "two columns": "ALTER TABLE orders ADD v int NOT NULL DEFAULT 1, ADD w int NOT NULL;",
}


@pytest.mark.parametrize("text", FAIL_ON_ANY_ROW.values(), ids=FAIL_ON_ANY_ROW)
def test_a_statement_that_any_row_makes_fail_fails_and_the_replay_continues(host: PrivateHost, tmp_path: Path, text: str) -> None:
    later = "ALTER TABLE orders ADD more int; UPDATE orders SET more = 1;"
    done = replay_files(host, tmp_path, {"0001.sql": TABLES, "0002.sql": text, "0003.sql": later}, "rerun", "crash")
    emptied, last = done.replayed[1:]
    assert emptied.recording.failure is None
    assert emptied.emptying is not None
    assert (emptied.emptying.cause, emptied.emptying.tables, emptied.emptying.check) == (RowCause.ANY, {Name("orders", "public")}, "")
    assert emptied.emptying.event == "failed on rows"
    [failed] = failures(done)
    assert (failed.rule, failed.severity, failed.statement) == ("replay-fails", Severity.ERROR, 1)
    assert "every table that has rows" in failed.message
    [touch] = last.recording.statements[1].measured_effects
    assert touch.rows == ROWS
    assert done.run.not_run == []


def test_a_table_that_was_renamed_is_emptied_under_its_new_name(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "0001.sql": TABLES,
        "0002.sql": "ALTER TABLE orders RENAME TO purchases; CREATE SCHEMA shop; ALTER TABLE purchases SET SCHEMA shop;",
        "0003.sql": "ALTER TABLE shop.purchases ADD w int;",
        "0004.sql": "ALTER TABLE shop.purchases ALTER w SET NOT NULL;",
    }
    done = replay_files(host, tmp_path, files)
    emptied = done.replayed[-1]
    assert emptied.recording.failure is None
    assert emptied.emptying is not None
    assert emptied.emptying.tables == {Name("purchases", "shop")}


def test_tables_that_fail_one_after_the_other_are_emptied(host: PrivateHost, tmp_path: Path) -> None:
    text = (
        "ALTER TABLE customer ADD w int; ALTER TABLE customer ALTER w SET NOT NULL; ALTER TABLE orders ADD v int NOT NULL; "
        "ALTER TABLE orders ALTER note TYPE int USING note::int;"
    )
    done = replay_files(host, tmp_path, {"0001.sql": TABLES, "0002.sql": text, "0003.sql": "SELECT 1;"})
    emptied = done.replayed[1]
    assert (emptied.recording.failure, done.run.not_run) == (None, [])
    assert emptied.emptying is not None
    assert emptied.emptying.tables == {Name("customer", "public"), Name("orders", "public")}
    assert (emptied.emptying.cause, emptied.emptying.statement) == (RowCause.ANY, 3)


FAIL_ON_EXISTING_ROWS = {
    "SET NOT NULL": (
        "ALTER TABLE orders ADD w int; ALTER TABLE orders ALTER w SET NOT NULL;",
        "",
    ),
    "CHECK": ("ALTER TABLE orders ADD CHECK (kind < 3);", "SELECT count(*) FROM public.orders WHERE NOT (kind < 3);"),
    "VALIDATE": (
        "ALTER TABLE orders ADD CONSTRAINT few CHECK (kind < 3) NOT VALID; ALTER TABLE orders VALIDATE CONSTRAINT few;",
        "SELECT count(*) FROM public.orders WHERE NOT (kind < 3);",
    ),
    "UNIQUE": ("ALTER TABLE orders ADD half int GENERATED ALWAYS AS (kind / 2) STORED; ALTER TABLE orders ADD UNIQUE (half);", ""),
    "UNIQUE INDEX": (
        "CREATE UNIQUE INDEX CONCURRENTLY ON orders ((kind / 2));",
        "SELECT (kind / 2), count(*) FROM public.orders WHERE (kind / 2) IS NOT NULL GROUP BY 1 HAVING count(*) > 1;",
    ),
    "FOREIGN KEY": (
        "ALTER TABLE orders ADD FOREIGN KEY (kind) REFERENCES region;",
        "SELECT count(*) FROM public.orders AS here WHERE here.kind IS NOT NULL "
        "AND NOT EXISTS (SELECT FROM public.region AS there WHERE there.id = here.kind);",
    ),
}


@pytest.mark.parametrize(("text", "check"), FAIL_ON_EXISTING_ROWS.values(), ids=FAIL_ON_EXISTING_ROWS)
def test_a_statement_that_existing_rows_make_fail_fails_and_the_replay_continues(
    host: PrivateHost, tmp_path: Path, text: str, check: str
) -> None:
    later = "ALTER TABLE orders ADD more int; UPDATE orders SET more = 1;"
    done = replay_files(host, tmp_path, {"0001.sql": TABLES + REGION, "0002.sql": text, "0003.sql": later}, "rerun", "crash")
    emptied, last = done.replayed[1:]
    assert emptied.emptying is not None
    assert emptied.emptying.event == "failed on generated rows"
    assert (emptied.emptying.tables, emptied.emptying.check) == ({Name("orders", "public")}, check)
    [failed] = failures(done)
    assert (failed.rule, failed.statement) == ("replay-fails", emptied.emptying.statement)
    assert "Production may have such rows too, or none" in failed.message
    assert check in failed.message
    assert all(outcome.passed is not True or "one transaction" in outcome.summary for outcome in emptied.outcomes)
    # The tables are filled again for the next migration, as far as the new constraint allows.
    [touch] = last.recording.statements[1].measured_effects
    assert (touch.rows or 0) > ROWS // 2
    assert rows_at_start([emptied, last], "", [Name("orders", "public")]).tables["public.orders"] == touch.rows


FAIL_ON_GENERATED_ROWS = {
    "a cast": "ALTER TABLE orders ALTER note TYPE int USING note::int;",
    "a row with a generated key": "INSERT INTO orders VALUES (1, 1, 1, 'first');",
    "several rows of a subquery": "INSERT INTO orders SELECT -1, 1, (SELECT id FROM orders WHERE id > 1), '';",
    "a row that is met twice": "INSERT INTO orders SELECT 7, kind, 1, '' FROM orders ON CONFLICT (id) DO UPDATE SET kind = 2;",
    "a guard": "UPDATE orders SET kind = 2; DO $$ BEGIN IF EXISTS (SELECT FROM orders WHERE id % 2 = 0) THEN RAISE 'even'; END IF; END $$;",
    "an assertion": "UPDATE orders SET kind = 3; DO $$ BEGIN ASSERT (SELECT count(*) < 2 FROM orders); END $$;",
}


@pytest.mark.parametrize("text", FAIL_ON_GENERATED_ROWS.values(), ids=FAIL_ON_GENERATED_ROWS)
def test_after_a_failure_on_generated_rows_nothing_passes(host: PrivateHost, tmp_path: Path, text: str) -> None:
    files = {"1_a.up.sql": TABLES, "1_a.down.sql": "DROP TABLE orders;", "2_b.up.sql": text, "2_b.down.sql": "SELECT 1;"}
    done = replay_files(host, tmp_path, files, "rerun", "crash", "round trip", only="2_b.up.sql")
    assert done.recording.failure is None
    emptying = done.replayed[0].emptying
    assert emptying is not None
    assert emptying.tables == {Name("orders", "public")}
    [warning] = [finding for finding in findings(done) if finding.rule == "replay-fails-on-generated-rows"]
    assert warning.severity is Severity.WARNING
    assert emptying.message in warning.message
    assert warning.statement == emptying.statement
    for outcome in done.replayed[0].outcomes:
        assert outcome.passed is not True or "one transaction" in outcome.summary
        assert not any("lost" in step.text for step in outcome.observations)


def test_a_name_from_a_generated_row_is_no_failure(host: PrivateHost, tmp_path: Path) -> None:
    tables = "CREATE TABLE tenants (id int PRIMARY KEY, namespace text NOT NULL);"
    text = (
        "UPDATE tenants SET id = id; DO $$ DECLARE name text; BEGIN FOR name IN SELECT namespace FROM tenants LOOP "
        "EXECUTE format('CREATE TABLE %I.orders (id int)', name); END LOOP; END $$;"
    )
    done = replay_files(host, tmp_path, {"0001.sql": tables, "0002.sql": text, "0003.sql": "SELECT 1;"}, only="0002.sql")
    assert (done.recording.failure, done.run.repairs.schemas) == (None, [])
    assert [finding.rule for finding in findings(done)] == ["replay-fails-on-generated-rows"]
    # A name in the text of the migration is missing whatever the rows are.
    missing = text.replace("%I.orders", "%I.orders AS TABLE gone").replace("(id int)", "").replace("SELECT namespace", "SELECT 'public'")
    done = replay_files(host, tmp_path, {"0001.sql": tables, "0002.sql": missing}, only="0002.sql")
    assert [finding.rule for finding in findings(done)] == ["replay-fails"]


def test_a_failure_with_and_without_rows_is_one_finding(host: PrivateHost, tmp_path: Path) -> None:
    text = "UPDATE orders SET kind = 2; DO $$ BEGIN RAISE 'not on this server'; END $$;"
    done = replay_files(host, tmp_path, {"0001.sql": TABLES, "0002.sql": text}, only="0002.sql")
    [failed] = [finding for finding in findings(done) if finding.rule.startswith("replay-fails")]
    assert (failed.rule, failed.severity) == ("replay-fails", Severity.ERROR)
    assert "on the generated rows, and with empty tables: not on this server" in failed.message


def test_the_database_before_the_migration_is_emptied_too(host: PrivateHost, tmp_path: Path) -> None:
    text = (
        "ALTER TABLE orders ADD IF NOT EXISTS a int; UPDATE orders SET a = note::int; CREATE INDEX CONCURRENTLY IF NOT EXISTS a ON orders (a);"
    )
    done = replay_files(host, tmp_path, {"0001.sql": TABLES, "0002.sql": text}, "crash", only="0002.sql")
    assert done.recording.failure is None
    crash = done.outcome("crash")
    # The second run after a crash during the build of the index keeps the INVALID index.
    assert (crash.passed, [step.statement for step in crash.observations]) == (False, [3])


def test_an_experiment_without_a_failure_was_not_tried_with_rows(host: PrivateHost, tmp_path: Path) -> None:
    files = {"1_a.up.sql": TABLES, "1_a.down.sql": "", "2_b.up.sql": "UPDATE orders SET kind = note::int;", "2_b.down.sql": "SELECT 1;"}
    done = replay_files(host, tmp_path, files, "rerun", "round trip", only="2_b.up.sql")
    assert [(outcome.passed, outcome.summary[:66]) for outcome in done.replayed[0].outcomes] == [
        (None, "not tried with rows: public.orders had to be emptied; otherwise a "),
        (None, "not tried with rows: public.orders had to be emptied; otherwise th"),
    ]


def test_generated_nulls_and_duplicates_are_no_failure(host: PrivateHost, tmp_path: Path) -> None:
    tables = "CREATE TABLE orders (id int PRIMARY KEY, status text, kind text, email text, note text);"
    text = """
        DO $$ BEGIN IF EXISTS (SELECT FROM orders WHERE email IS NULL) THEN RAISE 'email is missing'; END IF; END $$;
        UPDATE orders SET note = '' WHERE note IS NULL;
        ALTER TABLE orders ALTER note SET NOT NULL, ADD UNIQUE (status);
        DO $$ BEGIN EXECUTE 'CREATE TABLE copied (kind text PRIMARY KEY)'; EXECUTE 'INSERT INTO copied SELECT kind FROM orders'; END $$;
    """
    done = replay_files(host, tmp_path, {"0001.sql": tables, "0002.sql": text}, only="0002.sql")
    assert (done.recording.failure, done.replayed[0].emptying) == (None, None)
    # What the DO block requires is not known before it fails.
    [note] = done.run.notes
    assert "0002.sql failed on generated NULLs or repeated values (email is missing)" in note
    assert "ran again on rows of public.orders without any" in note


def test_a_value_that_is_computed_from_generated_nulls_is_no_failure(host: PrivateHost, tmp_path: Path) -> None:
    tables = "CREATE TABLE users (id int PRIMARY KEY, tenant int);"
    text = "ALTER TABLE users ADD stamp text NOT NULL DEFAULT ''; UPDATE users SET stamp = md5(id::text || tenant::text);"
    files = {"0001.sql": tables, "0002.sql": text}
    done = replay_files(host, tmp_path, files, only="0002.sql")
    assert (done.recording.failure, done.replayed[0].emptying) == (None, None)
    assert "ran again on rows of public.users without any" in done.run.notes[0]
    # The NULLs of production make it fail there, too.
    known = {"public.users": {"tenant": ColumnStatistics(null_frac=0.3)}}
    assert replay_files(host, tmp_path, files, only="0002.sql", production_columns=known).replayed[0].emptying is not None


def test_a_backfill_has_nulls_to_fill(host: PrivateHost, tmp_path: Path) -> None:
    tables = "CREATE TABLE orders (id int PRIMARY KEY, note text, code text);"
    counted = "DO $$ BEGIN ASSERT (SELECT count(*) FILTER (WHERE note IS NULL) > 5 AND count(code) = count(*) FROM orders); END $$;"
    text = f"{counted} UPDATE orders SET note = '' WHERE note IS NULL; ALTER TABLE orders ALTER note SET NOT NULL, ALTER code SET NOT NULL;"
    done = replay_files(host, tmp_path, {"0001.sql": tables, "0002.sql": text}, only="0002.sql")
    assert (done.recording.failure, done.replayed[0].emptying, done.run.notes) == (None, None, [])


def test_nulls_of_an_earlier_migration_are_a_failure(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "0001.sql": "CREATE TABLE orders (id int PRIMARY KEY, note text);",
        "0002.sql": "ALTER TABLE orders ADD code text, ADD kind text;",
        "0003.sql": "ALTER TABLE orders RENAME note TO remark; DO $$ BEGIN ALTER TABLE orders ALTER remark SET NOT NULL; END $$;",
        "0004.sql": "DO $$ BEGIN EXECUTE 'ALTER TABLE orders ALTER code SET NOT NULL'; END $$; ALTER TABLE orders ALTER kind SET NOT NULL;",
    }
    done = replay_files(host, tmp_path, files)
    [failed] = [finding for finding in findings(done) if finding.rule.startswith("replay-fails")]
    assert failed.script.path.endswith("0004.sql")


def test_nulls_that_production_has_are_a_failure(host: PrivateHost, tmp_path: Path) -> None:
    files = {"0001.sql": "CREATE TABLE orders (id int PRIMARY KEY, note text);", "0002.sql": "ALTER TABLE orders ALTER note SET NOT NULL;"}
    known = {"public.orders": {"note": ColumnStatistics(null_frac=0.3)}}
    done = replay_files(host, tmp_path, files, only="0002.sql", production_columns=known)
    [failed] = failures(done)
    assert "30.0% of production's rows are such rows, according to its statistics" in failed.message
    assert done.run.notes == []


def test_rows_that_an_insert_repeats_empty_only_their_own_table(host: PrivateHost, tmp_path: Path) -> None:
    start = """
        CREATE TABLE orders (id int PRIMARY KEY, number text);
        CREATE TABLE numbers (order_id int NOT NULL UNIQUE REFERENCES orders, number text);
    """
    copy = "INSERT INTO numbers (order_id, number) SELECT id, number FROM orders;"
    done = replay_files(host, tmp_path, {"1.sql": start, "2.sql": copy}, "rerun", only="2.sql", rows=100)
    assert done.recording.failure is None
    emptying = done.replayed[0].emptying
    assert emptying is not None
    assert emptying.tables == {Name("numbers", "public")}
    rows = {measured.effect.relation.name: measured.rows for measured in done.statements[0].measured_effects}
    assert rows["orders"] == 100
