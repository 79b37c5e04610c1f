"""Under --queue, a lock_timeout that strikes is not a failure: the replay says how long queries waited, and whether a second run works."""

from pathlib import Path

import pytest

from migsafe.linting.finding import Finding, Severity
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.findings import findings_of
from migsafe.replaying.servers.private import PrivateHost
from migsafe.sources import SourceSettings, Transaction
from tests.support.replays import FinishedReplay, replay_files

pytestmark = pytest.mark.server

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, note text NOT NULL);\n"
TIMEOUT = "SET lock_timeout = '100ms';"
ALTER = "ALTER TABLE orders ADD a int;"


def queue(host: PrivateHost, folder: Path, text: str, how: Transaction = Transaction.STATEMENT, *checks: str) -> FinishedReplay:
    settings = SourceSettings(transaction=how)
    files = {"0001.sql": ORDERS, "0002.sql": text}
    return replay_files(host, folder, files, *checks, only="0002.sql", settings=settings, reader_seconds=2.0)


def findings(done: FinishedReplay, blocked: float | None = None) -> list[Finding]:
    return list(findings_of(done.replayed[-1], Budgets(blocked=blocked)))


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (f"{TIMEOUT} {ALTER}", Transaction.FILE),
        (f"{TIMEOUT} {ALTER}", Transaction.STATEMENT),
        (f"CREATE TABLE IF NOT EXISTS extra (x int); {TIMEOUT} {ALTER}", Transaction.STATEMENT),
    ],
)
def test_a_lock_timeout_is_the_protection_of_the_migration(host: PrivateHost, tmp_path: Path, text: str, how: Transaction) -> None:
    done = queue(host, tmp_path, text, how, "rerun")
    assert done.problems == []
    # The migration is shown as it runs when the lock is free.
    assert done.recording.failure is None
    assert done.statements[-1].measured_effects
    assert done.outcome("rerun").passed is False
    [finding] = [finding for finding in findings(done) if finding.rule.startswith("replay-") and finding.rule != "replay-not-rerunnable"]
    assert (finding.rule, finding.severity, finding.statement) == ("replay-lock-timeout", Severity.INFO, len(done.statements))
    assert "lock_timeout ended the migration after " in finding.message
    assert "It can be run again" in finding.message


def test_a_migration_that_a_lock_timeout_leaves_stuck(host: PrivateHost, tmp_path: Path) -> None:
    done = queue(host, tmp_path, f"CREATE TABLE extra (x int); {TIMEOUT} {ALTER}")
    assert done.recording.failure is None
    [finding] = findings(done)
    assert (finding.rule, finding.severity, finding.statement) == ("replay-lock-timeout", Severity.ERROR, 3)
    assert finding.message.endswith('The migration cannot be run again unchanged: line 1 fails: relation "extra" already exists')


def test_a_second_run_that_succeeds_can_leave_another_schema(host: PrivateHost, tmp_path: Path) -> None:
    step = "DO $$ BEGIN IF to_regclass('extra') IS NULL THEN CREATE TABLE extra (x int); ELSE CREATE TABLE more (y int); END IF; END $$;"
    done = queue(host, tmp_path, f"{step} {TIMEOUT} {ALTER}")
    [finding] = findings(done)
    assert finding.severity == Severity.ERROR
    assert "more" in finding.message


def test_queries_behind_a_request_that_times_out_wait_for_its_statement(host: PrivateHost, tmp_path: Path) -> None:
    done = queue(host, tmp_path, f"BEGIN; SET LOCAL lock_timeout = '1s'; {ALTER} COMMIT;")
    lock_timeout = done.replayed[-1].lock_timeout
    assert lock_timeout is not None
    waits = lock_timeout.waits
    assert {(wait.relation.name, wait.access) for wait in waits} == {("orders", "reads"), ("orders", "writes")}
    assert {wait.statement for wait in waits} == {3}
    [blocked] = [finding for finding in findings(done, 50.0) if finding.rule == "replay-blocked-over-budget"]
    assert blocked.statement == 3


def test_a_lock_timeout_without_a_queue_is_a_failure(host: PrivateHost, tmp_path: Path) -> None:
    text = "DO $$ BEGIN RAISE SQLSTATE '55P03'; END $$;"
    done = replay_files(host, tmp_path, {"0001.sql": ORDERS, "0002.sql": text}, only="0002.sql")
    assert done.recording.failure is not None
    assert [finding.rule for finding in findings(done)] == ["replay-fails"]
