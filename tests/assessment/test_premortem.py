"""`migsafe premortem`: what it says of migrations, and that what it tells to look at first can be run."""

from typing import Any

import pytest

from migsafe.cli import main
from migsafe.replaying.servers.server import Server
from migsafe.sql.statements import read
from tests.assessment.conftest import HISTORY, Tell
from tests.support.servers import any_installation


def titles(document: dict[str, Any]) -> list[str]:
    return [way["title"] for way in document["migrations"][0]["ways"]]


def test_the_lock_queue_lasts_as_long_as_nothing_ends_it(tell: Tell) -> None:
    [way] = tell("ALTER TABLE orders ADD COLUMN a text;")["migrations"][0]["ways"]
    assert (way["title"], way["lines"]) == ("The lock queue on public.orders", [1])
    assert way["sees"].startswith("Every SELECT, INSERT, UPDATE and DELETE there hangs")
    assert way["lasts"].startswith("as long as the longest of these transactions")
    [way] = tell("SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN a text;")["migrations"][0]["ways"]
    assert way["lasts"].startswith("2 s at most")


def test_whom_a_statement_waits_for_depends_on_its_lock(tell: Tell) -> None:
    [queue, _] = tell("CREATE INDEX orders_qty_idx ON orders (qty);")["migrations"][0]["ways"]
    assert "every open transaction that has written to it" in queue["because"]
    assert "every later write waits" in queue["because"]


def test_each_relation_is_queued_for_once_at_its_worst(tell: Tell) -> None:
    assert titles(tell("ALTER TABLE orders ADD COLUMN a text;\nALTER TABLE orders ADD COLUMN b text;")) == ["The lock queue on public.orders"]
    sql = "ALTER TABLE orders ADD COLUMN a text;\nALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;"
    assert titles(tell(sql)) == ["The lock queue on public.orders", "The lock queue on public.customers"]


def test_work_under_a_lock_and_rows_that_do_not_fit(tell: Tell) -> None:
    found = titles(tell("ALTER TABLE orders ALTER COLUMN qty SET NOT NULL;"))
    assert found == ["The lock queue on public.orders", "public.orders stays locked while it is read", "Existing rows make it fail"]


def test_how_long_is_estimated_for_production(tell: Tell) -> None:
    _, held = tell("CREATE INDEX orders_qty_idx ON orders (qty);", orders=12_000_000)["migrations"][0]["ways"]
    assert held["lasts"] == "5 s to 4 min, by estimate"
    _, held = tell("CREATE INDEX orders_qty_idx ON orders (qty);", orders=500)["migrations"][0]["ways"]
    assert held["lasts"] == "less than a second, by estimate"
    _, held = tell("CREATE INDEX orders_qty_idx ON orders (qty);")["migrations"][0]["ways"]
    assert "the row count of public.orders is not known" in held["lasts"]


def test_locks_are_kept_while_a_later_statement_works(tell: Tell) -> None:
    sql = "BEGIN;\nALTER TABLE customers ADD COLUMN a text;\nCREATE INDEX orders_qty_idx ON orders (qty);\nCOMMIT;"
    document = tell(sql, orders=12_000_000)
    assert "public.customers stays locked while public.orders is indexed" in titles(document)
    assert "A deadlock on public.customers and public.orders" in titles(document)
    assert [each["lasts"] for each in document["migrations"][0]["touched"]] == ["5 s to 4 min", "5 s to 4 min"]


def test_what_the_migration_makes_itself_hits_nobody(tell: Tell) -> None:
    document = tell("CREATE TABLE news (id bigint PRIMARY KEY);\nALTER TABLE news ADD COLUMN a text;")
    assert (titles(document), document["migrations"][0]["touched"]) == ([], [])


def test_rows_of_a_new_table_fit(tell: Tell) -> None:
    sql = "CREATE TABLE news (customer_id bigint);\nALTER TABLE news ADD FOREIGN KEY (customer_id) REFERENCES customers;"
    assert titles(tell(sql)) == ["The lock queue on public.customers"]


