"""The commands `migsafe rules` and `migsafe explain`."""

import json
from collections.abc import Callable
from pathlib import Path

from migsafe.linting.rulebook import shipped_rules
from tests.cli.conftest import Run

Command = Callable[..., Run]
Write = Callable[[str, str], Path]


def test_every_rule_has_a_line(migsafe: Command) -> None:
    lines = migsafe("rules").out.splitlines()
    assert sorted(line.split()[0] for line in lines[:-2]) == [rule.name for rule in shipped_rules()]
    [line] = [line for line in lines if line.startswith("drop-table ")]
    assert line.split()[:4] == ["drop-table", "compatibility", "error", "on"]
    assert line.endswith("  DROP TABLE breaks the running release and deletes the rows.")


def test_the_configuration_decides_which_rules_are_on_and_their_severity(migsafe: Command, write: Write) -> None:
    write("migsafe.toml", 'ignore = ["drop-table"]\nseverity = { syntax-error = "info" }')
    rules = {rule["name"]: rule for rule in json.loads(migsafe("rules", "--format", "json").out)["rules"]}
    assert rules["drop-table"]["on"] is False
    assert (rules["syntax-error"]["on"], rules["syntax-error"]["severity"]) == (True, "info")


def test_rules_are_explained(migsafe: Command) -> None:
    text = migsafe("explain", "drop-table", "index-not-concurrent").out
    assert text.startswith("drop-table · compatibility · error\n\nDROP TABLE breaks the running release")
    assert "\n\n\nindex-not-concurrent · locking · error\n" in text
    assert migsafe("explain", "drop-table", "--format", "markdown").out.startswith("# drop-table\n")
    assert json.loads(migsafe("explain", "drop-table", "--format", "json").out)["rules"][0]["name"] == "drop-table"


def test_an_unknown_rule_is_an_error_with_a_suggestion(migsafe: Command) -> None:
    assert migsafe("explain", "drop-tabel") == Run(2, "", "migsafe: there is no rule drop-tabel\n  Did you mean drop-table?\n")
    assert migsafe("rules", "--format", "jsno") == Run(2, "", "migsafe: there is no format jsno\n  Did you mean json?\n")
    assert migsafe("explain", "drop-table", "--format", "markdwon").err.endswith("Did you mean markdown?\n")
