"""Whether an extension exists."""

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.sources import Transaction
from migsafe.sql.statements import read


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("CREATE EXTENSION hstore; CREATE EXTENSION hstore", 'extension "hstore" already exists'),
        ("CREATE EXTENSION hstore; CREATE EXTENSION IF NOT EXISTS hstore", None),
        ("CREATE EXTENSION hstore; DROP EXTENSION hstore; CREATE EXTENSION hstore", None),
        ("CREATE SCHEMA app; CREATE EXTENSION hstore SCHEMA app; DROP SCHEMA app CASCADE; CREATE EXTENSION hstore", None),
        ("CREATE SCHEMA app; CREATE EXTENSION hstore SCHEMA app; CREATE EXTENSION hstore", 'extension "hstore" already exists'),
        ("BEGIN; CREATE EXTENSION hstore; ROLLBACK; CREATE EXTENSION hstore", None),
    ],
)
def test_extension_exists_once(sql: str, error: str | None) -> None:
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    refusal = [predictor.predict_statement(statement) for statement in read(sql)][-1].refusal
    assert (refusal.error if refusal is not None else None) == error
