"""The application's queries as probes: which are chosen for which table, and that those which wait are named."""

from pathlib import Path

import pytest

from migsafe.linting.finding import NamedQuery
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.findings import findings_of
from migsafe.replaying.probes.choice import choose_probes
from migsafe.replaying.servers.private import PrivateHost
from migsafe.sql.operations import Name
from migsafe.workload.query import CallSite, Query, Workload
from tests.support.replays import replay_files

pytestmark = pytest.mark.server

TABLES = """
    CREATE TABLE customers (id int PRIMARY KEY, email text);
    CREATE TABLE orders (id int PRIMARY KEY, customer_id int, note text) PARTITION BY RANGE (id);
    CREATE TABLE first_orders PARTITION OF orders FOR VALUES FROM (0) TO (100000000);
    CREATE INDEX orders_customer ON first_orders (customer_id);
    CREATE VIEW notes AS SELECT customer_id, note FROM orders;
    CREATE TABLE codes (id int PRIMARY KEY);
"""
TEXTS = {
    "of_customer": "SELECT o.id, c.email FROM orders AS o JOIN customers AS c ON c.id = o.customer_id WHERE c.id = $1",
    "notes_of": "SELECT note FROM notes WHERE customer_id = $1",
    "copy_note": "INSERT INTO orders (id, customer_id, note) SELECT $1, id, email FROM customers WHERE id = $2",
    "gone": "SELECT id FROM orders WHERE colour = $1",
}


def queries(**calls: int) -> ProjectQueries:
    """Returns the queries of a project, those with more calls in the argument being more frequent."""
    found = tuple(
        Query(text=text, fingerprint=name, places=(CallSite("app.py", line, name),), calls=calls.get(name, 0))
        for line, (name, text) in enumerate(TEXTS.items(), 1)
    )
    return ProjectQueries(Workload(queries=found, running=found))


def test_queries_are_chosen_for_what_their_locks_say(host: PrivateHost) -> None:
    host.create_database("probes")
    names = [Name(name, "public") for name in ("customers", "first_orders", "codes")]
    try:
        with host.connect("probes") as connection:
            connection.execute(TABLES.encode())
            choice = choose_probes(connection, names, queries(notes_of=20, of_customer=3), host.major)
    finally:
        host.drop_database("probes")
    chosen = {(each.relation.name, each.access): [probe.query and probe.query.name for probe in each.probes] for each in choice.accesses}
    assert chosen == {
        ("customers", "reads"): ["of_customer", "copy_note"],
        ("customers", "writes"): [None],
        # The queries name the partitioned table or a view of it; PostgreSQL locks the partition.
        ("first_orders", "reads"): ["notes_of", "of_customer"],
        ("first_orders", "writes"): [None],
        ("codes", "reads"): [None],
        ("codes", "writes"): [None],
    }
    assert choice.accesses[0].probes[1].uses == {Name("customers", "public"): "reads", Name("orders", "public"): "writes"}
    assert [probe.weight for probe in choice.accesses[2].probes] == [20, 3]
    assert {name.name for name in choice.relations.values()} == {"customers", "orders", "first_orders", "notes", "codes"}


def test_the_queries_that_wait_are_named(host: PrivateHost, tmp_path: Path) -> None:
    # DROP INDEX would lock the table as well: rebuilding an index stops what plans a read of its table, and nothing else that reads.
    text = "BEGIN; REINDEX INDEX orders_customer; SELECT pg_sleep(1.2); COMMIT; ALTER TABLE customers DROP email;"
    done = replay_files(host, tmp_path, {"0001.sql": TABLES, "0002.sql": text}, only="0002.sql", queries=queries())
    waits = done.recording.waits
    assert {(wait.relation.name, wait.access, wait.query and wait.query.name, wait.statement) for wait in waits if wait.ms > 100} == {
        ("first_orders", "reads", "of_customer", 2),
        ("first_orders", "reads", "notes_of", 2),
        ("first_orders", "writes", None, 2),
    }
    # The query that lost a column is reported by the queries' own trials.
    assert done.recording.probe_errors == {}
    [finding] = [each for each in findings_of(done.replayed[0], Budgets(blocked=100)) if each.rule == "replay-blocked-over-budget"]
    assert set(finding.queries) == {NamedQuery("of_customer", "of_customer", "app.py", 1), NamedQuery("notes_of", "notes_of", "app.py", 2)}
    assert "such as " in finding.message
    assert "notes_of (app.py:2)" in finding.message
