"""Which queries the rules report, where, and in which words."""

import pytest

from migsafe.linting.finding import Severity
from migsafe.linting.rule import Limits
from migsafe.linting.rulebook import shipped_rules
from tests.support.linted import judge_with_queries

RULES = [rule for rule in shipped_rules() if rule.category in ("queries", "compatibility")]
ORDER = "-- queries: db/orders.sql\n-- name: GetOrder :one\nSELECT id, note FROM orders WHERE id = $1;\n"
PRODUCT = "-- queries: db/products.sql\n-- name: GetProduct :one\nSELECT name FROM products WHERE id = $1;\n"
BY_CUSTOMER = "-- queries: db/orders.sql\n-- name: OrdersOfCustomer :many\nSELECT id FROM orders WHERE customer_id = $1;\n"
COUPON = "-- queries: db/coupons.sql\n-- name: AddCoupon :exec\nINSERT INTO coupons (id, code) VALUES ($1, $2);\n"


def reported(sql: str, *, complete: bool = False, limits: Limits | None = None) -> list[tuple[str, str]]:
    """Returns the rules that report something, with the severities."""
    verdict = judge_with_queries(sql, RULES, limits, complete=complete)
    assert verdict.problems == []
    return [(finding.rule, finding.severity.word) for finding in verdict.findings]


def messages(sql: str) -> list[str]:
    """Returns the messages of the findings of queries."""
    return [finding.message for finding in judge_with_queries(sql, RULES).findings if finding.category == "queries"]


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ("ALTER TABLE orders DROP COLUMN note;", ["query-breaks"]),
        ("ALTER TABLE orders RENAME COLUMN note TO remark;", ["query-breaks"]),
        ("DROP TABLE products CASCADE;", ["query-breaks"]),
        ("ALTER TABLE orders SET SCHEMA archive;", ["query-breaks"]),
        ("ALTER TABLE orders DROP COLUMN total;", ["drop-column"]),
        ("ALTER TABLE orders DROP COLUMN note; ALTER TABLE orders ADD COLUMN note text;", ["drop-column"]),
        ("BEGIN; ALTER TABLE orders RENAME TO sales; CREATE VIEW orders AS SELECT id, note FROM sales; COMMIT;", []),
        ("CREATE TABLE drafts (id bigint PRIMARY KEY, note text); ALTER TABLE drafts DROP COLUMN note;", []),
        ("BEGIN; ALTER TABLE orders DROP COLUMN note; ROLLBACK;", ["drop-column"]),
    ],
)
def test_a_query_breaks_if_it_does_not_run_at_the_end_of_the_migration(sql: str, rules: list[str]) -> None:
    assert [rule for rule, _ in reported(f"{sql}\n{ORDER}{PRODUCT}")] == rules


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DROP FUNCTION order_total(integer);", "function order_total does not exist"),
        ("ALTER FUNCTION order_total(integer) RENAME TO total_of;", "function order_total does not exist"),
        ("ALTER TYPE order_status RENAME TO state_of_order;", 'type "order_status" does not exist'),
        ("ALTER TYPE order_status SET SCHEMA archive;", 'type "order_status" does not exist'),
        ("DROP FUNCTION order_total(integer); CREATE FUNCTION order_total(bigint) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0';", ""),
    ],
)
def test_a_query_breaks_without_its_function_or_type(sql: str, message: str) -> None:
    query = "-- queries: db/orders.sql\n-- name: Totals :many\nSELECT order_total($2), $1::order_status FROM orders WHERE id = $3;\n"
    assert [each.rpartition("answers ")[2] for each in messages(f"{sql}\n{query}")] == ([f"`{message}`"] if message else [])


@pytest.mark.parametrize(
    ("sql", "query", "message"),
    [
        ("DROP SEQUENCE tickets;", "SELECT nextval('tickets')", 'relation "tickets" does not exist'),
        (
            "DROP SEQUENCE tickets;",
            "INSERT INTO tags (id) VALUES (nextval('public.tickets'::regclass))",
            'relation "public.tickets" does not exist',
        ),
        ("ALTER SEQUENCE tickets RENAME TO numbers;", "SELECT setval('Tickets', $1)", 'relation "Tickets" does not exist'),
        ("ALTER SEQUENCE tickets RENAME TO numbers;", "SELECT nextval($1), 'tickets'", ""),
        ("DROP SEQUENCE tickets; CREATE SEQUENCE tickets;", "SELECT nextval('tickets')", ""),
    ],
)
def test_a_query_breaks_without_the_sequence_that_a_constant_names(sql: str, query: str, message: str) -> None:
    before = "CREATE SEQUENCE tickets; CREATE TABLE tags (id bigint PRIMARY KEY);\n-- next migration\n"
    found = messages(f"{before}{sql}\n-- queries: db/orders.sql\n-- name: Next :one\n{query};\n")
    assert [each.rpartition("answers ")[2] for each in found] == ([f"`{message}`"] if message else [])


