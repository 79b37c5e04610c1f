"""Changes of several migrations that are deployed together: what an earlier one creates is not in use by the running release.

Each case in `releases` is a change, compared with a revision of git, with `-- expect: rule, rule` on each line where an error or a warning is
reported.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from migsafe.cache.checkpoints import digests
from migsafe.configuration import Configuration
from migsafe.library.lint import lint
from migsafe.library.premortem import premortem
from migsafe.linting.finding import Severity
from migsafe.linting.verdict import Verdict
from migsafe.sources import Source
from migsafe.sources.plain import PLAIN
from migsafe.sources.runner import MigrationFile
from migsafe.text import Script
from tests.support.compared import HEADING

CASES = sorted((Path(__file__).parent / "releases").glob("*.sql"))
EXPECT = re.compile(r"-- expect: (.+)")
SETTINGS = Configuration(lock_timeout="2s")

STOPS = "CREATE TABLE stops (id bigint PRIMARY KEY, note text, place text);"
INDEX = "CREATE INDEX stops_note_idx ON stops (note);"
OTHER_INDEX = "CREATE INDEX stops_place_idx ON stops (place);"


def git(folder: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, env=environment)


def repository(folder: Path, past: dict[str, str], now: dict[str, str]) -> Path:
    """Returns a folder of migrations: those of the last commit, and then those that are there now."""
    migrations = folder / "db"
    migrations.mkdir()
    git(folder, "init", "--initial-branch=main")
    for files in (past, now):
        for name, text in files.items():
            (migrations / name).write_text(text)
        if files is past:
            git(folder, "add", ".")
            git(folder, "commit", "-m", "past")
    git(folder, "add", ".")
    return migrations


def rules(verdict: Verdict) -> list[tuple[str, int, str]]:
    return [
        (Path(finding.script.path).name, finding.script.position(finding.span.start).line, finding.rule)
        for finding in verdict.findings
        if finding.severity >= Severity.WARNING
    ]


@pytest.mark.process
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.stem))
def test_findings_of_a_change(case: Path, tmp_path: Path) -> None:
    parts = HEADING.split(case.read_text())[1:]
    files = list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))
    past, now = ({name: text for name, when, text in files if when == wanted} for wanted in ("at the revision", "now"))
    migrations = repository(tmp_path, past, now)
    expected = [
        (name, at, rule)
        for name, text in now.items()
        for at, line in enumerate(text.splitlines(), 1)
        for names in EXPECT.findall(line)
        for rule in names.split(", ")
    ]
    verdict = lint([str(migrations)], settings=SETTINGS, since="HEAD")
    assert verdict.problems == []
    assert sorted(rules(verdict)) == sorted(expected)


@pytest.mark.process
def test_one_file_of_the_release_is_judged(tmp_path: Path) -> None:
    migrations = repository(tmp_path, {"1.sql": "SELECT 1;"}, {"2.sql": STOPS, "3.sql": INDEX})
    assert rules(lint([str(migrations / "3.sql")], settings=SETTINGS, since="HEAD")) == []
    git(tmp_path, "commit", "-m", "table")
    (migrations / "4.sql").write_text(OTHER_INDEX)
    git(tmp_path, "add", ".")
    assert rules(lint([str(migrations / "4.sql")], settings=SETTINGS, since="HEAD")) == [("4.sql", 1, "index-not-concurrent")]


@pytest.mark.process
def test_a_folder_was_deployed_over_years(tmp_path: Path) -> None:
    migrations = repository(tmp_path, {"1.sql": "SELECT 1;"}, {"2.sql": STOPS, "3.sql": INDEX})
    late = [("3.sql", 1, "index-not-concurrent")]
    assert rules(lint([str(migrations)], settings=SETTINGS)) == late
    assert rules(lint([str(migrations / f"{number}.sql") for number in (1, 2, 3)], settings=SETTINGS)) == late
    # Some of the last files by name are deployed together; those that have others between them are not.
    assert rules(lint([str(migrations / f"{number}.sql") for number in (2, 3)], settings=SETTINGS)) == []
    (migrations / "4.sql").write_text(OTHER_INDEX)
    assert rules(lint([str(migrations / f"{number}.sql") for number in (2, 4)], settings=SETTINGS)) == [("4.sql", 1, "index-not-concurrent")]


@pytest.mark.process
def test_a_transaction_that_is_rolled_back_creates_nothing(tmp_path: Path) -> None:
    second = f"BEGIN; ALTER TABLE parcels ADD COLUMN note text; ROLLBACK; {STOPS}"
    third = "ALTER TABLE parcels DROP COLUMN note; ALTER TABLE stops DROP COLUMN note;"
    migrations = repository(tmp_path, {"1.sql": "ALTER TABLE parcels ADD COLUMN id bigint;"}, {"2.sql": second, "3.sql": third})
    assert ("3.sql", 1, "drop-column") in rules(lint([str(migrations)], settings=SETTINGS, since="HEAD"))
    (migrations / "2.sql").write_text(second.replace("ROLLBACK", "COMMIT"))
    assert ("3.sql", 1, "drop-column") not in rules(lint([str(migrations)], settings=SETTINGS, since="HEAD"))


def test_checkpoints_of_different_releases_are_not_the_same() -> None:
    files = [MigrationFile(name, Script(f"{name}.sql", text)) for name, text in (("1", "SELECT 1;"), ("2", STOPS), ("3", INDEX))]
    fresh = [frozenset[str](), frozenset(("3.sql",)), frozenset(("2.sql", "3.sql"))]
    found = set()
    for paths in fresh:
        source = Source("", PLAIN, [(file, file.id == "3") for file in files], None, {}, release=True, compared=True, new_paths=paths)
        *_, last = digests([(source, step) for step in source.steps()], ())
        found.add(last)
    assert len(found) == len(fresh)


@pytest.mark.process
def test_a_rollback_of_one_migration_leaves_the_tables_of_the_others(tmp_path: Path) -> None:
    migrations = repository(
        tmp_path, {"1.sql": "SELECT 1;"}, {"2.sql": STOPS, "3.sql": "ALTER TABLE stops ADD COLUMN kind text; DELETE FROM stops;"}
    )
    report = premortem([str(migrations)], settings=SETTINGS, since="HEAD")
    first, second = report.assessments
    assert [plan.steps for plan in (first.rollback_plan, second.rollback_plan)] == [
        ("DROP TABLE public.stops;",),
        ("ALTER TABLE public.stops DROP COLUMN kind;",),
    ]
    assert second.rollback_plan.gone == ()
    assert second.running_release == ()
    assert second.affected_relations == ()
