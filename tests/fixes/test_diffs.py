"""The diff that `--diff` prints can be applied."""

import subprocess
from pathlib import Path

import pytest

from migsafe.fixes.diffs import unified_diff
from migsafe.fixes.edits import FileChange


@pytest.mark.parametrize("root", ["", "/"])
def test_git_applies_the_diff(root: str, tmp_path: Path) -> None:
    subprocess.run(("git", "init", "-q"), cwd=tmp_path, check=True)
    (tmp_path / "1.sql").write_text("SELECT 1;")
    changes = (FileChange(f"{root}1.sql", "SELECT 1;", "SELECT 1;\nSELECT 2;\n"), FileChange(f"{root}2.sql", None, "SELECT 3;\n"))
    diff = "".join(map(unified_diff, changes))
    subprocess.run(("git", "apply", "-"), cwd=tmp_path, input=diff.encode(), check=True)
    assert {path.name: path.read_text() for path in tmp_path.glob("*.sql")} == {change.path.lstrip("/"): change.after for change in changes}