def test_the_blast_radius_names_neighbours_and_rows(tell: Tell) -> None:
    [touched] = tell("ALTER TABLE orders ADD COLUMN a text;", orders=12_000_000)["migrations"][0]["touched"]
    assert (touched["relation"], touched["lock"], touched["rows"]) == ("public.orders", "ACCESS EXCLUSIVE", 12_000_000)
    assert (touched["lasts"], touched["around"]) == ("a moment", ["read by the view public.open_orders"])


def test_what_a_failure_leaves_behind(tell: Tell) -> None:
    apart = "ALTER TABLE orders ADD COLUMN a text;\nALTER TABLE orders ADD COLUMN b text;"
    [left] = tell(apart)["migrations"][0]["left"]
    assert (left["line"], left["kept"]) == (2, "line 1")
    assert left["again"] == "no: the next run fails at line 1: column a of public.orders already exists"
    assert tell(f"BEGIN;\n{apart}\nCOMMIT;")["migrations"][0]["left"] == []


@pytest.mark.parametrize(
    ("sql", "again"),
    [
        ("CREATE INDEX CONCURRENTLY i ON orders (qty);", 'no: `relation "i" already exists`, until the INVALID index is dropped'),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (qty);", "it runs, finds i and keeps it INVALID: drop it first"),
        ("DROP INDEX CONCURRENTLY IF EXISTS i; CREATE INDEX CONCURRENTLY i ON orders (qty);", "yes"),
    ],
)
def test_what_a_build_leaves_behind(tell: Tell, sql: str, again: str) -> None:
    [*_, left] = tell(sql)["migrations"][0]["left"]
    assert left["again"] == again
    assert left["kept"].endswith("an INVALID index")


def test_the_releases(tell: Tell) -> None:
    [one] = tell("ALTER TABLE orders ADD COLUMN remark text;\nALTER TABLE orders ALTER COLUMN qty SET NOT NULL;")["migrations"]
    assert one["new_release_needs"] == ["column public.orders.remark"]
    assert "refused from now on: INSERT and UPDATE that leave NULL in public.orders.qty" in one["running_release"]


def test_what_is_suppressed_happens_all_the_same(tell: Tell) -> None:
    [one] = tell("-- migsafe: ignore[drop-column] nobody reads it\nALTER TABLE orders DROP COLUMN note;")["migrations"]
    assert not any(finding["rule"] == "drop-column" for finding in one["findings"])
    assert any("DROP COLUMN" in line for line in one["running_release"])


def test_the_way_back_by_hand(tell: Tell) -> None:
    sql = "ALTER TABLE orders ADD COLUMN a text;\nALTER TABLE orders DROP COLUMN note;\nCREATE INDEX i ON orders (qty);"
    back = tell(sql)["migrations"][0]["back"]
    assert back["steps"] == ["DROP INDEX CONCURRENTLY public.i;", "ALTER TABLE public.orders DROP COLUMN a;"]
    assert (back["loses"], back["gone"]) == (["what is written to public.orders.a after the migration"], ["the values of public.orders.note"])


BACK = """\
ALTER TABLE orders ADD COLUMN a text;
ALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0) NOT VALID;
ALTER TABLE orders ALTER COLUMN qty SET DEFAULT 1;
ALTER TABLE orders ALTER COLUMN customer_id SET NOT NULL;
ALTER TABLE orders ALTER COLUMN qty TYPE bigint;
ALTER TABLE orders RENAME COLUMN note TO remark;
ALTER TABLE customers RENAME TO clients;
CREATE UNIQUE INDEX clients_email_key ON clients (email);
CREATE TYPE state AS ENUM ('new', 'sent');
CREATE TABLE parcels (id bigint PRIMARY KEY, state state);
CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE VIEW late AS SELECT id FROM parcels;
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES clients;
CREATE TABLE ships (id bigint PRIMARY KEY, parcel bigint);
ALTER TABLE parcels ADD COLUMN ship bigint, ADD CONSTRAINT parcels_ship FOREIGN KEY (ship) REFERENCES ships;
ALTER TABLE ships ADD FOREIGN KEY (parcel) REFERENCES parcels;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE OR REPLACE TRIGGER noted AFTER INSERT ON ships FOR EACH ROW EXECUTE FUNCTION noted();
"""


