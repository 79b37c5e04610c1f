"""The help of each command: it fits a terminal of 80 columns, shows everything, and groups the options."""

import pytest
import typer
from typer.testing import CliRunner

from migsafe.cli.application import COMMANDS, application
from migsafe.cli.help import COMMAND_PANELS, PANELS

APPLICATION = application()
GROUP = typer.main.get_command(APPLICATION)


def help_of(command: str) -> str:
    result = CliRunner().invoke(APPLICATION, [*command.split(), "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}, terminal_width=80)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_80_columns_and_is_whole(command: str) -> None:
    lines = help_of(command).splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert [line for line in lines[1:] if line.endswith(("...", "…"))] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_in_a_group(command: str) -> None:
    parameters = GROUP.commands[command].params  # type: ignore[attr-defined]
    options = [parameter for parameter in parameters if parameter.param_type_name == "option"]
    assert [option.name for option in options if option.rich_help_panel not in PANELS] == []
    groups = [panel for panel in PANELS if any(option.rich_help_panel == panel for option in options)]
    titles = [line.removesuffix(":") for line in help_of(command).splitlines() if line.removesuffix(":") in PANELS]
    assert titles == groups  # in the order of every help


def test_the_first_step_is_named_and_every_command_has_a_group() -> None:
    text = help_of("")
    assert text.index("migsafe init ") < text.index("migsafe lint ") < text.index("Start here:")
    assert set(COMMANDS) <= {name for names in COMMAND_PANELS.values() for name in names}
