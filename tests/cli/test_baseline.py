"""Baselines: a run reports only findings that are not in the baseline."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run

Command = Callable[..., Run]
Write = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def configured(write: Write) -> None:
    write("migsafe.toml", 'select = ["drop-table", "syntax-error"]\nbaseline = "baseline.json"')


def test_only_new_findings_are_reported(migsafe: Command, write: Write) -> None:
    write("db/1.sql", "DROP TABLE a;")
    assert migsafe("lint", "db", "--write-baseline") == Run(0, "baseline.json: 1 finding written.\n", "")
    assert migsafe("lint", "db") == Run(0, "Nothing found in 1 file, 1 statement; 1 in the baseline.\n", "")
    write("db/2.sql", "DROP TABLE b; -- migsafe: ignore[drop-table] known\nDROP TABLE c;")
    result = migsafe("lint", "db")
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith("db/2.sql:2:1 error drop-table\n")
    assert result.out.endswith("\n1 error in 2 files, 3 statements; 1 suppressed; 1 in the baseline.\n")
    assert json.loads(migsafe("lint", "db", "--format", "json").out)["summary"]["suppressed"] == 2


def test_a_finding_that_moved_is_still_in_the_baseline(migsafe: Command, write: Write) -> None:
    write("1.sql", "DROP TABLE a;")
    migsafe("lint", "1.sql", "--write-baseline")
    write("1.sql", "-- a comment\nSELECT 1;\n\n  DROP\n    TABLE a;")
    assert migsafe("lint", "1.sql").code == 0
    write("1.sql", "DROP TABLE b;")
    assert migsafe("lint", "1.sql").code == 1


def test_equal_findings_are_counted_separately(migsafe: Command, write: Write) -> None:
    write("1.sql", "DROP TABLE a;")
    migsafe("lint", "1.sql", "--write-baseline")
    write("1.sql", "DROP TABLE a; CREATE TABLE a (id bigint PRIMARY KEY); COMMIT; DROP TABLE b; DROP TABLE a;")
    assert migsafe("lint", "1.sql", "--select", "drop-table").out.count("error drop-table") == 1


def test_fixed_findings_are_reported(migsafe: Command, write: Write, tmp_path: Path) -> None:
    for number in range(1, 6):
        write(f"db/{number}.sql", "DROP TABLE a;")
    migsafe("lint", "db", "--write-baseline")
    write("db/1.sql", "SELECT 1;")
    (tmp_path / "db" / "2.sql").unlink()
    assert migsafe("lint", "db").err == (
        "migsafe: 2 findings of the baseline no longer exist: drop-table in db/1.sql, drop-table in db/2.sql\n"
        "  `migsafe lint --write-baseline` updates the baseline.\n"
    )
    # A finding in a file that was not judged is not reported as fixed.
    (tmp_path / "db" / "2.sql").touch()
    assert migsafe("lint", "db/3.sql").err == ""
    assert migsafe("lint", "db", "--select", "syntax-error").err == ""


def test_writing_a_baseline_for_some_files_keeps_the_others(migsafe: Command, write: Write) -> None:
    write("db/1.sql", "DROP TABLE a;")
    write("db/2.sql", "DROP TABLE b;")
    migsafe("lint", "db", "--write-baseline")
    write("db/2.sql", "SELECT 1;")
    assert migsafe("lint", "db/2.sql", "--write-baseline").out == "baseline.json: 1 finding written.\n"
    assert migsafe("lint", "db/1.sql").code == 0


def test_the_file_has_a_line_for_each_finding_in_order(migsafe: Command, write: Write, tmp_path: Path) -> None:
    write("db/2.sql", "DROP TABLE b;")
    write("db/1.sql", "DROP  TABLE\na;")
    migsafe("lint", "db", "--write-baseline")
    lines = (tmp_path / "baseline.json").read_text().splitlines()
    assert lines[0] == '{"version": 1, "findings": ['
    assert lines[1].startswith('{"path":"db/1.sql","migration":"1","rule":"drop-table","digest":"')
    assert lines[1].endswith('","number":1,"sql":"DROP TABLE a"},')
    assert lines[-1] == "]}"
    assert len(lines) == 4


def test_paths_start_from_the_baseline(migsafe: Command, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("db/1.sql", "DROP TABLE a;")
    migsafe("lint", "db", "--write-baseline")
    monkeypatch.chdir(tmp_path / "db")
    assert migsafe("lint", "1.sql").code == 0


def test_a_configuration_in_another_form_gives_a_hint(migsafe: Command, write: Write, tmp_path: Path) -> None:
    (tmp_path / "migsafe.toml").unlink()
    write("pyproject.toml", "[tool]\nmigsafe = {ignore = []}\n")
    write("1.sql", "SELECT 1;")
    result = migsafe("lint", "1.sql", "--write-baseline")
    assert result.out == "migsafe-baseline.json: 0 findings written.\n"
    assert 'set `baseline = "migsafe-baseline.json"` in the configuration' in result.err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "baseline.json: the baseline does not exist\n  `migsafe lint --write-baseline` writes it.\n"),
        ("{", "baseline.json: is not a valid baseline: Input data was truncated\n"),
        ('{"version": 1, "findings": [{}]}', "baseline.json: is not a valid baseline: Object missing required field `path`"),
        ('{"version": 2, "findings": []}', "baseline.json: the baseline has version 2; this migsafe supports version 1\n"),
    ],
)
def test_an_invalid_baseline_is_an_error(migsafe: Command, write: Write, content: str | None, complaint: str) -> None:
    write("1.sql", "DROP TABLE a;")
    if content is not None:
        write("baseline.json", content)
    result = migsafe("lint", "1.sql")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"migsafe: {complaint}")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("migsafe.toml", None, 'baseline = "migsafe-baseline.json"\n'),
        ("migsafe.toml", "#:schema x\nignore = []\n", '#:schema x\nbaseline = "migsafe-baseline.json"\nignore = []\n'),
        ("migsafe.toml", 'select = ["drop-table"]\n', 'baseline = "migsafe-baseline.json"\nselect = ["drop-table"]\n'),
        ("pyproject.toml", "[tool.migsafe]\nignore = []\n", '[tool.migsafe]\nbaseline = "migsafe-baseline.json"\nignore = []\n'),
    ],
)
def test_the_configuration_gets_the_name_of_the_baseline(
    name: str, before: str | None, after: str, migsafe: Command, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "migsafe.toml").unlink()
    if before is not None:
        write(name, before)
    write("1.sql", "DROP TABLE a;")
    assert migsafe("lint", "1.sql", "--write-baseline").code == 0
    assert (tmp_path / name).read_text() == after
    assert migsafe("lint", "1.sql").code == 0


def test_a_new_place_of_a_known_finding_is_new(migsafe: Command, write: Write) -> None:
    write("migsafe.toml", 'select = ["serial-column"]\nbaseline = "baseline.json"')
    first = "CREATE TABLE loans (id serial PRIMARY KEY);"
    write("1.sql", first)
    migsafe("lint", "1.sql", "--write-baseline")
    write("1.sql", f"{first}\nCREATE TABLE readers (id serial PRIMARY KEY);")
    out = migsafe("lint", "1.sql").out
    assert "1.sql:2:" in out
    assert "loans" not in out
