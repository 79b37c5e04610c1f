"""A project's own rules: the example of docs/own-rules.md, and the errors of a file."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe.linting.finding import Severity
from migsafe.linting.rulebook import own_rules
from tests.cli.conftest import Run

Command = Callable[..., Run]
Write = Callable[[str, str], Path]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own-rules.md").read_text()
[SHOWN] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
HEAD = "from migsafe.linting.rule import Context, Finding, Severity, rule\nfrom migsafe.sql.operations import Drop\n"
RULE = "@rule(category='ours', severity=Severity.ERROR)\n"


@pytest.fixture
def own(write: Write) -> None:
    write("migsafe.toml", "rules = 'tools/rules'\nselect = ['created-at-missing', 'drop-table']")
    write("tools/rules/created_at_missing.py", SHOWN)


@pytest.mark.usefixtures("own")
def test_the_documented_own_rule_works(migsafe: Command, write: Write) -> None:
    write("1.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);")
    result = migsafe("lint", "1.sql")
    assert result.code == 1
    assert "1.sql:1:1 warning created-at-missing\n" in result.out
    assert "public.orders has no created_at\n  Safe:\n    ALTER TABLE orders ADD COLUMN created_at" in result.out
    write("1.sql", "-- migsafe: ignore[created-at-missing] a lookup table\nCREATE TABLE orders (id bigint PRIMARY KEY);")
    assert migsafe("lint", "1.sql").out == "Nothing found in 1 file, 1 statement; 1 suppressed.\n"
    write("1.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, created_at timestamptz);")
    assert migsafe("lint", "1.sql", "--select", "created-at-missing").code == 0


@pytest.mark.usefixtures("own")
def test_own_rules_are_listed_and_explained(migsafe: Command) -> None:
    assert [
        rule["category"] for rule in json.loads(migsafe("rules", "--format", "json").out)["rules"] if rule["name"] == "created-at-missing"
    ] == ["ours"]
    assert migsafe("explain", "created-at-missing").out.startswith(
        "created-at-missing · ours · warning\n\nA new table needs a created_at column"
    )
    assert migsafe("explain", "created-at-mising").err == "migsafe: there is no rule created-at-mising\n  Did you mean created-at-missing?\n"


@pytest.mark.usefixtures("own")
def test_the_configuration_names_the_folder(migsafe: Command, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("db/1.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);")
    monkeypatch.chdir(tmp_path / "db")
    assert migsafe("lint", "1.sql", "--select", "created-at-missing").code == 1


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("def a(:", "tools/rules/broken.py:1: cannot be loaded as a rule: SyntaxError: "),
        ("\nimport nowhere", "tools/rules/broken.py:2: cannot be loaded as a rule: ModuleNotFoundError: No module named 'nowhere'\n"),
        (
            f"{HEAD}{RULE}def a(op, at): ...",
            "tools/rules/broken.py:3: cannot be loaded as a rule: TypeError: the first parameter of a must be annotated with operations",
        ),
        (
            f"{HEAD}{RULE}def a(op: int, at: Context): ...",
            "tools/rules/broken.py:3: cannot be loaded as a rule: TypeError: the first parameter of a must be annotated",
        ),
        (f"{HEAD}{RULE}def drop_table(op: Drop, at: Context): ...", "tools/rules/broken.py: a rule drop-table already exists\n"),
        ("x = 1", "tools/rules: contains no rules\n"),
        (None, "tools/rules: the folder does not exist\n"),
    ],
)
def test_a_file_without_a_rule_is_an_error(migsafe: Command, write: Write, code: str | None, complaint: str) -> None:
    write("migsafe.toml", "rules = 'tools/rules'")
    write("1.sql", "DROP TABLE a;")
    if code is not None:
        write("tools/rules/broken.py", code)
    result = migsafe("lint", "1.sql")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"migsafe: {complaint}")


@pytest.mark.parametrize("answer", ["'a string'", "[None]"])
def test_a_rule_must_return_findings(migsafe: Command, write: Write, answer: str) -> None:
    write("migsafe.toml", "rules = 'tools/rules'\nselect = ['odd', 'drop-table']")
    write("tools/rules/odd.py", f"{HEAD}{RULE}def odd(op: Drop, at: Context): return {answer}")
    write("1.sql", "DROP TABLE a;")
    result = migsafe("lint", "1.sql")
    assert result.code == 2
    assert "migsafe: the rule odd failed at 1.sql:1:1: TypeError: it reports " in result.err
    assert "error drop-table" in result.out


def test_a_rule_that_another_file_imports_counts_once(migsafe: Command, write: Write) -> None:
    write("migsafe.toml", "rules = 'tools/rules'\nselect = ['mine']")
    importing = f"from migsafe.rules.compatibility.drop_table import drop_table\n{HEAD}{RULE}"
    write("tools/rules/mine.py", f"{importing}def mine(op: Drop, at: Context): return drop_table.check(op, at)")
    write("1.sql", "DROP TABLE a;")
    assert "error mine\n" in migsafe("lint", "1.sql").out


@pytest.mark.usefixtures("own")
def test_no_exec_runs_no_own_rule_and_knows_its_name(migsafe: Command, write: Write) -> None:
    write("tools/rules/created_at_missing.py", SHOWN + "\nraise SystemExit('the rule was run')\n")
    write("1.sql", "-- migsafe: ignore[created-at-missing] a lookup table\nCREATE TABLE orders (id bigint PRIMARY KEY);\nDROP TABLE old;")
    result = migsafe("lint", "1.sql", "--no-exec")
    assert (result.code, [line.split()[-1] for line in result.out.splitlines() if ":1 " in line]) == (1, ["drop-table"])
    assert result.err == "migsafe: the rules in tools/rules are left out: with `no-exec`, no code of the project is run\n"


@pytest.mark.process
@pytest.mark.usefixtures("own")
def test_the_modules_have_the_same_names_in_each_process(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from migsafe.linting.rulebook import own_rules; "
        "print(*(rule.check.__module__ for rule in own_rules(Path('tools/rules'))))"
    )
    names = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(names) == 1


def test_a_long_process_loads_a_rule_again_when_its_file_changes(write: Write, tmp_path: Path) -> None:
    write("rules/created_at_missing.py", SHOWN)
    [first] = own_rules(tmp_path / "rules")
    assert own_rules(tmp_path / "rules") == [first]
    write("rules/created_at_missing.py", SHOWN.replace("Severity.WARNING", "Severity.ERROR"))
    [second] = own_rules(tmp_path / "rules")
    assert (first.severity, second.severity) == (Severity.WARNING, Severity.ERROR)
