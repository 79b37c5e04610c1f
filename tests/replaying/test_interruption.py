"""A user who interrupts a replay gets what was measured before; the rest was not tried, and nothing is left behind."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe.configuration import Configuration
from migsafe.library.plan import find_plan
from migsafe.library.project_queries import read_replay_queries
from migsafe.library.rehearse import rehearse_plan
from migsafe.library.replay import Replay, replay_plan
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.replay import ReplayOptions
from migsafe.replaying.seeding import same_for_every_table
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.time_limits import Interruption, RunStopped, TimeLimits
from migsafe.reports.replay import replay_reporter
from migsafe.terminal.display import Display
from tests.support.processes import within

pytestmark = pytest.mark.server

FILES = {
    "0001.sql": "CREATE TABLE orders (id int PRIMARY KEY, qty int);",
    "0002.sql": "ALTER TABLE orders ADD COLUMN note text;",
    "0003.sql": "ALTER TABLE orders ADD COLUMN price numeric;",
    "0004.sql": "CREATE INDEX ON orders (price);",
}
SLOW = "ALTER TABLE orders ADD COLUMN price numeric;\nUPDATE orders SET qty = 1 WHERE pg_sleep(600) IS NOT NULL;\nDROP TABLE orders;"


def as_by_a_signal(interruption: Interruption) -> None:
    """Does what the handler of a signal does in the main thread."""
    if not interruption.request():
        raise KeyboardInterrupt


def run(host: PrivateHost, files: dict[str, str], progress: Callable[[str], None], interruption: Interruption) -> Replay:
    for name, text in files.items():
        Path(name).write_text(text)
    plan = find_plan(list(files)[1:], Configuration(), "replay")
    options = ReplayOptions(rows=same_for_every_table(20))
    return replay_plan(plan, host, options, Budgets(), progress, interruption=interruption)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def databases(host: PrivateHost) -> list[str]:
    with host.server.connect("postgres") as connection:
        return [name for (name,) in connection.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()]


def end_when_sleeping(host: PrivateHost, interruption: Interruption) -> threading.Thread:
    """Interrupts from another thread, as soon as a statement of the migration sleeps in the database of the replay."""

    def is_sleeping() -> bool:
        with host.server.connect("postgres") as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            return connection.execute(query).fetchone() != (0,)

    def end() -> None:
        if within(60, is_sleeping):
            interruption.request()

    thread = threading.Thread(target=end)
    thread.start()
    return thread


def test_an_interrupted_statement_is_not_a_failure(host: PrivateHost) -> None:
    before = databases(host)
    interruption = Interruption()
    thread = end_when_sleeping(host, interruption)
    replay = run(host, FILES | {"0003.sql": SLOW}, lambda text: None, interruption)
    thread.join()
    assert [each.migration.id for each in replay.replayed] == ["0002", "0003"]
    first, second = replay.replayed
    assert len(first.outcomes) == len(("rerun", "crash", "round trip", "agreement"))
    assert [record.failure.message if record.failure else "" for record in second.recording.statements] == ["", "interrupted before it ended"]
    assert replay.interrupted
    assert "replay-fails" not in {finding.rule for finding in replay.verdict.findings}
    assert replay.not_run == ("0004.sql",)
    assert [problem.message for problem in replay.verdict.problems] == ["the run was interrupted"]
    assert replay.facts.reasons == ("it was interrupted", "1 migration did not run")
    text = replay_reporter("text")(replay, Display(width=120))
    assert "interrupted: the statements after the interruption did not run" in text
    assert "PostgreSQL refuses it" not in text
    assert databases(host) == before


@pytest.mark.parametrize("experiment", ["rerun", "crash", "round trip"])
def test_the_migration_is_shown_whose_experiments_are_interrupted(host: PrivateHost, experiment: str) -> None:
    before = databases(host)
    interruption = Interruption()

    def progress(text: str) -> None:
        if text == f"0003.sql: {experiment}":
            as_by_a_signal(interruption)

    replay = run(host, FILES, progress, interruption)
    assert [each.migration.id for each in replay.replayed] == ["0002", "0003"]
    tried = {outcome.experiment: outcome for outcome in replay.replayed[1].outcomes}
    names = ["rerun", "crash", "round trip"]
    later = names[names.index(experiment) :]
    assert [tried[name].summary for name in later] == ["not tried: the run was interrupted"] * len(later)
    assert [tried[name].passed for name in later] == [None] * len(later)
    assert tried["agreement"].passed
    assert (replay.not_run, replay.facts.reasons) == (("0004.sql",), ("it was interrupted", "1 migration did not run"))
    assert databases(host) == before


@pytest.mark.parametrize("moment", ["filling public.orders (1 of 1 tables)", "replaying 0002.sql"])
def test_an_interruption_before_the_first_statement(any_host: PrivateHost, moment: str) -> None:
    interruption = Interruption()
    replay = run(any_host, FILES, lambda text: as_by_a_signal(interruption) if text == moment else None, interruption)
    assert (replay.replayed, replay.not_run) == ((), ("0002.sql", "0003.sql", "0004.sql"))
    assert not replay.facts.passed


def test_keyboard_interrupt_is_not_swallowed_without_an_interruption(any_host: PrivateHost) -> None:
    def press(text: str) -> None:
        if text == "0002.sql: rerun":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(any_host, FILES, press, Interruption())


def test_the_phases_of_an_interrupted_rehearsal_are_not_tried(any_host: PrivateHost) -> None:
    for name, text in FILES.items():
        Path(name).write_text(text)
    Path("queries.sql").write_text("-- name: Orders :many\nSELECT id FROM orders;")
    settings = Configuration(queries=("queries.sql",))
    plan = find_plan(list(FILES)[1:], settings, "rehearse")
    queries = read_replay_queries(settings, plan, ["queries.sql"])
    options = ReplayOptions(experiments=(), rows=same_for_every_table(20), queries=queries)
    interruption = Interruption()

    def progress(text: str) -> None:
        if text == "replaying 0003.sql":
            as_by_a_signal(interruption)

    rehearsal = rehearse_plan(plan, any_host, options, Budgets(), settings, progress, interruption=interruption)
    assert rehearsal.replay.interrupted
    assert rehearsal.passed is None
    assert all(phase.passed is None for phase in rehearsal.phases)


def test_an_interrupted_migration_of_a_rehearsal_has_not_failed(any_host: PrivateHost) -> None:
    files = FILES | {"0003.sql": "UPDATE orders SET qty = 1 WHERE pg_sleep(600) IS NOT NULL;"}
    for name, text in files.items():
        Path(name).write_text(text)
    Path("queries.sql").write_text("-- name: Orders :many\nSELECT id FROM orders;")
    settings = Configuration(queries=("queries.sql",))
    plan = find_plan(list(files)[1:], settings, "rehearse")
    options = ReplayOptions(
        experiments=(), rows=same_for_every_table(20), queries=read_replay_queries(settings, plan, ["queries.sql"]), probes=False
    )
    interruption = Interruption()
    thread = end_when_sleeping(any_host, interruption)
    rehearsal = rehearse_plan(plan, any_host, options, Budgets(), settings, interruption=interruption)
    thread.join()
    reasons = {phase.new.reason for phase in rehearsal.phases}
    assert "0003.sql was interrupted" in reasons
    assert not any("failed" in reason for reason in reasons)


def test_a_run_without_time_keeps_what_was_measured(any_host: PrivateHost) -> None:
    Path("0001.sql").write_text(FILES["0001.sql"])
    Path("0002.sql").write_text(FILES["0002.sql"])
    plan = find_plan(["0002.sql"], Configuration(), "replay")
    limits: list[TimeLimits] = []
    options = ReplayOptions(rows=None, run_limit=600.0)

    def progress(text: str) -> None:
        if text == "0002.sql: rerun":
            limits[0]._run_deadline = 0.0

    with pytest.MonkeyPatch.context() as patch:
        enter = TimeLimits.__enter__
        patch.setattr(TimeLimits, "__enter__", lambda self: limits.append(self) or enter(self))
        replay = replay_plan(plan, any_host, options, Budgets(), progress)
    summaries = {outcome.experiment: outcome.summary for outcome in replay.replayed[0].outcomes}
    stopped = "not tried: the replay was stopped after 10 min, the time limit of a run"
    assert {name: summary for name, summary in summaries.items() if summary == stopped}.keys() == {"rerun", "crash", "round trip"}
    assert [type(problem) for problem in replay.verdict.problems] == [RunStopped]
