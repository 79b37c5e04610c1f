"""`match` with classes of packages that are not installed."""

import pytest

from tests.rendering.conftest import Render, sent

pytestmark = pytest.mark.process

MATCH = """
from elsewhere import messages

def send(message):
    match message:
        case messages.Drop(name=name):
            op.drop_table("dropped")
        case messages.Keep() | messages.Leave():
            op.drop_column("kept", "a")
        case str():
            op.drop_column("named", "a")
        case {"table": messages.Drop()}:
            op.drop_table("nested")
        case _:
            op.drop_table("other")
"""


@pytest.mark.parametrize(
    ("message", "sql"),
    [
        ("messages.Drop(name=1)", ["DROP TABLE dropped;"]),
        ("messages.Leave()", ["ALTER TABLE kept DROP COLUMN a;"]),
        ("{'table': messages.Drop()}", ["DROP TABLE nested;"]),
        ("3", ["DROP TABLE other;"]),
    ],
)
def test_an_object_matches_the_class_that_made_it(render: Render, message: str, sql: list[str]) -> None:
    assert sent(render(f"send({message})", before=MATCH)) == sql


def test_all_cases_are_tried_for_an_object_of_an_unknown_class(render: Render) -> None:
    statements = sent(render("send(messages.current())", before=MATCH))
    assert any("dropped" in sql for sql in statements)
    assert any("kept" in sql for sql in statements)
