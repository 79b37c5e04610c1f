"""A long literal costs memory in proportion to its length: regular expressions must not remember each character for a later attempt."""

import tracemalloc
from pathlib import Path

import pytest

from migsafe.library.lint import lint

_LENGTH = 1_000_000
_MOST_BYTES_EACH = 30
"""The characters are kept a few times, as text and as a part of it; an attempt for each of them takes more than 100 bytes."""


@pytest.mark.parametrize("part", ["x", "it''s "])
def test_a_long_string_in_an_insert(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("1.sql").write_text("CREATE TABLE t (id bigint PRIMARY KEY, body text);\nINSERT INTO t VALUES (1, 'a');\n")
    lint(["1.sql"])  # what is imported and compiled once does not count
    Path("1.sql").write_text(
        f"CREATE TABLE t (id bigint PRIMARY KEY, body text);\nINSERT INTO t VALUES (1, '{part * (_LENGTH // len(part))}');\n"
    )
    tracemalloc.start()
    try:
        lint(["1.sql"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < _LENGTH * _MOST_BYTES_EACH
