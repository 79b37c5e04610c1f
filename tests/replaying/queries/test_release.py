"""The queries of both releases around the migrations of a release."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe import Budgets, Configuration, Replay, ReplayOptions
from migsafe.library.plan import find_plan
from migsafe.library.project_queries import read_replay_queries
from migsafe.library.replay import replay_plan
from migsafe.replaying.queries.first_steps import Works, first_steps
from migsafe.replaying.queries.results import QueryResults
from migsafe.replaying.seeding import same_for_every_table
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.private import PrivateHost
from migsafe.reports.replay import replay_reporter
from migsafe.terminal.display import Display

pytestmark = [pytest.mark.server, pytest.mark.process]

HISTORY = """
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, note text, qty integer NOT NULL,
    shipped boolean NOT NULL
);
"""
EXPAND = """
ALTER TABLE orders RENAME COLUMN note TO remark;
ALTER TABLE orders ALTER COLUMN qty TYPE bigint;
ALTER TABLE customers ADD COLUMN country text NOT NULL DEFAULT 'DE';
ALTER TABLE customers ALTER COLUMN country DROP DEFAULT;
"""
CONTRACT = """
BEGIN;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'closed'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON orders FOR EACH ROW WHEN (new.shipped) EXECUTE FUNCTION refuse();
ALTER TABLE orders ADD CHECK (qty < 1000000) NOT VALID;
COMMIT;
"""
RUNNING = """
-- name: GetOrder :one
SELECT id, note FROM orders WHERE id = $1;
-- name: ByQty :many
SELECT id, qty FROM orders WHERE qty = $1;
-- name: AddCustomer :one
INSERT INTO customers (email) VALUES ($1) RETURNING id;
-- name: AddOrder :exec
INSERT INTO orders (customer, qty, shipped) VALUES ($1, $2, false);
-- name: Ship :exec
UPDATE orders SET shipped = true WHERE id = $1 AND customer = $2;
-- name: Days :one
SELECT interval $1;
"""
NEW = """
-- name: NewOrder :one
SELECT id, remark FROM orders WHERE id = $1;
-- name: Customers :many
SELECT id FROM customers WHERE email = $1;
-- name: Invoices :many
SELECT id FROM invoices;
"""

Run = Callable[..., Replay]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Writes migrations and the queries of two releases, and replays all migrations but the first."""

    monkeypatch.chdir(tmp_path)

    def replay(host: Host, *migrations: str, running: str = RUNNING, new: str = NEW, selected: slice = slice(1, None)) -> Replay:
        Path("migrations").mkdir()
        paths = [Path("migrations", f"{number:04}.sql") for number in range(len(migrations))]
        for path, text in zip(paths, migrations, strict=True):
            path.write_text(text)
        Path("running.sql").write_text(running)
        Path("new.sql").write_text(new)
        settings = Configuration(queries=("new.sql",))
        plan = find_plan([str(path) for path in paths[selected]], settings, "replay")
        queries = read_replay_queries(settings, plan, ["running.sql"])
        options = ReplayOptions(experiments=(), rows=same_for_every_table(30), probes=False, queries=queries)
        return replay_plan(plan, host, options, Budgets())

    return replay


def results_of(replay: Replay) -> list[QueryResults]:
    assert not replay.verdict.problems
    assert all(each.queries is not None for each in replay.replayed)
    return [each.queries for each in replay.replayed if each.queries is not None]


def found(replay: Replay, rule: str) -> list[tuple[str, int, str, list[str]]]:
    """Returns the findings of a rule: file, line, severity and queries."""
    return [
        (
            Path(each.script.path).stem,
            each.script.position(each.span.start).line,
            each.severity.word,
            [query.name for query in each.queries],
        )
        for each in replay.verdict.findings
        if each.rule == rule
    ]


