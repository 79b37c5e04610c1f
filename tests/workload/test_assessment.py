"""What queries need of a schema: relations, columns, failures."""

import pytest

from tests.workload.assessed import assessed, catalog_of

SCHEMA = """
CREATE TYPE state AS ENUM ('new', 'paid');
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL, name text);
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    state state NOT NULL DEFAULT 'new',
    total numeric(10, 2),
    doubled numeric GENERATED ALWAYS AS (total * 2) STORED,
    created timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION rounded(amount numeric, digits integer DEFAULT 2) RETURNS numeric LANGUAGE sql AS 'SELECT round($1, $2)';
CREATE FUNCTION any_of(VARIADIC texts text[]) RETURNS text LANGUAGE sql AS 'SELECT $1[1]';
CREATE VIEW paid_orders AS SELECT id, customer_id FROM orders WHERE state = 'paid';
"""
CATALOG = catalog_of(SCHEMA)

RESOLVED = [
    "SELECT o.ctid, o.xmin, o.tableoid FROM orders o",
    "SELECT count(o.*), o FROM orders o GROUP BY o",
    "SELECT (o).total FROM orders o",
    "SELECT n FROM generate_series(1, 3) n, jsonb_array_elements('[]') WHERE value IS NOT NULL",
    "INSERT INTO orders AS o (id, customer_id) VALUES ($1,$2) ON CONFLICT (id) DO UPDATE SET total = excluded.total + o.total RETURNING o.*",
    "WITH gone AS (DELETE FROM orders WHERE id = $1 RETURNING *) SELECT total FROM gone",
    "WITH RECURSIVE up AS (SELECT id FROM customers UNION ALL SELECT o.customer_id FROM orders o JOIN up ON up.id = o.id) SELECT id FROM up",
    "SELECT name AS n FROM customers ORDER BY n",
    "SELECT lower(name) AS name, count(*) FROM customers GROUP BY name ORDER BY name",
    "SELECT l.total FROM customers c CROSS JOIN LATERAL (SELECT total FROM orders WHERE customer_id = c.id LIMIT 1) l",
    "UPDATE orders o SET total = $1 FROM customers c WHERE c.id = o.customer_id AND c.email = $2",
    "SELECT id FROM customers JOIN orders USING (id)",
    "SELECT id FROM customers WHERE id = $1 AND name <> ''",
    "SELECT p.customer_id FROM paid_orders p",
    "SELECT id AS n, name AS m FROM customers GROUP BY (n, m) ORDER BY (n)",
    "SELECT id AS n, name AS m FROM customers GROUP BY GROUPING SETS (ROLLUP (n, m), (m))",
    "SELECT relname FROM pg_class",
    "SELECT o.state, count(1) AS count FROM orders o GROUP BY o.state ORDER BY o.count DESC",
    "SELECT g.row_to_json FROM (SELECT id FROM orders) g",
    "SELECT coalesce(to_jsonb(o) -> 'total', '1') FROM orders o",
    "UPDATE orders SET (id, state) = (DEFAULT, $1)",
    "SELECT rounded(total), rounded(total, digits => 1), any_of(), any_of('a', 'b', 'c') FROM orders",
]


@pytest.mark.parametrize("text", RESOLVED)
def test_a_query_that_runs_is_resolved(text: str) -> None:
    result = assessed(text, CATALOG)
    assert (result.failure, result.unresolved, result.uncertain) == (None, "", "")


FAILING = [
    ("42P01", "SELECT 1 FROM order_lines"),
    ("42P01", "SELECT orders.id FROM orders o"),
    ("42703", "SELECT id, price FROM orders"),
    ("42703", "SELECT o.price FROM orders o"),
    ("42703", "SELECT o.text FROM orders o"),
    ("42703", "INSERT INTO orders (id, price) VALUES ($1, $2)"),
    ("42703", "INSERT INTO customers VALUES ($1, $2) RETURNING surname"),
    ("42703", "UPDATE orders SET price = 1"),
    ("42703", "SELECT g.total FROM (SELECT id FROM orders) g"),
    ("42703", "SELECT state FROM paid_orders"),
    ("42702", "SELECT id FROM customers, orders"),
    ("42702", "INSERT INTO customers (id, email) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET email = name"),
    ("42883", "SELECT 1 FROM orders WHERE id = $1::text"),
    ("42883", "SELECT 1 FROM orders JOIN customers ON orders.id = customers.email"),
    ("42883", "SELECT discount(id) FROM orders"),
    ("42883", "SELECT rounded(total, 1, 2) FROM orders"),
    ("42883", "SELECT rounded()"),
    ("22P02", "SELECT 1 FROM orders WHERE state = 'lost'"),
    ("42601", "INSERT INTO customers VALUES ($1, $2, $3, $4)"),
    ("42804", "UPDATE orders SET total = customers.email FROM customers"),
    ("428C9", "UPDATE orders SET doubled = 1"),
    ("42P10", "INSERT INTO customers (id, email) VALUES ($1, $2) ON CONFLICT (email) DO NOTHING"),
]


