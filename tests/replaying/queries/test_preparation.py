"""Preparing queries: what PostgreSQL says, without a change of the database."""

import pytest

from migsafe.replaying.queries.preparation import prepare_all
from migsafe.replaying.queries.results import Prepared, QueryFailure
from migsafe.replaying.servers.server import Server
from migsafe.workload.query import Query

pytestmark = [pytest.mark.server]

TEXTS = {
    "select": ("SELECT id AS key, at FROM orders WHERE qty = $1 LIMIT $2", ("bigint",)),
    "star": ("SELECT * FROM orders", ()),
    "insert": ("INSERT INTO orders (qty) VALUES ($1) RETURNING id", ()),
    "two statements": ("SELECT 1; DROP TABLE orders", ()),
    "missing": ("SELECT id FROM invoices", ()),
    "elsewhere": ("SELECT id FROM parcels", ()),
    "missing type": ("SELECT id FROM orders WHERE id = $1", ("mood",)),
    "text": ("SELECT date $1", ()),
}
QUERIES = [Query(text=text, fingerprint=name, parameters=types) for name, (text, types) in TEXTS.items()]


def test_prepare(any_server: Server) -> None:
    any_server.create_database("preparation")
    with any_server.connect("preparation") as connection:
        connection.execute("CREATE TABLE orders (id int, qty int, at timestamptz)")
        connection.execute("CREATE SCHEMA app CREATE TABLE parcels (id uuid)")
        connection.execute("BEGIN")
        inside = prepare_all(connection, QUERIES, search_path=("app",))
        connection.execute("ALTER TABLE orders DROP COLUMN at")
        dropped = prepare_all(connection, QUERIES)
        connection.execute("ROLLBACK")
        outside = prepare_all(connection, QUERIES, search_path=("app",))
        settings = connection.execute("SHOW search_path").fetchone()
        left = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
        exists = connection.execute("SELECT to_regclass('orders') IS NOT NULL").fetchone()
    any_server.drop_database("preparation")
    assert (settings, left, exists) == (('"$user", public',), (0,), (True,))
    assert inside == outside
    assert outside == {
        "select": Prepared(parameters=("bigint", "bigint"), columns=(("key", "integer"), ("at", "timestamp with time zone"))),
        "star": Prepared(columns=(("id", "integer"), ("qty", "integer"), ("at", "timestamp with time zone"))),
        "insert": Prepared(parameters=("integer",), columns=(("id", "integer"),)),
        "two statements": Prepared(failure=QueryFailure("42601", "cannot insert multiple commands into a prepared statement")),
        "missing": Prepared(failure=QueryFailure("42P01", 'relation "invoices" does not exist')),
        "elsewhere": Prepared(columns=(("id", "uuid"),)),
        "missing type": Prepared(parameters=("integer",), columns=(("id", "integer"),), untyped=True),
        "text": Prepared(failure=QueryFailure("42601", 'syntax error at or near "$1"')),
    }
    assert dropped["select"].failure == QueryFailure("42703", 'column "at" does not exist')
    assert dropped["insert"] == outside["insert"]