def test_a_query_breaks_without_the_value_of_an_enum() -> None:
    before = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE notes (id bigint PRIMARY KEY, mood mood);\n-- next migration\n"
    query = "-- queries: db/notes.sql\n-- name: Moods :many\nSELECT id FROM notes WHERE mood = '{}';\n"
    change = "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';\n"
    found = messages(before + change + query.format("ok"))
    assert [each.rpartition("answers ")[2] for each in found] == ['`invalid input value for enum public.mood: "ok"`']
    assert messages(before + change + query.format("sad")) == []


def test_what_a_later_migration_repairs_did_not_break_a_query_of_the_current_release() -> None:
    sql = "ALTER TABLE orders DROP COLUMN note;\n-- next migration\nALTER TABLE orders ADD COLUMN note text;\n"
    assert ("query-breaks", "error") not in reported(sql + ORDER)
    assert ("query-breaks", "error") in reported(sql + ORDER.replace("queries", "running queries"))


def test_one_operation_that_breaks_several_queries_is_one_finding() -> None:
    sql = f"ALTER TABLE orders DROP COLUMN note;\n{ORDER}-- name: Notes :many\nSELECT note FROM orders WHERE customer_id = $1;\n"
    assert messages(sql) == [
        "DROP COLUMN note of orders breaks the query GetOrder (db/orders.sql:1), which the application sends: PostgreSQL answers "
        '`column "note" does not exist`; the same is true of Notes (db/orders.sql:3)'
    ]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("code = $1::text", "it compares code as text, and PostgreSQL converts the column, so that cards_code is not used"),
        ("number = $1::numeric", "it compares number as numeric, and PostgreSQL converts the column, so that cards_number is not used"),
        (
            "printed::date = $1",
            'PostgreSQL builds no index on (CAST("printed" AS DATE)), because the conversion of a timestamp with time zone depends on the '
            "session's time zone",
        ),
    ],
)
def test_what_no_index_can_serve_is_for_information(condition: str, message: str) -> None:
    schema = "CREATE TABLE cards (id bigint PRIMARY KEY, code char(8), number int, printed timestamptz);\n"
    schema += "CREATE INDEX cards_code ON cards (code);\nCREATE INDEX cards_number ON cards (number);\n"
    query = f"-- queries: db/cards.sql\n-- name: Cards :many\nSELECT id FROM cards WHERE {condition};\n"
    (finding,) = (each for each in judge_with_queries(schema + query, RULES).findings if each.rule == "query-without-index")
    assert finding.severity.word == "info"
    assert finding.message == f"the query Cards reads all of public.cards each time: {message}"


def test_the_queries_of_a_finding_are_those_of_the_release_that_it_names() -> None:
    new = "-- new queries: db/notes.sql\n-- name: Notes :many\nSELECT note FROM orders WHERE customer_id = $1;\n"
    sql = f"ALTER TABLE orders DROP COLUMN note;\n{new}{ORDER.replace('queries', 'running queries')}"
    assert messages(sql) == [
        "DROP COLUMN note of orders breaks the query GetOrder (db/orders.sql:1), which the running release sends: PostgreSQL answers "
        '`column "note" does not exist`; the same is true of Notes (db/notes.sql:1) in the new release'
    ]


def test_a_drop_that_no_query_uses_is_for_information_if_all_queries_are_known() -> None:
    sql = f"ALTER TABLE orders DROP COLUMN total;\n{ORDER}"
    assert reported(sql, complete=True) == [("drop-column", "info")]
    finding = judge_with_queries(sql, RULES, complete=True).findings[0]
    assert finding.message.endswith("; the application's only query does not use it")
    assert reported(sql) == [("drop-column", "error")]