@pytest.mark.parametrize(("code", "text"), FAILING)
def test_a_query_that_fails_has_the_code_of_postgresql(code: str, text: str) -> None:
    failure = assessed(text, CATALOG).failure
    assert failure is not None
    assert failure.code == code


def test_nothing_fails_if_the_history_does_not_know_all() -> None:
    catalog = catalog_of("ALTER TABLE orders ADD note text", from_beginning=False)
    for text in ("SELECT price FROM orders", "SELECT 1 FROM order_lines", "SELECT discount(note) FROM orders"):
        assert assessed(text, catalog).failure is None
    assert assessed("SELECT price FROM orders", catalog).uncertain


def test_the_relations_with_their_columns() -> None:
    relations = assessed("INSERT INTO orders (id, customer_id) SELECT $1, id FROM customers WHERE email = $2", CATALOG).relations
    assert {(str(each.name), each.columns, each.is_read, each.is_written) for each in relations} == {
        ("public.orders", frozenset(("id", "customer_id")), False, True),
        ("public.customers", frozenset(("id", "email")), True, False),
    }


REMOVED = "CREATE TABLE IF NOT EXISTS shops (id bigint, note text); ALTER TABLE shops DROP COLUMN note; ALTER TABLE shops RENAME seen TO read;"


@pytest.mark.parametrize(
    ("text", "later", "expected"),
    [
        ("SELECT note FROM shops", "", "42703"),
        ("SELECT s.seen FROM shops s WHERE s.other", "", "42703"),
        ("UPDATE shops SET note = $1", "", "42703"),
        ("SELECT other FROM shops", "", "uncertain"),
        ("SELECT note FROM shops JOIN orders USING (id)", "CREATE TABLE IF NOT EXISTS orders (id bigint);", "uncertain"),
        ("SELECT note FROM shops", "ALTER TABLE shops ADD note integer;", ""),
        ("SELECT seen FROM shops", "ALTER TABLE shops RENAME read TO seen;", "uncertain"),
        ("SELECT note FROM shops", "DO $$ BEGIN EXECUTE current_setting('a.b'); END $$;", "uncertain"),
    ],
)
def test_a_column_that_a_migration_removed_from_a_table_of_which_others_are_not_known(text: str, later: str, expected: str) -> None:
    result = assessed(text, catalog_of(REMOVED + later, from_beginning=False))
    assert (result.failure.code if result.failure is not None else "uncertain" if result.uncertain else "") == expected


def test_columns_of_a_view_that_only_an_index_names_have_no_place_in_it() -> None:
    opaque = "DO $$ BEGIN EXECUTE 'select 1' || current_user; END $$;"
    view = "CREATE MATERIALIZED VIEW sums AS SELECT (o).customer_id AS customer, (o).total AS total, 1 AS shop FROM (SELECT o FROM orders o) x;"
    catalog = catalog_of(f"{opaque}{view}CREATE INDEX ON sums (shop, customer);")
    result = assessed("SELECT customer, total, shop FROM sums", catalog)
    assert (result.failure, result.unresolved) == (None, "")


def test_an_insert_that_omits_a_required_column() -> None:
    problems = assessed("INSERT INTO orders (id, state) VALUES ($1, DEFAULT)", CATALOG).insert_problems
    assert [(problem.kind, problem.column) for problem in problems] == [("omits", "customer_id")]


@pytest.mark.parametrize(("later", "fails"), [("", False), ("ALTER TYPE badge RENAME TO pass;", True), ("DROP TYPE badge CASCADE;", True)])
def test_the_type_of_a_parameter_is_searched_by_its_name(later: str, fails: bool) -> None:
    schema = "CREATE TYPE badge AS (code text); CREATE TABLE doors (id bigint PRIMARY KEY, badges badge[]); "
    found = assessed("SELECT id FROM doors WHERE id = $1 AND num_nulls($2) = 0", catalog_of(schema + later), "bigint", "badge[]")
    assert (found.failure is not None and found.failure.code == "42704") == fails


MADE_ELSEWHERE = "CREATE TABLE places (id bigint PRIMARY KEY, spot geometry(Point, 4326));"


