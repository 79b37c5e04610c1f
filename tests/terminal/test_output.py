"""Files that a command writes."""

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
