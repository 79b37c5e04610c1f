"""What a release meeting asks for: the date, the command, the revision, the server, the rows, the budgets and the verdict."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from migsafe import Budgets, Configuration, Replay, ReplayOptions
from migsafe.cli.replay_options import command_line
from migsafe.library.plan import find_plan
from migsafe.library.replay import replay_plan
from migsafe.replaying.servers.private import PrivateHost
from migsafe.reports.replay import replay_reporter
from migsafe.sources.git import checked_out_revision
from migsafe.terminal.display import Display
from migsafe.terminal.quantities import format_range

FILES = {
    "1.sql": "CREATE TABLE orders (id int PRIMARY KEY, qty int);\n",
    "2.sql": "ALTER TABLE orders ADD total int;\n",
    "3.sql": "UPDATE orders SET qty = 1;\n",
    "4.sql": "ALTER TABLE gone ADD a int;\n",
    "5.sql": "SELECT 1;\n",
}


def replay(host: PrivateHost, folder: Path, *names: str, rows: int = 300, budgets: Budgets | None = None) -> Replay:
    for name, text in FILES.items():
        (folder / name).write_text(text)
    plan = find_plan([str(folder / name) for name in names], Configuration(), "replay")
    options = ReplayOptions(rows=(lambda table: rows) if rows else None, experiments=())
    return replay_plan(plan, host, options, budgets or Budgets(), command="migsafe replay here")


@pytest.mark.server
def test_a_complete_replay_within_its_budgets_passes(any_host: PrivateHost, tmp_path: Path) -> None:
    facts = replay(any_host, tmp_path, "2.sql", "3.sql", budgets=Budgets(hold=60_000, wal=1)).facts
    assert (facts.rows.origin, facts.rows.tables) == ("generated", {"public.orders": 300})
    assert [(budget.name, budget.answer) for budget in facts.budgets] == [("blocked", "no budget"), ("hold", "kept"), ("wal", "exceeded")]
    assert facts.reasons == ("2 migrations exceeded a budget",)
    assert replay(any_host, tmp_path, "2.sql", budgets=Budgets(wal=1 << 30)).facts.passed


@pytest.mark.server
def test_a_budget_is_not_kept_by_migrations_that_did_not_run(any_host: PrivateHost, tmp_path: Path) -> None:
    done = replay(any_host, tmp_path, "3.sql", "4.sql", "5.sql", rows=0, budgets=Budgets(hold=60_000))
    assert done.facts.reasons == ("1 migration failed", "1 migration did not run")
    assert [budget.answer for budget in done.facts.budgets] == ["no budget", "unknown", "no budget"]
    assert done.facts.rows.origin == "none: the tables were not filled"


@pytest.mark.server
def test_all_formats_have_the_facts(any_host: PrivateHost, tmp_path: Path) -> None:
    done = replay(any_host, tmp_path, "3.sql", "4.sql", "5.sql", budgets=Budgets(wal=1 << 30))
    text, page = (replay_reporter(format)(done, Display()) for format in ("text", "html"))
    document = json.loads(replay_reporter("json")(done, Display()))
    for report in (text, page):
        one_line = " ".join(report.split())
        for fact in (done.facts.date, "migsafe replay here", any_host.title, "generated: 300 in public.orders", "Not run, because the replay"):
            assert fact in one_line
    assert "Verdict: not passed: 1 migration failed, 1 migration did not run." in text
    assert "<b>Not passed</b>: 1 migration failed, 1 migration did not run" in page
    assert (document["date"], document["command"], document["server"]) == (done.facts.date, "migsafe replay here", any_host.title)
    assert document["rows"] == {"origin": "generated", "tables": {"public.orders": 300}, "generated": []}
    assert document["verdict"] == {"passed": False, "reasons": ["1 migration failed", "1 migration did not run"]}
    [budget] = [budget for budget in document["budgets"] if budget["name"] == "wal"]
    assert (budget["limit"], budget["result"], budget["unit"]) == (1 << 30, "unknown", "bytes")
    assert "so far; the budget is 1.0 GB: not known, because not every migration ran completely" in " ".join(text.split())


def test_passwords_are_not_in_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["migsafe", "replay", "--server", "postgresql://app:se@cret@host/db", "--from", "host=h password='a b' user=u"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert command_line() == "migsafe replay --server 'postgresql://app:***@host/db' --from 'host=h password=*** user=u'"
    monkeypatch.setattr(sys, "argv", ["pytest", "tests"])
    assert command_line() == ""


def test_the_revision_of_a_folder(tmp_path: Path) -> None:
    assert checked_out_revision(str(tmp_path)) == ""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q", "-b", "work"], ["add", "."], ["commit", "-q", "--allow-empty", "-m", "first"]):
        (tmp_path / "a.sql").write_text("SELECT 1;")
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert checked_out_revision(str(tmp_path)) == f"{commit} (work)"
    (tmp_path / "a.sql").write_text("SELECT 2;")
    assert checked_out_revision(str(tmp_path)) == f"{commit} (work), with uncommitted changes"


def test_a_range_with_equal_ends_is_one_duration() -> None:
    assert (format_range(2000, 2040), format_range(2000, 3100)) == ("2.0 s", "2.0 s to 3.1 s")