def test_a_type_that_no_migration_creates_comes_with_functions() -> None:
    found = assessed("SELECT st_x(spot) FROM places WHERE id = $1", catalog_of(MADE_ELSEWHERE))
    assert (found.failure, found.uncertain) == (None, "")
    known = catalog_of("CREATE EXTENSION vector; CREATE TABLE places (id bigint PRIMARY KEY, spot vector(3));")
    failure = assessed("SELECT st_x(spot) FROM places WHERE id = $1", known).failure
    assert failure is not None
    assert failure.message == "function st_x does not exist"


@pytest.mark.parametrize(("later", "fails"), [("", True), ("CREATE EXTENSION postgis;", False)])
def test_a_dropped_function_is_known_to_be_missing_beside_functions_of_others(later: str, fails: bool) -> None:
    dropped = "CREATE FUNCTION length_of(text) RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION length_of(text);"
    found = assessed("SELECT length_of('x'), other_length('x')", catalog_of(f"{MADE_ELSEWHERE} {dropped} {later}"))
    assert (found.failure is not None and found.failure.name == "length_of") == fails


def test_a_table_of_one_row_has_one_value_for_all_that_refers_to_it() -> None:
    """One row for the whole installation: a reference to it selects nothing, and the table itself needs no index."""
    catalog = catalog_of(
        """
        CREATE TABLE shop (id bigint PRIMARY KEY, name text NOT NULL);
        CREATE UNIQUE INDEX one_shop ON shop ((true));
        CREATE TABLE orders (id bigint PRIMARY KEY, shop_id bigint NOT NULL REFERENCES shop, number text NOT NULL);
        CREATE INDEX orders_shop_id ON orders (shop_id);
        """
    )
    [access] = assessed("SELECT id FROM orders WHERE shop_id = $1 AND number = $2", catalog).accesses
    assert [each.keys for each in access.candidates] == [("number",)]
    assert not assessed("SELECT id FROM orders WHERE shop_id = $1", catalog).accesses[0].is_unindexed
    assert not assessed("SELECT id FROM shop WHERE name = $1", catalog).accesses[0].is_unindexed


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT o.id FROM orders o JOIN elsewhere.customers c ON c.id = o.customer_id WHERE c.email = $1 AND o.note = $2", []),
        ("SELECT o.id FROM orders o JOIN elsewhere.customers c ON c.id = o.customer_id WHERE email = $1 AND o.note = $2", []),
        ("SELECT o.id FROM orders o JOIN elsewhere.customers c ON c.id = o.customer_id WHERE note = $1", [("note",)]),
        ("SELECT i.id FROM items i JOIN elsewhere.customers c ON c.id = i.customer_id", []),
        ("SELECT i.id FROM items i JOIN elsewhere.customers c ON c.id = i.customer_id WHERE c.email = $1", [("customer_id",)]),
    ],
)
def test_a_relation_that_is_not_known_may_lead_to_rows(query: str, expected: list[tuple[str, ...]]) -> None:
    """What a condition selects of an unknown relation is found, as by an index, and leads to the tables that are joined with it."""
    catalog = catalog_of(
        """
        CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, note text);
        CREATE INDEX orders_customer_id ON orders (customer_id);
        CREATE TABLE items (id bigint PRIMARY KEY, customer_id bigint NOT NULL);
        """,
        from_beginning=False,
    )
    assessment = assessed(query, catalog)
    assert assessment.uncertain
    assert [each.keys for access in assessment.accesses for each in access.candidates] == expected


def test_an_index_of_states_does_not_replace_the_order_of_many_of_them() -> None:
    """Two or three states of a queue may be rare; of a list of many, not all are, and the first rows come late in the order of the states."""
    catalog = catalog_of(
        """
        CREATE TABLE parcels (id bigint PRIMARY KEY, state text NOT NULL, changed timestamptz NOT NULL);
        CREATE INDEX parcels_state ON parcels (state);
        """
    )
    query = "SELECT id FROM parcels WHERE state IN ({}) ORDER BY changed LIMIT 20"
    [rare] = assessed(query.format("'waiting', 'lost'"), catalog).accesses
    [many] = assessed(query.format("'waiting', 'lost', 'packed', 'held', 'returned'"), catalog).accesses
    assert (rare.index and rare.index.name, rare.is_unindexed) == ("parcels_state", False)
    assert [(each.keys, each.predicate) for each in many.candidates] == [
        (("changed",), "state IN ('waiting', 'lost', 'packed', 'held', 'returned')")
    ]
