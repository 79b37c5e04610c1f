"""Tables that are certainly empty after TRUNCATE."""

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.sources import Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read


def has_no_rows(sql: str) -> bool:
    """Whether table a has certainly no rows after a migration that ends inside its transaction."""
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    for statement in read(sql):
        predictor.predict_statement(statement)
    return predictor.catalog.is_empty(predictor.catalog.relation(Name("a")))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("BEGIN; TRUNCATE a", True),
        ("BEGIN; TRUNCATE b, a; ALTER TABLE a ADD n int", True),
        ("BEGIN; SAVEPOINT s; TRUNCATE a; RELEASE s", True),
        ("TRUNCATE a", False),
        ("BEGIN; TRUNCATE a; COMMIT; BEGIN", False),
        ("BEGIN; TRUNCATE a; INSERT INTO a VALUES (1)", False),
        ("BEGIN; TRUNCATE a; COPY a FROM '/x'", False),
        ("BEGIN; TRUNCATE a; INSERT INTO a VALUES (1); TRUNCATE a", True),
        ("BEGIN; SAVEPOINT s; TRUNCATE a; ROLLBACK TO s", False),
        ("BEGIN; DO $$ BEGIN IF x() THEN TRUNCATE a; END IF; END $$", False),
        ("BEGIN; DELETE FROM a", False),
    ],
)
def test_truncate_empties_a_table_until_its_transaction_ends(sql: str, expected: bool) -> None:
    assert has_no_rows(sql) == expected
