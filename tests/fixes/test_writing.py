"""Files are written all or none, whatever ends the writing."""

from pathlib import Path

import pytest

from migsafe.errors import MigsafeError
from migsafe.fixes.edits import FileChange
from migsafe.fixes.writing import write_changes

OLD = b"\xef\xbb\xbfSELECT 1;\r\n"


@pytest.fixture
def changes(tmp_path: Path) -> list[FileChange]:
    """Two edited files, one of them a link to a file in another folder, and a new one in a new folder."""
    (tmp_path / "db").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.sql").write_bytes(OLD)
    (tmp_path / "db" / "1.sql").symlink_to(tmp_path / "elsewhere" / "1.sql")
    (tmp_path / "db" / "2.sql").write_bytes(OLD)
    edited = [FileChange(str(tmp_path / "db" / name), "SELECT 1;\r\n", "SELECT 2;\r\n") for name in ("1.sql", "2.sql")]
    return [FileChange(str(tmp_path / "new" / "3" / "up.sql"), None, "SELECT 3;\n"), *edited]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def test_links_stay_and_nothing_else_is_left(changes: list[FileChange], tmp_path: Path) -> None:
    before = files(tmp_path)
    write_changes(changes)
    new = OLD.replace(b"1", b"2")
    expected = {"elsewhere/1.sql": new, "db/1.sql": new, "db/2.sql": new, "new": b"", "new/3": b"", "new/3/up.sql": b"SELECT 3;\n"}
    assert files(tmp_path) == before | expected
    assert (tmp_path / "db" / "1.sql").is_symlink()


@pytest.mark.parametrize("number", range(2))
def test_an_interruption_leaves_the_files_as_they_were(
    changes: list[FileChange], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before, replaced, replace = files(tmp_path), [], Path.replace

    def interrupted(path: Path, target: Path) -> Path:
        replaced.append(target)
        if len(replaced) == number + 1:
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_changes(changes)
    assert files(tmp_path) == before


def test_what_cannot_be_written_is_named_and_nothing_is_written(changes: list[FileChange], tmp_path: Path) -> None:
    (tmp_path / "db" / "latin.py").write_bytes(b"# coding: latin-1\n")
    for change, reason in (
        (FileChange(str(tmp_path / "db" / "latin.py"), "# coding: latin-1\n", "# coding: latin-1\n# …\n"), "its encoding, latin-1, has no '…'"),
        (FileChange(str(tmp_path / "db" / "2.sql" / "x.sql"), None, ""), "cannot be written: not a directory"),
        (FileChange(str(tmp_path / "db" / "2.sql"), None, ""), "exists already"),
    ):
        before = files(tmp_path)
        with pytest.raises(MigsafeError, match=reason):
            write_changes([*changes[:2], change])
        assert files(tmp_path) == before
    (tmp_path / "db" / "2.sql").chmod(0o444)
    with pytest.raises(MigsafeError, match="is read-only"):
        write_changes(changes)
    assert files(tmp_path) == before
