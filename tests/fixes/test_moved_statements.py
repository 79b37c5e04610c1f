"""What statements need that a fix moves into another migration, or puts off to a later deployment."""

from pathlib import Path

import pytest

from tests.fixes.test_runners import fixes_of, write_files

TABLE = "CREATE SCHEMA shop;\nCREATE TABLE shop.orders (id bigint PRIMARY KEY, qty text);\n"
PATH = "SET search_path TO shop;\n"
BUILD = "CREATE INDEX orders_qty_idx ON orders (qty);\n"
CHANGE = "ALTER TABLE shop.orders ALTER COLUMN qty TYPE bigint USING qty::bigint;\n"


def goose(sql: str) -> str:
    return f"-- +goose Up\n{sql}"


@pytest.mark.parametrize(("before", "after"), [(PATH, PATH), (PATH.replace("SET", "SET LOCAL"), PATH), ("SET lock_timeout = '1s';\n", "")])
def test_a_migration_of_its_own_has_the_settings_that_its_statements_need(tmp_path: Path, before: str, after: str) -> None:
    table = "orders" if "path" in before else "shop.orders"
    files = {
        "1_a.sql": goose(TABLE),
        "2_b.sql": goose(f"{before}ALTER TABLE shop.orders ADD COLUMN n int;\n{BUILD.replace('orders (', f'{table} (')}"),
    }
    write_files(tmp_path, files)
    new = fixes_of(tmp_path, "2_b.sql", "index-not-concurrent").changes[-1].after
    assert f"{after}CREATE INDEX CONCURRENTLY orders_qty_idx ON {table}" in new
    assert ("SET" in new) is bool(after)


def test_the_rest_of_a_divided_migration_makes_each_setting_once(tmp_path: Path) -> None:
    add = "ALTER TABLE orders ADD CONSTRAINT known CHECK (qty <> '') NOT VALID;\n"
    validate = "ALTER TABLE orders VALIDATE CONSTRAINT known;\n"
    write_files(tmp_path, {"1_a.sql": goose(TABLE), "2_b.sql": goose(f"{PATH}{add}{validate}")})
    assert fixes_of(tmp_path, "2_b.sql", "validate-holds-lock").changes[-1].after == goose(f"{PATH}{validate}")


def test_a_migration_with_one_statement_cannot_have_a_setting(tmp_path: Path) -> None:
    write_files(tmp_path, {"1_a.up.sql": TABLE, "2_b.up.sql": f"{PATH}ALTER TABLE orders ADD COLUMN n int;\n{BUILD}"})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "index-not-concurrent")
    assert [each.reason for each in fixes.refused] == [
        "the migration has `SET search_path TO shop`, and the new one can have one statement only"
    ]
    qualified = {"2_b.up.sql": f"{PATH}ALTER TABLE orders ADD COLUMN n int;\n{BUILD.replace('ON orders', 'ON shop.orders')}"}
    write_files(tmp_path, qualified)
    assert fixes_of(tmp_path, "2_b.up.sql", "index-not-concurrent").refused == ()


@pytest.mark.parametrize(
    ("rest", "later", "reason"),
    [
        ("UPDATE shop.orders SET qty = 0;\n", "", "a later statement names qty, which would still have its old type there"),
        ("", "CREATE INDEX ON shop.orders (qty);", "a later migration, 9, names qty, which would still have its old type there"),
        ("", "CREATE TABLE shop.others (qty bigint);", None),
        ("UPDATE shop.orders SET id = 0 WHERE id = 1;\n", "", None),
    ],
)
def test_a_type_is_not_changed_later_if_statements_use_the_new_type(tmp_path: Path, rest: str, later: str, reason: str | None) -> None:
    write_files(tmp_path, {"1_a.sql": goose(TABLE), "2_b.sql": goose(CHANGE + rest), "9_c.sql": goose(later or "SELECT 1;")})
    fixes = fixes_of(tmp_path, "2_b.sql", "type-change-rewrites")
    assert [each.reason for each in fixes.refused] == ([reason] if reason else [])
    assert bool(fixes.changes) is not bool(reason)
