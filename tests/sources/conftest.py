"""Folders of migrations, written for a test."""

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[dict[str, str]], str]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes files below a folder `shop` in the current one, and returns its path as a user types it."""
    monkeypatch.chdir(tmp_path)

    def write(files: dict[str, str]) -> str:
        for name, text in files.items():
            path = tmp_path / "shop" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, newline="")
        return "shop"

    return write
