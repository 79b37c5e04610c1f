"""`migsafe premortem`: what it says of migrations, and that what it tells to look at first can be run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migsafe.cli import main
from migsafe.replay.server import Server
from migsafe.sql.statements import read
from tests.replay.servers import any_installation

HISTORY = """\
BEGIN;
CREATE TABLE customers (id bigint PRIMARY KEY, email text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, qty integer, note varchar(100));
CREATE VIEW open_orders AS SELECT id, qty FROM orders;
COMMIT;
"""

Tell = Callable[..., dict[str, Any]]


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tell:
    """The pre-mortem of one migration after that history, as an object."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0001_shop.sql").write_text(HISTORY)

    def told(sql: str, *options: str) -> dict[str, Any]:
        (tmp_path / "0002_change.sql").write_text(sql)
        assert main(["premortem", "0002_change.sql", "--format", "json", *options]) == 0
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return told


def titles(document: dict[str, Any]) -> list[str]:
    return [way["title"] for way in document["migrations"][0]["ways"]]


def test_the_lock_queue_lasts_as_long_as_nothing_ends_it(tell: Tell) -> None:
    [way] = tell("ALTER TABLE orders ADD COLUMN a text;")["migrations"][0]["ways"]
    assert (way["title"], way["line"]) == ("The lock queue on public.orders", 1)
    assert "SELECT, INSERT, UPDATE and DELETE waits" in way["sees"]
    assert way["lasts"].startswith("as long as the slowest query")
    [way] = tell("SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN a text;")["migrations"][0]["ways"]
    assert way["lasts"].startswith("2 s at most")


def test_each_relation_is_queued_for_once(tell: Tell) -> None:
    assert titles(tell("ALTER TABLE orders ADD COLUMN a text;\nALTER TABLE orders ADD COLUMN b text;")) == ["The lock queue on public.orders"]


def test_work_under_a_lock_and_rows_that_do_not_fit(tell: Tell) -> None:
    found = titles(tell("ALTER TABLE orders ALTER COLUMN qty SET NOT NULL;"))
    assert found == ["The lock queue on public.orders", "public.orders stays locked while it is read", "Rows that do not fit"]


def test_what_the_migration_makes_itself_hits_nobody(tell: Tell) -> None:
    document = tell("CREATE TABLE news (id bigint PRIMARY KEY);\nALTER TABLE news ADD COLUMN a text;")
    assert (titles(document), document["migrations"][0]["touched"]) == ([], [])


def test_the_blast_radius_names_neighbours_and_rows(tell: Tell, tmp_path: Path) -> None:
    (tmp_path / "stats.json").write_text('{"version": 1, "relations": {"public.orders": 12000000}}')
    document = tell("ALTER TABLE orders ADD COLUMN a text;", "--stats", "stats.json")
    [touched] = document["migrations"][0]["touched"]
    assert (touched["relation"], touched["lock"], touched["rows"]) == ("public.orders", "ACCESS EXCLUSIVE", 12_000_000)
    assert touched["around"] == ["read by the views public.open_orders"]


def test_what_a_failure_leaves_behind(tell: Tell) -> None:
    apart = "ALTER TABLE orders ADD COLUMN a text;\nALTER TABLE orders ADD COLUMN b text;"
    [left] = tell(apart)["migrations"][0]["left"]
    assert (left["line"], left["kept"]) == (2, 1)
    assert left["again"].startswith("no: ")
    assert tell(f"BEGIN;\n{apart}\nCOMMIT;")["migrations"][0]["left"] == []


def test_the_order_of_a_rollout(tell: Tell) -> None:
    document = tell(
        "ALTER TABLE orders DROP COLUMN note;\nALTER TABLE orders ADD COLUMN remark text;\nUPDATE orders SET remark = '' WHERE id < 9;"
    )
    assert [step["phase"] for step in document["rollout"]] == ["expand", "backfill", "contract"]
    assert any(finding["rule"] == "drop-column" for finding in document["migrations"][0]["running_release"])


CHECKED = """\
ALTER TABLE orders ALTER COLUMN qty SET NOT NULL;
ALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0);
ALTER TABLE orders ADD CONSTRAINT customer FOREIGN KEY (customer_id) REFERENCES customers (id);
ALTER TABLE orders ADD CONSTRAINT numbered UNIQUE (customer_id, qty);
CREATE UNIQUE INDEX CONCURRENTLY orders_note_key ON orders (lower(note)) WHERE note IS NOT NULL;
"""


def test_what_to_look_at_first_runs_and_finds_the_rows(tell: Tell) -> None:
    checks = [way["check"] for way in tell(CHECKED)["migrations"][0]["ways"] if way["title"] == "Rows that do not fit"]
    assert len(checks) == 5
    with Server(any_installation()) as server, server.connect() as connection:
        for statement in read(HISTORY):
            connection.execute(HISTORY[slice(*statement.span)].encode())
        connection.execute("INSERT INTO orders VALUES (1, 7, NULL, 'a'), (2, 7, -1, 'A'), (3, 7, -1, 'b')")
        found = [connection.execute(check.encode()).fetchall() for check in checks]
    assert [rows[0][0] if len(rows[0]) == 1 else len(rows) for rows in found] == [1, 2, 3, 1, 1]


@pytest.mark.parametrize("format", ["markdown", "html"])
def test_people_can_read_it(tell: Tell, format: str, capsys: pytest.CaptureFixture[str]) -> None:
    tell('ALTER TABLE orders ADD COLUMN "<script>alert(1)</script>" text;')
    main(["premortem", "0002_change.sql", "--format", format])
    out = capsys.readouterr().out
    assert "The lock queue on public.orders" in out
    assert "<script>" not in out or format == "markdown"
