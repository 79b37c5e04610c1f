"""The player measures the same as a statement alone, on every version, and it sends statements as the runner does."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from migsafe.lock import LockMode
from migsafe.replaying.recording.ledger import Ledger
from migsafe.replaying.recording.lock_monitor import LockMonitor
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.player import Player
from migsafe.replaying.recording.records import StatementRecord
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.server import Server
from migsafe.sources import Half, Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read
from migsafe.text import Script, Span
from tests.prediction.effects.cases import SCHEMA, Case, cases, sql_of
from tests.support.statement_meter import StatementMeter

pytestmark = pytest.mark.server

# Few of the catalogue's cases: its own tests measure all of them.
CASES = [case for case in cases() if not case.refused][::7]
NO_BLOCK = psycopg.errors.ActiveSqlTransaction


@pytest.fixture
def shop(any_server: Server) -> Iterator[tuple[Server, Any]]:
    any_server.create_database("shop")
    with any_server.connect("shop") as connection:
        connection.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
        connection.execute("INSERT INTO orders SELECT n, 'note' FROM generate_series(1, 500) AS n")
        yield any_server, connection
    any_server.drop_database("shop")


def test_player_and_statement_meter_measure_the_same(host: PrivateHost) -> None:
    server = host.server
    server.create_database("model")
    with server.connect("model") as connection:
        for statement in read(SCHEMA):
            connection.execute(sql_of(statement, SCHEMA).encode())
        meter = StatementMeter(connection)
        measured = {}
        for case in CASES:
            if server.major in case.versions and (measurement := _measured(connection, meter, case)) is not None:
                measured[case] = measurement
    script = "\n".join(f"BEGIN;\n{case.text.rstrip().rstrip(';')};\nROLLBACK;" for case in measured)
    played = iter(play(server, script, database="model"))
    for case, expected in measured.items():
        records = [next(played) for _ in range(len(case.statements) + 2)]
        failed = [record.failure for record in records if record.failure]
        assert not failed, f"{case}: {failed}"
        last = records[-2]
        assert [touch.effect for touch in last.measured_effects] == [*_as_seen(expected, last)], str(case)
        assert last.held_before == expected.held_before, str(case)
    assert len(measured) > 100
    server.drop_database("model")


def _measured(connection: Any, meter: StatementMeter, case: Case) -> Measurement | None:
    """Returns the measurement of a case; None if it cannot run in a transaction."""
    connection.execute("BEGIN")
    try:
        for sql in case.preparation:
            meter.measure(sql)
        return meter.measure(case.sql)
    except NO_BLOCK:
        return None
    finally:
        connection.execute("ROLLBACK")


def _as_seen(expected: Measurement, played: StatementRecord) -> Iterator[Any]:
    """Yields the effects as the player records them: it also knows which relations are new in the migration, and names the lock in force
    where the statement took none."""
    from msgspec.structs import replace  # noqa: PLC0415

    new = {touch.effect.relation for touch in played.measured_effects if touch.effect.new}
    for effect in expected.effects:
        held = expected.held_before.get(effect.relation)
        lock = held if held is not None and held >= effect.lock else effect.lock
        weaker = expected.weaker.get(effect.relation)
        yield replace(effect, lock=weaker.lock if weaker is not None else lock, new=effect.relation in new)
    seen = {effect.relation for effect in expected.effects}
    yield from (replace(effect, new=effect.relation in new) for effect in expected.weaker.values() if effect.relation not in seen)


def play(
    server: Server,
    text: str,
    *,
    transaction: Transaction = Transaction.STATEMENT,
    database: str = "shop",
    rehearsed: dict[int, Measurement] | None = None,
    one_query: bool = False,
) -> tuple[StatementRecord, ...]:
    half = Half(Script("0001.sql", text), (Span(0, len(text)),), transaction, one_query=one_query)
    with player(server, database, rehearsed) as test_player:
        return test_player.play(half)


@contextmanager
def player(server: Server, database: str, rehearsed: dict[int, Measurement] | None = None) -> Iterator[Player]:
    with (
        closing(server.connect(database)) as worker,
        closing(server.connect(database)) as observer,
        closing(server.connect(database)) as counter,
        LockMonitor(observer, worker.info.backend_pid) as watch,
    ):
        yield Player(worker, watch, counter, rehearsed=rehearsed)


def locks_of(played: tuple[StatementRecord, ...]) -> list[list[str]]:
    """Returns the locks of each statement, in words."""
    return [[f"{touch.effect.relation.name} {touch.effect.lock}" for touch in record.measured_effects] for record in played]


def test_a_lock_is_held_to_the_end_of_its_transaction(shop: tuple[Server, Any]) -> None:
    played = play(shop[0], "BEGIN; ALTER TABLE orders ADD a int; SELECT pg_sleep(0.1); COMMIT; ALTER TABLE orders ADD b int")
    assert [record.transaction for record in played] == [1, 1, 1, 1, 2]
    [first] = played[1].measured_effects
    [later] = played[4].measured_effects
    assert first.held_ms > 100 > later.held_ms
    assert played[2].held_before == {Name("orders", "public"): LockMode.ACCESS_EXCLUSIVE}


def test_each_way_of_sending(shop: tuple[Server, Any]) -> None:
    text = "ALTER TABLE orders ADD a int; ALTER TABLE orders ADD b int"
    numbers = {
        how: [record.transaction for record in play(shop[0], text, transaction=how)] for how in (Transaction.STATEMENT, Transaction.NONE)
    }
    assert numbers == {Transaction.STATEMENT: [1, 2], Transaction.NONE: [1]}  # the second run fails at once
    shop[1].execute("ALTER TABLE orders DROP a, DROP b")
    for how in (Transaction.FILE, Transaction.QUERY):
        assert [record.transaction for record in play(shop[0], text, transaction=how)] == [1, 1]
        shop[1].execute("ALTER TABLE orders DROP a, DROP b")


def test_statements_after_a_commit_in_one_query_share_a_transaction(shop: tuple[Server, Any]) -> None:
    text = "BEGIN; SELECT 1; COMMIT; CREATE INDEX CONCURRENTLY ON orders (note)"
    [*_, last] = play(shop[0], text, transaction=Transaction.QUERY)
    assert last.failure is not None
    assert last.failure.sqlstate == "25001"
    [*_, last] = play(shop[0], text)
    assert last.failure is None


def test_a_failure_is_the_last_statement_and_undoes_its_transaction(shop: tuple[Server, Any]) -> None:
    played = play(shop[0], "ALTER TABLE orders ADD a int; ALTER TABLE nowhere ADD b int; SELECT 1", transaction=Transaction.FILE)
    assert [record.failure.sqlstate if record.failure else "" for record in played] == ["", "42P01"]
    assert shop[1].execute("SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders'").fetchone() == (2,)


def test_a_failure_at_commit_belongs_to_the_last_statement(shop: tuple[Server, Any]) -> None:
    text = """
        ALTER TABLE orders ADD parent int REFERENCES orders DEFERRABLE INITIALLY DEFERRED;
        UPDATE orders SET parent = -1 WHERE id = 1;
    """
    [*_, last] = play(shop[0], text, transaction=Transaction.FILE)
    assert last.failure is not None
    assert last.failure.sqlstate == "23503"


def test_a_statement_is_measured_while_the_next_one_runs(shop: tuple[Server, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    server, connection = shop
    measure = Ledger.measure

    def release_and_measure(ledger: Ledger, *args: Any) -> Measurement:
        connection.execute("SELECT pg_advisory_unlock_all()")
        return measure(ledger, *args)

    monkeypatch.setattr(Ledger, "measure", release_and_measure)
    connection.execute("SELECT pg_advisory_lock(1)")
    wait = "SELECT pg_advisory_xact_lock(1)"
    played = play(server, f"SET lock_timeout = '20s'; ALTER TABLE orders ADD late int; {wait}; COMMENT ON TABLE orders IS 'o'")
    assert [record.failure for record in played] == [None] * 4
    assert locks_of(played) == [[], ["orders ACCESS EXCLUSIVE"], [], ["orders SHARE UPDATE EXCLUSIVE"]]


def test_row_counts_are_updated_without_counting_again(shop: tuple[Server, Any]) -> None:
    with player(shop[0], "shop") as test_player:
        text = "INSERT INTO orders SELECT n FROM generate_series(501, 700) AS n; DELETE FROM orders WHERE id <= 50; SELECT count(*) FROM orders"
        played = test_player.play(Half(Script("0001.sql", text), (Span(0, len(text)),), Transaction.FILE))
        assert list(test_player.contents.rows.values()) == [650]
    [touch] = played[-1].measured_effects
    assert (touch.tuples_read, touch.rows, touch.grows_with_rows) == (650, 650, True)


def test_a_schema_may_need_quotes(shop: tuple[Server, Any]) -> None:
    played = play(shop[0], 'CREATE SCHEMA "my ""own"""; CREATE TABLE "my ""own""".item (a int); ALTER TABLE "my ""own""".item ADD b int')
    [touch] = played[-1].measured_effects
    assert touch.effect.relation == Name("item", 'my "own"')


