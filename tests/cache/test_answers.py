"""An unchanged history is answered as it was before, and nothing else is."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cache.conftest import Change, Project

pytestmark = pytest.mark.process

HEAVY = {"typer", "msgspec", "typing", "re", "pathlib", "hashlib", "subprocess", "sqlglot", "migsafe.linting.judge", "migsafe.rules"}

OWN_RULE = '''"""Orders are for ever."""

from pathlib import Path

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CreateIndex


@rule(category="shop", severity=Severity.ERROR)
def orders_indexed(op: CreateIndex, at: Context) -> Finding | None:
    return at.finding(op, Path("words.txt").read_text())
'''


def test_an_unchanged_history_is_answered_without_the_engine(project: Project) -> None:
    first = project.run_process("lint", "m")
    second = project.run_process("lint", "m")
    assert first.worked
    assert not second.modules & HEAVY
    assert second.said == first.said
    assert first.code == 1
    assert "index-not-concurrent" in first.out


@pytest.mark.parametrize("format", ["json", "sarif", "github", "gitlab", "junit", "markdown", "gcc"])
def test_every_format_is_answered(project: Project, format: str) -> None:
    project.lint("m")
    uncached = project.lint("m", "--format", format, "--no-cache")
    assert project.lint("m", "--format", format).said == uncached.said
    again = project.lint("m", "--format", format)
    assert not again.worked
    assert again.said == uncached.said


def test_every_report_of_a_run_is_answered(project: Project) -> None:
    command = ("m", "--format", "github", "--also", "markdown=../report.md", "--also", "sarif=../report.sarif")
    first = project.lint(*command)
    files = [project.folder.parent / name for name in ("report.md", "report.sarif")]
    written = [file.read_text() for file in files]
    for file in files:
        file.unlink()
    again = project.lint(*command)
    assert not again.worked
    assert (again.said, [file.read_text() for file in files]) == (first.said, written)


def same_size(project: Project) -> None:
    """An old migration is changed, and made to look as if it had not been."""
    file = project.folder / "m/0002_note.sql"
    before = file.stat()
    file.write_text(file.read_text().replace("orders", "addres"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size


def other_link(project: Project) -> None:
    (project.folder / "current").unlink()
    (project.folder / "current").symlink_to("other")


def commit(project: Project) -> None:
    subprocess.run(["git", "commit", "-qam", "second"], cwd=project.folder, check=True)


CHANGES: dict[str, tuple[str, Change]] = {
    "an old migration": ("m", same_size),
    "a new migration": ("m", lambda it: it.write("m/0004_more.sql", "DROP TABLE orders;")),
    "a migration less": ("m", lambda it: (it.folder / "m/0001_orders.sql").unlink()),
    "the history of a file": ("m/0003_index.sql", lambda it: it.write("m/0001_orders.sql", "CREATE SCHEMA shop;")),
    "the configuration": ("m --config ci.toml", lambda it: it.write("ci.toml", 'ignore = ["index-not-concurrent"]')),
    "a first configuration": ("m", lambda it: it.write("migsafe.toml", 'ignore = ["index-not-concurrent"]')),
    "the baseline": ("m --baseline b.json", lambda it: it.write("b.json", '{"version": 1, "findings": []} ')),
    "the row counts": ("m --stats s.json", lambda it: it.write("s.json", '{"version": 1, "relations": {"public.orders": 5}}')),
    "the schema": ("m --schema dump.sql", lambda it: it.write("dump.sql", "CREATE TABLE t (id int);")),
    "an own rule": ("m --config own.toml", lambda it: it.write("own/indexed.py", OWN_RULE.replace("for ever", "eternal"))),
    "a second own rule": ("m --config own.toml", lambda it: it.write("own/two.py", OWN_RULE.replace("orders_indexed", "indexed"))),
    "what an own rule reads": ("m --config own.toml", lambda it: it.write("words.txt", "No!")),
    "who runs them": ("m", lambda it: it.write("sqlx.toml", "")),
    "where a link leads": ("current", other_link),
    "the folder of the cache's home": ("m", lambda it: it.environment.update(XDG_CACHE_HOME=str(it.folder / "elsewhere"))),
    "colour": ("m", lambda it: it.environment.update(FORCE_COLOR="1")),
}


@pytest.mark.parametrize(("arguments", "change"), CHANGES.values(), ids=CHANGES)
def test_nothing_stale_is_answered_after_a_change_of(project: Project, arguments: str, change: Change) -> None:
    project.write("ci.toml", "ignore = []")
    project.write("own.toml", 'rules = "own"')
    project.write("own/indexed.py", OWN_RULE)
    project.write("words.txt", "Do not.")
    project.write("other/0001_gone.sql", "DROP TABLE orders;")
    project.write("b.json", '{"version": 1, "findings": []}')
    project.write("s.json", '{"version": 1, "relations": {"public.orders": 5000000}}')
    project.write("dump.sql", "CREATE TABLE orders (id int);")
    (project.folder / "current").symlink_to("m")
    project.lint(*arguments.split())
    assert not project.lint(*arguments.split()).worked
    change(project)
    changed = project.lint(*arguments.split())
    assert changed.worked
    assert changed.said == project.lint(*arguments.split(), "--no-cache").said
    assert project.lint(*arguments.split()).said == changed.said


def test_a_file_that_is_written_anew_but_the_same_costs_no_more_than_reading_it(project: Project) -> None:
    project.run_process("lint", "m")
    project.write("m/0002_note.sql", (project.folder / "m/0002_note.sql").read_text())
    touched = project.run_process("lint", "m")
    assert not touched.worked
    assert "hashlib" in touched.modules
    assert "hashlib" not in project.run_process("lint", "m").modules


def test_git_is_asked_each_time(project: Project) -> None:
    (project.folder / ".git").rmdir()
    for command in (["init", "-q"], ["config", "user.email", "a@b.c"], ["config", "user.name", "a"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=project.folder, check=True)
    project.write("m/0003_index.sql", "DROP TABLE orders;")
    first = project.lint("m", "--since", "HEAD")
    assert first.code == 1
    again = project.lint("m", "--since", "HEAD")
    assert not again.worked
    assert again.said == first.said
    commit(project)
    after = project.lint("m", "--since", "HEAD")
    assert after.worked
    assert after.code == 0


def test_options_and_the_current_folder_are_part_of_the_question(project: Project) -> None:
    project.lint("m")
    assert project.lint("m", "--fail-on", "never").code == 0
    assert project.lint("m", "--ignore", "index-not-concurrent").worked
    project.folder = project.folder / "m"
    assert project.lint("../m").worked


def test_a_report_goes_to_its_file_again(project: Project) -> None:
    project.write("report.json", "an older report")  # a new file in the folder of the project may be one of its settings
    first = project.lint("m", "--format", "json", "--output", "report.json")
    written = (project.folder / "report.json").read_text()
    project.write("report.json", "")
    second = project.lint("m", "--format", "json", "--output", "report.json")
    assert not second.worked
    assert second.said == first.said
    assert (project.folder / "report.json").read_text() == written
    (project.folder / "report.json").unlink()
    (project.folder / "report.json").mkdir()
    refused = project.lint("m", "--format", "json", "--output", "report.json")
    assert refused.code == 2
    assert refused.err == "migsafe: report.json: cannot be written: is a directory"


def test_what_is_said_beside_the_report_is_said_again(project: Project) -> None:
    project.write("m/notes.sql", "SELECT 1;")
    project.write("m/V1__flyway.sql", "SELECT 1;")
    first = project.lint("m", "--runner", "flyway")
    second = project.lint("m", "--runner", "flyway")
    assert "skipped" in first.err
    assert not second.worked
    assert second.said == first.said


def test_what_could_not_be_done_is_tried_again(project: Project) -> None:
    project.write("m/0002_note.sql", "ALTER TABLE orders ADD note text; -- \0")
    first = project.lint("m")
    second = project.lint("m")
    assert first.code == 2
    assert second.worked
    assert second.said == first.said
    assert project.entries == []


def test_a_rule_that_fails_is_asked_again(project: Project) -> None:
    project.write("own.toml", 'rules = "own"')
    project.write("own/indexed.py", OWN_RULE)
    first = project.lint("m", "--config", "own.toml")
    assert first.code == 2
    assert "orders-indexed failed" in first.err
    assert project.lint("m", "--config", "own.toml").worked
    project.write("words.txt", "Do not.")
    mended = project.lint("m", "--config", "own.toml")
    assert mended.code == 1
    assert "Do not." in mended.out


def test_standard_input_is_read_each_time(project: Project) -> None:
    assert project.run("lint", "-", stdin="DROP TABLE a;").code == 1
    assert project.run("lint", "-", stdin="SELECT 1;").code == 0
    project.write("ci.toml", 'migrations = ["-"]')
    assert project.run("lint", "--config", "ci.toml", stdin="DROP TABLE a;").code == 1
    assert project.run("lint", "--config", "ci.toml", stdin="SELECT 1;").code == 0
    assert project.run("lint", "/dev/stdin", stdin="DROP TABLE a;").code == 1
    assert project.run("lint", "/dev/stdin", stdin="SELECT 1;").code == 0


def test_no_cache_neither_asks_nor_keeps(project: Project) -> None:
    project.lint("m", "--no-cache")
    assert project.entries == []
    project.lint("m")
    assert project.lint("m", "--no-cache").worked


def test_a_baseline_is_written_each_time(project: Project) -> None:
    project.lint("m")
    assert "written" in project.lint("m", "--write-baseline").out
    (project.folder / "migsafe-baseline.json").unlink()
    project.lint("m", "--write-baseline")
    assert len(json.loads((project.folder / "migsafe-baseline.json").read_text())["findings"]) > 0


def test_only_known_variables_of_the_environment_are_asked_for() -> None:
    """What the findings or their looks depend on must be part of the question: see _OUTPUT_VARIABLES in migsafe/cache/answers.py."""
    engine = Path(__file__).parents[2] / "migsafe"
    asking = {
        str(path.relative_to(engine))
        for path in engine.rglob("*.py")
        if "environ" in path.read_text().replace("environment", "").replace("environs", "") or "getenv" in path.read_text()
    }
    # What runs programs is not answered from the cache, and neither are other commands than lint.
    programs = {path for path in asking if path.startswith(("replaying/", "assessment/", "rendering/", "agent/", "cli/config.py"))}
    programs |= {"sources/alembic/env_calls.py", "sources/psql_variables.py"}  # read code that asks, and ask for nothing themselves
    assert asking - programs == {
        "cache/answers.py",
        "cache/store.py",
        "cli/__init__.py",
        "terminal/display.py",
        "sources/git.py",
        "terminal/output.py",
    }
