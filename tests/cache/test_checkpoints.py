"""A run goes on from where an earlier one had come to, and says what it would have said without it."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe.cache import checkpoints as module
from migsafe.cache.checkpoints import Checkpoints
from migsafe.cache.store import Store
from migsafe.cache.watch import Watch
from migsafe.linting.judge import judge
from migsafe.linting.judging_state import JudgingState
from migsafe.linting.rule import Context, Finding, Rule, Severity, rule
from migsafe.linting.rulebook import Rulebook, shipped_rules
from migsafe.prediction.history import Steps, selected_migrations
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.reports import reporter
from migsafe.sources import find_migrations
from migsafe.sql.operations import AddColumn
from migsafe.terminal.display import Display
from tests.cache.conftest import Project

pytestmark = pytest.mark.process

Judged = Callable[..., tuple[str, int]]

TEMPLATES = (
    "CREATE TABLE t{n} (id bigint PRIMARY KEY, parent bigint REFERENCES t1 (id));",
    "ALTER TABLE t{m} ADD c{n} int NOT NULL DEFAULT 0;",
    "CREATE INDEX t{m}_{n}_idx ON t{m} (parent);",
    "BEGIN; SET LOCAL lock_timeout = '2s'; ALTER TABLE t{m} ALTER parent SET NOT NULL; COMMIT;",
    "-- migsafe: ignore[drop-table] nobody reads it\nDROP TABLE IF EXISTS t{n}_old;",
    "CREATE VIEW v{n} AS SELECT id FROM t{m};",
    "DO $$ BEGIN ALTER TABLE t{m} DROP COLUMN IF EXISTS c{n}; END $$;",
    "CREATE TYPE mood{n} AS ENUM ('ok'); ALTER TYPE mood{n} ADD VALUE 'sad';",
    "SELEC {n};",
)


class Counted(Checkpoints):
    """Remembers where it went on from."""

    resumed = 0

    def resume(self, steps: Steps) -> tuple[int, Predictor | None]:
        self.resumed, predictor = super().resume(steps)
        return self.resumed, predictor


@pytest.fixture(scope="module")
def rules() -> list[Rule]:
    return shipped_rules()


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Thirty migrations, the same every time."""
    chance = random.Random(4)
    folder = tmp_path / "m"
    folder.mkdir()
    for number in range(1, 31):
        statements = [chance.choice(TEMPLATES).format(n=number, m=chance.randint(1, number)) for _ in range(3)]
        (folder / f"{number:04}_step.sql").write_text("\n".join([TEMPLATES[0].format(n=number), *statements]) + "\n")
    return folder


