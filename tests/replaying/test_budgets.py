"""Budgets, and the findings and estimates of a replay."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from migsafe.cli import main
from migsafe.library.replay_verdict import replay_verdict
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.estimates import estimate_duration
from migsafe.replaying.experiments.outcome import Observation, Outcome
from migsafe.replaying.recording.records import Wait
from migsafe.replaying.replay import ReplayedMigration
from migsafe.replaying.servers.private import PrivateHost
from migsafe.sql.operations import Name
from tests.support.replays import FinishedReplay, replay_files
from tests.support.servers import any_installation

pytestmark = pytest.mark.server

FILES = {
    "0001.sql": "CREATE TABLE orders (id int PRIMARY KEY, note text NOT NULL);\n",
    "0002.sql": "SELECT 1;\nCREATE INDEX by_note ON orders (note);\n",
}
ORDERS = Name("orders", "public")


class RunResult(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def done(any_host: PrivateHost, tmp_path_factory: pytest.TempPathFactory) -> FinishedReplay:
    return replay_files(any_host, tmp_path_factory.mktemp("shop"), FILES, only="0002.sql", rows=2000)


@pytest.fixture
def migsafe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., RunResult]:
    def run(*arguments: str, **files: str) -> RunResult:
        for name, text in {**FILES, **files}.items():
            (tmp_path / name).write_text(text)
        code = main(["replay", str(tmp_path / "0002.sql"), "--pg-bin", str(any_installation().bindir), *arguments])
        return RunResult(code, *capsys.readouterr())

    return run


def findings_of(replayed: ReplayedMigration, **budgets: float | int) -> list[tuple[str, int, str]]:
    findings = replay_verdict([replayed], Budgets(**budgets), [], 17).findings  # type: ignore[arg-type]
    return [(finding.rule, finding.statement, finding.message) for finding in findings]


def test_nothing_is_reported_within_the_budgets(done: FinishedReplay) -> None:
    assert findings_of(done.replayed[0], blocked=60_000, hold=60_000, wal=10**9) == []


def test_a_long_held_lock_and_too_much_wal(done: FinishedReplay) -> None:
    [(rule, statement, message)] = findings_of(done.replayed[0], hold=0)
    assert (rule, statement) == ("replay-hold-over-budget", 2)
    assert message.startswith("SHARE on public.orders is held for ")
    assert message.endswith("and blocks every INSERT, UPDATE and DELETE; the budget is 0.0 ms")
    [(rule, statement, message)] = findings_of(done.replayed[0], wal=100)
    assert (rule, statement) == ("replay-wal-over-budget", 2)


def test_only_the_longest_wait_of_a_statement_is_reported(done: FinishedReplay) -> None:
    waits = [Wait(relation=ORDERS, access="writes", started=0, ms=ms, statement=2) for ms in (300, 450, 20)]
    recording = replace(done.recording, waits=tuple(waits), deadlocks=(ORDERS,))
    assert findings_of(replace(done.replayed[0], recording=recording), blocked=200) == [
        ("replay-blocked-over-budget", 2, "queries on public.orders were blocked for 450 ms; the budget is 200 ms"),
        (
            "replay-deadlock",
            2,
            "the migration and queries on public.orders waited for each other (a deadlock): PostgreSQL would have aborted one of them",
        ),
    ]


def test_failed_experiments_are_findings(done: FinishedReplay) -> None:
    failed = Outcome(experiment="rerun", passed=False, summary="a second run fails at statement 2: why", observations=(Observation("why", 2),))
    assert findings_of(replace(done.replayed[0], outcomes=(failed,))) == [
        ("replay-not-rerunnable", 2, "a second run fails at statement 2: why")
    ]
    assert findings_of(replace(done.replayed[0], outcomes=(replace(failed, harmless=True),))) == []


def test_an_estimate_is_a_range_that_grows_at_least_with_the_rows(done: FinishedReplay) -> None:
    index = replace(done.statements[1], duration_ms=101.0, waited_ms=0.0)
    made = estimate_duration(index, {"public.orders": 2_000_000})
    assert made is not None
    assert made.rows == 2_000_000
    assert round(made.low_ms) == 100_001
    assert round(made.high_ms / made.low_ms, 1) == 1.9  # log 2,000,000 / log 2,000
    waited = estimate_duration(replace(index, waited_ms=50.0), {"public.orders": 2_000_000})
    assert waited is not None
    assert waited.low_ms < made.low_ms / 2
    assert waited.high_ms < made.high_ms


def test_no_estimate_without_counts_or_growth_or_enough_rows(done: FinishedReplay) -> None:
    index = done.statements[1]
    assert estimate_duration(index, {}) is None
    assert estimate_duration(done.statements[0], {"public.orders": 2_000_000}) is None
    few = replace(index, measured_effects=tuple(replace(touch, rows=10) for touch in index.measured_effects))
    assert estimate_duration(few, {"public.orders": 2_000_000}) is None


def test_the_command_reports_exceeded_budgets(migsafe: Callable[..., RunResult]) -> None:
    result = migsafe("--rows", "500", "--check", "none", "--max-hold", "0ms")
    assert result.code == 1
    assert "0002.sql:2:1 error replay-hold-over-budget" in result.out
    assert migsafe("--rows", "500", "--check", "none").code == 0


def test_the_command_estimates_for_production(migsafe: Callable[..., RunResult], tmp_path: Path) -> None:
    (tmp_path / "stats.json").write_text('{"version": 1, "relations": {"public.orders": 5000000}}')
    result = migsafe("--check", "none", "--stats", str(tmp_path / "stats.json"), "--max-rows", "2000")
    assert "reads all of its 2,000 rows" in result.out
    assert "with production's 5,000,000 rows: " in result.out


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--rows", "many", "--rows: invalid number: many"),
        ("--queue", "-1", "--queue: invalid duration: -1"),
        ("--load", "1.5", "--load: invalid number of sessions: 1.5"),
        ("--load", "2", "--load needs queries"),
        ("--queue", "5", "--queue: a duration needs a unit: 5\n  Write 5s for seconds, or 5ms for milliseconds."),
        ("--max-blocked", "5", "--max-blocked: a duration needs a unit: 5"),
        ("--max-blocked", "soon", "--max-blocked: invalid duration: soon"),
        ("--statement-limit", "5 weeks", "--statement-limit: invalid duration: 5 weeks"),
        ("--max-wal", "lots", "--max-wal: invalid size: lots"),
        ("--check", "rerunn", "--check: there is no experiment rerunn"),
        ("--max-rows", "5", "--max-rows needs --stats"),
        ("--pg-bin", "/nowhere", "/nowhere: no PostgreSQL in this folder"),
    ],
)
def test_invalid_options_are_errors(migsafe: Callable[..., RunResult], option: str, value: str, complaint: str) -> None:
    result = migsafe(option, value)
    assert result.code == 2
    assert complaint in result.err
