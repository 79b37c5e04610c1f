"""Whole replays: unsafe migrations of the fixtures block queries and safe ones do not, and each experiment fails for its fixture."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.lock import LockMode
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.findings import findings_of
from migsafe.replaying.probes.attribution import ProbeWait, attribute_waits
from migsafe.replaying.recording.records import Wait
from migsafe.replaying.replay import ReplayOptions, ReplayRun
from migsafe.replaying.seeding import same_for_every_table
from migsafe.replaying.servers.private import PrivateHost
from migsafe.sources import SourceSettings, Transaction, find_migrations
from migsafe.sql.operations import Name
from migsafe.workload.query import CallSite, Query, Workload
from tests.support.replays import ROWS, FinishedReplay, replay_files
from tests.support.servers import any_installation

pytestmark = pytest.mark.server

SHOP = Path(__file__).parents[2] / "fixtures" / "shop"
MANY = 20_000
ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, note text NOT NULL);\n"


@pytest.fixture
def shop(host: PrivateHost, tmp_path: Path) -> Callable[..., FinishedReplay]:
    files = {path.name: path.read_text() for path in SHOP.glob("*.sql")}
    return lambda only, *checks, **options: replay_files(host, tmp_path, files, *checks, only=only, **options)


def stopped(done: FinishedReplay) -> set[tuple[str, str]]:
    return {(wait.relation.name, wait.access) for wait in done.recording.waits}


def test_create_index_blocks_writes(shop: Callable[..., FinishedReplay]) -> None:
    done = shop("0004_find_items_by_sku.sql", rows=MANY)
    assert done.problems == []
    assert done.recording.failure is None
    [index] = done.statements
    [touch] = index.measured_effects
    assert (touch.effect.lock, touch.effect.scan, touch.rows) == (LockMode.SHARE, True, MANY)
    assert stopped(done) <= {("items", "writes")}
    assert all(wait.statement == 1 for wait in done.recording.waits)


def test_create_index_concurrently_blocks_no_queries(shop: Callable[..., FinishedReplay]) -> None:
    done = shop("0005_find_orders_by_date.sql", "agreement", rows=MANY)
    assert done.outcome("agreement").passed
    assert stopped(done) == set()
    index = done.statements[-1]
    assert index.outside_transaction
    assert [(touch.effect.relation.name, touch.effect.lock, touch.effect.waits) for touch in index.measured_effects] == [
        ("orders", LockMode.SHARE_UPDATE_EXCLUSIVE, True)
    ]


def test_the_shop_has_the_predicted_effects(shop: Callable[..., FinishedReplay]) -> None:
    done = shop(None, "agreement")
    assert done.problems == []
    # What the ninth migration changes is known only when it runs.
    assert [replayed.outcomes[0].passed for replayed in done.replayed] == [*[True] * 8, None, True, True]
    assert done.run.unfilled == {}


def test_a_rewrite_blocks_all_queries_and_probe_sessions_wait(host: PrivateHost, tmp_path: Path) -> None:
    files = {"0001.sql": ORDERS, "0002.sql": "SELECT 1; ALTER TABLE orders ALTER id TYPE bigint, ALTER note TYPE varchar(50); SELECT 2;"}
    done = replay_files(host, tmp_path, files, only="0002.sql", rows=300_000)
    assert stopped(done) == {("orders", "reads"), ("orders", "writes")}
    assert {wait.statement for wait in done.recording.waits} == {2}
    assert done.recording.times_before.slowest < done.recording.longest_wait <= done.statements[1].duration_ms + 1000


def test_a_wait_belongs_to_the_first_lock_that_explains_it(host: PrivateHost, tmp_path: Path) -> None:
    text = "BEGIN; CREATE INDEX ON orders (note); ALTER TABLE orders ADD a int; COMMIT;"
    played = replay_files(host, tmp_path, {"0001.sql": ORDERS, "0002.sql": text}, only="0002.sql").statements
    orders = Name("orders", "public")
    other = Name("other", "public")
    waits = [Wait(relation=orders, access=access, started=played[1].started, ms=1000) for access in ("reads", "writes")]
    elsewhere = Wait(relation=other, access="reads", started=0, ms=1000)
    probes = [ProbeWait(wait=wait, uses={wait.relation: wait.access}) for wait in (*waits, elsewhere)]
    assert [wait.statement for wait in attribute_waits(probes, played)] == [3, 2, None]
    # A query that reads one table and writes another waited for the lock that blocks it, whichever table it was chosen for.
    probe = ProbeWait(wait=replace(elsewhere, started=played[1].started), uses={other: "reads", orders: "writes"})
    [wait] = attribute_waits([probe], played)
    assert (wait.relation, wait.access, wait.statement, wait.seen_waiting) == (orders, "writes", 2, False)
    [wait] = attribute_waits([replace(probe, seen=(None, other))], played)
    assert (wait.relation, wait.access, wait.statement, wait.seen_waiting) == (other, "reads", None, True)


def test_the_migration_waits_for_a_reader_until_its_lock_timeout(host: PrivateHost, tmp_path: Path) -> None:
    alter = "ALTER TABLE orders ADD a int;"
    done = replay_files(host, tmp_path, {"0001.sql": ORDERS, "0002.sql": alter}, only="0002.sql", reader_seconds=1.5)
    assert 400 < done.statements[0].waited_ms <= done.statements[0].duration_ms
    assert stopped(done) == {("orders", "reads"), ("orders", "writes")}
    done = replay_files(host, tmp_path, {"0002.sql": f"SET lock_timeout = '50ms'; {alter}"}, only="0002.sql", reader_seconds=30)
    assert done.replayed[-1].lock_timeout is not None
    assert done.replayed[-1].longest_wait < 15_000


def test_deadlocks_with_queries_are_reported(host: PrivateHost, tmp_path: Path) -> None:
    tables = "CREATE TABLE a (x int); CREATE TABLE b (x int); CREATE VIEW pairs AS SELECT a.x FROM a, b;"
    # A query of the view comes meanwhile: it holds the view's lock and waits for the table's.
    text = "ALTER TABLE b ADD y int; SELECT pg_sleep(0.3); ALTER VIEW pairs RENAME TO others;"
    settings = SourceSettings(transaction=Transaction.FILE)
    query = Query(text="SELECT x FROM pairs", fingerprint="x", places=(CallSite("app.py", 7, "all_pairs"),))
    queries = ProjectQueries(Workload(queries=(query,), running=(query,)))
    done = replay_files(host, tmp_path, {"0001.sql": tables, "0002.sql": text}, only="0002.sql", settings=settings, queries=queries)
    assert done.recording.failure is None
    assert done.recording.deadlocks == (Name("pairs", "public"),)
    [finding] = [each for each in findings_of(done.replayed[0], Budgets()) if each.rule == "replay-deadlock"]
    assert finding.message.startswith("the migration and queries on public.pairs, such as all_pairs (app.py:7), waited for each other")
    assert done.statements[2].waited_ms > 100


def test_rows_that_a_trigger_changes_are_compared(host: PrivateHost, tmp_path: Path) -> None:
    start = """
        CREATE TABLE orders (id int PRIMARY KEY, note text NOT NULL);
        CREATE TABLE notes (number int, text text);
        CREATE TABLE other (x int);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE notes SET text = new.note; RETURN new; END';
        CREATE TRIGGER noted AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note();
        INSERT INTO orders VALUES (1, 'a'); INSERT INTO notes VALUES (1, 'a'); INSERT INTO other VALUES (1);
    """
    files = {"1_start.up.sql": start, "2_next.up.sql": "UPDATE orders SET note = note || 'x';", "2_next.down.sql": "TRUNCATE other;"}
    done = replay_files(host, tmp_path, files, "rerun", "round trip", only="2_next.up.sql", rows=None)
    rerun, round_trip = done.outcome("rerun"), done.outcome("round trip")
    assert [observation.text for observation in rerun.observations] == [
        "rows changed again: public.notes: the values of text",
        "rows changed again: public.orders: the values of note",
    ]
    assert [observation.text for observation in round_trip.observations] == [
        "lost: public.notes: the values of text",
        "lost: public.orders: the values of note",
        "lost: public.other: 1 rows before, 0 after",
    ]


def test_the_time_of_the_run_is_no_change_of_a_second_run(host: PrivateHost, tmp_path: Path) -> None:
    start = "CREATE TABLE orders (id int PRIMARY KEY, note text, changed timestamptz, seen date); INSERT INTO orders VALUES (1, 'a');"
    update = "UPDATE orders SET note = 'b', changed = CURRENT_TIMESTAMP, seen = now()::date WHERE id = 1;"
    done = replay_files(host, tmp_path, {"1.sql": start, "2.sql": update}, "rerun", only="2.sql", rows=None)
    assert done.outcome("rerun").passed
    insert = "INSERT INTO orders VALUES (1, 'c') ON CONFLICT (id) DO UPDATE SET (note, changed) = (lower('C'), NOW()), seen = current_date;"
    done = replay_files(host, tmp_path, {"1.sql": start, "2.sql": insert}, "rerun", only="2.sql", rows=None)
    assert done.outcome("rerun").passed
    update = "UPDATE orders SET note = note || 'b', changed = clock_timestamp() WHERE id = 1;"
    done = replay_files(host, tmp_path, {"1.sql": start, "2.sql": update}, "rerun", only="2.sql", rows=None)
    assert [each.text for each in done.outcome("rerun").observations] == ["rows changed again: public.orders: the values of note"]


def test_a_failing_second_run_is_harmless_after_one_transaction(host: PrivateHost, tmp_path: Path) -> None:
    alter = "ALTER TABLE orders ADD a int;"
    twice = f"{alter} ALTER TABLE orders ADD b int;"
    for text, how, harmless in (
        (twice, Transaction.STATEMENT, False),
        (twice, Transaction.FILE, True),
        (f"BEGIN; {twice} COMMIT;", Transaction.STATEMENT, True),
        (alter, Transaction.STATEMENT, True),
        ("CREATE INDEX CONCURRENTLY by_note ON orders (note);", Transaction.STATEMENT, False),
    ):
        settings = SourceSettings(transaction=how)
        done = replay_files(host, tmp_path, {"0001.sql": ORDERS, "0002.sql": text}, "rerun", only="0002.sql", settings=settings)
        again = done.outcome("rerun")
        assert (again.passed, again.harmless) == (False, harmless), text


def test_a_second_run_changes_nothing_or_repeats_changes(host: PrivateHost, tmp_path: Path) -> None:
    done = replay_files(
        host, tmp_path, {"0001.sql": ORDERS, "0002.sql": "ALTER TABLE orders ADD IF NOT EXISTS a int;"}, "rerun", only="0002.sql"
    )
    assert done.outcome("rerun").passed
    done = replay_files(host, tmp_path, {"0002.sql": "INSERT INTO orders SELECT max(id) + 1, 'more' FROM orders;"}, "rerun", only="0002.sql")
    again = done.outcome("rerun")
    assert not again.passed
    assert "rows changed again" in again.observations[0].text


def test_a_crash_that_is_not_possible_does_not_pass(tmp_path: Path) -> None:
    text = "CREATE ROLE reporting; GRANT SELECT ON orders TO reporting;"
    with PrivateHost(any_installation(), superuser=True) as host:
        crash = replay_files(host, tmp_path, {"0001.sql": ORDERS, "0002.sql": text}, "crash", only="0002.sql").outcome("crash")
    assert crash.passed is None
    assert "roles, which all databases share" in crash.summary


def test_a_crash_leaves_changes_that_make_the_second_run_fail(host: PrivateHost, tmp_path: Path) -> None:
    files = {"0001.sql": ORDERS, "0002.sql": "ALTER TABLE orders ADD a int; ALTER TABLE orders ADD b int;"}
    done = replay_files(host, tmp_path, files, "crash", only="0002.sql")
    crash = done.outcome("crash")
    assert (crash.passed, [step.statement for step in crash.observations]) == (False, [1])
    files["0002.sql"] = files["0002.sql"].replace("ADD", "ADD IF NOT EXISTS")
    assert replay_files(host, tmp_path, files, "crash", only="0002.sql").outcome("crash").passed
    done = replay_files(host, tmp_path, files, "crash", only="0002.sql", settings=SourceSettings(transaction=Transaction.FILE))
    assert done.outcome("crash").summary == "the migration is one transaction: a crash leaves nothing behind"


def test_a_crash_in_the_middle_leaves_an_invalid_index(host: PrivateHost, tmp_path: Path) -> None:
    index = "CREATE INDEX CONCURRENTLY IF NOT EXISTS by_note ON orders (note);"
    done = replay_files(host, tmp_path, {"0001.sql": ORDERS, "0002.sql": index}, "crash", only="0002.sql")
    crash = done.outcome("crash")
    assert not crash.passed
    assert "INVALID" in crash.observations[0].text
    safe = f"DROP INDEX CONCURRENTLY IF EXISTS by_note; {index}"
    assert replay_files(host, tmp_path, {"0002.sql": safe}, "crash", only="0002.sql").outcome("crash").passed


def test_a_downgrade_may_keep_an_extension(tmp_path: Path) -> None:
    files = {
        "1_a.up.sql": f"{ORDERS} DROP EXTENSION plpgsql;",
        "2_b.up.sql": "CREATE EXTENSION IF NOT EXISTS plpgsql; ALTER TABLE orders ADD a int;",
        "2_b.down.sql": "ALTER TABLE orders DROP a;",
    }
    with PrivateHost(any_installation(), superuser=True) as host:
        done = replay_files(host, tmp_path, files, "round trip", only="2_b.up.sql")
        assert done.outcome("round trip").passed
        files["2_b.up.sql"] = files["2_b.up.sql"].replace(" IF NOT EXISTS", "")
        outcome = replay_files(host, tmp_path, files, "round trip", only="2_b.up.sql").outcome("round trip")
    assert outcome.observations[0].text == "after the downgrade, extension plpgsql still exists"


def test_a_downgrade_loses_what_it_drops(host: PrivateHost, tmp_path: Path) -> None:
    def trip(up: str, down: str) -> list[str]:
        files = {"1_a.up.sql": ORDERS, "1_a.down.sql": "DROP TABLE orders;", "2_b.up.sql": up, "2_b.down.sql": down}
        done = replay_files(host, tmp_path, files, "round trip", only="2_b.up.sql")
        outcome = done.outcome("round trip")
        assert outcome.passed is (not outcome.observations)
        return [step.text for step in outcome.observations]

    assert trip("ALTER TABLE orders ADD a int;", "ALTER TABLE orders DROP a;") == []
    lost = trip("ALTER TABLE orders RENAME note TO remark;", "ALTER TABLE orders DROP remark, ADD note text NOT NULL DEFAULT '';")
    assert lost == [
        "after the downgrade, column public.orders.note is text NOT NULL ''::text, expected text NOT NULL",
        "lost: public.orders: the values of note",
        "after the second upgrade, column public.orders.remark is text NOT NULL ''::text, expected text NOT NULL",
    ]
    [left] = trip("ALTER TABLE orders ADD b int; CREATE TABLE c ();", "ALTER TABLE orders DROP b;")[:1]
    assert left == "after the downgrade, relation public.c still exists"


def test_a_role_that_the_migrations_expect_is_created(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "0001.sql": ORDERS + "GRANT SELECT ON orders TO reporting;",
        "0002.sql": "ALTER TABLE orders OWNER TO app; DO $$ BEGIN GRANT UPDATE ON orders TO clerks; END $$;",
    }
    done = replay_files(host, tmp_path, files, "agreement", only="0002.sql")
    assert done.problems == []
    assert done.recording.failure is None
    assert done.run.repairs.roles == ["reporting", "app", "clerks"]


def test_a_migration_that_fails_on_seeded_rows_is_repeated_with_empty_tables(host: PrivateHost, tmp_path: Path) -> None:
    files = {"0001.sql": ORDERS, "0002.sql": "ALTER TABLE orders ALTER note TYPE int USING note::int;"}
    done = replay_files(host, tmp_path, files, "agreement", only="0002.sql")
    assert done.recording.failure is None
    assert done.replayed[0].emptying is not None
    assert "invalid input syntax for type integer" in done.replayed[0].emptying.message
    assert done.outcome("agreement").passed
    files["0002.sql"] = "ALTER TABLE orders ADD CONSTRAINT c CHECK (false); INSERT INTO orders VALUES (1, 'x');"
    done = replay_files(host, tmp_path, files, only="0002.sql")
    assert done.recording.failure is not None


def test_a_failure_in_the_history_ends_the_replay_with_its_line(host: PrivateHost, tmp_path: Path) -> None:
    files = {"0001.sql": ORDERS, "0002.sql": "SELECT 1;\nALTER TABLE nowhere ADD a int;", "0003.sql": "SELECT 2;"}
    done = replay_files(host, tmp_path, files, only="0003.sql")
    assert done.replayed == []
    assert done.problems == [f'{tmp_path}/0002.sql: this migration of the history fails at line 2: relation "nowhere" does not exist']


def test_tables_of_the_history_have_rows_when_the_next_migration_runs(host: PrivateHost, tmp_path: Path) -> None:
    files = {"0001.sql": ORDERS, "0002.sql": "CREATE INDEX ON orders (note);"}
    done = replay_files(host, tmp_path, files, "agreement")
    [touch] = done.statements[0].measured_effects
    assert (touch.rows, touch.effect.scan) == (200, True)


def test_a_migration_between_two_selected_ones_is_applied(host: PrivateHost, tmp_path: Path) -> None:
    texts = ("CREATE TABLE orders (id int PRIMARY KEY);", "ALTER TABLE orders ADD a int;", "ALTER TABLE orders ADD b int;", "")
    for number, text in enumerate((*texts, "ALTER TABLE orders ADD c int; UPDATE orders SET b = 1;")):
        (tmp_path / f"{number}.sql").write_text(text)
    plan = find_migrations([str(tmp_path / "1.sql"), str(tmp_path / "4.sql")], SourceSettings())
    options = ReplayOptions(experiments=("rerun", "agreement"), rows=same_for_every_table(ROWS), probes=False)
    run = ReplayRun(plan, host, options, lambda text: None)
    replayed = list(run.migrations())
    assert (run.problems, [each.migration.id for each in replayed]) == ([], ["1", "4"])
    assert [each.recording.failure for each in replayed] == [None, None]
    assert [each.outcomes[-1].passed for each in replayed] == [True, True]


def test_only_the_tables_that_the_migration_touches_get_rows(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "0001.sql": "CREATE TABLE customer (id int PRIMARY KEY); CREATE TABLE other (a int);"
        "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customer);",
        "0002.sql": "ALTER TABLE orders ADD a int;",
        "0003.sql": "DO $$ BEGIN EXECUTE (SELECT 'ALTER TABLE o' || 'ther ADD b int'); END $$;",
        "0004.sql": "DO $$ BEGIN FOR n IN 1..(SELECT count(*) FROM customer) LOOP EXECUTE 'UPDATE orders SET a = 1'; END LOOP; END $$;",
    }

    def seeded(only: str, **options: object) -> set[str]:
        progress: list[str] = []
        replay_files(host, tmp_path, files, only=only, progress=progress.append, **options)
        return {text.split()[1] for text in progress if text.startswith("filling")}

    assert seeded("0002.sql") == {"public.customer", "public.orders"}
    assert seeded("0002.sql", seed_all=True) == {"public.customer", "public.orders", "public.other"}
    # What dynamic SQL touches is measured on a copy without rows, and read from its words.
    assert seeded("0003.sql") == {"public.other"}
    assert seeded("0004.sql") == {"public.customer", "public.orders"}


def test_what_a_downgrade_drops_has_rows(host: PrivateHost, tmp_path: Path) -> None:
    files = {"1_a.up.sql": ORDERS, "1_a.down.sql": "DROP TABLE orders;", "2_b.up.sql": "SELECT 1;", "2_b.down.sql": "TRUNCATE orders;"}
    trip = replay_files(host, tmp_path, files, "round trip", only="2_b.up.sql").outcome("round trip")
    assert [step.text for step in trip.observations] == ["lost: public.orders: 200 rows before, 0 after"]


def test_all_tables_have_rows_if_a_downgrade_fails_where_none_has(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "1_a.up.sql": "CREATE TABLE customer (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY);",
        "1_a.down.sql": "DROP TABLE customer, other;",
        "2_b.up.sql": "SELECT 1;",
        "2_b.down.sql": "SELECT 1 / count(*) FROM customer; DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE o' || 'ther'); END $$;",
    }
    trip = replay_files(host, tmp_path, files, "round trip", only="2_b.up.sql").outcome("round trip")
    assert [step.text for step in trip.observations] == ["lost: public.other: 200 rows before, 0 after"]


def test_only_touched_tables_have_rows_if_the_schema_refuses_a_downgrade(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "1_a.up.sql": "CREATE TABLE customer (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY);",
        "1_a.down.sql": "DROP TABLE customer, other;",
        "2_b.up.sql": "ALTER TABLE customer ADD a int;",
        "2_b.down.sql": "DO $$ BEGIN EXECUTE (SELECT 'DROP TABLE no' || 'where'); END $$;",
    }
    progress: list[str] = []
    replay_files(host, tmp_path, files, only="2_b.up.sql", progress=progress.append)
    assert [text.split()[1] for text in progress if text.startswith("filling")] == ["public.customer"]


def test_a_schema_dump_is_loaded_first(host: PrivateHost, tmp_path: Path) -> None:
    from migsafe.text import Script  # noqa: PLC0415

    done = replay_files(host, tmp_path, {"0001.sql": "CREATE INDEX ON orders (note);"}, "agreement", schema=Script("dump.sql", ORDERS))
    [touch] = done.statements[0].measured_effects
    assert touch.rows == 200
