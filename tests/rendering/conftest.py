"""Rendering of small scripts, all in one process where they leave it whole."""

from collections.abc import Callable, Iterator
from textwrap import dedent

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.sources import Half, Program, Transaction
from migsafe.text import Script

HEAD = """\
import sqlalchemy as sa
from alembic import op

"""

Render = Callable[..., Half]


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    with Renderer(seconds=5) as renderer:
        yield renderer


@pytest.fixture
def render(renderer: Renderer) -> Render:
    """Render the body of an upgrade(), after a history in SQL."""

    def rendered(
        body: str, *, before: str = "", history: str = "", transaction: Transaction = Transaction.FILE, by: Renderer = renderer
    ) -> Half:
        return by.render_half(program(script(body, before), transaction), after(history))

    return rendered


def script(body: str, before: str = "") -> str:
    """A script whose upgrade() has a body."""
    inside = dedent(body).strip().replace("\n", "\n    ")
    return f"{HEAD}{dedent(before)}\n\ndef upgrade():\n    {inside}\n"


def program(text: str, transaction: Transaction = Transaction.FILE, path: str = "versions/0002_it.py") -> Half:
    """A half that nobody has rendered yet."""
    return Half(Script(path, ""), (), transaction, Program(Script(path, text), "upgrade"))


def after(history: str) -> Predictor:
    """A database after a history in SQL."""
    forecast = Predictor(17)
    forecast.load(Script("schema.sql", history))
    forecast.catalog.complete = False
    return forecast


def sent(half: Half) -> list[str]:
    """What a half sends, call by call; `?` stands before what is not certain, and why before what is not known."""
    assert half.program is not None
    found = []
    for call in half.program.calls:
        sql = " ".join(half.script.text[slice(*call.sql_span)].split())
        found.append(f"{'' if call.certain else '? '}{f'[{call.opaque}] ' if call.opaque else ''}{sql}")
    return found


def called(half: Half) -> list[str]:
    """The calls that send it, as they stand in the program."""
    assert half.program is not None
    return [" ".join(half.program.script.text[slice(*call.file_span)].split()) for call in half.program.calls]
