"""The hook, run by pre-commit in a repository: it rejects a dangerous migration and accepts a safe one and other files."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[1]
MADE = "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);\n"
STOPS_WRITES = "SET lock_timeout = '2s';\nCREATE INDEX orders_note_idx ON orders (note);\n"
STOPS_NOBODY = "CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);\n"
QUERIES = '{"migsafe":"queries","version":1}\n'

Git = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Git]:
    """A repository with one migration and the hook, which runs the migsafe that is being tested."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)

    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path.parent / "pre-commit"))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    configure(tmp_path, "migsafe")
    (tmp_path / "migsafe.toml").write_text('migrations = ["migrations"]\nignore = ["not-rerunnable"]\n')
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001_orders.sql").write_text(MADE)
    run("init", "--initial-branch=main")
    run("config", "user.name", "Team")
    run("config", "user.email", "team@example.com")
    run("add", ".")
    assert run("commit", "--message=The shop opens").returncode == 0
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], cwd=tmp_path, capture_output=True, check=True)
    yield run
    shutil.rmtree(tmp_path.parent / "pre-commit", ignore_errors=True)


def configure(folder: Path, hook: str) -> None:
    """Puts one of the hooks into the configuration of pre-commit."""
    [entry] = [entry for entry in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()) if entry["id"] == hook]
    entry |= {"language": "system", "entry": f"{sys.executable} -m {entry['entry']}"}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": [entry]}]}))


def commit(git: Git, tmp_path: Path, name: str, text: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / name).write_text(text)
    git("add", name)
    return git("commit", f"--message={name}")


def test_a_bad_migration_is_not_committed(git: Git, tmp_path: Path) -> None:
    done = commit(git, tmp_path, "migrations/0002_find_notes.sql", STOPS_WRITES)
    assert done.returncode != 0
    assert "migrations/0002_find_notes.sql:2:1 error index-not-concurrent" in done.stdout + done.stderr
    assert git("log", "--oneline").stdout.count("\n") == 1


def test_a_safe_migration_is_committed(git: Git, tmp_path: Path) -> None:
    assert commit(git, tmp_path, "migrations/0002_find_notes.sql", STOPS_NOBODY).returncode == 0


def test_other_files_are_not_judged(git: Git, tmp_path: Path) -> None:
    done = commit(git, tmp_path, "notes.txt", "CREATE INDEX ON orders (note);\n")
    assert done.returncode == 0
    assert "Skipped" in done.stdout + done.stderr


def test_a_query_without_an_index_is_not_committed(git: Git, tmp_path: Path) -> None:
    configuration = 'migrations = ["migrations"]\nqueries = ["queries.jsonl"]\n'
    first = '{"text":"SELECT note FROM orders WHERE id = $1","fingerprint":"a1","calls":1}\n'
    assert commit(git, tmp_path, "queries.jsonl", QUERIES + first).returncode == 0
    assert commit(git, tmp_path, "migsafe.toml", configuration).returncode == 0
    new = '{"text":"SELECT id FROM orders WHERE note = $1","fingerprint":"b2","calls":1}\n'
    done = commit(git, tmp_path, "queries.jsonl", QUERIES + first + new)
    assert done.returncode != 0
    assert "query-without-index" in done.stdout + done.stderr


def test_the_fixing_hook_applies_safe_fixes_and_lets_the_next_commit_pass(git: Git, tmp_path: Path) -> None:
    configure(tmp_path, "migsafe-fix")
    assert git("commit", "--all", "--message=fixes").returncode == 0
    without_timeout = "CREATE TABLE notes (id bigint PRIMARY KEY, orders_id bigint REFERENCES orders);\nDROP TABLE notes;\n"
    done = commit(git, tmp_path, "migrations/0002_notes.sql", without_timeout)
    assert done.returncode != 0
    assert "files were modified by this hook" in done.stdout + done.stderr
    fixed = (tmp_path / "migrations" / "0002_notes.sql").read_text()
    assert fixed.startswith("SET lock_timeout = ")
    assert commit(git, tmp_path, "migrations/0002_notes.sql", fixed).returncode == 0
