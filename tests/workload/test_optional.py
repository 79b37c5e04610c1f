"""Queries with conditions that a value switches off, compared with the plans that a server chooses for values."""

from collections.abc import Iterator
from typing import Any

import pytest

from migsafe.replaying.servers.server import Server
from tests.support.servers import any_installation
from tests.workload.assessed import assessed, catalog_of

ROWS = 6_000
SCHEMA = """
CREATE TABLE orders (id bigint PRIMARY KEY, shop bigint NOT NULL, customer bigint NOT NULL, state text NOT NULL, placed bigint NOT NULL);
CREATE INDEX orders_shop ON orders (shop);
CREATE INDEX orders_placed ON orders (placed);
CREATE TABLE lines (order_id bigint NOT NULL, product bigint NOT NULL);
CREATE INDEX lines_order ON lines (order_id);
CREATE TABLE notes (order_id bigint NOT NULL, note text);
"""
FILL = f"""
INSERT INTO orders SELECT n, n, n, 's' || n, n FROM generate_series(1, {ROWS}) AS n;
INSERT INTO lines SELECT n, n FROM generate_series(1, {ROWS}) AS n;
INSERT INTO notes SELECT n, 'x' FROM generate_series(1, {ROWS}) AS n;
ANALYZE orders; ANALYZE lines; ANALYZE notes;
"""
CATALOG = catalog_of(SCHEMA)

# Each with the index that serves the last table when values are given; None if PostgreSQL reads it as a whole.
QUERIES = [
    ("SELECT * FROM orders WHERE $1::bigint IS NULL OR shop = $1", "orders_shop"),
    ("SELECT * FROM orders WHERE shop = $1 OR $1::bigint IS NULL", "orders_shop"),
    ("SELECT * FROM orders WHERE shop = coalesce($1::bigint, shop)", "orders_shop"),
    ("SELECT * FROM orders o WHERE o.shop = coalesce($1::bigint, o.shop)", "orders_shop"),
    ("SELECT * FROM orders WHERE NOT $2::boolean OR shop = $1", "orders_shop"),
    ("SELECT * FROM orders WHERE $1::bigint[] IS NULL OR shop = ANY ($1)", "orders_shop"),
    ("SELECT * FROM orders WHERE cardinality($1::bigint[]) = 0 OR shop = ANY ($1)", "orders_shop"),
    ("SELECT * FROM orders WHERE ($1::bigint IS NULL OR customer = $1) AND ($2::bigint IS NULL OR id = $2)", "orders_pkey"),
    ("SELECT * FROM orders WHERE ($1::bigint IS NULL OR shop = $1) ORDER BY placed LIMIT 5", "orders_shop"),
    ("SELECT * FROM orders o JOIN lines l ON l.order_id = o.id WHERE $1::bigint IS NULL OR o.shop = $1", "lines_order"),
    ("SELECT * FROM orders WHERE $1::bigint IS NULL OR customer = $1", None),
    ("SELECT * FROM orders WHERE customer = coalesce($1::bigint, customer)", None),
    ("SELECT * FROM orders WHERE ($1::bigint IS NULL OR customer = $1) ORDER BY placed LIMIT 5", None),
    ("SELECT * FROM orders o JOIN notes n ON n.order_id = o.id WHERE $1::bigint IS NULL OR o.shop = $1", None),
]
VALUES = {"bigint": "5", "boolean": "true", "bigint[]": "'{5}'"}


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    with Server(any_installation()) as server:
        server.create_database("optional")
        with server.connect("optional") as connection:
            for statement in f"{SCHEMA}{FILL}SET plan_cache_mode = force_custom_plan".split(";"):
                connection.execute(statement.encode())
            yield connection


def _scans(plan: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    if "Relation Name" in plan:
        yield plan["Relation Name"], plan.get("Index Name")
    if plan["Node Type"] == "Bitmap Heap Scan":
        yield plan["Relation Name"], next(iter(plan["Plans"]))["Index Name"]
    for inner in plan.get("Plans", ()):
        yield from _scans(inner)


@pytest.mark.server
@pytest.mark.parametrize(("text", "index"), QUERIES)
def test_an_optional_condition_is_judged_with_its_value(text: str, index: str | None, connection: Any) -> None:
    access = assessed(text, CATALOG).accesses[-1]
    assert (access.is_optional, bool(access.candidates)) == (index is None, index is None)
    assert not access.is_unindexed
    if index is not None:
        assert access.index is not None
        assert access.index.name == index
    connection.execute("DEALLOCATE ALL")
    connection.execute(f"PREPARE q AS {text}".encode())
    types = connection.execute("SELECT unnest(parameter_types)::text FROM pg_prepared_statements").fetchall()
    values = ", ".join(VALUES[name] for (name,) in types)
    [[document]] = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE q ({values})".encode()).fetchall()
    scans = dict(_scans(document[0]["Plan"]))
    table = access.name.name
    # Without its index, a page is read in the order of another one.
    assert scans[table] in ((index,) if index is not None else (None, "orders_placed"))


def test_of_several_optional_conditions_one_index_is_proposed() -> None:
    text = "SELECT * FROM orders WHERE ($1::bigint IS NULL OR customer = $1) AND ($2::bigint IS NULL OR placed + 1 = $2)"
    [access] = assessed(text, CATALOG).accesses
    assert [candidate.keys for candidate in access.candidates] == [("customer",)]


@pytest.mark.parametrize(
    "text",
    [
        # A state has few values, and so an index on it would not find few rows.
        "SELECT * FROM orders WHERE $1::text IS NULL OR state = $1",
        "SELECT * FROM orders WHERE $1::text IS NULL OR state LIKE $1",
        "SELECT * FROM orders WHERE shop = coalesce(shop, $1)",
        "SELECT * FROM orders WHERE customer IS NULL OR customer = $1",
    ],
)
def test_other_alternatives_are_not_optional(text: str) -> None:
    assert not any(access.is_optional for access in assessed(text, CATALOG).accesses)


def test_the_order_of_a_page_is_needed_without_values() -> None:
    text = "SELECT * FROM orders WHERE ($1::bigint IS NULL OR shop = $1) ORDER BY customer LIMIT 5"
    [access] = assessed(text, CATALOG).accesses
    assert access.is_unindexed
    assert [candidate.keys for candidate in access.candidates] == [("customer",)]