def test_a_release(run: Run, host: PrivateHost) -> None:
    done = run(host, HISTORY, EXPAND, CONTRACT)
    expand, contract = results_of(done)
    assert found(done, "replay-query-breaks") == [("0001", 2, "error", ["GetOrder"]), ("0002", 1, "warning", ["Invoices"])]
    assert found(done, "replay-write-breaks") == [("0001", 5, "error", ["AddCustomer"]), ("0002", 4, "warning", ["Ship"])]
    assert found(done, "replay-query-changes") == [("0001", 3, "info", ["ByQty", "AddOrder"])]
    assert [(each.query.name, each.columns, each.parameters) for each in expand.changed] == [
        ("ByQty", ("qty is bigint instead of integer",), ("$1 is bigint instead of integer",)),
        ("AddOrder", (), ("$2 is bigint instead of integer",)),
    ]
    # The running release's query that no schema makes work is not a finding, and neither is the CHECK that depends on the value.
    assert [(each.query.name, each.reason) for each in expand.untried] == [("Days", 'syntax error at or near "$1" (42601)')]
    assert (expand.written, contract.written) == (3, 2)
    steps = first_steps([expand, contract])
    assert [(each.query.name, each.works, each.statement) for each in steps] == [
        ("Customers", Works.BEFORE, None),
        ("NewOrder", Works.FROM, 1),
        ("Invoices", Works.NEVER, None),
    ]
    assert "2 migrations broke queries of the application" in done.facts.reasons
    _check_reports(done)


def _check_reports(done: Replay) -> None:
    text = replay_reporter("text")(done, Display())
    assert 'stops working       since line 2: GetOrder (running.sql:2): column "note" does not exist (42703)' in text
    assert "works now           since line 2: NewOrder (new.sql:2)" in text
    assert "fails when executed since line 4: Ship (running.sql:10): closed (P0001)" in text
    assert 'Not tried: 1 query could not be prepared: Days (running.sql:12): syntax error at or near "$1" (42601).' in text
    assert 'never: relation "invoices" does not exist (42P01): 1: Invoices (new.sql:6)' in text
    page = replay_reporter("html")(done, Display())
    assert "When the new release's queries work" in page
    assert "<dt>stops working</dt>" in page
    document = json.loads(replay_reporter("json")(done, Display()))
    queries = document["migrations"][0]["queries"]
    assert (queries["total"], queries["accepted"], queries["compared"]) == (9, 6, True)
    assert [(each["query"]["name"], each["statement"], each["sqlstate"]) for each in queries["breaks"]] == [("GetOrder", 1, "42703")]
    assert [(each["query"]["name"], each["statement"]) for each in queries["fails_when_executed"]] == [("AddCustomer", 4)]
    assert [(each["query"]["name"], each["works"]) for each in document["new_queries"]] == [
        ("Customers", "before"),
        ("NewOrder", "from"),
        ("Invoices", "never"),
    ]


def test_a_part_of_a_release(run: Run, any_host: PrivateHost) -> None:
    rename = "ALTER TABLE customers RENAME TO clients;"
    view = "CREATE VIEW customers AS SELECT * FROM clients;"
    running = "-- name: Count :one\nSELECT count(*) FROM customers;"
    done = run(any_host, HISTORY, rename, view, "CREATE TABLE invoices (id bigint);", running=running, selected=slice(1, 3))
    # A later migration repairs the query, but the running release meets the state between. What the new release needs may be in a migration
    # that was not replayed.
    assert found(done, "replay-query-breaks") == [("0001", 1, "error", ["Count"])]
    assert done.verdict.findings[0].help.endswith("\nCREATE VIEW customers AS SELECT * FROM clients;")
    assert [each.query.name for each in results_of(done)[1].failing] == ["NewOrder", "Invoices"]


def test_queries_of_tables_that_the_application_creates_are_not_tried(run: Run, any_host: PrivateHost) -> None:
    new = """
-- name: Begin :exec
CREATE TEMP TABLE imported (LIKE orders) ON COMMIT DROP;
-- name: Finish :exec
DELETE FROM orders WHERE id IN (SELECT id FROM imported);
-- name: Wrong :exec
DELETE FROM exported;
"""
    done = run(any_host, HISTORY, "ALTER TABLE orders ADD COLUMN place text;", running="-- name: All :many\nSELECT * FROM orders;", new=new)
    assert found(done, "replay-query-breaks") == [("0001", 1, "warning", ["Wrong"])]
    [results] = results_of(done)
    assert [(each.query.name, each.reason) for each in results.untried] == [("Finish", 'relation "imported" does not exist (42P01)')]