def test_a_drop_names_the_queries_that_use_the_object() -> None:
    rules = [rule for rule in RULES if rule.name == "drop-column"]
    finding = judge_with_queries(f"ALTER TABLE orders DROP COLUMN note;\n{ORDER}", rules).findings[0]
    assert finding.message.endswith("; the query GetOrder (db/orders.sql:1) uses it")
    assert [query.name for query in finding.queries] == ["GetOrder"]


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ("DROP INDEX orders_customer_id_idx;", ["query-loses-index"]),
        ("DROP INDEX orders_customer_id_idx; CREATE INDEX ON orders (customer_id, id);", []),
        ("DROP INDEX orders_qty_idx;", []),
    ],
)
def test_a_query_loses_its_index_if_no_other_one_serves_it_in_the_end(sql: str, rules: list[str]) -> None:
    assert [rule for rule, _ in reported(f"{sql}\n{BY_CUSTOMER}")] == rules


@pytest.mark.parametrize(
    ("setup", "drop", "query"),
    [
        (
            "CREATE VIEW recent AS SELECT id, customer_id FROM orders; CREATE VIEW of_recent AS SELECT id, customer_id AS buyer FROM recent;",
            "DROP INDEX orders_customer_id_idx;",
            "SELECT id FROM of_recent WHERE buyer = $1",
        ),
        (
            "CREATE TABLE hits (id bigint, page bigint) PARTITION BY HASH (id); CREATE TABLE hits_0 PARTITION OF hits FOR VALUES WITH "
            "(MODULUS 1, REMAINDER 0); CREATE INDEX hits_0_page ON hits_0 (page);",
            "DROP INDEX hits_0_page;",
            "SELECT id FROM hits WHERE page = $1",
        ),
        (
            "CREATE TABLE hits (id bigint, page bigint) PARTITION BY HASH (id); CREATE TABLE hits_0 PARTITION OF hits FOR VALUES WITH "
            "(MODULUS 1, REMAINDER 0); ALTER TABLE hits_0 ADD CONSTRAINT hits_0_page UNIQUE (page);",
            "ALTER TABLE hits_0 DROP CONSTRAINT hits_0_page;",
            "SELECT id FROM hits WHERE page = $1",
        ),
    ],
)
def test_a_query_loses_its_index_under_a_view_and_on_a_partition(setup: str, drop: str, query: str) -> None:
    text = f"-- queries: db/hits.sql\n-- name: Hits :many\n{query};\n"
    assert ("query-loses-index", "error") in reported(f"{setup}\n-- next migration\n{drop}\n{text}")
    assert "query-loses-index" not in dict(reported(f"{setup}\n-- next migration\nSELECT 1;\n{text}"))


@pytest.mark.parametrize("condition", ["$1::bigint IS NULL OR customer_id = $1", "customer_id = coalesce($1::bigint, customer_id)"])
def test_an_optional_condition_is_judged_with_its_value(condition: str) -> None:
    query = f"-- queries: db/orders.sql\n-- name: Orders :many\nSELECT id FROM orders WHERE {condition};\n"
    sql = f"DROP INDEX orders_customer_id_idx;\n{query}"
    assert ("query-loses-index", "error") in reported(sql)
    [message] = messages(sql)
    assert "each execution with values for the optional conditions reads all of public.orders" in message
    created = f"CREATE TABLE gifts (id bigint PRIMARY KEY, customer_id bigint NOT NULL);\n{query.replace('orders WHERE', 'gifts WHERE')}"
    assert ("query-without-index", "info") in reported(created)
    assert "query-without-index" not in dict(reported(created.replace("-- queries", "CREATE INDEX ON gifts (customer_id);\n-- queries")))


def test_a_table_that_was_read_as_a_whole_before_loses_no_index() -> None:
    twice = "WITH a AS (SELECT o.id, o.qty FROM orders o WHERE o.customer_id = $1), b AS (SELECT o.id FROM orders o WHERE o.comment = $2)"
    twice = f"-- queries: db/orders.sql\n-- name: Twice :many\n{twice} SELECT a.id FROM a, b;\n"
    assert "query-loses-index" not in dict(reported(f"DROP INDEX orders_qty_idx;\n{twice}"))
    assert "query-loses-index" in dict(reported(f"DROP INDEX orders_customer_id_idx;\n{twice}"))


