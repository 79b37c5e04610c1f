"""Which index serves a query, compared with the plans of a server; and which queries are un-indexed."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migsafe.replaying.servers.server import Server
from tests.support.servers import any_installation
from tests.workload.assessed import assessed, catalog_of

ROWS = 6_000
SCHEMA = """
CREATE TYPE state AS ENUM ('new', 'paid', 'sent', 'lost');
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL, name text COLLATE "C", code text, region int);
CREATE UNIQUE INDEX customers_email ON customers (lower(email));
CREATE INDEX customers_name ON customers (name);
CREATE INDEX customers_code ON customers (code text_pattern_ops);
CREATE INDEX customers_region ON customers USING hash (region);
CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id bigint NOT NULL, state state NOT NULL, number int NOT NULL, shop int NOT NULL, total int,
    created timestamp NOT NULL, deleted timestamp, tags text[] NOT NULL, data jsonb NOT NULL, during int4range NOT NULL
);
CREATE INDEX orders_shop_number ON orders (shop, number) INCLUDE (total);
CREATE INDEX orders_customer ON orders (customer_id) WHERE deleted IS NULL;
CREATE INDEX orders_lost ON orders (created) WHERE state = 'lost';
CREATE INDEX orders_created ON orders (created DESC);
CREATE INDEX orders_tags ON orders USING gin (tags);
CREATE INDEX orders_data ON orders USING gin (data jsonb_path_ops);
CREATE INDEX orders_during ON orders USING gist (during);
CREATE INDEX orders_total ON orders USING brin (total);
CREATE TABLE lines (order_id bigint NOT NULL, product bigint NOT NULL, note text, unit text, archived text NOT NULL DEFAULT '');
CREATE INDEX orders_deleted ON orders (deleted);
CREATE TABLE events (id bigint PRIMARY KEY, subject int NOT NULL, kind text NOT NULL, sent_with bigint REFERENCES customers);
CREATE INDEX events_kind ON events (kind);
CREATE INDEX events_sent_with ON events (sent_with);
CREATE VIEW open_orders AS SELECT id AS order_id, customer_id, number, total, created AS placed FROM orders WHERE deleted IS NULL;
CREATE VIEW placed (number, email) AS SELECT o.number, c.email FROM open_orders o JOIN customers c ON c.id = o.customer_id;
CREATE VIEW totals AS SELECT shop, sum(total) AS total FROM orders GROUP BY shop;
CREATE TABLE readings (sensor bigint NOT NULL, total int NOT NULL) PARTITION BY RANGE (sensor);
CREATE TABLE readings_1 PARTITION OF readings FOR VALUES FROM (MINVALUE) TO (3000);
CREATE TABLE readings_2 PARTITION OF readings FOR VALUES FROM (3000) TO (MAXVALUE);
CREATE INDEX readings_1_total ON readings_1 (total);
CREATE INDEX readings_2_total ON readings_2 (total);
CREATE TABLE jobs (id bigint PRIMARY KEY, state text NOT NULL, worker int, ran timestamptz, done boolean NOT NULL, queued int NOT NULL);
CREATE INDEX jobs_waiting ON jobs (worker) WHERE state IN ('waiting', 'retrying');
CREATE INDEX jobs_done ON jobs (worker) WHERE state = 'done';
CREATE TABLE posts (id bigint PRIMARY KEY, state text NOT NULL, shown int NOT NULL, until int NOT NULL, title int NOT NULL);
CREATE INDEX posts_state ON posts (state, shown, until);
"""
FILL = f"""
INSERT INTO customers SELECT n, 'e' || n, 'n' || n, 'c' || n, n FROM generate_series(1, {ROWS}) n;
INSERT INTO orders SELECT n, n, (ARRAY['new', 'paid', 'sent', 'lost']::state[])[1 + n % 4], n, n, (n * 7919) % {ROWS},
    timestamp '2020-01-01' + n * interval '1 minute', NULL, ARRAY['t' || n], jsonb_build_object('k', n), int4range(n, n + 1)
