"""What a shell completes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from migsafe.cli.application import application
from migsafe.cli.completion import rule_names
from tests.cli.conftest import Run

COMMANDS = typer.main.get_command(application()).commands  # type: ignore[attr-defined]


def completed(command: str, option: str, incomplete: str) -> list[str]:
    [parameter] = [each for each in COMMANDS[command].params if each.name == option]
    context = typer.Context(COMMANDS[command])
    return [item.value for item in parameter.shell_complete(context, incomplete)]


@pytest.mark.parametrize(
    ("command", "option", "incomplete", "values"),
    [
        ("lint", "format", "j", ["json", "junit"]),
        ("lint", "fail_on", "", ["error", "warning", "info", "never"]),
        ("lint", "runner", "go", ["goose", "golang-migrate"]),
        ("lint", "select", "drop-table,index-not", ["drop-table,index-not-concurrent"]),
        ("lint", "ignore", "drop-tab", ["drop-table"]),
        ("explain", "names", "index-not", ["index-not-concurrent"]),
        ("locks", "pg_version", "1", ["14", "15", "16", "17", "18", "19"]),
        ("replay", "check", "r", ["rerun", "round-trip"]),
    ],
)
def test_values_are_completed(command: str, option: str, incomplete: str, values: list[str]) -> None:
    assert completed(command, option, incomplete) == values


def test_own_rules_are_completed_and_not_run(migsafe: Callable[..., Run], write: Callable[..., Path]) -> None:
    write("migsafe.toml", 'rules = "own"')
    write("own/team.py", 'raise RuntimeError\n@rule(category="design")\ndef team_name(op, at):\n    """Names the team."""\n')
    write("own/broken.py", "def")
    assert rule_names("team") == [("team-name", "a rule of this project")]


def test_the_shell_s_script_is_shown(migsafe: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    assert "complete -o default -F" in migsafe("--show-completion", "bash").out
