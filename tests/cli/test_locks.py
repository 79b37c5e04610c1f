"""The command `migsafe locks`."""

import json
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from migsafe.cli import main
from tests.cli.conftest import Run

Command = Callable[..., Run]
Write = Callable[[str, str | bytes], Path]

ROOT = Path(__file__).parents[2]


def migrations(run: Run) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = json.loads(run.out)["migrations"]
    return result


def effects(run: Run) -> list[tuple[str, str, bool]]:
    """Returns the effects of the last statement."""
    last = migrations(run)[-1]["statements"][-1]
    return [(effect["relation"], effect["lock"], effect["new"]) for effect in last["effects"]]


def test_the_shop(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["locks", "fixtures/shop/0006_warehouses.sql"]) == 0
    assert capsys.readouterr().out == (
        "fixtures/shop/0006_warehouses.sql · each statement in its own transaction\n"
        "   1  CREATE TABLE warehouses ( id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE )\n"
        "   6  INSERT INTO warehouses (name) VALUES ('North')\n"
        "      public.warehouses  ROW EXCLUSIVE        blocks nothing: it is new\n"
        "   8  ALTER TABLE items ADD COLUMN warehouse_id bigint, ADD COLUMN packed_at timestamptz, ADD CONSTRAINT items_warehous…\n"
        "      public.items       ACCESS EXCLUSIVE     blocks reads and writes    "
        "reads all of it: every row is looked up in the referenced table\n"
        "      public.warehouses  SHARE ROW EXCLUSIVE  blocks nothing: it is new\n"
        "\n"
        "3 statements in 1 migration on PostgreSQL 17: 1 blocks reads and writes, 1 reads all of a table.\n"
    )


def test_the_history_is_applied_but_not_shown(migsafe: Command, write: Write) -> None:
    write("db/1_a.sql", "CREATE SCHEMA shop; CREATE TABLE shop.a (id int); CREATE INDEX a_idx ON shop.a (id);")
    write("db/2_b.sql", "CREATE TABLE b (id int); SET search_path TO shop; DROP INDEX a_idx;")
    result = migsafe("locks", "db/2_b.sql", "--format", "json")
    assert [each["path"] for each in migrations(result)] == ["db/2_b.sql"]
    assert effects(result) == [("shop.a", "AccessExclusiveLock", False)]
    assert [each["path"] for each in migrations(migsafe("locks", "db", "--format", "json"))] == ["db/1_a.sql", "db/2_b.sql"]


def test_relations_that_the_migration_created_are_new(migsafe: Command, write: Write) -> None:
    write("a.sql", "CREATE TABLE a (id int); CREATE INDEX ON a (id);")
    assert effects(migsafe("locks", "a.sql", "--format", "json")) == [("public.a", "ShareLock", True)]


def test_each_folder_is_a_separate_history(migsafe: Command, write: Write) -> None:
    write("one/1.sql", "CREATE TABLE a (id int); CREATE INDEX i ON a (id);")
    write("two/1.sql", "SELECT 1;")
    write("two/2.sql", "DROP INDEX i;")
    assert ("public.a", "AccessExclusiveLock", False) not in effects(migsafe("locks", "one", "two", "--format", "json"))


def test_predictions_start_from_a_schema_dump(migsafe: Command, write: Write) -> None:
    write("dump.sql", "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE app.a (id int); CREATE INDEX i ON app.a (id);")
    write("a.sql", "SET search_path TO app; DROP INDEX i;")
    assert effects(migsafe("locks", "a.sql", "--schema", "dump.sql", "--format", "json")) == [("app.a", "AccessExclusiveLock", False)]
    result = migsafe("locks", "a.sql", "--schema", "nowhere.sql")
    assert (result.code, result.out, result.err) == (2, "", "migsafe: nowhere.sql: cannot be read: no such file or directory\n")


def test_each_contradiction_of_the_history_is_reported_once(migsafe: Command, write: Write) -> None:
    write("db/1.sql", "CREATE TABLE a (id int);")
    write("db/2.sql", "SELECT 1;\n  CREATE TABLE a (id int);\nCREATE TABLE a (id int);")
    write("db/3.sql", "DROP TABLE a;")
    result = migsafe("locks", "db/3.sql")
    assert result.code == 0
    assert [line[: len("migsafe: note: db/2.sql:2:3: ")] for line in result.err.splitlines()] == ["migsafe: note: db/2.sql:2:3: "]