def test_set_transaction_runs_before_the_player_s_queries(shop: tuple[Server, Any]) -> None:
    text = "BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; ALTER TABLE orders ADD a int; COMMIT"
    played = play(shop[0], text)
    assert [record.failure for record in played] == [None] * 4
    assert locks_of(played) == [[], [], ["orders ACCESS EXCLUSIVE"], []]


def test_lock_table_fails_outside_a_transaction_block(shop: tuple[Server, Any]) -> None:
    [alone] = play(shop[0], "LOCK TABLE orders IN SHARE MODE;")
    assert alone.failure is not None
    assert alone.failure.message == "LOCK TABLE can only be used in transaction blocks"
    assert locks_of(play(shop[0], "LOCK TABLE orders IN SHARE MODE;", transaction=Transaction.FILE)) == [["orders SHARE"]]
    assert [record.failure for record in play(shop[0], "BEGIN; LOCK TABLE orders; COMMIT;")] == [None, None, None]


def test_the_player_survives_deallocate_and_discard(shop: tuple[Server, Any]) -> None:
    played = play(shop[0], "DISCARD ALL; ALTER TABLE orders ADD a int; DEALLOCATE ALL; ALTER TABLE orders ADD b int")
    assert locks_of(played)[1::2] == [["orders ACCESS EXCLUSIVE"]] * 2


