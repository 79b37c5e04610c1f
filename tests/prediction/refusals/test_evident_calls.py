"""Expressions that need no tree: PostgreSQL refuses no call and no operator in them."""

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.prediction.refusals import calls
from migsafe.schema.catalog import Catalog
from migsafe.sources import Transaction
from migsafe.sql.operations import Expression, Name, Query
from migsafe.sql.statements import read
from migsafe.text import Span

HISTORY = """
    CREATE TABLE item (name text, code varchar(20), total integer, data jsonb, day date, tags text[]);
    CREATE FUNCTION own(text, integer) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN $1; END $$;
"""
EVIDENT = """
lower(name)
upper(trim(code)) || '-' || name
length(name) > 2 AND md5(code) <> ''
coalesce(lower(name), 'x') = code
data ->> 'a'
data -> 'a' ->> 'b'
CAST(data #>> '{a,b}' AS integer) + total > 3
total * 2 - total BETWEEN 1 AND 100
own(name, total)
own(data ->> 'a', CAST(data ->> 'b' AS integer))
own(coalesce(name, ''), 3) = 'x'
CASE WHEN total > 0 THEN lower(name) ELSE code END IS NOT NULL
""".strip().splitlines()
OTHERS = """
lower(total)
lower(data)
md5(day)
upper(coalesce(total, 0))
name ->> 'a'
data ->> 'a' ->> 'b'
data + 1
own(total, name)
own(name, data)
own(name, missing)
own(name, total) = total
total IN (own(name, 1))
lower(missing)
sum(total) > 1
round(total, 2) > 1
lower(other(name))
lower(name COLLATE "C")
lower(tags[1])
""".strip().splitlines()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    predictor = Predictor(16)
    predictor.catalog.complete = True
    predictor.begin(Transaction.FILE)
    for statement in read(HISTORY):
        predictor.predict_statement(statement)
    predictor.finish()
    return predictor.catalog


def _needs_tree(catalog: Catalog, text: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    asked: list[str] = []
    monkeypatch.setattr(calls, "refuse_calls", lambda _, query: asked.append(query.sql))
    table = catalog.relation(Name("item"))
    assert table is not None
    types = {column.name: column.type for column in table.columns if column.type is not None}
    span = Span(0, len(text))
    refusal = calls.refuse_calls_in(catalog, Expression(sql=text, span=span), types, Query(sql=f"SELECT {text} FROM item", span=span))
    assert refusal is None
    return bool(asked)


@pytest.mark.parametrize("expression", EVIDENT)
def test_evident(expression: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _needs_tree(catalog, expression, monkeypatch)


@pytest.mark.parametrize("expression", OTHERS)
def test_not_evident(expression: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _needs_tree(catalog, expression, monkeypatch)
