"""Only the migrations that git lists as changed are judged; the others are history."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.process

Command = Callable[..., Run]
Write = Callable[[str, str], Path]


def git(*arguments: str) -> None:
    settings = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *settings, *arguments], check=True, capture_output=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})


@pytest.fixture
def repository(migsafe: Command, write: Write, tmp_path: Path) -> Path:
    """A repository with two migrations on `main`, and another branch checked out."""
    (tmp_path / ".git").rmdir()
    git("init", "--initial-branch=main")
    write("migsafe.toml", "lock-timeout = '2s'\nselect = ['drop-table']")
    write("db/1.sql", "CREATE TABLE a (id bigint PRIMARY KEY); DROP TABLE x1;")
    write("db/2.sql", "DROP TABLE x2;")
    git("add", ".")
    git("commit", "-m", "first")
    git("checkout", "-b", "branch")
    return tmp_path


def judged(migsafe: Command, *arguments: str) -> list[str]:
    result = migsafe("lint", "--format", "json", *arguments)
    assert result.err == ""
    return [finding["path"] for finding in json.loads(result.out)["findings"]]


def test_since_a_revision(migsafe: Command, write: Write, repository: Path) -> None:
    assert judged(migsafe, "db", "--since", "main") == []
    assert migsafe("lint", "db", "--since", "main").out == "Nothing found in 0 files, 0 statements.\n"
    write("db/3.sql", "DROP TABLE x3;")
    git("add", ".")
    git("commit", "-m", "third")
    write("db/2.sql", "DROP TABLE x2, x4;")
    assert judged(migsafe, "db", "--since", "main") == ["db/2.sql", "db/3.sql"]
    assert judged(migsafe, "db", "--since", "HEAD") == ["db/2.sql"]
    assert judged(migsafe, "db/1.sql", "db/3.sql", "--since", "main") == ["db/3.sql"]


def test_changes_on_the_other_branch_are_not_judged(migsafe: Command, write: Write, repository: Path) -> None:
    git("checkout", "main")
    write("db/1.sql", "DROP TABLE theirs;")
    git("commit", "-am", "theirs")
    git("checkout", "branch")
    assert judged(migsafe, "db", "--since", "main") == []


def test_uncommitted_changes(migsafe: Command, write: Write, repository: Path) -> None:
    write("db/3.sql", "DROP TABLE x3;")
    write("db/4 ä.sql", "DROP TABLE x4;")
    git("add", "db/3.sql")
    assert judged(migsafe, "db", "--changed") == ["db/3.sql", "db/4 ä.sql"]


def test_renamed_and_deleted_files(migsafe: Command, repository: Path) -> None:
    git("mv", "db/2.sql", "db/3.sql")
    git("rm", "db/1.sql")
    # What it contains was judged when it was merged; the new name is a finding of its own.
    assert judged(migsafe, "db", "--since", "main") == []
    assert judged(migsafe, "db", "--changed") == []
    result = migsafe("lint", "db", *MERGED, "--select", "drop-table")
    assert "db/3.sql:1:1 error merged-migration-changed" in result.out
    assert "db/2.sql, which stands at main, has become db/3.sql" in result.out
    assert "drop-table" not in result.out


def test_files_that_move_into_a_new_folder_leave_the_others_behind(migsafe: Command, write: Write, repository: Path) -> None:
    (repository / "db" / "old").mkdir()
    git("mv", "db/1.sql", "db/old/1.sql")
    out = migsafe("lint", "db", *MERGED).out
    assert "db/1.sql, which stands at main, no longer exists" in out
    assert "db/old/2.sql" not in out


def test_unchanged_migrations_are_history(migsafe: Command, write: Write, repository: Path) -> None:
    write("db/3.sql", "ALTER TABLE a ALTER COLUMN id SET NOT NULL; CREATE INDEX ON a (id); DROP TABLE x3;")
    result = migsafe("lint", "db", "--changed", "--select", "index-not-concurrent,drop-table")
    assert "db/3.sql:1:" in result.out
    assert "\n2 errors in 1 file, 3 statements.\n" in result.out


def test_in_a_subfolder_of_the_repository(migsafe: Command, write: Write, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("db/3.sql", "DROP TABLE x3;")
    monkeypatch.chdir(repository / "db")
    assert judged(migsafe, ".", "--changed") == ["3.sql"]
    monkeypatch.chdir("/")
    assert judged(migsafe, str(repository / "db"), "--changed", "--select", "drop-table") == [str(repository / "db" / "3.sql")]


def test_before_the_first_commit(migsafe: Command, write: Write, tmp_path: Path) -> None:
    (tmp_path / ".git").rmdir()
    git("init")
    write("1.sql", "DROP TABLE a;")
    write("2.sql", "DROP TABLE b;")
    git("add", "1.sql")
    assert judged(migsafe, ".", "--changed", "--select", "drop-table") == ["1.sql", "2.sql"]


def test_in_a_hook(migsafe: Command, write: Write, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("db/3.sql", "DROP TABLE x3;")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert judged(migsafe, "db", "--changed") == ["db/3.sql"]


@pytest.mark.parametrize("revision", ["mian", "--output=x", ""])
def test_an_unknown_revision_is_an_error(migsafe: Command, repository: Path, revision: str) -> None:
    assert migsafe("lint", "db", "--since", revision) == Run(
        2,
        "",
        f"migsafe: --since: git has no revision {revision}\n  Fetch it first; a CI job that clones only the last commit does not have it.\n",
    )


def test_outside_of_a_repository(migsafe: Command, write: Write) -> None:
    write("db/1.sql", "DROP TABLE a;")
    result = migsafe("lint", "db", "--changed")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("migsafe: db: is not in a git repository: not a git repository")


def test_without_git(migsafe: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("db/1.sql", "DROP TABLE a;")
    monkeypatch.setenv("PATH", "/nowhere")
    assert migsafe("lint", "db", "--changed").err.startswith("migsafe: git cannot be run\n")


def test_since_and_changed_together_are_an_error(migsafe: Command, repository: Path) -> None:
    assert migsafe("lint", "db", "--changed", "--since", "main").err.startswith("migsafe: --since and --changed cannot be used together\n")


MERGED = ("--select", "merged-migration-changed,out-of-order", "--since", "main")


def test_merged_migrations_are_compared_with_the_revision(migsafe: Command, write: Write, repository: Path) -> None:
    write("db/1.sql", "CREATE TABLE a (id bigint PRIMARY KEY); DROP TABLE x2;")
    write("db/2.sql", "-- a comment\nDROP TABLE x2;")
    write("db/01_5.sql", "DROP TABLE x3;")
    result = migsafe("lint", "db", *MERGED)
    assert result.code == 1
    assert "db/1.sql:1:41 error merged-migration-changed" in result.out
    assert "1 stands at main with other SQL: a database that has applied it does not apply it again" in result.out
    assert "db/01_5.sql:1:1 info out-of-order" in result.out
    assert "comes before 2 (db/2.sql), which stands at main" in result.out
    git("rm", "-f", "db/1.sql", "db/01_5.sql", "--ignore-unmatch")
    assert "db/1.sql, which stands at the last commit, no longer exists" in migsafe("lint", "db", "--changed", "--select", MERGED[1]).out
    # Who names one file does not ask about the others.
    assert migsafe("lint", "db/2.sql", "--changed", "--select", MERGED[1]).code == 0


def test_what_the_revision_has_since_the_branch_left_it(migsafe: Command, write: Write, repository: Path) -> None:
    write("db/3.sql", "DROP TABLE x3;")
    git("add", ".")
    git("commit", "-m", "ours")
    git("checkout", "main")
    write("db/4.sql", "DROP TABLE x4;")
    write("db/2.sql", "DROP TABLE x2; DROP TABLE y2;")
    git("add", ".")
    git("commit", "-m", "theirs")
    git("checkout", "branch")
    result = migsafe("lint", "db", *MERGED)
    assert result.out.endswith("\n1 info in 1 file, 1 statement.\n")
    assert "db/3.sql:1:1 info out-of-order" in result.out
    assert "comes before 4 (db/4.sql), which stands at main" in result.out


def test_a_renamed_folder_is_the_same_history(migsafe: Command, write: Write, repository: Path) -> None:
    git("mv", "db", "migrations")
    write("migrations/1.sql", "CREATE TABLE a (id bigint PRIMARY KEY); DROP TABLE x7; DROP TABLE x1;")
    assert judged(migsafe, "migrations", "--changed") == ["migrations/1.sql"]
    assert "migrations/1.sql:1:41 error merged-migration-changed" in migsafe("lint", "migrations", *MERGED).out


def test_a_folder_is_renamed_where_the_contents_of_other_files_are_missing(migsafe: Command, write: Write, repository: Path) -> None:
    write("image.bin", "before")
    git("add", ".")
    git("commit", "-m", "image")
    stored = subprocess.run(["git", "rev-parse", "HEAD:image.bin"], check=True, capture_output=True, text=True).stdout.strip()
    git("mv", "image.bin", "picture.bin")
    write("picture.bin", "after")
    git("mv", "db", "migrations")
    write("migrations/3.sql", "DROP TABLE x3;")
    git("add", ".")
    git("commit", "-m", "moved")
    (repository / ".git" / "objects" / stored[:2] / stored[2:]).unlink()
    assert judged(migsafe, "migrations", "--since", "HEAD^") == ["migrations/3.sql"]


def test_a_folder_that_did_not_exist(migsafe: Command, write: Write, repository: Path) -> None:
    write("other/1.sql", "DROP TABLE o1;")
    write("other/2.sql", "DROP TABLE o2;")
    assert judged(migsafe, "other", "--changed") == ["other/1.sql", "other/2.sql"]
    assert migsafe("lint", "other", *MERGED).code == 0


def test_a_partial_clone_without_its_remote(migsafe: Command, write: Write, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("config", "uploadpack.allowFilter", "true")
    write("db/1.sql", "DROP TABLE x1;")
    git("commit", "-am", "second")
    git("clone", "-q", "--filter=blob:none", f"file://{repository}", "partial")
    monkeypatch.chdir(repository / "partial")
    git("remote", "set-url", "origin", f"file://{repository}/gone")
    result = migsafe("lint", "db", "--since", "HEAD~1", "--select", "merged-migration-changed")
    # Without the files of the commit, no migration would seem to have changed.
    assert result.code == 2
    assert result.err.startswith("migsafe: git ls-tree fails: ")


def test_a_shallow_clone(migsafe: Command, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("commit", "--allow-empty", "-m", "second")
    git("clone", "-q", "--depth", "1", "--no-single-branch", f"file://{repository}", "shallow")
    monkeypatch.chdir(repository / "shallow")
    result = migsafe("lint", "db", "--since", "origin/main")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("migsafe: --since: the repository is a shallow clone, and has no common commit with origin/main\n")
    assert "fetch-depth: 0" in result.err
    result = migsafe("lint", "db", "--since", "v1")
    assert (result.code, "git fetch --unshallow" in result.err) == (2, True)


def test_a_submodule_has_its_own_revisions(migsafe: Command, write: Write, repository: Path) -> None:
    git("init", "-q", "--initial-branch=trunk", "library")
    write("library/db/1.sql", "DROP TABLE l1;")
    git("-C", "library", "add", ".")
    git("-C", "library", "commit", "-m", "first")
    git("-c", "protocol.file.allow=always", "submodule", "add", "./library", "library")
    write("library/db/2.sql", "DROP TABLE l2;")
    assert judged(migsafe, "library/db", "--changed") == ["library/db/2.sql"]
    result = migsafe("lint", "library/db", "--since", "main")
    assert (result.code, "git has no revision main" in result.err) == (2, True)


@pytest.mark.parametrize("version", ["1", "0001", "1.sql"])
def test_start_after(migsafe: Command, write: Write, version: str) -> None:
    write("migsafe.toml", f"start-after = '{version}'\nselect = ['drop-table']")
    write("db/1.sql", "DROP TABLE x1;")
    write("db/2.sql", "DROP TABLE x2;")
    assert judged(migsafe, "db") == ["db/2.sql"]
    assert judged(migsafe, "db/1.sql") == []


def test_start_after_an_unknown_migration_is_an_error(migsafe: Command, write: Write) -> None:
    write("migsafe.toml", "start-after = '0043'")
    write("db/0041.sql", "DROP TABLE x1;")
    write("db/0042.sql", "DROP TABLE x2;")
    assert migsafe("lint", "db") == Run(2, "", "migsafe: start-after: there is no migration 0043\n  Did you mean 0042?\n")
    # A single file may belong to another history.
    write("hotfix.sql", "SELECT 1;")
    assert migsafe("lint", "hotfix.sql", "--select", "drop-table").code == 0


GOOSE = "-- +goose Up\nDROP TABLE a;\n-- +goose Down\nSELECT 1;\n"


def test_two_branches_with_the_same_version(migsafe: Command, write: Write) -> None:
    write("migsafe.toml", "select = ['duplicate-version']")
    for name in ("0001_a", "0002_b", "0002_c"):
        write(f"db/{name}.sql", GOOSE)
    result = migsafe("lint", "db")
    assert (result.code, result.out.count("duplicate-version")) == (1, 1)
    assert "db/0002_c.sql:2:1 error duplicate-version\n" in result.out
    assert "the version 0002 is also the version of db/0002_b.sql: the runner refuses both, or never runs one of them" in result.out
    # If only one of the two is judged, its finding names the other.
    assert "is also the version of db/0002_c.sql" in migsafe("lint", "db/0002_b.sql").out
    assert migsafe("lint", "db/0001_a.sql").code == 0


def test_a_down_file_has_the_version_of_its_migration(migsafe: Command, write: Write) -> None:
    write("migsafe.toml", "select = ['duplicate-version']\nrunner = 'golang-migrate'")
    write("db/0001_a.up.sql", "SELECT 1;")
    write("db/0001_a.down.sql", "SELECT 1;")
    assert migsafe("lint", "db", "db/0001_a.down.sql") == Run(0, "Nothing found in 2 files, 2 statements.\n", "")
