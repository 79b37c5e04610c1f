"""The measurement of a statement in a transaction."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.replaying.servers.server import Server
from migsafe.sql.operations import Name
from tests.support.statement_meter import StatementMeter

pytestmark = pytest.mark.server

TABLES = """
    CREATE TABLE customers (id int PRIMARY KEY, name text);
    CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, note text);
    CREATE INDEX orders_note ON orders (note);
    INSERT INTO customers SELECT n, 'c' FROM generate_series(1, 1000) AS n;
    INSERT INTO orders SELECT n, n, 'o' FROM generate_series(1, 1000) AS n;
    ANALYZE;
"""


@pytest.fixture
def connection(any_server: Server) -> Iterator[Any]:
    any_server.create_database("shop")
    with any_server.connect("shop") as connection:
        connection.execute(TABLES)
        yield connection
    any_server.drop_database("shop")


def effects(connection: Any, sql: str) -> dict[str, Effect]:
    return {effect.relation.name: effect for effect in StatementMeter(connection).measure(sql).effects}


def test_the_strongest_lock_of_each_relation_and_of_its_indexes(connection: Any) -> None:
    measured = effects(connection, "DELETE FROM customers WHERE id = 5000")
    assert {name: (effect.lock, effect.index_lock) for name, effect in measured.items()} == {
        "customers": (LockMode.ROW_EXCLUSIVE, LockMode.ROW_EXCLUSIVE),
    }
    measured = effects(connection, "DROP TABLE orders")
    assert {name: effect.lock for name, effect in measured.items()} == {
        "orders": LockMode.ACCESS_EXCLUSIVE,
        "customers": LockMode.ACCESS_EXCLUSIVE,
    }


def test_names_are_those_before_the_statement(connection: Any) -> None:
    assert list(effects(connection, "ALTER TABLE orders RENAME TO sales")) == ["orders"]


def test_a_rewritten_table(connection: Any) -> None:
    orders = effects(connection, "ALTER TABLE orders ALTER id TYPE bigint")["orders"]
    assert (orders.rewrite, orders.scan, orders.rebuilt) == (True, True, ())


def test_an_emptied_table_is_not_rewritten(connection: Any) -> None:
    orders = effects(connection, "TRUNCATE orders")["orders"]
    assert (orders.rewrite, orders.scan, orders.rebuilt) == (False, False, ())
    assert not effects(connection, "DO $$ BEGIN TRUNCATE orders; END $$")["orders"].rewrite


def test_rebuilt_indexes(connection: Any) -> None:
    orders = effects(connection, "REINDEX INDEX orders_note")["orders"]
    assert (orders.rewrite, orders.scan, orders.rebuilt) == (False, True, ("orders_note",))
    assert orders.index_lock is LockMode.ACCESS_EXCLUSIVE


def test_reading_half_of_the_rows_is_a_scan(connection: Any) -> None:
    assert effects(connection, "SELECT count(*) FROM orders")["orders"].scan
    assert not effects(connection, "SELECT * FROM orders WHERE id = 7")["orders"].scan
    assert effects(connection, "SELECT count(note) FROM orders WHERE id > 500")["orders"].scan


def test_an_index_only_scan_reads_the_table(connection: Any) -> None:
    connection.execute("VACUUM orders")
    connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    assert effects(connection, "SELECT count(id) FROM orders WHERE id > 0")["orders"].scan
    assert not effects(connection, "SELECT count(id) FROM orders WHERE id < 300")["orders"].scan


def test_a_bitmap_scan_is_counted_once(connection: Any) -> None:
    connection.execute("SET enable_seqscan = off; SET enable_indexscan = off; SET enable_indexonlyscan = off")
    assert effects(connection, "SELECT count(note) FROM orders WHERE id <= 700")["orders"].scan
    assert not effects(connection, "SELECT count(note) FROM orders WHERE id <= 400")["orders"].scan


def test_counters_of_a_replaced_index_are_not_added(connection: Any) -> None:
    connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    assert effects(connection, "SELECT count(id) FROM orders WHERE note = 'o'")["orders"].scan
    meter = StatementMeter(connection)
    connection.execute("BEGIN")
    connection.execute("SELECT count(id) FROM orders WHERE note = 'o'")
    [orders] = meter.measure('ALTER TABLE orders ALTER note TYPE varchar COLLATE "C"').effects
    assert orders.scan


def test_held_locks_are_not_measured_again(connection: Any) -> None:
    meter = StatementMeter(connection)
    connection.execute("BEGIN; ALTER TABLE orders ADD a int; LOCK TABLE customers IN ROW SHARE MODE")
    measured = meter.measure("ALTER TABLE orders ADD b int REFERENCES customers")
    assert [(effect.relation.name, effect.lock) for effect in measured.effects] == [("customers", LockMode.SHARE_ROW_EXCLUSIVE)]
    assert measured.held_before == {
        Name("customers", "public"): LockMode.ROW_SHARE,
        Name("orders", "public"): LockMode.ACCESS_EXCLUSIVE,
    }
    connection.execute("ROLLBACK")


def test_a_statement_outside_a_transaction_commits(connection: Any) -> None:
    StatementMeter(connection).measure("INSERT INTO customers VALUES (5000)")
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert connection.execute("SELECT 1 FROM customers WHERE id = 5000").fetchone() is not None


def test_an_error_of_the_statement_is_raised_and_ends_the_transaction(connection: Any) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        StatementMeter(connection).measure("ALTER TABLE nowhere ADD a int")
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_temporary_tables_views_and_strange_names(connection: Any) -> None:
    connection.execute('CREATE TEMPORARY TABLE t (a int); CREATE VIEW "A view" AS SELECT * FROM orders')
    assert [str(effect.relation) for effect in StatementMeter(connection).measure("ALTER TABLE t ADD b int").effects] == ["pg_temp.t"]
    measured = StatementMeter(connection).measure('ALTER VIEW "A view" RENAME TO v').effects
    assert [(effect.relation, effect.kind) for effect in measured] == [(Name("A view", "public"), "view")]