@pytest.mark.parametrize(
    ("options", "name", "transaction"),
    [
        ((), "a.sql", "statement"),
        (("--transaction", "file"), "a.sql", "file"),
        (("--transaction", "none"), "a.sql", "none"),
        (("--runner", "golang-migrate"), "1_a.up.sql", "file"),
        (("--runner", "golang-migrate"), "2_b.up.sql", "statement"),
    ],
)
def test_transactions_depend_on_the_runner(migsafe: Command, write: Write, options: tuple[str, ...], name: str, transaction: str) -> None:
    write("a.sql", "SELECT 1; SELECT 2;")
    write("1_a.up.sql", "SELECT 1; SELECT 2;")
    write("2_b.up.sql", "SELECT 1;")
    [migration] = migrations(migsafe("locks", name, "--format", "json", *options))
    assert migration["transaction"] == transaction


def test_options_go_before_the_configuration(migsafe: Command, write: Write) -> None:
    write("db/1.sql", "SELECT 1;")
    write("migsafe.toml", 'migrations = ["db"]\npg-version = 14')
    assert json.loads(migsafe("locks", "--format", "json").out)["pg_version"] == 14
    assert json.loads(migsafe("locks", "--format", "json", "--pg-version", "18").out)["pg_version"] == 18


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["missing.sql"], "migsafe: missing.sql: there is no such file or folder\n"),
        ([], "migsafe: nothing to predict\n"),
        (["a.sql", "--pg-version", "13"], "migsafe: --pg-version: invalid value: 13\n  Use 14, 15, 16, 17, 18 or 19.\n"),
        (["a.sql", "--format", "jsno"], "migsafe: there is no format jsno\n  Did you mean json?\n"),
        (["a.sql", "--output", "no/such/folder"], "migsafe: no/such/folder: cannot be written: no such file or directory\n"),
    ],
)
def test_errors_are_one_line(migsafe: Command, write: Write, arguments: list[str], complaint: str) -> None:
    write("a.sql", "SELECT 1;")
    result = migsafe("locks", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(complaint)


@pytest.mark.parametrize("format", ["text", "json"])
def test_an_unreadable_file_does_not_stop_the_others(migsafe: Command, write: Write, format: str) -> None:
    write("db/1.sql", b"\0\1\2")
    write("db/2.sql", "CREATE INDEX ON t (a);")
    result = migsafe("locks", "db", "--format", format)
    assert result.code == 2
    assert result.err.startswith("migsafe: db/1.sql: is not text\n")
    if format == "json":
        assert effects(result) == [("public.t", "ShareLock", False)]
    else:
        assert result.out.endswith(
            "1 statement in 1 migration on PostgreSQL 17: 1 blocks writes, 1 reads all of a table, 1 file could not be read.\n"
        )


def test_standard_input(migsafe: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"DROP TABLE a;")))
    assert migsafe("locks", "-").out.startswith(
        "- · each statement in its own transaction\n   1  DROP TABLE a\n      public.a  ACCESS EXCLUSIVE  blocks reads"
    )


def test_a_report_goes_to_a_file(migsafe: Command, write: Write, tmp_path: Path) -> None:
    write("a.sql", "DROP TABLE a;")
    assert migsafe("locks", "a.sql", "--output", "report.txt") == Run(0, "", "")
    assert (tmp_path / "report.txt").read_text().startswith("a.sql · each statement in its own transaction\n")


def test_colour_can_be_forced_and_refused(migsafe: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.sql", "DROP TABLE a;")
    assert "\x1b" not in migsafe("locks", "a.sql").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31mACCESS EXCLUSIVE" in migsafe("locks", "a.sql").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in migsafe("locks", "a.sql").out


@pytest.mark.process
def test_slow_libraries_are_loaded_only_when_needed() -> None:
    script = "import sys, migsafe.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True).stdout.split()
    assert not {"sqlglot", "psycopg"} & set(loaded)


def test_help_has_examples(migsafe: Command) -> None:
    help = migsafe("locks", "--help").out
    assert "migsafe locks --schema shop.sql hotfix.sql" in help
    assert "INSERT, UPDATE and DELETE wait" in help
    assert "Exit code 2" in help
    assert "locks" in migsafe("--help").out
