"""Shapes of queries that are stored, and what assessments are repeated for."""

import sys

import pytest

from migsafe.workload.assessment import Assessor
from migsafe.workload.query import Query
from migsafe.workload.shapes import Shapes
from tests.workload.assessed import assessed, catalog_of

SCHEMA = """
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL, closed timestamptz);
CREATE INDEX customers_email ON customers (lower(email)) WHERE closed IS NULL;
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);
"""
TEXTS = (
    "SELECT c.* FROM customers c WHERE lower(email) = $1 AND closed IS NULL",
    "WITH o AS (SELECT id FROM orders WHERE customer_id IN (1, 2) OR id = $1) DELETE FROM customers USING o WHERE o.id = customers.id",
    "INSERT INTO orders VALUES ($1, DEFAULT) ON CONFLICT (id) DO UPDATE SET customer_id = excluded.customer_id",
    "CALL unknown()",
)


def _query(text: str) -> Query:
    return Query(text=text, fingerprint=text)


def test_stored_shapes_give_the_same_answers_without_sqlglot(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog, first = catalog_of(SCHEMA), Assessor()
    expected = [first.assess(_query(text), catalog) for text in TEXTS]
    stored = first.shapes.packed()
    assert stored is not None
    # None in sys.modules makes an import fail.
    monkeypatch.setitem(sys.modules, "migsafe.expressions.queries.parsing", None)
    monkeypatch.setattr("migsafe.expressions.query_shape", None, raising=False)
    monkeypatch.setattr("migsafe.expressions.operand_shape", None, raising=False)
    monkeypatch.setattr("migsafe.expressions.condition_shape", None, raising=False)
    second = Assessor(Shapes(stored))
    assert [second.assess(_query(text), catalog) for text in TEXTS] == expected
    assert second.shapes.packed() is None


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id FROM customers WHERE $1::inet <<= email::inet AND email::inet >>= $2",
        "SELECT id FROM customers ORDER BY email <#> $1, email %>> '<<= $', email OPERATOR(<#>) $1, email OPERATOR(public.<<=) $1",
        "WITH values AS (SELECT 1 AS id) SELECT values.id FROM customers JOIN values ON values.id = customers.id",
        "INSERT INTO orders DEFAULT VALUES RETURNING id",
        "SELECT c.id, o.id FROM ((SELECT id FROM customers) c LEFT JOIN orders o ON o.id = c.id)",
        "SELECT o.id FROM customers x JOIN ((SELECT id FROM customers) c JOIN orders o USING (id)) ON o.id = x.id",
        "SELECT j.id FROM ((SELECT id FROM customers) c CROSS JOIN (SELECT 1) o(n)) j",
    ],
)
def test_what_sqlglot_reads_differently_is_understood(text: str) -> None:
    found = assessed(text, catalog_of(SCHEMA))
    assert (found.unresolved, found.uncertain, found.failure) == ("", "", None)
    assert {relation.name.name for relation in found.relations} <= {"customers", "orders"}


@pytest.mark.parametrize("stored", [b"", b"damaged", b"\x84"])
def test_damaged_shapes_are_read_again(stored: bytes) -> None:
    assessor = Assessor(Shapes(stored))
    assert assessor.assess(_query(TEXTS[0]), catalog_of(SCHEMA)).relations


def test_a_query_is_assessed_again_if_what_it_uses_has_changed() -> None:
    assessor, query = Assessor(), _query("SELECT email FROM customers WHERE id = $1")
    catalog = catalog_of(SCHEMA)
    first = assessor.assess(query, catalog)
    assert assessor.assess(query, catalog) is first
    mark = catalog.mark()
    [orders] = [relation for relation in catalog.relations() if relation.name.name == "orders"]
    catalog.change(orders, columns=())
    assert assessor.assess(query, catalog) is first
    [customers] = [relation for relation in catalog.relations() if relation.name.name == "customers"]
    catalog.change(customers, columns=customers.columns[:1])
    failure = assessor.assess(query, catalog).failure
    assert failure is not None
    assert failure.code == "42703"
    catalog.undo(mark)
    assert assessor.assess(query, catalog) is first
    assert first == assessed(query.text, catalog)