def test_an_index_of_a_small_table_is_not_missed() -> None:
    sql = f"DROP INDEX orders_customer_id_idx;\n{BY_CUSTOMER}"
    assert reported(sql, limits=Limits(lock_timeout=2000, rows={"public.orders": 90})) == []
    assert reported(sql, limits=Limits(lock_timeout=2000, rows={"public.orders": 90_000})) == [("query-loses-index", "error")]


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ("ALTER TABLE coupons ALTER COLUMN discount SET NOT NULL;", ["insert-breaks"]),
        ("ALTER TABLE coupons ALTER COLUMN discount SET DEFAULT 0; ALTER TABLE coupons ALTER COLUMN discount SET NOT NULL;", []),
        ("ALTER TABLE coupons ADD COLUMN kind text NOT NULL DEFAULT 'x';", []),
        (
            "ALTER TABLE coupons ADD COLUMN kind text NOT NULL DEFAULT 'x'; ALTER TABLE coupons ALTER COLUMN kind DROP DEFAULT;",
            ["insert-breaks"],
        ),
    ],
)
def test_an_insert_breaks_if_it_leaves_out_a_column_that_needs_a_value(sql: str, rules: list[str]) -> None:
    found = [rule for rule, _ in reported(f"{sql}\n{COUPON}") if rule not in ("required-column-added", "drop-default")]
    assert found == rules


def test_a_new_query_needs_the_migration_that_creates_its_table() -> None:
    created = "CREATE TABLE tags (id bigint PRIMARY KEY, label text);\n"
    new = "-- new queries: db/tags.sql\n-- name: GetTag :one\nSELECT label FROM tags WHERE id = $1;\n"
    assert reported(created + new) == [("query-needs-migration", "info")]
    assert reported(created + new.replace("new queries", "queries")) == []


UNINDEXED = "-- name: GetByNote :many\n-- recorded: {} times in one request\nSELECT id FROM orders WHERE reference = $1;\n"


@pytest.mark.parametrize(
    ("heading", "rows", "rules"),
    [
        ("-- new queries: db/orders.sql\n", {}, ["query-without-index"]),
        ("-- queries: db/orders.sql\n", {}, []),
        ("-- queries: db/orders.sql\n", {"public.orders": 90_000}, ["query-without-index"]),
        ("-- new queries: db/orders.sql\n", {"public.orders": 90}, []),
    ],
)
def test_a_table_without_an_index_for_a_query_is_reported_if_it_may_be_large(heading: str, rows: dict[str, int], rules: list[str]) -> None:
    found = reported(f"SELECT 1;\n{heading}{UNINDEXED.format(1)}", limits=Limits(lock_timeout=2000, rows=rows))
    assert [rule for rule, _ in found] == rules


def test_a_query_that_reads_a_large_table_as_a_whole_anyway_lacks_no_index() -> None:
    two = UNINDEXED.replace("= $1;", "= $1 UNION ALL SELECT id FROM products WHERE name > $2;")
    sql = f"SELECT 1;\n-- queries: db/orders.sql\n{two.format(1)}"
    rows = {"public.orders": 90_000, "public.products": 90_000}
    assert reported(sql, limits=Limits(lock_timeout=2000, rows=rows)) == []
    rows["public.products"] = 90
    assert reported(sql, limits=Limits(lock_timeout=2000, rows=rows)) == [("query-without-index", "warning")]


def test_the_help_for_an_or_creates_an_index_for_each_of_its_parts() -> None:
    query = UNINDEXED.format(1).replace("reference = $1", "lower(reference) = $1 OR upper(note) = $2")
    [finding] = judge_with_queries(f"SELECT 1;\n-- new queries: db/orders.sql\n{query}", RULES).findings
    assert finding.message.endswith('no index begins with (lower("reference")) and none begins with (upper("note"))')
    assert finding.help.splitlines() == [
        'CREATE INDEX CONCURRENTLY orders_expr_idx ON orders ((lower("reference")));',
        'CREATE INDEX CONCURRENTLY orders_expr_idx1 ON orders ((upper("note")));',
    ]


def test_queries_that_differ_in_the_direction_of_their_order_lack_one_index() -> None:
    queries = "".join(f"-- name: L{len(way)} :many\nSELECT id FROM orders ORDER BY total{way}, note{way} LIMIT 5;\n" for way in ("", " DESC"))
    findings = judge_with_queries(f"SELECT 1;\n-- new queries: db/orders.sql\n{queries}", RULES).findings
    assert [len(finding.queries) for finding in findings] == [2]


def test_repetitions_without_an_index_are_a_warning() -> None:
    unindexed = "CREATE TABLE tags (id bigint PRIMARY KEY, label text);\n-- queries: db/tags.sql\n" + UNINDEXED.format(12).replace(
        "id FROM orders WHERE reference", "id FROM tags WHERE label"
    )
    assert reported(unindexed) == [("query-repeats", "warning"), ("query-without-index", "warning")]
    by_key = unindexed.replace("SELECT id FROM tags WHERE label", "SELECT label FROM tags WHERE id")
    assert reported(by_key) == [("query-repeats", "info")]
    assert reported(by_key.replace("12 times", "4 times")) == []
    findings = judge_with_queries(unindexed, RULES).findings
    assert {finding.severity for finding in findings} == {Severity.WARNING}
    assert findings[0].message.startswith("one request sends the query GetByNote up to 12 times, and each reads all of public.tags")
    assert "CREATE INDEX tags_label_idx ON tags (label);" in findings[1].help


