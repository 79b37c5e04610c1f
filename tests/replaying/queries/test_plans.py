"""The plans of queries with parameters, and what a replay says about them."""

import json
from pathlib import Path

import pytest

from migsafe.library.replay import Replay
from migsafe.library.replay_verdict import replay_verdict
from migsafe.linting.finding import Finding
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.queries.index_candidates import candidates_for
from migsafe.replaying.queries.plan_trees import Plan, Unexplained
from migsafe.replaying.queries.planner_state import PlannedTable, PlannerState
from migsafe.replaying.queries.plans import GenericPlans
from migsafe.replaying.servers.private import PrivateHost
from migsafe.reports.replay.plans_json import plans_document
from migsafe.sql.operations import Name
from migsafe.workload import CallSite, Query, Workload
from migsafe.workload.assessment import Filter, QueryAssessment, TableAccess
from tests.support.queries import read_query
from tests.support.replays import FinishedReplay, replay_files

SCHEMA = """
CREATE DOMAIN quantity AS integer NOT NULL;
CREATE TABLE items (id integer PRIMARY KEY, amount quantity, day date);
CREATE TABLE events (id integer, day integer) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20);
"""


def _query(text: str, *types: str) -> Query:
    return Query(text=text, fingerprint=f"{text} {types}", parameters=types)


def _queries(folder: Path, *texts: str) -> ProjectQueries:
    read = [read_query(text, CallSite("shop.py", number, f"query{number}")) for number, text in enumerate(texts, 1)]
    accepted = "SELECT code FROM orders WHERE region = $1;"
    (folder / "shop.sql").write_text(f"-- name: of_region\n-- migsafe: ignore[query-without-index] few rows have one\n{accepted}\n")
    read.append(read_query(accepted, CallSite("shop.sql", 1, "of_region")))
    return ProjectQueries(Workload(queries=tuple(read), running=tuple(read)), str(folder))


def _findings(done: FinishedReplay, rule: str) -> list[Finding]:
    verdict = replay_verdict(done.replayed, Budgets(), [], 18, done.run.indexes)
    return [finding for finding in verdict.findings if finding.rule == rule]


@pytest.mark.parametrize("in_transaction", [False, True])
def test_generic_plans(host: PrivateHost, in_transaction: bool) -> None:
    host.create_database("generic_plans")
    try:
        with host.connect("generic_plans") as connection:
            connection.execute(SCHEMA.encode())
            if in_transaction:
                connection.execute("BEGIN")
            plans = GenericPlans(connection)
            for query in (
                _query("SELECT * FROM items WHERE amount = $1"),
                _query("SELECT * FROM items WHERE id = $2"),
                _query("INSERT INTO items VALUES ($1, $2)", "integer", "quantity"),
                _query("SELECT * FROM items WHERE day + $1 > day", "integer"),
                _query("SELECT * FROM items WHERE id = $1", "a_type_that_is_gone"),
                _query("SELECT '$3' FROM items ORDER BY id LIMIT $1"),
            ):
                assert isinstance(plans.explain(query), Plan), query.text
            for types in ((), ("integer",)):
                partitioned = plans.explain(_query("SELECT * FROM events WHERE day = $1", *types))
                assert isinstance(partitioned, Plan)
                assert {read.relation.name for read in partitioned.full_reads} == {"events_1", "events_2"}
            first_page = _query("SELECT * FROM items ORDER BY id LIMIT $1 OFFSET $2")
            page, tenth = plans.explain(first_page), GenericPlans(connection, usual_page=False).explain(first_page)
            assert isinstance(page, Plan)
            assert isinstance(tenth, Plan)
            assert page.cost < tenth.cost
            failing = plans.explain(_query("SELECT * FROM items WHERE day + $1 > day"))
            assert isinstance(failing, Unexplained)
            assert failing.sqlstate == "42725"
            assert isinstance(plans.explain(_query("SELECT 1; DROP TABLE items")), Unexplained)
            assert isinstance(plans.explain(_query("SELECT id, ';' FROM items;")), Plan)
            connection.execute("ROLLBACK")
    finally:
        host.drop_database("generic_plans")


