"""The messages of rules, with the user's own names."""

import pytest

from migsafe.linting.finding import Finding
from migsafe.linting.rule import Limits
from migsafe.linting.rulebook import choose_rules, find_rule, shipped_rules
from migsafe.lock import LockMode
from tests.support.linted import judge_sql


def finding(sql: str, runner: str = "plain") -> Finding:
    return max(judge_sql(sql, runner=runner).findings, key=lambda finding: finding.severity)


def test_an_index_names_the_table_the_lock_and_the_safe_way() -> None:
    result = finding("CREATE UNIQUE INDEX ON orders (customer_id, placed_at DESC) INCLUDE (total) WHERE total > 0", runner="sql-migrate")
    assert result.message == "CREATE UNIQUE INDEX takes SHARE on public.orders until it is built: every INSERT, UPDATE and DELETE waits"
    assert result.help == (
        "-- in a migration that runs outside a transaction: begin it with `-- +migrate Up notransaction`\n"
        "DROP INDEX CONCURRENTLY IF EXISTS orders_customer_id_placed_at_total_idx;\n"
        "CREATE UNIQUE INDEX CONCURRENTLY orders_customer_id_placed_at_total_idx "
        "ON orders (customer_id, placed_at DESC) INCLUDE (total) WHERE total > 0;"
    )
    assert (result.relations, result.lock) == (("public.orders",), LockMode.SHARE)


@pytest.mark.parametrize(
    ("sql", "step"),
    [
        ("CREATE INDEX i ON orders (a)", ""),
        ("BEGIN; CREATE INDEX i ON orders (a); COMMIT", "-- in a migration that runs outside a transaction: leave out BEGIN and COMMIT\n"),
        ("BEGIN; COMMIT; CREATE INDEX i ON orders (a)", ""),
        ("DO $$ BEGIN CREATE INDEX i ON orders (a); END $$", "-- outside the DO block\n"),
    ],
)
def test_the_help_says_how_to_leave_the_transaction(sql: str, step: str) -> None:
    assert finding(sql).help == f"{step}CREATE INDEX CONCURRENTLY i ON orders (a);"


@pytest.mark.parametrize(
    ("index", "safe"),
    [
        (
            'i ON "Orders" USING gin (lower(note) gin_trgm_ops, (a || b)) WITH (fastupdate = off) TABLESPACE fast',
            'i ON "Orders" USING gin ((lower(note)) gin_trgm_ops, (a || b)) WITH (fastupdate = off) TABLESPACE fast',
        ),
        (index := 'i ON orders (code COLLATE "C" text_pattern_ops DESC NULLS LAST) INCLUDE (b) NULLS NOT DISTINCT WHERE a > 1', index),
    ],
)
def test_the_safe_index_is_the_same_index(index: str, safe: str) -> None:
    [unsafe] = judge_sql(f"CREATE INDEX {index}").findings
    assert unsafe.help == f"CREATE INDEX CONCURRENTLY {safe};"


@pytest.mark.parametrize(
    ("pg_version", "added"), [(17, "docs_body_not_null CHECK (body IS NOT NULL)"), (18, "docs_body_not_null NOT NULL body")]
)
def test_not_null_is_added_as_the_version_allows(pg_version: int, added: str) -> None:
    sql = "CREATE TABLE docs (id bigint PRIMARY KEY, body text);\n-- next migration\nALTER TABLE docs ALTER COLUMN body SET NOT NULL"
    [result] = judge_sql(sql, pg_version=pg_version).findings
    assert result.help.splitlines()[0] == f"ALTER TABLE docs ADD CONSTRAINT {added} NOT VALID;"
    assert ("SET NOT NULL" in result.help) == (pg_version < 18)


def test_a_foreign_key_is_named_as_postgresql_would_and_added_in_two_steps() -> None:
    result = finding('ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES "Customers" (id) ON DELETE SET NULL')
    assert result.message == (
        'ADD FOREIGN KEY takes SHARE ROW EXCLUSIVE on public.orders and public."Customers" while it checks every row of public.orders: '
        "every INSERT, UPDATE and DELETE on them waits"
    )
    name = "orders_customer_id_fkey"
    assert result.help.splitlines() == [
        f'ALTER TABLE orders ADD CONSTRAINT {name} FOREIGN KEY (customer_id) REFERENCES "Customers" (id) ON DELETE SET NULL NOT VALID;',
        "-- next migration",
        "-- without blocking reads and writes:",
        f"ALTER TABLE orders VALIDATE CONSTRAINT {name};",
    ]
    assert result.relations == ("public.orders", 'public."Customers"')


