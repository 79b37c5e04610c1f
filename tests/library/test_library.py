"""The public interface: the same results as the commands, typed, and nothing is printed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import migsafe
from migsafe import Budgets, Configuration, LockMode, MigsafeError, ReplayOptions, ServerOptions, Severity, lint, locks, premortem, replay
from migsafe.configuration import Slo
from tests.support.servers import any_installation

ORDERS = "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);\n"
INDEX = "SET lock_timeout = '2s';\nCREATE INDEX orders_note_idx ON orders (note);\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1_orders.sql").write_text(ORDERS)
    (tmp_path / "2_notes.sql").write_text(INDEX)
    (tmp_path / "migsafe.toml").write_text('migrations = ["."]\n')
    return tmp_path


def test_lint_returns_findings(folder: Path) -> None:
    verdict = lint(["2_notes.sql"])
    assert [(finding.rule, finding.severity) for finding in verdict.findings] == [("index-not-concurrent", Severity.ERROR)]
    assert verdict.problems == []
    assert [finding.script.path for finding in lint().findings] == ["2_notes.sql"], folder
    assert lint(["2_notes.sql"], settings=Configuration(ignore=("index-not-concurrent",))).findings == []


def test_sql_can_be_passed_as_text(folder: Path) -> None:
    text = "CREATE INDEX ON orders (note);"
    assert {(finding.script.path, finding.rule) for finding in lint(text=text).findings} >= {("-", "index-not-concurrent")}
    [statement] = locks(text=text).migrations[0].statements
    assert statement.effects[0].lock is LockMode.SHARE, folder
    with pytest.raises(MigsafeError, match="cannot be combined"):
        lint(["2_notes.sql"], text=text)


@pytest.mark.process
def test_lint_omits_findings_in_the_baseline(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "migsafe", "lint", "--write-baseline"], cwd=folder, check=True, capture_output=True)
    settings = migsafe.read_configuration().overridden(baseline="migsafe-baseline.json")
    assert lint(settings=settings).findings == []


@pytest.mark.usefixtures("folder")
def test_locks_returns_effects() -> None:
    [migration] = locks(["2_notes.sql"]).migrations
    [effect] = migration.statements[1].effects
    assert (effect.relation.name, effect.lock, effect.scan) == ("orders", LockMode.SHARE, True)


@pytest.mark.usefixtures("folder")
def test_premortem_returns_assessments() -> None:
    result = premortem(["2_notes.sql"], settings=Configuration(slo=Slo(hold="1ms")))
    [assessment] = result.assessments
    assert [(str(each.relation), each.lock, each.blocks) for each in assessment.affected_relations] == [("public.orders", "SHARE", "writes")]
    assert (result.problems, result.replayed_on, bool(result.doubtful)) == ((), "", True)


@pytest.mark.server
@pytest.mark.usefixtures("folder")
def test_premortem_replays_on_a_given_server() -> None:
    result = premortem(["2_notes.sql"], server=ServerOptions(pg_bin=str(any_installation().bindir)), options=ReplayOptions(experiments=()))
    assert result.replayed_on.startswith("PostgreSQL")
    assert any(line.startswith("It took ") for line in result.assessments[0].measured)


@pytest.mark.server
@pytest.mark.usefixtures("folder")
def test_replay_returns_measurements() -> None:
    server = ServerOptions(pg_bin=str(any_installation().bindir))
    done = replay(
        ["2_notes.sql"], server=server, options=ReplayOptions(experiments=("agreement",), rows=lambda table: 500), budgets=Budgets(wal=1)
    )
    [replayed] = done.replayed
    [touch] = replayed.recording.statements[-1].measured_effects
    assert (touch.effect.lock, touch.rows) == (LockMode.SHARE, 500)
    assert [outcome.passed for outcome in replayed.outcomes] == [True]
    assert [finding.rule for finding in done.verdict.findings] == ["replay-wal-over-budget"]


@pytest.mark.server
@pytest.mark.usefixtures("folder")
def test_replay_uses_the_budgets_of_the_settings() -> None:
    server = ServerOptions(pg_bin=str(any_installation().bindir))
    settings = Configuration(slo=Slo(hold="1us"))
    done = replay(["2_notes.sql"], settings=settings, server=server, options=ReplayOptions(experiments=(), rows=lambda table: 500))
    assert "replay-hold-over-budget" in [finding.rule for finding in done.verdict.findings]


@pytest.mark.parametrize("run", [lint, locks, premortem, replay])
def test_a_missing_file_raises(run: Callable[[list[str]], object], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MigsafeError, match=r"nowhere\.sql: there is no such file"):
        run([str(folder / "nowhere.sql")])
    assert capsys.readouterr() == ("", "")


def test_all_public_names_are_there() -> None:
    assert all(getattr(migsafe, name) is not None for name in migsafe.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        migsafe.nothing  # noqa: B018


@pytest.mark.process
def test_importing_it_loads_nothing_else() -> None:
    loaded = "import sys; before = set(sys.modules); import migsafe; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout == "migsafe\n"


@pytest.mark.server
@pytest.mark.process
def test_the_page_s_example_runs(folder: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "library.md").read_text()
    example = page.partition("```python\n")[2].partition("```")[0]
    (folder / "migrations").mkdir()
    (folder / "migrations" / "0042_orders.sql").write_text(ORDERS)
    (folder / "db" / "queries").mkdir(parents=True)
    (folder / "db" / "queries" / "orders.sql").write_text("-- name: notes^\nSELECT note FROM orders")
    bindir = any_installation().bindir
    environment = {**os.environ, "PATH": f"{bindir}:{os.environ['PATH']}", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", example], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.process
def test_each_public_name_is_what_it_was_declared_as_in_any_order() -> None:
    """Importing a package of migsafe must not replace a function of the same name."""
    for names in (sorted(migsafe.__all__), sorted(migsafe.__all__, reverse=True)):
        code = (
            f"from migsafe import {', '.join(names)}; assert all(map(callable, (lint, locks, premortem, queries, read_configuration, replay)))"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
