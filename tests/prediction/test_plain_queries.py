"""Which queries are accepted without a tree."""

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.prediction.refusals.plain_queries import is_evidently_valid
from migsafe.sources import Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read

TABLE = """
    CREATE TABLE item (
        id bigint GENERATED ALWAYS AS IDENTITY, qty integer, rank integer, note text, code varchar(3), made date, "userId" text, "user" text,
        data jsonb
    )
"""


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE public.item SET qty = 5, note = NULL WHERE note = 'a b' AND qty IS NOT NULL", True),
        ("DELETE FROM item WHERE Qty < 5;", True),
        ("SELECT 1 FROM item WHERE note = 'x'", True),
        ("SELECT id, note FROM item", True),
        ("""UPDATE "item" SET "note" = 'x', "userId" = 'y' WHERE "userId" IS NULL""", True),
        ("SELECT data ->> 'a' FROM item", True),
        ("SELECT data #>> '{a, b}' FROM item", True),
        ("DELETE FROM item WHERE note IN ('a', 'it''s, b') AND qty = 5", True),
        ("DELETE FROM item WHERE note not in ('a')", True),
        ("UPDATE item SET qty = rank, made = made", True),
        ("""UPDATE item SET note = "user" """, True),
        ("UPDATE item SET note = user", False),
        ("UPDATE item SET qty = note", False),
        ("UPDATE item SET note = code", False),
        ("UPDATE item SET id = rank", False),
        ("UPDATE item SET qty = ranks", False),
        ("DELETE FROM item WHERE qty IN ('a')", False),
        ("DELETE FROM item WHERE note IN ('a', 5)", False),
        ("UPDATE item SET mote = 'x'", False),
        ("""UPDATE "item" SET userId = 'y'""", False),
        ("""UPDATE "item" SET "Note" = 'x'""", False),
        ("SELECT note ->> 'a' FROM item", False),
        ("SELECT data #>> '{a' FROM item", False),
        ("UPDATE item SET id = 5", False),
        ("UPDATE item SET qty = '5'", False),
        ("UPDATE item SET code = 'long'", False),
        ("UPDATE item SET qty = 5 WHERE made = 'today'", False),
        ("DELETE FROM item WHERE note = 5", False),
        ("DELETE FROM item WHERE lower(note) = 'x'", False),
        ("SELECT nothing FROM item", False),
    ],
)
def test_comparisons_with_constants_of_the_columns_type(sql: str, expected: bool) -> None:
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    for statement in read(TABLE):
        predictor.predict_statement(statement)
    table = predictor.catalog.relation(Name("item"))
    assert table is not None
    assert is_evidently_valid(sql, table) is expected