def test_rollback_to_a_savepoint_releases_later_locks(shop: tuple[Server, Any]) -> None:
    text = "BEGIN; SAVEPOINT one; ALTER TABLE orders ADD a int; ROLLBACK TO one; COMMENT ON TABLE orders IS 'x'; COMMIT"
    played = play(shop[0], text)
    assert locks_of(played)[2] == ["orders ACCESS EXCLUSIVE"]
    assert locks_of(played)[4] == ["orders SHARE UPDATE EXCLUSIVE"]


def test_copy_data_and_psql_commands(shop: tuple[Server, Any]) -> None:
    text = "COPY orders FROM stdin;\n1001\ta\n1002\tb\n\\.\n\\connect elsewhere\nSELECT 1;\n"
    played = play(shop[0], text)
    assert [record.skip_reason for record in played] == ["", "\\connect is a psql command", ""]
    assert shop[1].execute("SELECT count(*) FROM orders WHERE id > 1000").fetchone() == (2,)


def test_temporary_files_are_reported(shop: tuple[Server, Any]) -> None:
    server, _ = shop
    settings = "SET log_temp_files = 0; SET client_min_messages = log; SET work_mem = '64kB';"
    [*_, last] = play(server, f"{settings} CREATE TABLE sorted AS SELECT n FROM generate_series(1, 50000) AS n ORDER BY 1 DESC")
    assert last.temp_bytes is not None
    assert last.temp_bytes > 100_000


def test_a_rehearsal_adds_locks_too_short_to_be_seen(shop: tuple[Server, Any]) -> None:
    from migsafe.prediction.effects.effect import Effect  # noqa: PLC0415

    orders = Effect(relation=Name("orders", "public"), kind="table", lock=LockMode.ACCESS_EXCLUSIVE)
    [record] = play(shop[0], "VACUUM orders", rehearsed={1: Measurement(effects=(orders,))})
    assert record.outside_transaction
    assert locks_of((record,)) == [["orders ACCESS EXCLUSIVE"]]


def test_a_block_that_commits_runs_outside_a_transaction(shop: tuple[Server, Any]) -> None:
    server, connection = shop
    changes = "UPDATE orders SET note = 'kept' WHERE id = 1; COMMIT; UPDATE orders SET note = 'x' WHERE id = 2;"
    [record] = play(server, f"DO $$ BEGIN {changes} END $$")
    assert record.outside_transaction
    assert connection.execute("SELECT note FROM orders WHERE id <= 2 ORDER BY id").fetchall() == [("kept",), ("x",)]