@pytest.mark.server
def test_the_way_back_by_hand_runs(tell: Tell) -> None:
    """Each of the statements runs, in their order, and the schema is what it was."""
    history = HISTORY.replace("CREATE VIEW open_orders AS SELECT id, qty FROM orders;\n", "")
    steps = tell(BACK)["migrations"][0]["back"]["steps"]
    with Server(any_installation()) as server, server.connect() as connection:
        connection.autocommit = True
        _run(connection, history)
        before = connection.execute(_SCHEMA).fetchall()
        _run(connection, BACK)
        assert connection.execute(_SCHEMA).fetchall() != before
        _run(connection, "\n".join(steps))
        assert connection.execute(_SCHEMA).fetchall() == before


_SCHEMA = """\
SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), NULL
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid LEFT JOIN pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), NULL, NULL, NULL FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'function', proname, NULL, NULL, NULL, NULL FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1, 2, 3
"""


def _run(connection: Any, script: str) -> None:
    for statement in read(script):
        connection.execute(script[slice(*statement.span)].encode())


def test_the_order_of_a_rollout(tell: Tell) -> None:
    document = tell(
        "ALTER TABLE orders DROP COLUMN note;\nALTER TABLE orders ADD COLUMN remark text;\nUPDATE orders SET remark = '' WHERE id < 9;"
    )
    assert [step["phase"] for step in document["rollout"]] == ["expand", "backfill", "contract"]
    assert any(finding["rule"] == "drop-column" for finding in document["migrations"][0]["findings"])
    assert tell("ALTER TABLE orders RENAME COLUMN note TO remark;")["migrations"][0]["no_safe_order"] != []


@pytest.mark.parametrize(
    ("sql", "phases"),
    [
        ("ALTER TABLE orders DROP CONSTRAINT orders_pkey;\nALTER TABLE orders ADD PRIMARY KEY (id, qty);", ["validate", "validate"]),
        ("DROP VIEW open_orders;\nCREATE VIEW open_orders AS SELECT id FROM orders;", ["expand", "expand"]),
        ("ALTER TABLE orders DROP COLUMN note;\nALTER TABLE orders ADD COLUMN note text;", ["contract", "contract"]),
        ("DROP VIEW open_orders;\nCREATE VIEW large_orders AS SELECT id FROM orders;", ["expand", "contract"]),
    ],
)
def test_an_object_is_dropped_and_created_again_in_one_phase(tell: Tell, sql: str, phases: list[str]) -> None:
    steps = tell(sql)["rollout"]
    assert [step["phase"] for step in steps] == phases
    assert phases[0] != phases[1] or [step["line"] for step in steps] == [1, 2]


def test_a_wider_type_belongs_to_the_first_step(tell: Tell) -> None:
    def phases(sql: str) -> list[str]:
        return [step["phase"] for step in tell(sql)["rollout"]]

    assert phases("ALTER TABLE orders ALTER COLUMN note TYPE text;") == ["expand"]
    assert phases("ALTER TABLE orders ALTER COLUMN note TYPE varchar(10);") == ["contract"]


def test_what_nobody_has_looked_at_is_said(tell: Tell) -> None:
    sql = "DO $$ BEGIN EXECUTE (SELECT string_agg(email, ';') FROM customers); END $$;"
    assert titles(tell(sql)) == ["Statements that migsafe cannot analyse"]


