"""`migsafe lint` without Typer: its usual options mean what Typer reads in them, and everything else is left to Typer."""

import pytest
import typer

from migsafe.cli import lint, main
from migsafe.cli.application import application
from migsafe.cli.linting import LintOptions
from migsafe.cli.plain_options import FLAGS, LISTS, VALUES, plain_lint_options


def test_the_options_are_those_of_the_command() -> None:
    command = typer.main.get_command(application(["lint"])).commands["lint"]  # type: ignore[attr-defined]
    kinds = {name: (parameter.is_flag, parameter.multiple) for parameter in command.params for name in parameter.opts if name.startswith("--")}
    for names, kind in ((FLAGS, (True, False)), (VALUES, (False, False)), (LISTS, (False, True))):
        assert {name: kinds[name] for name in names} == dict.fromkeys(names, kind)


@pytest.mark.parametrize(
    "arguments",
    [
        "lint",
        "lint - --format=json",
        "lint a.sql --no-cache b.sql --format json --jobs 1 --since HEAD~1",
        "lint --select drop-table --select=drop-column,drop-index --also sarif=x.sarif --pg-version 16 migrations",
        "lint --down --changed --statistics --no-exec --config a.toml --fail-on error --stats s.json --schema d.sql --baseline b.json",
    ],
)
def test_plain_options_are_read_as_typer_reads_them(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[LintOptions] = []
    monkeypatch.setattr(lint, "run_lint", lambda options, memory: read.append(options) or 0)
    with pytest.raises(SystemExit):
        application(["lint"])(arguments.split())
    assert plain_lint_options(arguments.split()) == read[0]


@pytest.mark.parametrize(
    "arguments", ["lint --help", "lint --fix a.sql", "lint --format", "lint --format -x", "lint --", "lint -h", "rules", ""]
)
def test_other_arguments_are_left_to_typer(arguments: str) -> None:
    assert plain_lint_options(arguments.split()) is None


def test_an_option_twice_or_unknown_is_left_to_typer(capsys: pytest.CaptureFixture[str]) -> None:
    assert plain_lint_options(["lint", "--format", "json", "--format", "text"]) is None
    assert plain_lint_options(["lint", ""]) is None
    assert main(["lint", "--formt", "json"]) == 2
    assert "No such option" in capsys.readouterr().err
