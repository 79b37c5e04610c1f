"""A migration of which nothing could be sent was not tried: no experiment answers for it, and it explains what fails because of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe import Budgets, Configuration, Replay, ReplayOptions
from migsafe.library.plan import find_plan
from migsafe.library.replay import replay_plan
from migsafe.linting.finding import Severity
from migsafe.replaying.replay import EXPERIMENTS
from migsafe.replaying.servers.private import PrivateHost
from migsafe.reports.replay import OWN, replay_reporter
from migsafe.terminal.display import Display
from tests.support.replays import replay_files

pytestmark = [pytest.mark.server, pytest.mark.process]

SCRIPT = "from alembic import op\nrevision = {!r}\ndown_revision = {!r}\n\ndef upgrade():\n    {}\n\ndef downgrade():\n    pass\n"


@pytest.fixture
def replayed(host: PrivateHost, tmp_path: Path) -> Callable[..., Replay]:
    """Replays a script with this body, after one that creates a table and before one that alters a table; only from `first` on."""

    def replay(body: str, first: str = "a2") -> Replay:
        bodies = ("op.execute('CREATE TABLE there (a int)')", body, "op.execute('ALTER TABLE missing ADD b int')", "op.execute('SELECT 1')")
        for number, script in enumerate(bodies, 1):
            parent = f"a{number - 1}" if number > 1 else None
            (tmp_path / f"a{number}_x.py").write_text(SCRIPT.format(f"a{number}", parent, script))
        files = [str(path) for path in sorted(tmp_path.glob("*.py")) if path.name >= first]
        return replay_plan(find_plan(files, Configuration(), "replay"), host, ReplayOptions(), Budgets())

    return replay


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise RuntimeError('settings are missing')", "it ends here with RuntimeError: settings are missing"),
        ("undefined()", "it ends here with NameError: name 'undefined' is not defined"),
        ("import os; op.execute(f'CREATE TABLE {os.environ[\"NAME\"]} (a int)')", "its text depends on something that is not known here"),
    ],
)
def test_no_experiment_answers_for_it(replayed: Callable[..., Replay], tmp_path: Path, body: str, reason: str) -> None:
    done = replayed(body)
    untried, failed = done.replayed
    assert untried.untried.startswith(reason)
    assert {outcome.experiment: outcome.passed for outcome in untried.outcomes} == dict.fromkeys(EXPERIMENTS)
    assert all(outcome.summary.startswith(f"not tried: {reason}") for outcome in untried.outcomes)
    [problem] = done.verdict.problems
    assert problem.message.startswith(f"{tmp_path}/a2_x.py: the migration was not tried: {reason}")
    [failure] = [finding for finding in done.verdict.findings if finding.rule == "replay-fails"]
    assert f'relation "missing" does not exist; the likely cause: {tmp_path}/a2_x.py was not tried ({reason}' in failure.message
    assert failed.likely_cause in failure.message
    assert done.not_run == (f"{tmp_path}/a4_x.py",)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("raise RuntimeError('no rows')", "it ends here with RuntimeError: no rows"),
        ("op.execute(f'ALTER TABLE there ADD {undefined} int')", "it ends here with NameError: name 'undefined' is not defined"),
        ("import os; op.execute(f'ALTER TABLE there ADD {os.environ[\"X\"]} int')", "its text depends on something that is not known here"),
    ],
)
def test_a_script_that_ends_early_is_not_a_pass(replayed: Callable[..., Replay], end: str, reason: str) -> None:
    done = replayed(f"op.execute('ALTER TABLE there ADD c int'); {end}")
    partial = done.replayed[0]
    assert (partial.untried, len(partial.recording.statements), len(partial.left_out)) == ("", 2, 1)
    assert partial.left_out[0].skip_reason.startswith(reason)
    assert {outcome.passed for outcome in partial.outcomes if outcome.experiment != "agreement"} <= {None, False}
    [finding] = [finding for finding in done.verdict.findings if finding.rule == "replay-left-out"]
    assert (finding.severity, reason in finding.message) == (Severity.WARNING, True)
    assert "1 migration ran in part only" in done.facts.reasons
    for format in OWN:
        assert reason.replace("'", "&#39;") in (text := replay_reporter(format)(done, Display())) or reason in text
    assert "ran in part only: 1 statement was left out" in replay_reporter("html")(done, Display())


def test_a_raise_that_is_not_reached_is_nothing_to_report(replayed: Callable[..., Replay]) -> None:
    done = replayed("rows = op.get_bind().scalar(__import__('sqlalchemy').text('SELECT count(*) FROM there')); assert rows == 0, 'rows'")
    assert done.replayed[0].left_out == ()


def test_commands_that_only_display_something_are_not_missing(host: PrivateHost, tmp_path: Path) -> None:
    done = replay_files(
        host, tmp_path, {"1.sql": "\\echo building\nCREATE TABLE t (a int);\n\\timing on\n", "2.sql": "SELECT 1;\n\\i other.sql\n"}
    )
    assert [len(replay.left_out) for replay in done.replayed] == [0, 1]


def test_a_script_that_cannot_be_read_is_the_likely_cause(replayed: Callable[..., Replay], tmp_path: Path) -> None:
    done = replayed("this is no Python")
    assert [replay.migration.id for replay in done.replayed] == ["a3"]
    assert f"the likely cause: {tmp_path}/a2_x.py:6: is not Python" in done.replayed[0].likely_cause


def test_a_script_of_the_history_is_the_likely_cause(replayed: Callable[..., Replay], tmp_path: Path) -> None:
    done = replayed("undefined()", first="a4")
    [problem] = done.verdict.problems
    assert f'relation "missing" does not exist; the likely cause: {tmp_path}/a2_x.py was not tried (it ends here with' in problem.message
    assert done.not_run == (f"{tmp_path}/a4_x.py",)


def test_a_script_with_nothing_to_do_passes(replayed: Callable[..., Replay]) -> None:
    done = replayed("pass")
    assert (done.replayed[0].untried, done.verdict.problems) == ("", [])
    assert done.replayed[1].likely_cause == ""


def test_a_failure_for_another_reason_has_no_likely_cause(host: PrivateHost, tmp_path: Path) -> None:
    done = replay_files(host, tmp_path, {"1.sql": r"\gset", "2.sql": "SELECT 1 / 0;", "3.sql": "SELECT 1;", "4.sql": "SELECT 2;"})
    assert [bool(replay.untried) for replay in done.replayed] == [True, False]
    assert done.replayed[1].likely_cause == ""
    assert done.run.not_run == [f"{tmp_path}/3.sql", f"{tmp_path}/4.sql"]