@pytest.fixture
def judged(tmp_path: Path, history: Path, rules: list[Rule], monkeypatch: pytest.MonkeyPatch) -> Judged:
    """Judges paths with a cache, and says what it found and how many migrations it need not look at."""
    monkeypatch.setattr(module, "_WORTH", 0)
    monkeypatch.setattr("migsafe.cache.watch.is_settled", lambda *_: True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cache").mkdir(mode=0o700)  # a run lists the folder above the migrations, too

    def judge_them(*paths: str, book: list[Rule] = rules, start: object = None, kept: bool = True) -> tuple[str, int]:
        so_far = JudgingState()
        with Watch() as watch:
            plan = find_migrations(paths or ["m"])
            keeper = Counted(Store(str(tmp_path / "cache")), watch, watch.position, start, book, so_far)
            verdict = judge(selected_migrations(plan, 17, Renderer(), resumption=keeper), Rulebook(book), 17, state=so_far)
        if kept:
            keeper.keep()
        return reporter("json")(verdict, Display()), keeper.resumed

    return judge_them


def without_cache(rules: list[Rule], *paths: str) -> str:
    return reporter("json")(judge(selected_migrations(find_migrations(paths or ["m"]), 17, Renderer()), Rulebook(rules), 17), Display())


def test_it_goes_on_from_any_place_with_the_same_findings(judged: Judged, rules: list[Rule], monkeypatch: pytest.MonkeyPatch) -> None:
    uncached = without_cache(rules)
    assert len(json.loads(uncached)["findings"]) > 30
    for behind in range(29, 0, -4):
        monkeypatch.setattr(module, "_BEFORE_END", (behind,))
        assert judged()[0] == uncached
        assert judged() == (uncached, 30 - behind)


def test_a_new_migration_is_all_that_is_read(judged: Judged, history: Path, rules: list[Rule]) -> None:
    judged()
    (history / "0031_new.sql").write_text("ALTER TABLE t3 ADD CHECK (parent > 0);")
    assert judged() == (without_cache(rules), 29)
    (history / "0031_new.sql").write_text("DROP TABLE t3;")
    assert judged() == (without_cache(rules), 30)


def test_one_file_after_its_history(judged: Judged, history: Path, rules: list[Rule]) -> None:
    judged("m/0030_step.sql")
    (history / "0030_step.sql").write_text("DROP TABLE t3;")
    assert judged("m/0030_step.sql") == (without_cache(rules, "m/0030_step.sql"), 29)


def test_an_older_migration_that_changes_leaves_what_was_before_it(judged: Judged, history: Path, rules: list[Rule]) -> None:
    judged()
    (history / "0025_step.sql").write_text("DROP TABLE t2;")
    assert judged() == (without_cache(rules), 22)
    (history / "0005_step.sql").write_text("DROP TABLE t2;")
    assert judged() == (without_cache(rules), 0)


def test_what_is_configured_is_part_of_it(judged: Judged) -> None:
    judged(start="one way")
    assert judged(start="another way")[1] == 0
    assert judged(start="one way")[1] == 29


def test_nothing_is_left_of_a_run_that_does_not_keep(judged: Judged) -> None:
    judged(kept=False)
    assert judged()[1] == 0


@rule(category="ours", severity=Severity.INFO)
def wordy(op: AddColumn, at: Context) -> Finding | None:
    """Says what a file says."""
    return at.finding(op, Path("words.txt").read_text())


@rule(category="ours", severity=Severity.INFO)
def curious(op: AddColumn, at: Context) -> None:
    """Notes what no pickle can hold."""
    at.notes.append(lambda: op)


def test_a_file_that_a_rule_reads_is_part_of_it(judged: Judged, tmp_path: Path, rules: list[Rule]) -> None:
    (tmp_path / "words.txt").write_text("Do not.")
    every = [*rules, wordy]
    judged(book=every)
    assert judged(book=every)[1] == 29
    (tmp_path / "words.txt").write_text("Oh no.")
    found, resumed = judged(book=every)
    assert resumed == 0
    assert "Oh no." in found
    assert "Do not." not in found


def test_what_cannot_be_pickled_is_not_kept(judged: Judged, history: Path, rules: list[Rule]) -> None:
    for file in history.iterdir():
        # Where a script speaks to migsafe, the context of its rules is part of what a run remembers.
        file.write_text(f"-- migsafe: ignore[drop-table] not one\nALTER TABLE t1 ADD c{file.stem[:4]} int;\n")
    judged()
    assert judged()[1] == 29
    judged(book=[curious])
    assert judged(book=[curious]) == (without_cache([curious]), 0)


def test_a_damaged_checkpoint_is_none(judged: Judged, tmp_path: Path, rules: list[Rule]) -> None:
    judged()
    for entry in (tmp_path / "cache").iterdir():
        Store(str(tmp_path / "cache")).write(entry.name, entry.read_bytes()[4:-7])
    assert judged() == (without_cache(rules), 0)


def test_other_formats_and_baselines_come_from_a_checkpoint(project: Project) -> None:
    more = "\n".join(f"CREATE TABLE t{number} (id int PRIMARY KEY);" for number in range(1000))
    project.write("m/0002_note.sql", more)
    project.lint("m")
    assert [entry.name.partition("-")[0] for entry in project.entries] == ["answer", "checkpoint"]
    for options in (["--format", "sarif"], ["--fail-on", "error"], ["--write-baseline"], ["--baseline", "migsafe-baseline.json"]):
        uncached = project.lint("m", *options, "--no-cache")
        (project.folder / "migsafe.toml").unlink(missing_ok=True)  # the first run that writes a baseline adds it to the configuration
        assert project.lint("m", *options).said == uncached.said
