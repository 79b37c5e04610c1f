"""The replaced method of Typer (docs/architecture.md): if a new Typer breaks this, a test fails with a message that says so."""

from typing import Annotated

import pytest
import typer
from typer.core import TyperOption

from migsafe.cli.text_options import VALIDATING, TextCommand, TextGroup

BROKEN = "Typer {version} handles options in another way: see migsafe/cli/text_options.py and its section in docs/architecture.md"


def explain(detail: str) -> str:
    return f"{BROKEN.format(version=typer.__version__)} ({detail})"


@pytest.fixture
def values(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Returns the values that a command gets from Typer for these options; a validator raises."""
    received: dict[str, object] = {}

    def refuse(*arguments: object, **options: object) -> object:
        raise AssertionError(explain("it builds a validator"))

    if hasattr(TyperOption, VALIDATING):
        monkeypatch.setattr(TyperOption, VALIDATING, refuse)
    app = typer.Typer(cls=TextGroup)

    @app.callback()
    def common() -> None:
        """A group, so that the command has a name."""

    @app.command(cls=TextCommand)
    def command(
        names: Annotated[list[str] | None, typer.Argument()] = None,
        select: Annotated[list[str] | None, typer.Option()] = None,
        count: Annotated[str, typer.Option()] = "5",
        verbose: Annotated[bool, typer.Option("--verbose")] = False,
        quiet: Annotated[bool, typer.Option("--quiet")] = False,
        loud: Annotated[str, typer.Option(callback=lambda value: value.upper())] = "a",
    ) -> None:
        received.update(names=names, select=select, count=count, verbose=verbose, quiet=quiet, loud=loud)

    app(["command", "x", "y", "--select", "a", "--select", "b", "--verbose", "--loud", "b"], standalone_mode=False)
    return received


def test_options_arrive_as_text_without_a_validator(values: dict[str, object]) -> None:
    expected = {"names": ["x", "y"], "select": ["a", "b"], "count": "5", "verbose": True, "quiet": False, "loud": "B"}
    received = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    assert received == expected, explain("values have another form")


def test_the_method_that_is_replaced_exists() -> None:
    assert hasattr(TyperOption, "process_value"), explain("parameters have no method process_value")