def test_the_cause_is_the_statement_that_breaks_a_query_not_one_that_changes_its_columns(run: Run, any_host: PrivateHost) -> None:
    change = "ALTER TABLE orders ADD COLUMN place text;\nALTER TABLE orders DROP COLUMN note;"
    running = """
-- name: Noted :many
SELECT * FROM orders WHERE note = $1;
-- name: Latest :many
SELECT o.* FROM orders o ORDER BY o.note;
-- name: Note :one
INSERT INTO orders (note, customer, qty, shipped) VALUES ($1, $2, 1, false) RETURNING *;
-- name: All :many
SELECT * FROM orders;
"""
    done = run(any_host, HISTORY, change, running=running)
    # One column is missing, whatever each query calls it.
    assert found(done, "replay-query-breaks") == [
        ("0001", 1, "warning", ["NewOrder"]), ("0001", 1, "warning", ["Invoices"]), ("0001", 2, "error", ["Noted", "Latest", "Note"]),
    ]  # fmt: skip
    assert found(done, "replay-query-changes") == [("0001", 1, "info", ["All"])]


ADD_MAIL = "ALTER TABLE customers ADD COLUMN mail text;"
LET_GO = """
ALTER TABLE customers ALTER COLUMN email DROP NOT NULL;
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'kept'; END $$;
CREATE TRIGGER keep BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION keep();
"""
DELETES = """
-- name: Forget :exec
DELETE FROM orders WHERE id = $1;
"""
NEW_WRITES = """
-- name: Enter :exec
INSERT INTO customers (mail) VALUES ($1);
-- name: Order :exec
INSERT INTO orders (customer, note) VALUES ($1, $2);
-- name: Register :exec
INSERT INTO customers (email) VALUES ($1);
"""


def test_deletes_and_the_writes_of_the_new_release(run: Run, any_host: PrivateHost) -> None:
    done = run(any_host, HISTORY, ADD_MAIL, LET_GO, "ALTER TABLE orders ADD COLUMN later text;", running=DELETES, new=NEW_WRITES)
    results = results_of(done)
    assert found(done, "replay-write-breaks") == [("0002", 4, "warning", ["Forget"])]
    # PostgreSQL prepares Enter after the first migration, but it leaves out a NOT NULL column until the second one.
    assert [(each.query.name, each.works, each.migration, each.statement, each.failure) for each in first_steps(results)] == [
        ("Register", Works.BEFORE, None, None, None),
        ("Enter", Works.FROM, 1, 1, None),
        ("Order", Works.NEVER, None, None, results[-1].failing[0].failure),
    ]
    assert results[-1].failing[0].failure.sqlstate == "23502"
    assert found(done, "replay-query-breaks") == [("0003", 1, "warning", ["Order"])]


WRITTEN = """
CREATE TYPE state AS ENUM ('open', 'closed');
CREATE TABLE parents (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code varchar(12) NOT NULL UNIQUE);
CREATE TABLE children (
    parent bigint NOT NULL REFERENCES parents, tag text NOT NULL, state state NOT NULL,
    amount integer NOT NULL DEFAULT 1 CHECK (amount BETWEEN 1 AND 5),
    deleted_at timestamptz, CONSTRAINT children_key UNIQUE (parent, tag)
);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON parents FOR EACH ROW EXECUTE FUNCTION refuse();
"""
LOOSEN = """
ALTER TABLE children DROP CONSTRAINT children_key;
ALTER TABLE children ADD CHECK (amount > 100) NOT VALID;
ALTER TABLE parents ADD COLUMN length integer GENERATED ALWAYS AS (length(code)) STORED;
"""
WRITES = """
-- name: Upsert :exec
INSERT INTO children (parent, tag, amount, state) VALUES ($1, $2, 7, $3) ON CONFLICT (parent, tag) DO UPDATE SET amount = excluded.amount;
-- name: Add :exec
INSERT INTO children (parent, tag, state) VALUES ($1, $2, $3);
-- name: Amount :exec
UPDATE children SET amount = $2 WHERE parent = $1 AND deleted_at IS NULL;
-- name: Close :exec
UPDATE children SET state = 'closed' WHERE parent = ANY($1) AND tag = $2;
-- name: AddParent :exec
INSERT INTO parents (code) VALUES ($1);
-- name: Never :exec
UPDATE children SET amount = 1 WHERE tag = 'no such tag';
-- name: Least :exec
UPDATE children SET amount = 2 WHERE parent = $1;
-- name: Both :exec
UPDATE children SET amount = amount, tag = 'x' WHERE parent = $1 AND tag = $2;
"""


