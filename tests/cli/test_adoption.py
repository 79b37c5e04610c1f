"""The settings with which a team adopts migsafe in an old repository."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run

Command = Callable[..., Run]
Write = Callable[[str, str], Path]


def rules(run: Run) -> list[str]:
    """Returns the findings of a run in JSON, as path: rule."""
    return [f"{finding['path']}: {finding['rule']}" for finding in json.loads(run.out)["findings"]]


def test_suppressed_findings_are_counted(migsafe: Command, write: Write) -> None:
    write("a.sql", "DROP TABLE a; -- migsafe: ignore[drop-table] nobody used it\n")
    write("migsafe.toml", "select = ['drop-table']")
    assert migsafe("lint", "a.sql") == Run(0, "Nothing found in 1 file, 1 statement; 1 suppressed.\n", "")
    assert json.loads(migsafe("lint", "a.sql", "--format", "json").out)["summary"]["suppressed"] == 1


def test_the_configuration_changes_the_severity_of_a_rule(migsafe: Command, write: Write) -> None:
    write("a.sql", "DROP TABLE a;")
    write("migsafe.toml", "select = ['drop-table']\nfail-on = 'error'\nseverity = { drop-table = 'warning' }")
    result = migsafe("lint", "a.sql")
    assert result.code == 0
    assert " warning drop-table\n" in result.out


def test_settings_for_some_files(migsafe: Command, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    part = "paths = ['old/**'], ignore = ['drop-table'], severity = { syntax-error = 'info' }"
    write("migsafe.toml", f"select = ['drop-table', 'syntax-error']\nper-path = [{{ {part} }}]")
    write("old/deep/1.sql", "DROP TABLE a; SELEC 1;")
    write("new/1.sql", "DROP TABLE a;")
    assert rules(migsafe("lint", "old", "new", "--format", "json")) == ["new/1.sql: drop-table", "old/deep/1.sql: syntax-error"]
    monkeypatch.chdir(tmp_path / "old")
    assert rules(migsafe("lint", "deep", "--format", "json")) == ["deep/1.sql: syntax-error"]


@pytest.mark.parametrize(
    "toml",
    ["severity = { drop-tabel = 'info' }", "ignore = ['drop-tabel']", "per-path = [{ paths = ['a'], ignore = ['drop-tabel'] }]"],
)
def test_an_unknown_rule_in_the_configuration_is_an_error(migsafe: Command, write: Write, toml: str) -> None:
    write("a.sql", "SELECT 1;")
    write("migsafe.toml", toml)
    assert migsafe("lint", "a.sql") == Run(2, "", "migsafe: there is no rule drop-tabel\n  Did you mean drop-table?\n")


def test_the_configuration_gives_the_lock_timeout_and_the_schema(migsafe: Command, write: Write) -> None:
    write("schema.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);")
    write("db/2.sql", "ALTER TABLE orders ADD COLUMN note text;")
    write("migsafe.toml", "select = ['foreign-key-validates']\nlock-timeout = '2s'\nschema = 'schema.sql'")
    assert migsafe("lint", "db").code == 0
    write("migsafe.toml", "schema = 'nowhere.sql'")
    assert migsafe("lint", "db").err == "migsafe: nowhere.sql: cannot be read: no such file or directory\n"
