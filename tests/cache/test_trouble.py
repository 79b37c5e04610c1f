"""Whatever is wrong with the cache costs time, and nobody hears of it."""

import errno
import os
from pathlib import Path

import pytest

from migsafe.cache import store
from migsafe.cache.store import Store, usual_folder
from migsafe.cache.trace import confirmed, digest, is_settled, signature
from tests.cache.conftest import Project

pytestmark = pytest.mark.process


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:2], lambda data: b"", lambda data: data[:50] + b"?" + data[51:]])
def test_a_damaged_entry_is_none(project: Project, damage: "object") -> None:
    first = project.lint("m")
    for entry in project.entries:
        entry.write_bytes(damage(entry.read_bytes()))  # type: ignore[operator]
    second = project.lint("m")
    assert second.worked
    assert second.said == first.said
    assert not project.lint("m").worked


def test_an_entry_of_another_kind_is_none(project: Project) -> None:
    project.lint("m")
    (entry,) = project.entries
    Store(str(project.cache)).write(entry.name, b"no entry of ours")
    assert project.lint("m").worked


def test_runs_at_once_do_not_disturb_each_other(project: Project) -> None:
    uncached = project.run_process("lint", "m", "--no-cache")
    processes = [project.start("lint", "m") for _ in range(4)]
    for process in processes:
        out, _ = process.communicate()
        assert (process.returncode, out) == (uncached.code, uncached.out)
    assert len(project.entries) == 1
    assert not project.run_process("lint", "m").worked


def test_the_folder_is_the_users_alone(project: Project) -> None:
    project.lint("m")
    assert project.cache.stat().st_mode & 0o777 == 0o700
    assert [entry.stat().st_mode & 0o777 for entry in project.entries] == [0o600]
    project.cache.chmod(0o770)
    assert project.lint("m").worked


def test_a_home_that_cannot_be_written_to_is_passed_over(project: Project) -> None:
    file = project.write("file", "")
    project.environment["XDG_CACHE_HOME"] = str(file)
    assert [project.lint("m").err, project.lint("m").err] == ["", ""]


def test_where_the_entries_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert usual_folder() == "/home/ann/.cache/migsafe"
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/ann")
    assert usual_folder() == "/var/ann/migsafe"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert usual_folder() == "/home/ann/.cache/migsafe"
    monkeypatch.setattr("sys.platform", "darwin")
    assert usual_folder() == "/home/ann/Library/Caches/migsafe"
    monkeypatch.setenv("HOME", "nowhere")
    assert usual_folder() is None


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    entries = Store(str(tmp_path / "entries"))
    entries.write("a", b"old")
    monkeypatch.setattr(os, "replace", full)
    entries.write("a", b"new")
    entries.write("b", b"new")
    assert entries.names() == {"a"}
    assert entries.read("a") == b"old"


def test_old_entries_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_BYTES", 1000)
    monkeypatch.setattr(store, "MOST_ENTRIES", 20)
    entries = Store(str(tmp_path))
    tmp_path.chmod(0o700)
    for number in range(1, 12):
        entries.write(f"{number}", bytes(96))
        os.utime(tmp_path / f"{number}", (number, number))
    # The eleventh was one too many: those before it went until a quarter was free.
    assert entries.names() == {"5", "6", "7", "8", "9", "10", "11"}
    for number in range(20, 60):
        entries.write(f"{number}", b"")
        os.utime(tmp_path / f"{number}", (number, number))
    assert len(entries.names()) <= 20
    assert "59" in entries.names()


def test_a_file_that_was_written_just_now_is_not_believed_by_its_times(tmp_path: Path) -> None:
    file = tmp_path / "a.sql"
    file.write_text("SELECT 1;")
    written = file.stat()
    now = max(written.st_mtime_ns, written.st_ctime_ns)
    assert not is_settled(signature(written), now)
    assert not is_settled(signature(written), now + 1_000_000_000)
    assert is_settled(signature(written), now + 3_000_000_000)


def test_a_file_without_a_signature_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.sql"
    file.write_text("SELECT 1;")
    trace = ([(str(file), digest(str(file)), None)], [], [], [], [])
    assert confirmed(trace) is not None
    file.write_text("SELECT 2;")
    assert confirmed(trace) is None