def test_queries_that_one_index_would_serve_are_one_finding() -> None:
    sql = "CREATE TABLE tags (id bigint PRIMARY KEY, label text);\n-- queries: db/tags.sql\n" + "".join(
        f"-- name: {name} :many\nSELECT {column} FROM tags WHERE label = $1;\n" for name, column in (("First", "id"), ("Second", "label"))
    )
    finding, *others = judge_with_queries(sql, RULES).findings
    assert others == []
    assert finding.message == (
        "the query First reads all of public.tags each time: no index begins with label; the same is true of the query Second (db/tags.sql:3)"
    )
    assert [query.name for query in finding.queries] == ["First", "Second"]


@pytest.mark.parametrize(
    ("condition", "help"),
    [
        ("(doc ->> 'n')::integer = $1", "CREATE INDEX logs_expr_idx ON logs ((CAST(doc ->> 'n' AS INT)));"),
        ("lower(origin)::text = $1", 'CREATE INDEX logs_expr_idx ON logs ((lower("origin")));'),
        ("date_trunc('day', seen) = $1", "CREATE INDEX logs_seen_idx ON logs (seen);"),
        ("date_trunc('day', (doc ->> 'at')::timestamptz) = $1", "-- for example with a range, and index that"),
        ("seen::date = $1", "CREATE INDEX logs_seen_idx ON logs (seen);"),
    ],
)
def test_the_index_that_would_serve_can_be_created_and_used(condition: str, help: str) -> None:
    sql = "CREATE TABLE logs (id bigint PRIMARY KEY, doc jsonb, origin text, seen timestamptz);\n"
    query = f"-- queries: db/logs.sql\n-- name: Logs :many\nSELECT id FROM logs WHERE {condition};\n"
    (finding,) = (each for each in judge_with_queries(sql + query, RULES).findings if each.rule == "query-without-index")
    assert finding.help.splitlines()[-1] == help
    assert ("may not be IMMUTABLE" in finding.help) == ("date" in condition)


def test_an_index_of_a_rare_state_is_partial() -> None:
    sql = """
    CREATE TABLE messages (id bigint PRIMARY KEY, sent_at timestamptz, created_at timestamptz NOT NULL, state text NOT NULL);
    -- queries: db/messages.sql
    -- name: NextMessages :many
    SELECT id FROM messages WHERE sent_at IS NULL ORDER BY created_at LIMIT $1;
    -- name: FailedMessages :many
    SELECT id FROM messages WHERE state IN ('failed', 'lost') ORDER BY created_at LIMIT $1;
    """
    findings = [finding for finding in judge_with_queries(sql, RULES).findings if finding.rule == "query-without-index"]
    assert [finding.message.partition(": ")[2] for finding in findings] == [
        "no index on created_at contains only the rows where sent_at IS NULL",
        "no index on created_at contains only the rows where state IN ('failed', 'lost')",
    ]
    assert [finding.help.splitlines()[1] for finding in findings] == [
        "CREATE INDEX messages_created_at_sent_at_idx ON messages (created_at) WHERE sent_at IS NULL;",
        "CREATE INDEX messages_created_at_state_idx ON messages (created_at) WHERE state IN ('failed', 'lost');",
    ]


@pytest.mark.parametrize(
    ("condition", "help"),
    [
        ("id::text = $1", ["-- compare id without the cast, so that public.tokens_pkey serves the query"]),
        (
            "code::text = $1",
            ["-- in migration 0001, which creates the table:", 'CREATE INDEX tokens_expr_idx ON tokens ((CAST("code" AS TEXT)));'],
        ),
    ],
)
def test_a_cast_that_depends_on_no_setting_can_be_indexed(condition: str, help: list[str]) -> None:
    sql = f"""
    CREATE TABLE tokens (id uuid PRIMARY KEY, code bigint NOT NULL);
    -- queries: db/tokens.sql
    -- name: Token :one
    SELECT id FROM tokens WHERE {condition};
    """
    [finding] = [finding for finding in judge_with_queries(sql, RULES).findings if finding.rule == "query-without-index"]
    assert finding.help.splitlines() == help