def test_a_column_with_a_default_is_added_before_its_foreign_key() -> None:
    result = finding("ALTER TABLE orders ADD COLUMN region_id bigint NOT NULL DEFAULT 1 CONSTRAINT r REFERENCES regions (id)")
    assert result.lock is LockMode.ACCESS_EXCLUSIVE
    assert result.help.splitlines()[:2] == [
        "ALTER TABLE orders ADD COLUMN region_id bigint NOT NULL DEFAULT 1, "
        "ADD CONSTRAINT r FOREIGN KEY (region_id) REFERENCES regions (id) NOT VALID;",
        "-- next migration",
    ]


def test_a_drop_lists_every_table_once() -> None:
    result = finding("CREATE TABLE c (id int); DROP TABLE IF EXISTS a, x.b, c;")
    assert result.message.startswith("DROP TABLE takes ACCESS EXCLUSIVE on public.a, x.b and removes them with their rows: ")
    assert result.relations == ("public.a", "x.b")


def test_a_syntax_error_says_what_is_expected() -> None:
    assert finding("CREATE TABLE orders (id ;").message == 'expected a data type, found ";"'


def test_a_dropped_schema_names_what_goes_with_it_in_other_schemas() -> None:
    history = """
        CREATE SCHEMA depot;
        CREATE TABLE depot.vans (id bigint PRIMARY KEY, plate text);
        CREATE TYPE depot.mood AS ENUM ('good');
        CREATE VIEW plates AS SELECT plate FROM depot.vans;
        CREATE TABLE trips (id bigint PRIMARY KEY, van_id bigint CONSTRAINT of_van REFERENCES depot.vans, mood depot.mood);
    """
    (result,) = judge_sql(f"{history}\n-- next migration\nDROP SCHEMA depot CASCADE;").findings[-1:]
    assert result.rule == "drop-database-or-schema"
    assert "(1 of them is in the history)" in result.message
    others = "in other schemas, it also drops view public.plates, constraint of_van on table public.trips, column mood of table public.trips"
    assert result.message.endswith(others)


def test_a_lock_on_an_index_is_named() -> None:
    history = """
        CREATE TABLE trips (id bigint, day date NOT NULL) PARTITION BY RANGE (day);
        CREATE TABLE trips_2024 PARTITION OF trips FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE INDEX trips_id_idx ON ONLY trips (id);
        CREATE INDEX trips_2024_id_idx ON trips_2024 (id);
    """
    sql = f"{history}\n-- next migration\nSET lock_timeout = 0;\nALTER INDEX trips_id_idx ATTACH PARTITION trips_2024_id_idx;"
    (result,) = judge_sql(sql, choose_rules(shipped_rules(), ["lock-timeout-missing"]), limits=Limits()).findings
    assert result.message.startswith("ALTER INDEX requests ACCESS EXCLUSIVE on an index of public.trips_2024 with")


@pytest.mark.parametrize(("longest", "proposed"), [(10_000, "2s"), (500, "500ms")])
def test_a_long_lock_timeout_is_replaced_by_one_that_the_project_accepts(longest: int, proposed: str) -> None:
    sql = "SET lock_timeout = '1min'; ALTER TABLE orders ADD COLUMN note text"
    [result] = judge_sql(sql, [find_rule("lock-timeout-too-long", shipped_rules())], limits=Limits(longest_lock_timeout=longest)).findings
    assert result.help == f"-- before this statement:\nSET lock_timeout = '{proposed}';"


def test_a_cascade_names_each_object_with_its_kind() -> None:
    sql = (
        "CREATE TABLE orders (id bigint PRIMARY KEY); CREATE FUNCTION seen(i bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true'; "
        "CREATE POLICY owners ON orders USING (seen(id)); CREATE VIEW shown AS SELECT seen(id) FROM orders;"
    )
    [result] = judge_sql(f"{sql}\n-- next migration\nDROP FUNCTION seen CASCADE", [find_rule("drop-cascade", shipped_rules())]).findings
    assert result.message == "DROP FUNCTION … CASCADE also drops view public.shown, policy owners on table public.orders"


def test_two_required_columns_of_one_statement_are_one_finding() -> None:
    history = "CREATE TABLE orders (id bigint PRIMARY KEY);\n-- next migration\n"
    (both,) = judge_sql(history + "ALTER TABLE orders ADD COLUMN a text NOT NULL, ADD COLUMN b text NOT NULL;").findings
    assert "it fails if public.orders has rows; otherwise every INSERT of the running release fails" in both.message
    assert both.message.endswith("; the same is true of b")


def test_columns_that_are_narrowed_are_named() -> None:
    history = "CREATE TABLE orders (id bigint PRIMARY KEY, a float8, b float8);\n-- next migration\n"
    sql = "ALTER TABLE orders ALTER COLUMN a TYPE numeric(10, 4), ALTER COLUMN b TYPE numeric(20, 4);"
    assert finding(history + sql).message.endswith("; the same is true of b")
