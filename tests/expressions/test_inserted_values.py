"""The values that INSERT … VALUES gives to a column."""

import pytest

from migsafe import expressions


@pytest.mark.parametrize(
    ("statement", "position", "values"),
    [
        ("INSERT INTO t (id, name) VALUES (1, 'a'), (2, 'b')", 0, ("1", "2")),
        ("INSERT INTO t (id, name) VALUES (DEFAULT, 'a') ON CONFLICT DO NOTHING", 0, (None,)),
        ("INSERT INTO t VALUES (1)", 1, (None,)),
        ("INSERT INTO t (id) SELECT id FROM other", 0, None),
        ("INSERT INTO t (id) VALUES (-1), (nextval('s'))", 0, ("-1", "NEXTVAL('s')")),
    ],
)
def test_inserted_values(statement: str, position: int, values: tuple[str | None, ...] | None) -> None:
    assert expressions.inserted_values(statement, position) == values