def test_generated_values_do_not_decide_about_an_index() -> None:
    orders = Name("orders", "public")
    filters = (
        Filter(subject="state", operator="=", compared_with="constant"),
        Filter(subject="paid_at", operator="is null", compared_with=""),
        Filter(subject="day", operator=">=", compared_with="parameter"),
        Filter(subject="day", operator="<", compared_with="parameter"),
    )
    assessment = QueryAssessment(kind="select", accesses=(TableAccess(oid=1, name=orders, alias="o", filters=filters),))
    scan = {"Node Type": "Seq Scan", "Relation Name": "orders", "Schema": "public", "Alias": "o"}
    sort = {"Node Type": "Sort", "Sort Key": ["o.day DESC", "o.id"], "Plans": [scan]}
    plan = Plan(2000.0, {"Node Type": "Limit", "Plans": [sort]})
    state = PlannerState({orders: PlannedTable(1, 100_000, orders, False)}, {}, {orders: [("day", "id")]})

    generated = [each.keys for each in candidates_for(assessment, plan, state)]
    assert generated == [("state", "paid_at", "day DESC", "id"), ("day DESC", "id")]
    real = [each.keys for each in candidates_for(assessment, plan, state, lambda table: True)]
    assert {("state",), ("paid_at",), ("state", "paid_at")} <= set(real)


def test_an_index_has_the_order_of_its_later_columns_only_behind_single_values() -> None:
    orders = Name("orders", "public")
    filters = (
        Filter(subject="session_id", operator="=", compared_with="column"),
        Filter(subject="lane", operator="in", compared_with="constant"),
        Filter(subject="closed_at", operator="is null", compared_with=""),
        Filter(subject="shop_id", operator="=", compared_with="parameter"),
    )
    assessment = QueryAssessment(kind="select", accesses=(TableAccess(oid=1, name=orders, alias="o", filters=filters),))
    scan = {"Node Type": "Index Scan", "Index Cond": "(o.shop_id = $1)", "Relation Name": "orders", "Schema": "public", "Alias": "o"}
    plan = Plan(2000.0, {"Node Type": "Limit", "Plans": [{"Node Type": "Sort", "Sort Key": ["o.day DESC"], "Plans": [scan]}]})
    state = PlannerState({orders: PlannedTable(1, 100_000, orders, False)}, {}, {})
    assert [each.keys for each in candidates_for(assessment, plan, state)] == [("shop_id", "closed_at", "day"), ("day",)]


HISTORY = """
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer NOT NULL, code text NOT NULL, state text NOT NULL, note text);
INSERT INTO orders SELECT n, n, n, n, repeat('x', 700) FROM generate_series(1, 12000) AS n;
CREATE INDEX orders_customer_idx ON orders (customer_id);
CREATE INDEX orders_code_idx ON orders (code);
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint NOT NULL);
INSERT INTO items SELECT n, n FROM generate_series(1, 12000) AS n;
CREATE INDEX items_order_idx ON items (order_id);
ANALYZE orders, items;
"""
CHANGE = """
ALTER TABLE orders ADD COLUMN region text;
DROP INDEX orders_customer_idx;
ALTER TABLE orders ALTER COLUMN code TYPE varchar(40);
"""


