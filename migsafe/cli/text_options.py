"""Commands whose options stay text: the one place that changes how Typer works.

Typer 0.29 lets pydantic build a validator for every option before a command runs, which takes 0.1 s, longer than linting a file. The options
of migsafe are text and flags, and the configuration checks their values. So `process_value`, the method of a parameter that builds and runs
the validator, is replaced by one that only runs the option's callback. docs/architecture.md describes the trick, and
tests/cli/test_text_options.py fails if a new Typer breaks it.
"""

from functools import partial
from typing import Any

from typer.core import TyperCommand, TyperGroup

from migsafe.cli.help import write_commands, write_options

VALIDATING = "get_runtime_param"
"""The method that only parameters of a Typer with validators have."""


class TextCommand(TyperCommand):
    """A command whose options stay text."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Returns the command's options and arguments, including --help."""
        return [_as_text(parameter) for parameter in super().get_params(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes the options in their groups."""
        write_options(self.get_params(ctx), ctx, formatter)


class TextGroup(TyperGroup):
    """A group whose options, before the command's name, stay text."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Returns the group's options and arguments, including --help."""
        return [_as_text(parameter) for parameter in super().get_params(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes the commands in their groups, then the options."""
        write_commands(((name, self.get_command(ctx, name)) for name in self.list_commands(ctx)), formatter)
        write_options(self.get_params(ctx), ctx, formatter)


def _as_text(parameter: Any) -> Any:
    if hasattr(parameter, VALIDATING):
        parameter.process_value = partial(_process_text, parameter)
    return parameter


def _process_text(parameter: Any, context: Any, value: Any) -> Any:
    return parameter.callback(context, parameter, value) if parameter.callback is not None else value
