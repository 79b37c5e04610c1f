"""Rendering of small scripts, all in one worker process, unless it must be restarted."""

from collections.abc import Callable, Iterator
from textwrap import dedent

import msgspec
import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.script_environment import ScriptEnvironment
from migsafe.sources import Half, ImportPath, Program, Transaction
from migsafe.text import Script

HEAD = """\
import sqlalchemy as sa
from alembic import op

"""

NO_PROJECT = ImportPath()

TABLES = """
CREATE TYPE kind AS ENUM ('a', 'b');
CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer bigint NOT NULL REFERENCES customers (id),
    kind kind,
    note varchar(20) DEFAULT 'x',
    at timestamp with time zone,
    CONSTRAINT note_once UNIQUE (note),
    CONSTRAINT id_positive CHECK (id > 0)
);
CREATE INDEX orders_at_idx ON orders (at);
CREATE VIEW latest AS SELECT * FROM orders;
CREATE TABLE gone (id int);
DROP TABLE gone;
"""

Render = Callable[..., Half]


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    with Renderer(seconds=5) as renderer:
        yield renderer


@pytest.fixture
def render(renderer: Renderer) -> Render:
    """Returns a function that renders the body of an upgrade(), after a history in SQL."""

    def render_body(
        body: str, *, before: str = "", history: str = "", transaction: Transaction = Transaction.FILE, by: Renderer = renderer
    ) -> Half:
        return by.render_half(program(script(body, before), transaction), after(history))

    return render_body


def script(body: str, before: str = "") -> str:
    """Returns a script with a body of upgrade()."""
    indented = dedent(body).strip().replace("\n", "\n    ")
    return f"{HEAD}{dedent(before)}\n\ndef upgrade():\n    {indented}\n"


def program(
    text: str,
    transaction: Transaction = Transaction.FILE,
    path: str = "versions/0002_it.py",
    environment: ScriptEnvironment | None = None,
    imports: ImportPath = NO_PROJECT,
) -> Half:
    """Returns a half that has not been rendered yet."""
    description = msgspec.json.encode(environment).decode() if environment is not None else ""
    return Half(Script(path, ""), (), transaction, Program(Script(path, text), "upgrade", environment=description, import_path=imports))


def after(history: str) -> Predictor:
    """Returns a predictor after a history in SQL."""
    predictor = Predictor(17)
    predictor.load(Script("schema.sql", history))
    predictor.catalog.complete = False
    return predictor


def sent(half: Half) -> list[str]:
    """Returns what a half sends, one string per call: `?` marks an uncertain call, `[reason]` an opaque one."""
    assert half.program is not None
    texts = []
    for call in half.program.calls:
        sql = " ".join(half.script.text[slice(*call.sql_span)].split())
        texts.append(f"{'' if call.certain else '? '}{f'[{call.opaque}] ' if call.opaque else ''}{sql}")
    return texts


def called(half: Half) -> list[str]:
    """Returns the source of the calls that send the SQL of a half."""
    assert half.program is not None
    return [" ".join(half.program.script.text[slice(*call.file_span)].split()) for call in half.program.calls]
