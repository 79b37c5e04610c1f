"""The pre-mortem of one migration after a small history, as an object."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migsafe.cli import main

HISTORY = """\
BEGIN;
CREATE TABLE customers (id bigint PRIMARY KEY, email text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, qty integer, note varchar(100));
CREATE VIEW open_orders AS SELECT id, qty FROM orders;
COMMIT;
"""

Tell = Callable[..., dict[str, Any]]


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tell:
    """Takes SQL and options; `code` is the exit code to expect, `rows` are those of production by table."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0001_shop.sql").write_text(HISTORY)

    def told(sql: str, *options: str, code: int = 0, **rows: int) -> dict[str, Any]:
        (tmp_path / "0002_change.sql").write_text(sql)
        if rows:
            counts = {"version": 1, "relations": {f"public.{table}": number for table, number in rows.items()}}
            (tmp_path / "stats.json").write_text(json.dumps(counts))
            options = (*options, "--stats", "stats.json")
        assert main(["premortem", "0002_change.sql", "--format", "json", *options]) == code
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return told