@pytest.mark.parametrize(
    ("last", "lasts"),
    [
        ("CALL unknown()", "unknown"),
        ("SELECT create_hypertable('customers', 'id')", "unknown"),
        ("SELECT 1", "a moment"),
        ("DO $$ DECLARE r text; BEGIN SELECT current_user INTO r; EXECUTE 'GRANT SELECT ON orders TO ' || r; END $$", "a moment"),
    ],
)
def test_how_long_a_lock_is_held_is_unknown_before_unknown_code(tell: Tell, last: str, lasts: str) -> None:
    document = tell(f"BEGIN;\nALTER TABLE orders ADD COLUMN a text;\n{last};\nCOMMIT;")
    assert [each["lasts"] for each in document["migrations"][0]["touched"] if each["relation"] == "public.orders"] == [lasts]


CHECKED = """\
ALTER TABLE orders ALTER COLUMN qty SET NOT NULL;
ALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0);
ALTER TABLE orders ADD CONSTRAINT customer FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE orders ADD CONSTRAINT numbered UNIQUE (customer_id, qty);
CREATE UNIQUE INDEX CONCURRENTLY orders_note_key ON orders (lower(note)) WHERE note IS NOT NULL OR id > 3;
ALTER TABLE orders ALTER COLUMN note TYPE varchar(3);
ALTER TABLE orders ALTER COLUMN id TYPE integer;
ALTER TABLE orders ADD COLUMN must text NOT NULL;
"""
ROWS = """\
INSERT INTO orders
VALUES (1, 7, NULL, 'a'), (2, 7, -1, 'A'), (3, 7, -1, 'b'), (4, 8, NULL, NULL), (5, 8, NULL, NULL), (9999999999, 9, 1, 'long')
"""


@pytest.mark.server
def test_what_to_look_at_first_runs_and_finds_the_rows(tell: Tell) -> None:
    [checks] = [way["check"].splitlines() for way in tell(CHECKED)["migrations"][0]["ways"] if way["title"] == "Existing rows make it fail"]
    assert len(checks) == 8
    with Server(any_installation()) as server, server.connect() as connection:
        _run(connection, HISTORY)
        connection.execute(ROWS.encode())
        found = [connection.execute(check.encode()).fetchall() for check in checks]
    assert [rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else len(rows) for rows in found] == [3, 2, 6, 1, 1, 1, 1, True]


def test_a_constraint_that_was_not_valid_is_looked_at_by_its_own_words(tell: Tell) -> None:
    sql = "ALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0) NOT VALID;\nALTER TABLE orders VALIDATE CONSTRAINT positive;"
    checks = [way["check"] for way in tell(sql)["migrations"][0]["ways"] if way["title"] == "Existing rows make it fail"]
    assert checks == ["SELECT count(*) FROM public.orders WHERE NOT (qty > 0);"]


def test_a_type_that_holds_every_value_refuses_none(tell: Tell) -> None:
    assert "Existing rows make it fail" not in titles(tell("ALTER TABLE orders ALTER COLUMN qty TYPE bigint;"))


@pytest.mark.parametrize("format", ["markdown", "html"])
def test_people_can_read_it(tell: Tell, format: str, capsys: pytest.CaptureFixture[str]) -> None:
    tell('ALTER TABLE orders ADD COLUMN "<script>alert(1)</script>" text;')
    main(["premortem", "0002_change.sql", "--format", format])
    out = capsys.readouterr().out
    assert "The lock queue on public.orders" in out
    assert "<script>" not in out or format == "markdown"


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE orders ADD COLUMN kind text;\nUPDATE orders SET qty = 1 WHERE kind = 'a';",
        "ALTER TABLE orders RENAME COLUMN qty TO quantity;\nALTER TABLE orders ALTER COLUMN quantity SET NOT NULL;",
        "ALTER TABLE orders RENAME TO purchases;\nALTER TABLE purchases ALTER COLUMN qty SET NOT NULL;",
        "CREATE TABLE clients (id bigint PRIMARY KEY);\nALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES clients;",
    ],
)
def test_what_the_migration_makes_cannot_be_looked_at_first(tell: Tell, sql: str) -> None:
    ways = tell(sql)["migrations"][0]["ways"]
    assert [way["check"] for way in ways if way["check"]] == []
    assert any(way["title"] == "Existing rows make it fail" or "more rows" in way["title"] for way in ways)
