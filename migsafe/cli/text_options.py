"""Options as text, as far as the command line is concerned.

Typer (0.29) has pydantic build a validator for every option before a command runs, which costs 0.1 s: more than linting a file. Ours are
text and flags, so they are taken as they are; what an option may say is checked where the configuration's keys are, in the same words.
"""

from functools import partial
from typing import Any

from typer.core import TyperCommand, TyperGroup


class TextCommand(TyperCommand):
    """A command that takes its options as the text that they are."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The command's options and arguments, the one for help among them."""
        return [_as_text(parameter) for parameter in super().get_params(ctx)]


class TextGroup(TyperGroup):
    """The same for the options before a command's name."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The group's options and arguments, the one for help among them."""
        return [_as_text(parameter) for parameter in super().get_params(ctx)]


def _as_text(parameter: Any) -> Any:
    if hasattr(parameter, "get_runtime_param"):
        parameter.process_value = partial(_taken, parameter)
    return parameter


def _taken(parameter: Any, context: Any, value: Any) -> Any:
    return parameter.callback(context, parameter, value) if parameter.callback is not None else value