FROM generate_series(1, {ROWS}) n;
INSERT INTO lines SELECT n, n, 'x' || n FROM generate_series(1, {ROWS}) n;
INSERT INTO events SELECT n, n % 100, (ARRAY['opened', 'closed'])[1 + n % 2], nullif(n % 50, 0) FROM generate_series(1, {ROWS}) n;
INSERT INTO readings SELECT n, n FROM generate_series(1, {ROWS}) n;
INSERT INTO posts SELECT n, CASE WHEN n % 100 = 0 THEN 'draft' ELSE 'published' END, n, n, n FROM generate_series(1, {ROWS}) n;
INSERT INTO jobs SELECT n, CASE WHEN n % 100 = 0 THEN 'waiting' WHEN n % 100 = 1 THEN 'lost' ELSE 'done' END,
    n % 10, CASE WHEN n % 100 > 0 THEN now() END, n % 100 > 0, n FROM generate_series(1, {ROWS}) n;
ANALYZE;
"""
CATALOG = catalog_of(SCHEMA)

SERVED = [
    ("SELECT * FROM orders WHERE id = $1", "orders_pkey"),
    ("SELECT * FROM orders WHERE id IN ($1, $2)", "orders_pkey"),
    ("SELECT * FROM (SELECT id AS n, total FROM orders UNION ALL SELECT id, 0 FROM customers) o WHERE n = $1", "orders_pkey"),
    ("SELECT * FROM customers WHERE region = ANY($1)", "customers_region"),
    ("SELECT * FROM orders WHERE shop > 5990 AND number = $1", "orders_shop_number"),
    ("SELECT max(customer_id) FROM orders WHERE deleted IS NULL", "orders_customer"),
    ("SELECT * FROM orders o LEFT JOIN customers c ON c.id = o.customer_id WHERE c.id = $1 AND o.deleted IS NULL", "orders_customer"),
    ("WITH o AS (SELECT * FROM orders) SELECT total FROM o WHERE id = $1", "orders_pkey"),
    ("SELECT * FROM orders WHERE id = ANY($1)", "orders_pkey"),
    ("SELECT * FROM orders WHERE id = (SELECT max(order_id) FROM lines)", "orders_pkey"),
    ("SELECT * FROM orders WHERE shop = $1 AND number > $2", "orders_shop_number"),
    ("SELECT * FROM orders WHERE (shop, number) IN (($1, $2), ($3, $4))", "orders_shop_number"),
    ("SELECT * FROM orders WHERE customer_id = $1 AND deleted IS NULL", "orders_customer"),
    ("SELECT * FROM customers WHERE lower(email) = lower($1)", "customers_email"),
    ("SELECT * FROM customers WHERE name LIKE 'n12%'", "customers_name"),
    ("SELECT * FROM customers WHERE code LIKE 'c12%'", "customers_code"),
    ("SELECT * FROM customers WHERE region = $1", "customers_region"),
    ("SELECT * FROM orders WHERE tags @> $1", "orders_tags"),
    ("SELECT * FROM orders WHERE data @> $1", "orders_data"),
    ("SELECT * FROM orders WHERE during && int4range(5, 6)", "orders_during"),
    ("SELECT * FROM orders ORDER BY created LIMIT 5", "orders_created"),
    ("SELECT * FROM orders WHERE total > 5 ORDER BY created DESC LIMIT 5", "orders_created"),
    ("SELECT * FROM orders WHERE state = 'lost' ORDER BY created LIMIT 5", "orders_lost"),
    ("SELECT * FROM orders o WHERE o.total > $2 AND EXISTS (SELECT FROM customers c WHERE lower(c.email) = $1 AND c.id = o.id)", "orders_pkey"),
    ("SELECT * FROM customers c FULL JOIN orders o ON o.id = c.id FULL JOIN events e ON e.id = o.id WHERE c.id = $1", "events_pkey"),
    ("SELECT * FROM posts WHERE state = 'draft' ORDER BY title LIMIT 5", "posts_state"),
    ("SELECT * FROM posts WHERE state = 'published' AND shown < $1 AND until > $2 ORDER BY title LIMIT 5", "posts_state"),
    # All of a small partial index is read in place of the table.
    ("SELECT * FROM jobs WHERE state = 'waiting' AND queued < $1 ORDER BY queued LIMIT 5", "jobs_waiting"),
    ("UPDATE orders SET total = 1 WHERE customer_id = $1 AND deleted IS NULL AND number = $2", "orders_customer"),
    ("SELECT * FROM events WHERE subject = $1 AND sent_with IS NULL", "events_sent_with"),
    ("SELECT * FROM orders WHERE shop = $1 AND customer_id IN (SELECT id FROM customers WHERE name > $2)", "customers_pkey"),
    ("SELECT * FROM orders o JOIN customers c ON c.region = o.customer_id AND c.id = o.id WHERE o.customer_id = $1", "orders_pkey"),
    ("SELECT * FROM orders WHERE (customer_id = $1 AND deleted IS NULL) OR id = $2", "orders_customer"),
    ("SELECT * FROM orders WHERE customer_id = $1 AND (deleted IS NULL OR id = $2)", "orders_customer"),
    ("SELECT total FROM open_orders WHERE customer_id = $1", "orders_customer"),
    ("SELECT o.total FROM customers c JOIN open_orders o ON o.order_id = c.id WHERE lower(c.email) = $1", "orders_pkey"),
    ("SELECT * FROM customers c LEFT JOIN (orders o JOIN events e ON e.id = o.shop) ON o.id = c.id WHERE lower(c.email) = $1", "orders_pkey"),
    ("SELECT sensor FROM readings WHERE total = $1", "readings_1_total"),
    ("SELECT total FROM readings ORDER BY total LIMIT 5", "readings_1_total"),
    (
        "SELECT * FROM customers c LEFT JOIN (SELECT shop, sum(total) FROM orders GROUP BY 1) o ON o.shop = c.id WHERE c.id = $1",
        "orders_shop_number",
    ),
]
UNINDEXED = [
    # The value of the outer side selects the group.
    (
        "SELECT * FROM orders o LEFT JOIN (SELECT order_id, count(*) FROM lines l GROUP BY l.order_id) n ON n.order_id = o.id WHERE o.id = $1",
        ("order_id",),
    ),
    # Few rows fulfil the OR: they come late in the order of the index on created.
    ("SELECT * FROM orders WHERE number = $1 OR total = $1 ORDER BY created DESC LIMIT 5", ("number",), ("total",)),
    # The key leads from one of the two to the other, but nothing finds the first.
    ("SELECT * FROM orders WHERE number = $1 AND id IN (SELECT id FROM orders WHERE total = $2)", ("total",)),
    ("SELECT * FROM lines WHERE order_id = $1", ("order_id",)),
    ("SELECT * FROM lines WHERE note = $1 OR (product = $2 AND order_id = $3)", ("note",), ("product", "order_id")),
    ("SELECT * FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.id = $1", ("order_id",)),
    ("SELECT * FROM orders WHERE number = $1", ("number",)),
    ("SELECT * FROM orders WHERE id = $1 OR number = $2", ("number",)),
    ("SELECT * FROM orders WHERE customer_id = $1", ("customer_id",)),
    ("SELECT * FROM orders WHERE id::text = $1", ('(CAST("id" AS TEXT))',)),
    ("SELECT * FROM customers WHERE email = $1", ("email",)),
    ("SELECT * FROM orders ORDER BY number LIMIT 5", ("number",)),
    ("SELECT * FROM orders ORDER BY number DESC, shop DESC LIMIT 5", ("number", "shop")),
    ("SELECT * FROM orders ORDER BY total DESC NULLS LAST LIMIT 5", ("total NULLS FIRST",)),
    ("SELECT * FROM orders ORDER BY number DESC, shop LIMIT 5", ("number DESC", "shop")),
    ("SELECT * FROM lines WHERE product = $2 AND upper(note) = $1", ("product",)),
    ("UPDATE lines SET unit = 'x' WHERE order_id = $1 AND product IN (SELECT id FROM orders WHERE total > $2)", ("order_id",)),
    ("SELECT * FROM lines WHERE unit = $1 ORDER BY note LIMIT 5", ("unit", "note")),
    ("SELECT * FROM orders WHERE deleted IS NULL ORDER BY number LIMIT 5", ("number",)),
    ("SELECT * FROM lines WHERE archived = '' ORDER BY note LIMIT 5", ("note",)),
    ("SELECT (SELECT id FROM orders WHERE total > $1 LIMIT 1) FROM lines WHERE note = $2", ("note",)),
    ("SELECT * FROM lines WHERE note = $1 AND EXISTS (SELECT 1 FROM orders WHERE total > $2)", ("note",)),
    ("SELECT max(number) FROM orders", ("number",)),
    ("SELECT * FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.id = $1 AND concat(l.note, l.unit) = $2", ("order_id",)),
    ("SELECT * FROM lines l LEFT JOIN (orders o LEFT JOIN customers c ON c.id = o.shop) ON o.id = l.order_id WHERE l.note = $1", ("note",)),
    ("SELECT total FROM open_orders WHERE number = $1", ("number",)),
    ("SELECT email FROM placed WHERE number = $1", ("number",)),
    ("SELECT l.note, o.total FROM lines l LEFT JOIN orders o ON o.id = l.order_id ORDER BY l.note DESC LIMIT 5", ("note",)),
    ("SELECT l.note FROM lines l JOIN orders o ON o.id = l.order_id JOIN customers c ON c.id = o.shop ORDER BY l.note LIMIT 5", ("note",)),
    ("SELECT l.* FROM lines l JOIN orders o ON o.id = l.product WHERE l.note = $1 ORDER BY o.id LIMIT 5", ("note",)),
    ("SELECT (SELECT count(*) FROM lines WHERE order_id = o.id) FROM orders o", ("order_id",)),
    ("SELECT * FROM orders o LEFT JOIN LATERAL (SELECT note FROM lines WHERE order_id = o.id ORDER BY note LIMIT 1) l ON true", ("order_id",)),
    ("WITH picked AS (SELECT id FROM orders WHERE id = $1) DELETE FROM lines USING picked WHERE picked.id = order_id", ("order_id",)),
    ("DELETE FROM lines WHERE order_id IN (SELECT id FROM orders WHERE shop = $1)", ("order_id",)),
    ("SELECT * FROM orders o WHERE o.total > $2 AND EXISTS (SELECT FROM lines l WHERE l.note = $1 AND l.order_id = o.id)", ("note",)),
    ("SELECT * FROM orders o FULL JOIN lines l ON l.order_id = o.id WHERE o.id = $1", ("order_id",)),
    (
        "SELECT l.note FROM lines l JOIN orders o ON o.id = l.order_id WHERE o.total > -1 AND o.deleted IS NULL ORDER BY l.note LIMIT 5",
        ("note",),
    ),
    ("SELECT * FROM events WHERE kind = $1 ORDER BY subject LIMIT 5", ("kind", "subject")),
    # Most rows are published: an index that leads to them does not replace their order.
    ("SELECT * FROM posts WHERE state = 'published' ORDER BY title LIMIT 5", ("state", "title")),
    ("SELECT * FROM customers c JOIN lines l ON l.order_id = c.id OR l.product = c.id WHERE c.id = $1", ("order_id",), ("product",)),
    ("WITH o AS (SELECT id FROM orders WHERE number = $1) SELECT c.name FROM o JOIN customers c ON c.id = o.id", ("number",)),
]
PARTIAL = [
    ("SELECT * FROM jobs WHERE ran IS NULL ORDER BY queued LIMIT 5", ("queued",), "ran IS NULL"),
    (
        "SELECT * FROM jobs WHERE state IN ('lost', 'it''s') AND ran IS NOT NULL ORDER BY queued LIMIT 5",
        ("queued",),
        "state IN ('lost', 'it''s')",
    ),
    ("SELECT * FROM jobs WHERE worker IN (11, 12) AND NOT done ORDER BY queued DESC LIMIT 5", ("done", "queued"), "worker IN (11, 12)"),
    ("SELECT * FROM jobs WHERE done IS FALSE ORDER BY queued LIMIT 5", ("done", "queued"), ""),
    # Most rows of a queue are done.
    ("SELECT * FROM jobs WHERE state = 'done' ORDER BY queued LIMIT 5", ("state", "queued"), ""),
    # Which value of a parameter is rare is not known.
    ("SELECT * FROM jobs WHERE state = $1 ORDER BY queued LIMIT 5", ("state", "queued"), ""),
]
BESIDE = [
    # A window has more rows than another table's are looked for one by one.
    ("SELECT sum(o.id) FROM lines l JOIN orders o ON o.id = l.order_id WHERE l.product >= $1 AND l.product < $2", "lines", "product", "orders"),
    ("SELECT * FROM orders WHERE total > $1 OR id IN (SELECT order_id FROM lines WHERE note = $2)", "lines", "note", "orders"),
    ("SELECT (SELECT sum(order_id) FROM lines), (SELECT count(*) FROM customers WHERE email = $1)", "customers", "email", "lines"),
    ("SELECT id FROM events WHERE kind = $1 UNION ALL SELECT id FROM events WHERE subject = $2", "events", "subject", "events"),
    ("SELECT note FROM lines WHERE note = $1 UNION ALL SELECT name FROM customers WHERE id > $2", "lines", "note", "customers"),
]
FINE = [
    "SELECT * FROM lines",
    "SELECT * FROM lines WHERE unit = $1",
    # No index contains a parameter.
    "SELECT * FROM lines ORDER BY similarity(note, $1) DESC LIMIT 5",
    "SELECT * FROM lines WHERE product + $1 = $2",
    # In the order of an index, the rows that a search finds come late.
    "SELECT * FROM lines WHERE note ILIKE $1 OR unit ILIKE $1 ORDER BY product LIMIT 5",
    "SELECT * FROM lines WHERE ($1::text IS NULL OR unit = $1) AND ($2 = 0 OR product = $2) ORDER BY note LIMIT 5",
    "SELECT o.total FROM lines l LEFT JOIN orders o ON o.id = l.order_id ORDER BY o.total LIMIT 5",
    # An index cannot contain what depends on a setting.
    "SELECT * FROM orders WHERE to_char(created, 'YYYY-MM') = $1",
    "SELECT * FROM totals WHERE total = $1",
    "SELECT * FROM orders WHERE state = $1",
    "SELECT * FROM orders WHERE state::text IN ($1)",
    # DISTINCT reads the whole table.
    "SELECT * FROM (SELECT DISTINCT order_id FROM lines) l JOIN orders o ON o.id = l.order_id WHERE o.shop = $1",
    "SELECT * FROM orders WHERE total > $1",
    "SELECT * FROM lines WHERE note IS NULL OR $1",
    "SELECT * FROM lines WHERE note = $1 OR product IN (SELECT id FROM orders WHERE shop = $2)",
    "DELETE FROM lines WHERE ctid IN (SELECT ctid FROM lines WHERE product > $1 LIMIT 10)",
    "WITH o AS (SELECT shop, count(*) FROM orders GROUP BY shop) SELECT * FROM lines JOIN o ON o.shop = lines.order_id",
    "SELECT * FROM orders o JOIN lines l ON l.order_id = o.id",
    "SELECT * FROM orders WHERE id = $1 AND number = $2",
    "SELECT * FROM lines WHERE $1::text IS NULL OR note = $1",
    "SELECT * FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.state = 'lost' AND o.created > $1",
    "SELECT count(*) FROM orders WHERE EXISTS (SELECT 1 FROM lines WHERE order_id = orders.id)",
    "SELECT l.note FROM lines l JOIN orders o ON o.id = l.order_id WHERE o.total > 5000 ORDER BY l.note LIMIT 5",
    "SELECT * FROM events WHERE kind = $1 AND (subject = $2 OR $2 IS NULL) ORDER BY subject LIMIT 5",
    "SELECT count(*) FROM orders WHERE NOT EXISTS (SELECT 1 FROM lines WHERE order_id = orders.id AND note = $1)",
    "SELECT count(*) FROM orders o FULL JOIN lines l ON l.order_id = o.id WHERE o.id = $1 OR l.note = $2",
]


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    """A database with rows."""
    with Server(any_installation()) as server, server.connect() as connected:
        for text in (SCHEMA, FILL):
            for statement in text.split(";\n"):
                connected.execute(statement.encode())
        connected.execute("SET plan_cache_mode = force_generic_plan")
        yield connected


def _plan(connection: Any, text: str) -> dict[str, Any]:
    connection.execute(f"PREPARE q AS {text}".encode())
    count = connection.execute("SELECT cardinality(parameter_types) FROM pg_prepared_statements").fetchone()[0]
    arguments = f"({', '.join(['NULL'] * count)})" if count else ""
    plan: dict[str, Any] = connection.execute(f"EXPLAIN (FORMAT json) EXECUTE q{arguments}".encode()).fetchone()[0][0]["Plan"]
    connection.execute("DEALLOCATE q")
    return plan


def _indexes(plan: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in plan:
        yield plan["Index Name"]
    for inner in plan.get("Plans", ()):
        yield from _indexes(inner)


@pytest.mark.parametrize(("text", "index"), SERVED)
def test_the_index_is_the_one_that_the_server_uses(text: str, index: str, connection: Any) -> None:
    accesses = assessed(text, CATALOG).accesses
    assert index in [access.index.name for access in accesses if access.index is not None]
    assert not any(access.is_unindexed for access in accesses)
    assert index in set(_indexes(_plan(connection, text)))


@pytest.mark.parametrize(("text", "indexes"), [(text, indexes) for text, *indexes in UNINDEXED])
def test_an_index_makes_an_unindexed_query_cheap(text: str, indexes: list[tuple[str, ...]], connection: Any) -> None:
    [access] = [access for access in assessed(text, CATALOG).accesses if access.candidates]
    assert access.is_unindexed
    assert [candidate.keys for candidate in access.candidates] == indexes
    before = _plan(connection, text)["Total Cost"]
    connection.execute("BEGIN")
    for keys in indexes:
        connection.execute(f"CREATE INDEX ON {access.name} ({', '.join(keys)})".encode())
    connection.execute(f"ANALYZE {access.name}".encode())
    after = _plan(connection, text)["Total Cost"]
    connection.execute("ROLLBACK")
    assert after * 5 < before  # tenfold with more rows


@pytest.mark.parametrize(("text", "keys", "predicate"), PARTIAL)
def test_a_rare_state_needs_a_partial_index(text: str, keys: tuple[str, ...], predicate: str, connection: Any) -> None:
    [access] = assessed(text, CATALOG).accesses
    assert [(candidate.keys, candidate.predicate) for candidate in access.candidates] == [(keys, predicate)]
    connection.execute("BEGIN")
    where = f" WHERE {predicate}" if predicate else ""
    connection.execute(f"CREATE INDEX proposed ON jobs ({', '.join(keys)}){where}".encode())
    plan = _plan(connection, text)
    connection.execute("ROLLBACK")
    assert set(_indexes(plan)) == {"proposed"}
    assert plan["Total Cost"] < 20


@pytest.mark.parametrize("tables", ["events e JOIN customers c ON c.region = e.subject", "customers c JOIN events e ON c.region = e.subject"])
def test_the_index_of_few_values_does_not_replace_that_of_a_join(tables: str) -> None:
    accesses = {access.alias: access for access in assessed(f"SELECT * FROM {tables} WHERE c.id = $1 AND e.kind = 'opened'", CATALOG).accesses}
    assert accesses["e"].is_unindexed
    assert [candidate.keys for candidate in accesses["e"].candidates] == [("subject",)]


@pytest.mark.parametrize(
    ("text", "is_window"),
    [
        ("SELECT * FROM orders WHERE total BETWEEN $1 AND $2", True),
        ("SELECT * FROM orders WHERE total >= $1 AND total < now()::date - date '2020-01-01'", True),
        ("SELECT * FROM orders WHERE total BETWEEN 1 AND 500", False),
        ("SELECT * FROM orders WHERE total >= $1", False),
        ("SELECT * FROM orders WHERE created BETWEEN $1 AND $2", False),
    ],
)
def test_the_rows_between_two_values_are_found_with_an_index(text: str, is_window: bool) -> None:
    [access] = assessed(text, CATALOG).accesses
    assert [candidate.keys for candidate in access.candidates] == ([("total",)] if is_window else [])


@pytest.mark.parametrize(("text", "table", "key", "beside"), BESIDE)
def test_an_index_does_not_help_a_query_that_reads_another_table_as_a_whole(
    text: str, table: str, key: str, beside: str, connection: Any
) -> None:
    [access] = [access for access in assessed(text, CATALOG).accesses if access.candidates]
    assert [candidate.keys for candidate in access.candidates] == [(key,)]
    assert (access.name.name, [name.name for name in access.beside]) == (table, [beside])
    assert not access.is_unindexed
    before = _plan(connection, text)["Total Cost"]
    connection.execute("BEGIN")
    connection.execute(f"CREATE INDEX ON {table} ({key})".encode())
    after = _plan(connection, text)["Total Cost"]
    connection.execute("ROLLBACK")
    assert after * 5 > before


@pytest.mark.parametrize(
    ("condition", "is_served"),
    [
        ("st_intersects(shape, $1)", True),
        ("ST_DWithin($1, places.shape, 25)", True),
        ("st_intersects(st_buffer(shape, 5), $1)", False),
        ("NOT st_intersects(shape, $1)", False),
        ("st_disjoint(shape, $1)", False),
    ],
)
def test_functions_of_postgis_with_index_support(condition: str, is_served: bool) -> None:
    schema = (
        "CREATE EXTENSION postgis; CREATE TABLE places (id bigint, shape geometry); CREATE INDEX places_shape ON places USING gist (shape);"
    )
    catalog = catalog_of(schema)
    [access] = assessed(f"SELECT id FROM places WHERE {condition}", catalog).accesses
    assert (access.index is not None) == is_served


def test_the_index_of_a_table_that_is_found_from_another() -> None:
    joined = "SELECT * FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.number = $1"
    recursive = "WITH RECURSIVE o AS (SELECT id FROM orders WHERE number = $1 UNION SELECT product FROM lines JOIN o ON order_id = id) TABLE o"
    for text in (joined, recursive):
        accesses = assessed(text, CATALOG).accesses
        assert [candidate.keys for access in accesses if access.is_unindexed for candidate in access.candidates] == [("number",), ("order_id",)]


@pytest.mark.parametrize(
    ("column", "parameter", "is_used"),
    [
        ("code", "text", False),
        ("code", "character", True),
        ("name", "character", False),
        ("name", "text", True),
        ("note", "character varying", True),
        ("number", "numeric", False),
        ("number", "bigint", True),
        ("total", "double precision", False),
        ("total", "integer", True),
    ],
)
def test_an_index_is_not_used_if_the_column_is_converted(column: str, parameter: str, is_used: bool, connection: Any) -> None:
    schema = f"""
    CREATE TABLE parts (code character(9), name varchar(9), note text, number int, total numeric);
    CREATE INDEX parts_index ON parts ({column});
    """
    text = f"SELECT * FROM parts WHERE {column} = $1::{parameter}"
    [access] = assessed(text, catalog_of(schema)).accesses
    assert (access.index is not None, access.conversion is None) == (is_used, is_used)
    connection.execute("BEGIN")
    connection.execute(schema.encode())
    connection.execute(f"INSERT INTO parts SELECT n, n, n, n, n FROM generate_series(1, {ROWS}) n".encode())
    connection.execute("ANALYZE parts")
    plan = _plan(connection, text)
    connection.execute("ROLLBACK")
    assert ("parts_index" in set(_indexes(plan))) == is_used


def test_an_index_that_one_partition_lacks_serves_no_query() -> None:
    [access] = assessed("SELECT sensor FROM readings WHERE total = $1", catalog_of(f"{SCHEMA} DROP INDEX readings_1_total;")).accesses
    assert [candidate.keys for candidate in access.candidates] == [("total",)]


@pytest.mark.parametrize(
    ("key", "is_mutable"),
    [
        ("to_char(sent, 'YYYY')", True),
        ("sent::date", True),
        ("date_trunc('day', sent)", True),
        ("date_trunc('day', done)", False),
        ("done::date", False),
        ("done::text", True),
        ("kind::text", True),
        ("id::text", False),
        ("plain(note)", False),
        ("counted(note)", True),
        ("lower(note)", False),
        ("(data ->> 'sent')::timestamptz", True),
        ("(data ->> 'number')::bigint", False),
    ],
)
def test_an_index_that_the_server_does_not_build_is_not_missing(key: str, is_mutable: bool, connection: Any) -> None:
    schema = """
    CREATE TYPE mail_kind AS ENUM ('letter', 'parcel');
    CREATE TABLE mails (id bigint, sent timestamptz, done timestamp, kind mail_kind, note text, data jsonb);
    CREATE FUNCTION plain(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)';
    CREATE FUNCTION counted(text) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
    """
    parameter = "$1" if "kind" not in key else "ANY (ARRAY['letter', $1])"
    [access] = assessed(f"SELECT note FROM mails WHERE {key} = {parameter}", catalog_of(schema)).accesses
    if access.candidates:  # an enum has few values, as text as well
        assert bool(access.candidates[0].mutable) == is_mutable
        assert access.is_unindexed != is_mutable
    connection.execute("BEGIN")
    connection.execute(schema.encode())
    keys = access.candidates[0].keys[0] if access.candidates else f"({key})"
    try:
        connection.execute(f"CREATE INDEX ON mails ({keys})".encode())
        is_built = True
    except psycopg.Error:
        is_built = False
    finally:
        connection.execute("ROLLBACK")
    assert is_built != is_mutable


@pytest.mark.parametrize("text", FINE)
def test_a_query_that_no_index_would_help_is_not_unindexed(text: str) -> None:
    assert not any(access.is_unindexed for access in assessed(text, CATALOG).accesses)
