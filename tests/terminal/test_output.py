"""Files that a command writes."""

import errno
from pathlib import Path

import pytest

from migsafe.errors import MigsafeError
from migsafe.terminal.output import write_whole


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "plans.json"
    write_whole("new\n", str(file))
    assert file.read_text() == "new\n"
    with pytest.raises(MigsafeError, match=r"missing/plans\.json: cannot be written: no such file or directory"):
        write_whole("new\n", str(tmp_path / "missing/plans.json"))
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(MigsafeError, match=r"folder\.json: cannot be written"):
        write_whole("new\n", str(tmp_path / "folder.json"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.json", "plans.json"]


def test_a_file_keeps_its_place_its_permissions_and_its_line_ends(tmp_path: Path) -> None:
    file, link = tmp_path / "shared.toml", tmp_path / "migsafe.toml"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    write_whole("a\nb\n", link, "\r\n")
    assert link.is_symlink()
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"a\r\nb\r\n", 0o640)


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = tmp_path / "pyproject.toml"
    file.write_text("old")
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(MigsafeError, match=r"pyproject\.toml: cannot be written: no space left on device"):
        write_whole("new", file)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("pyproject.toml", "old")]


def test_a_read_only_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "baseline.json"
    file.write_text("old")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write to every file
    with pytest.raises(MigsafeError, match=r"baseline\.json: cannot be written: permission denied"):
        write_whole("new", file)
    assert file.read_text() == "old"
