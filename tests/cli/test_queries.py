"""The command `migsafe queries`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run

Command = Callable[..., Run]
Write = Callable[[str, str], Path]

QUERIES = """\
-- name: by_customer :many
SELECT id FROM orders WHERE customer_id = $1 AND state = 'open';
-- name: by_id :one
SELECT o.*, c.email FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = $1;
-- name: old :one
SELECT total FROM orders;
-- name: add :exec
INSERT INTO orders (id) VALUES ($1);
"""


@pytest.fixture
def shop(write: Write) -> None:
    write("migsafe.toml", 'migrations = ["migrations"]\nqueries = ["db"]\n')
    write("migrations/1.sql", "CREATE TABLE customers (id int PRIMARY KEY, email text);")
    write("migrations/2.sql", "CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, state text);")
    write("db/orders.sql", QUERIES)
    write("db/report.py", 'def report(connection, column):\n    connection.execute(f"SELECT {column} FROM orders")\n')


@pytest.mark.usefixtures("shop")
def test_the_list_for_people(migsafe: Command) -> None:
    result = migsafe("queries")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].startswith("db/orders.sql:1 by_customer · ")
    assert lines[1:3] == [
        "  SELECT id FROM orders WHERE customer_id = $1 AND state = 'open'",
        "  reads public.orders by customer_id = parameter, state = constant: no index; one (customer_id) would serve it",
    ]
    assert "  reads public.orders o by id = parameter, customer_id = column: index orders_pkey" in lines
    assert any("fails on this schema" in line and "(42703)" in line for line in lines)
    assert any("leaves out public.orders.customer_id" in line for line in lines)
    assert "  db/report.py:2 report: a part of its text is known only when the program runs" in lines
    assert lines[-1] == "4 queries, 1 without a needed index, 1 failing on this schema, 1 not read."


@pytest.mark.usefixtures("shop")
def test_a_table_that_is_read_as_a_whole_in_any_case(migsafe: Command, write: Write) -> None:
    write("db/both.sql", "-- name: both :many\nSELECT email FROM customers UNION ALL SELECT state FROM orders WHERE customer_id = $1")
    lines = migsafe("queries", "db/both.sql").out.replace("\n    ", " ").splitlines()
    assert lines[3].endswith("no index; one (customer_id) would serve it, but the query reads all of public.customers in any case")
    assert lines[-1] == "1 query."
    [query] = json.loads(migsafe("queries", "db/both.sql", "--format", "json").out)["queries"]
    assert [(each["needs_index"], each["reads_whole_beside"]) for each in query["accesses"]] == [(False, []), (False, ["public.customers"])]


@pytest.mark.usefixtures("shop")
def test_json_of_a_part(migsafe: Command, write: Write) -> None:
    write("db/customers.sql", "-- name: emails^\nselect email from customers")
    document = json.loads(migsafe("queries", "db/customers.sql", "--format", "json").out)
    [query] = document["queries"]
    assert query["places"] == [{"path": "db/customers.sql", "line": 1, "name": "emails", "calls": None, "per_request": None}]
    assert (query["text"], query["resolved"], query["failure"]) == ("SELECT email FROM customers", True, None)
    assert query["relations"] == [{"relation": "public.customers", "reads": True, "writes": False, "columns": ["email"], "all_columns": False}]
    assert document["unread"] == []
    assert migsafe("queries", "other").err.startswith("migsafe: no query is in other\n")


def test_without_a_configuration(migsafe: Command, write: Write) -> None:
    write("q.sql", "-- name: a^\nselect a from t")
    assert migsafe("queries").err.startswith("migsafe: nothing to list\n")
    result = migsafe("queries", "q.sql")
    assert result.out.endswith("1 query. Their tables are not looked up: the configuration names no `migrations`.\n")
    assert migsafe("queries", "missing.sql").err.startswith("migsafe: queries: missing.sql does not exist\n")


def test_a_log_becomes_a_file_of_queries(migsafe: Command, write: Write) -> None:
    write("pg.log", "x LOG:  duration: 2.0 ms  statement: select a from t where b = 'secret'\n")
    write("migsafe.toml", 'queries = ["queries.jsonl"]\n')
    assert migsafe("queries", "--from-log", "pg.log", "--format", "jsonl", "--output", "queries.jsonl") == Run(0, "", "")
    assert "  SELECT a FROM t WHERE b = $1\n" in migsafe("queries").out
    assert migsafe("queries", "x", "--from-log", "pg.log").code == 2
    assert migsafe("queries", "--from-log", "missing.log").err == "migsafe: missing.log: cannot be read: no such file or directory\n"


@pytest.mark.parametrize("content", ["{}", '{"migsafe":"queries","version":1}\n{"text":"SELECT'])
def test_a_file_that_is_not_one_of_queries_is_an_error(migsafe: Command, write: Write, content: str) -> None:
    write("queries.jsonl", content)
    result = migsafe("queries", "queries.jsonl")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("migsafe: queries.jsonl: ")
    assert "Record the queries again" in result.err


@pytest.mark.usefixtures("shop")
def test_lint_says_which_queries_were_not_judged(migsafe: Command, write: Write) -> None:
    assert "1 query of the application could not be read" in migsafe("lint").err
    write("db/report.py", "")
    assert migsafe("lint").err == ""
    write("db/orders.sql", "-- none yet\n")
    assert "names files without queries" in migsafe("lint").err


@pytest.mark.usefixtures("shop")
def test_a_replay_without_queries_has_no_plans_to_write(migsafe: Command) -> None:
    result = migsafe("replay", "migrations/2.sql", "--queries", "none", "--explain", "plans.json")
    assert result.code == 2
    assert "--explain needs the application's queries" in result.err
    assert not Path("plans.json").exists()
