"""A migration that fails because of rows: which rows can cause it, and what a replay with empty tables may say afterwards."""

from pathlib import Path

import pytest

from migsafe.library.replay_verdict import replay_verdict
from migsafe.linting.finding import Finding, Severity
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.row_failures import RowCause
from migsafe.replaying.servers.private import PrivateHost
from migsafe.sql.operations import Name
from tests.support.replays import FinishedReplay, replay_files

pytestmark = pytest.mark.server

TABLES = "CREATE TABLE customer (id int PRIMARY KEY); CREATE TABLE orders (id int PRIMARY KEY, customer int, kind int, note text NOT NULL);\n"


def findings(done: FinishedReplay) -> list[Finding]:
    return replay_verdict(done.replayed, Budgets(), done.run.problems, 18).findings


FAIL_ON_EXISTING_ROWS = {
    "ADD COLUMN": ("ALTER TABLE orders ADD w int NOT NULL;", RowCause.ANY),
    "two columns": ("ALTER TABLE orders ADD v int NOT NULL DEFAULT 1, ADD w int NOT NULL;", RowCause.ANY),
    "SET NOT NULL": ("ALTER TABLE orders ADD w int; ALTER TABLE orders ALTER w SET NOT NULL;", RowCause.EXISTING),
    "CHECK": ("ALTER TABLE orders ADD CHECK (kind < 3);", RowCause.EXISTING),
    "VALIDATE": (
        "ALTER TABLE orders ADD CONSTRAINT few CHECK (kind < 3) NOT VALID; ALTER TABLE orders VALIDATE CONSTRAINT few;",
        RowCause.EXISTING,
    ),
    "UNIQUE": (
        "ALTER TABLE orders ADD half int GENERATED ALWAYS AS (kind / 2) STORED; ALTER TABLE orders ADD UNIQUE (half);",
        RowCause.EXISTING,
    ),
    "UNIQUE INDEX": ("CREATE UNIQUE INDEX ON orders ((kind / 2));", RowCause.EXISTING),
    "FOREIGN KEY": ("DELETE FROM customer WHERE id < 9; ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customer;", RowCause.EXISTING),
}


@pytest.mark.parametrize(("text", "cause"), FAIL_ON_EXISTING_ROWS.values(), ids=FAIL_ON_EXISTING_ROWS)
def test_a_statement_that_existing_rows_make_fail_fails(host: PrivateHost, tmp_path: Path, text: str, cause: RowCause) -> None:
    done = replay_files(host, tmp_path, {"0001.sql": TABLES, "0002.sql": text}, "rerun", "crash", only="0002.sql")
    assert done.recording.failure is not None
    assert (done.replayed[0].row_cause, done.replayed[0].emptying, done.replayed[0].outcomes) == (cause, None, ())
    [failed] = findings(done)
    assert failed.rule == "replay-fails"
    assert ("every table that has rows" in failed.message) is (cause is RowCause.ANY)
    assert ("production may have such rows too" in failed.message) is (cause is RowCause.EXISTING)


FAIL_ON_GENERATED_ROWS = {
    "a cast": "ALTER TABLE orders ALTER note TYPE int USING note::int;",
    "a row with a generated key": "INSERT INTO orders VALUES (1, 1, 1, 'first');",
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