def test_values_of_writes(run: Run, any_host: PrivateHost) -> None:
    done = run(any_host, WRITTEN, LOOSEN, running=WRITES, new=WRITES)
    [results] = results_of(done)
    # The first one cannot be executed, because it violates a CHECK before, but planned. The second one gets the default, and Least writes a
    # constant, which no other values avoid.
    assert [(each.query.name, each.failure.sqlstate, each.statement) for each in results.broken_writes] == [
        ("Upsert", "42P10", 1),
        ("Add", "23514", 2),
        ("Least", "23514", 2),
    ]
    untried = {each.query.name: each.reason for each in results.untried}
    assert set(untried) == {"Amount", "Close", "Both", "Never"}
    for name in ("Amount", "Close", "Both"):
        assert untried[name].startswith("after the migration it fails with generated values, and may succeed with others: new row")
    assert untried["Never"] == "no row satisfies its conditions, with the values that were tried"
    # AddParent is executed without the trigger that refuses it.
    assert results.written == 4


WRAPPED = """
-- name: Open :exec
INSERT INTO tickets (id, state) VALUES ($1, coalesce($2::text, 'open'));
-- name: Change :exec
UPDATE tickets SET state = coalesce(nullif($2, ''), state) WHERE id = $1;
-- name: Set :exec
UPDATE tickets SET state = CASE WHEN $2::bool THEN lower($3) ELSE state END WHERE id = $1;
-- name: Sent :exec
UPDATE notices SET sent = true WHERE id = ANY($1::uuid[]);
"""


def test_parameters_in_expressions_have_values_of_their_columns(run: Run, any_host: PrivateHost) -> None:
    tables = (
        "CREATE TABLE tickets (id int PRIMARY KEY, state text NOT NULL CHECK (state IN ('open', 'shut')), note text);"
        "CREATE TABLE notices (id uuid PRIMARY KEY, sent bool CHECK (id IS NULL));"
    )
    change = "ALTER TABLE tickets DROP COLUMN note; ALTER TABLE notices ADD COLUMN late bool;"
    done = run(any_host, tables, change, running=WRAPPED, new=WRAPPED)
    [results] = results_of(done)
    # No row can be generated for the notices.
    assert {each.query.name: each.reason for each in results.untried} == {
        "Sent": "no row satisfies its conditions, with the values that were tried"
    }
    assert results.written == 3


class OneDatabase:
    """A host without copies: everything runs in one database."""

    def __init__(self, host: PrivateHost) -> None:
        self._host = host
        self.only_database = "in_place"

    def __getattr__(self, name: str) -> object:
        return getattr(self._host, name)


def test_in_a_database_without_copies(run: Run, any_host: PrivateHost) -> None:
    any_host.create_database("in_place")
    rows = "INSERT INTO customers (email) VALUES ('a@example.com');"
    try:
        done = run(OneDatabase(any_host), HISTORY + rows, EXPAND)
    finally:
        any_host.drop_database("in_place")
    assert ("0001", 2, "error", ["GetOrder"]) in found(done, "replay-query-breaks")
    assert [rule[2:] for rule in found(done, "replay-write-breaks")] == [("error", ["AddCustomer"])]