def test_queries_that_read_a_whole_table(host: PrivateHost, tmp_path: Path) -> None:
    queries = _queries(
        tmp_path,
        "SELECT id FROM orders WHERE customer_id = $1",
        "SELECT id FROM orders WHERE code = $1",
        "SELECT id FROM orders WHERE note = $1",
        "SELECT id FROM orders WHERE state = 'sent'",
        "SELECT id FROM orders WHERE state = 'sent' ORDER BY code DESC, customer_id DESC LIMIT 5",
        "SELECT id FROM orders WHERE customer_id BETWEEN $1 AND $2 AND region = $3",
        "SELECT count(*) FROM orders",
        "SELECT i.id FROM orders AS o JOIN items AS i ON i.order_id = o.id WHERE o.code = $1",
    )
    (migrations := tmp_path / "migrations").mkdir()
    files = {"0001.sql": HISTORY, "0002.sql": CHANGE}
    done = replay_files(
        host, migrations, files, only="0002.sql", queries=queries, keep_plans=True, production_rows={"public.orders": 1_200_000}
    )

    assert done.problems == []
    regressed, until_analyze = sorted(_findings(done, "replay-plan-regressed"), key=lambda finding: finding.statement)
    assert regressed.statement == 2
    assert "/shop.py:1) reads all of public.orders (12,000 rows)" in regressed.message
    assert "the index orders_customer_idx found its rows and no longer exists" in regressed.message
    assert until_analyze.statement == 3
    assert "reads all of public.items" in until_analyze.message
    assert until_analyze.help == "ANALYZE public.orders;"
    by_state, by_window = sorted(
        _findings(done, "replay-query-without-index"), key=lambda finding: finding.script.position(finding.span.start).line
    )
    assert by_state.help == "CREATE INDEX CONCURRENTLY orders_state_code_customer_id_idx ON orders (state, code, customer_id);"
    assert by_state.script.path == str(tmp_path / "shop.py")
    assert "which was built, PostgreSQL uses it" in by_state.message
    assert "with production's 1,200,000 rows" in by_state.message
    assert "orders (customer_id)" in by_window.help
    [results] = done.run.indexes
    assert results.judged == 7
    # All rows have the same note; no index is tried for a value that the generated rows do not have.
    [by_note] = results.unserved
    assert by_note.query.name == "query3"
    [accepted] = results.not_tried
    assert accepted.query.name == "of_region"
    assert results.fine == 3

    replay = Replay(host="", pg_version=host.major, replayed=tuple(done.replayed), verdict=replay_verdict(done.replayed, Budgets(), [], 18))
    [migration] = json.loads(plans_document(replay))["migrations"]
    assert [query["name"] for query in migration["queries"]] == [*(f"query{number}" for number in range(1, 9)), "of_region"]
    first = migration["queries"][0]
    assert first["changed"]
    assert first["before"]["Plan"]["Node Type"] != first["after"]["Plan"]["Node Type"] == "Seq Scan"


LOTS = """
CREATE TABLE lots (
    id bigint PRIMARY KEY, code text NOT NULL, shop integer NOT NULL, day integer NOT NULL, weight integer NOT NULL, note text NOT NULL
);
INSERT INTO lots SELECT n, repeat('x', 40) || n, n % 3, n, (n * 7919) % 30011, repeat('x', 700) FROM generate_series(1, 30000) AS n;
CREATE INDEX lots_code_idx ON lots (code, day);
CREATE INDEX lots_shop_idx ON lots (shop);
CREATE TABLE tags (id bigint PRIMARY KEY, code integer NOT NULL, day integer NOT NULL, note text NOT NULL);
INSERT INTO tags SELECT n, n, n, repeat('x', 700) FROM generate_series(1, 12000) AS n;
CREATE INDEX tags_code_idx ON tags (code, day);
ANALYZE lots, tags;
"""


def test_an_index_that_does_not_serve_a_query_well(any_host: PrivateHost, tmp_path: Path) -> None:
    queries = _queries(
        tmp_path,
        "SELECT id FROM lots WHERE day >= 29990 ORDER BY day LIMIT $1",
        "SELECT id FROM lots WHERE shop = $1 ORDER BY weight DESC LIMIT 20",
        "SELECT id FROM lots WHERE code = $1 ORDER BY day DESC LIMIT 20",
        "SELECT id FROM tags WHERE day >= 11990 ORDER BY day LIMIT 20",
    )
    (migrations := tmp_path / "migrations").mkdir()
    files = {"0001.sql": LOTS, "0002.sql": "ALTER TABLE lots ADD COLUMN region text; ALTER TABLE tags ADD COLUMN region text;"}
    done = replay_files(any_host, migrations, files, only="0002.sql", queries=queries)
    assert done.problems == []
    # The first query reads all entries of an index whose first column it does not name; the second one sorts a third of the table.
    by_day, by_shop = sorted(
        _findings(done, "replay-query-without-index"), key=lambda finding: finding.script.position(finding.span.start).line
    )
    assert "query1 reads much more of public.lots (30,000 rows) than needed each time" in by_day.message
    assert "the rows read from 30,000 to " in by_day.message
    assert by_day.help.endswith("CREATE INDEX CONCURRENTLY lots_day_idx ON lots (day);")
    assert by_shop.help.endswith("CREATE INDEX CONCURRENTLY lots_shop_weight_idx ON lots (shop, weight);")
    [results] = done.run.indexes
    [cheap] = results.unserved
    assert cheap.query.name == "query4"
    assert cheap.reason.startswith("has an estimated cost of ")
