"""The predicted effects of the statements of a migration, in order."""

import pytest
from msgspec.structs import replace

from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.predictor import Predictor
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.schema.refusal import Refusal
from migsafe.sources import Half, Transaction
from migsafe.sources.line_ends import LineEnds
from migsafe.sql.operations import Name
from migsafe.text import Script, Span


def half(sql: str, transaction: Transaction = Transaction.STATEMENT) -> Half:
    return Half(Script("0001_change.sql", sql), (Span(0, len(sql)),), transaction)


def predicted(sql: str, transaction: Transaction = Transaction.STATEMENT, after: str = "", pg_version: int = 17) -> list[StatementPrediction]:
    """Returns the prediction of each statement, on the database that the history `after` leaves."""
    predictor = Predictor(pg_version)
    predictor.apply(half(after))
    return list(predictor.predict_migration(half(sql, transaction)))


def last(sql: str, transaction: Transaction = Transaction.STATEMENT, after: str = "", pg_version: int = 17) -> StatementPrediction:
    return predicted(sql, transaction, after, pg_version)[-1]


def told(effects: tuple[Effect, ...]) -> list[str]:
    """Returns the effects as short lines: relation, lock, rewrite or scan."""
    flags = ("rewrite", "scan", "new", "waits")
    return [" ".join((str(one.relation), str(one.lock), *(flag for flag in flags if getattr(one, flag)))) for one in effects]


@pytest.mark.parametrize(("savepoint", "is_refused"), [("sa_savepoint_1", False), ("before", True)])
def test_a_script_handles_errors_in_a_nested_transaction(savepoint: str, is_refused: bool) -> None:
    sql = f"BEGIN; SAVEPOINT {savepoint}; ALTER TABLE orders ADD COLUMN qty int"
    assert (last(sql, after=ORDERS).refusal is not None) == is_refused


ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, note varchar(20), qty int); INSERT INTO orders SELECT 1, 'a', 1;"


def test_an_unknown_table_is_assumed_to_exist_and_to_be_large() -> None:
    assert told(last("CREATE INDEX ON orders (id)").effects) == ["public.orders SHARE scan"]


def test_a_statement_sees_the_objects_of_the_statements_before_it() -> None:
    sql = "ALTER TABLE orders ADD CONSTRAINT n CHECK (note IS NOT NULL); ALTER TABLE orders ALTER note SET NOT NULL"
    assert [told(one.effects) for one in predicted(sql, after=ORDERS)] == [
        ["public.orders ACCESS EXCLUSIVE scan"],
        ["public.orders ACCESS EXCLUSIVE"],
    ]


def test_the_parts_of_an_alter_table_run_in_the_order_of_postgresql() -> None:
    sql = "ALTER TABLE orders ADD CHECK (qty > 0), ALTER qty SET NOT NULL, DROP COLUMN note, ADD COLUMN note text"
    [statement] = predicted(sql, after=ORDERS)
    assert [type(operation).__name__ for operation, _ in statement.operations] == ["DropColumn", "AddColumn", "SetNotNull", "AddConstraint"]
    assert statement.refusal is None


def test_a_rolled_back_statement_has_no_effect_on_later_ones() -> None:
    sql = "BEGIN; ALTER TABLE orders ALTER note TYPE text; ROLLBACK; ALTER TABLE orders ALTER note TYPE varchar(10)"
    assert told(last(sql, after=ORDERS).effects) == ["public.orders ACCESS EXCLUSIVE rewrite scan"]
    kept = sql.replace("ROLLBACK", "COMMIT").replace("varchar(10)", "text")
    assert told(last(kept, after=ORDERS).effects) == ["public.orders ACCESS EXCLUSIVE"]


def test_a_prepared_and_rolled_back_transaction_has_no_effect_on_later_statements() -> None:
    sql = "BEGIN; DROP TABLE orders; PREPARE TRANSACTION 'a'; ROLLBACK PREPARED 'a'; DROP TABLE orders"
    assert last(sql, after=ORDERS).refusal is None
    assert last(sql.replace("ROLLBACK PREPARED", "COMMIT PREPARED"), after=ORDERS).refusal == Refusal(
        error='table "orders" does not exist', help="DROP TABLE IF EXISTS orders;"
    )


def test_rollback_to_a_savepoint_undoes_the_statements_after_it() -> None:
    sql = """
        BEGIN; CREATE TABLE a (); SAVEPOINT s; CREATE TABLE b (); ROLLBACK TO s; CREATE TABLE c (); COMMIT;
        DROP TABLE a, b, c;
    """
    predictor = Predictor(17)
    predictor.catalog.complete = True
    assert list(predictor.predict_migration(half(sql)))[-1].refusal == Refusal(
        error='table "b" does not exist', help="DROP TABLE IF EXISTS a, b, c;"
    )


def test_the_time_zone_decides_whether_timestamps_are_rewritten() -> None:
    sql = "ALTER TABLE t ALTER at TYPE timestamptz"
    history = "CREATE TABLE t (at timestamp); INSERT INTO t SELECT now()"
    assert told(last(sql, after=history).effects) == ["public.t ACCESS EXCLUSIVE rewrite scan"]
    assert told(last(f"SET TimeZone = 'UTC'; {sql}", after=history).effects) == ["public.t ACCESS EXCLUSIVE"]


@pytest.mark.parametrize(
    ("sql", "effects"),
    [
        ("SELECT grow()", ["public.orders ACCESS EXCLUSIVE"]),
        ("DO $$ BEGIN PERFORM grow(); END $$", ["public.orders ACCESS EXCLUSIVE"]),
        ("SELECT twice()", ["public.orders ACCESS EXCLUSIVE"]),
        ("UPDATE fired SET id = 2", ["public.fired ROW EXCLUSIVE scan", "public.orders ACCESS EXCLUSIVE"]),
    ],
)
def test_a_function_that_is_called_runs_its_body(sql: str, effects: list[str]) -> None:
    history = (
        ORDERS
        + """
        CREATE TABLE fired (id int); INSERT INTO fired SELECT 1;
        CREATE FUNCTION grow() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE orders ADD COLUMN more int; END $$;
        CREATE FUNCTION twice() RETURNS void LANGUAGE sql AS $$ SELECT grow() $$;
        CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN LOCK TABLE orders; RETURN NULL; END $$;
        CREATE TRIGGER fires AFTER UPDATE ON fired EXECUTE FUNCTION fire();
        """
    )
    assert told(last(sql, after=history).effects) == effects


@pytest.mark.parametrize("sql", ["SELECT unheard_of()", "CALL unheard_of()", "DO $$ BEGIN EXECUTE x; END $$", "SELECT FROM WHERE"])
def test_code_that_is_not_known_is_not_understood(sql: str) -> None:
    assert not last(sql).understood


@pytest.mark.parametrize(
    ("action", "lock"),
    [
        ("ATTACH PARTITION %I DEFAULT", "SHARE UPDATE EXCLUSIVE"),
        ("ADD FOREIGN KEY (day) REFERENCES %I", "SHARE ROW EXCLUSIVE"),
        ("ADD COLUMN n int REFERENCES %I", "ACCESS EXCLUSIVE"),
    ],
)
def test_relation_whose_name_is_known_at_run_time_has_no_effect_of_its_own(action: str, lock: str) -> None:
    call = f"EXECUTE format('ALTER TABLE visits {action}', v)"
    statement = last(
        f"DO $$ DECLARE v text := random()::text; BEGIN {call}; END $$", after="CREATE TABLE visits (day date) PARTITION BY LIST (day)"
    )
    assert told(statement.effects) == [f"public.visits {lock}"]
    assert not statement.understood


@pytest.mark.parametrize("sql", ["SELECT now()", "SELECT uuid_generate_v4()", "SELECT known()", "CREATE TABLE t ()"])
def test_known_code_is_understood(sql: str) -> None:
    assert last(sql, after="CREATE FUNCTION known() RETURNS int LANGUAGE sql AS 'SELECT 1'").understood


def test_partitions_that_opaque_code_may_have_created_are_not_understood() -> None:
    history = (
        "CREATE TABLE log (at date) PARTITION BY RANGE (at); DO $$ BEGIN EXECUTE 'CREATE TABLE log_' || x || ' PARTITION OF log …'; END $$"
    )
    statement = last("ALTER TABLE log ADD COLUMN note text", after=history)
    assert not statement.understood
    assert statement.unknown == ("public.log may have partitions that no migration has created in a readable form",)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("CREATE INDEX CONCURRENTLY ON orders (id)", "CREATE INDEX CONCURRENTLY cannot run inside a transaction block"),
        ("VACUUM orders", "VACUUM cannot run inside a transaction block"),
        ("REINDEX SCHEMA public", "REINDEX SCHEMA cannot run inside a transaction block"),
        ("ALTER SYSTEM SET work_mem = '1GB'", "ALTER SYSTEM cannot run inside a transaction block"),
        ("ALTER TABLE orders ADD COLUMN qty int", 'column "qty" of relation "orders" already exists'),
        ("ALTER TABLE orders DROP COLUMN gone", 'column "gone" of relation "orders" does not exist'),
        ("CREATE TABLE orders ()", 'relation "orders" already exists'),
        ("DROP TABLE customers", "foreign key"),
        ("ALTER TABLE shown ALTER qty TYPE bigint", "cannot alter type of a column used by a view or rule"),
        ("DROP INDEX orders_pkey", "cannot drop index orders_pkey because constraint orders_pkey on table orders requires it"),
        ("TRUNCATE customers", "cannot truncate a table referenced in a foreign key constraint"),
        ("SELECT 1 FROM", "expected"),
    ],
)
def test_statements_that_postgresql_would_refuse(sql: str, why: str) -> None:
    history = (
        ORDERS
        + """
        CREATE TABLE customers (id int PRIMARY KEY); CREATE TABLE baskets (customer int REFERENCES customers);
        CREATE TABLE shown (qty int); CREATE VIEW v AS SELECT qty FROM shown;
        """
    )
    refused = last(sql, Transaction.FILE, history).refusal
    assert refused is not None
    if why == "foreign key":
        assert refused.detail == "constraint baskets_customer_fkey on table baskets depends on table customers"
        assert refused.error == "cannot drop table customers because other objects depend on it"
    else:
        assert why in refused.error


@pytest.mark.parametrize(
    "sql", ["DROP TABLE IF EXISTS gone", "ALTER TABLE IF EXISTS gone ADD COLUMN a int", "CREATE TABLE IF NOT EXISTS orders ()"]
)
def test_a_statement_without_work_locks_nothing(sql: str) -> None:
    seen = last(sql, after=ORDERS + "CREATE TABLE gone (); DROP TABLE gone;")
    assert (told(seen.effects), seen.refusal) == ([], None)


def test_a_contradictory_history_is_believed_and_reported_once() -> None:
    predictor = Predictor(17)
    for _ in range(2):
        predictor.apply(half("CREATE TABLE orders (id int); ALTER TABLE orders DROP COLUMN gone;"))
    assert [note.text for note in predictor.contradictions] == [
        'column "gone" of relation "orders" does not exist',
        'relation "orders" already exists',
    ]
    assert predictor.catalog.relation(Name("orders")) is not None


def test_a_column_keeps_its_type_when_that_is_created_again() -> None:
    predictor = Predictor(17)
    predictor.apply(half("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE people (id int, now mood);"))
    again, default, added = predictor.predict_migration(
        half("CREATE TYPE mood AS ENUM ('sad', 'glad'); ALTER TABLE people ALTER now SET DEFAULT 'glad';ALTER TABLE people ADD COLUMN now mood")
    )
    assert str(again.refusal) == 'type "mood" already exists'
    assert default.refusal is None
    assert str(added.refusal) == 'column "now" of relation "people" already exists'


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("title", "-- perhaps:\nALTER TABLE books DROP CONSTRAINT books_title_key;"),
        ("tit", "ALTER TABLE books DROP CONSTRAINT IF EXISTS tit;"),
        ("books", "-- perhaps:\nALTER TABLE books DROP CONSTRAINT books_pkey;\nALTER TABLE books DROP CONSTRAINT books_title_key;"),
    ],
)
def test_the_constraint_that_was_perhaps_meant(name: str, help: str) -> None:
    refused = last(f"ALTER TABLE books DROP CONSTRAINT {name}", after="CREATE TABLE books (id int PRIMARY KEY, title text UNIQUE)").refusal
    assert refused == Refusal(error=f'constraint "{name}" of relation "books" does not exist', help=help)


@pytest.mark.parametrize(
    ("renaming", "name", "kept"),
    [
        ("ALTER TABLE titles RENAME TO books;", "books_pkey", "titles_pkey"),
        ("ALTER TABLE titles RENAME TO books;", "books_author_key", "titles_author_key"),
        ("ALTER TABLE titles RENAME TO books; ALTER INDEX titles_pkey RENAME TO first;", "books_pkey", "first"),
        ("ALTER TABLE titles RENAME TO books;", "books_writer_fkey", ""),
    ],
)
def test_the_constraint_that_kept_its_name(renaming: str, name: str, kept: str) -> None:
    after = f"CREATE TABLE titles (id int PRIMARY KEY, author text UNIQUE); {renaming}"
    refused = last(f"ALTER TABLE books DROP CONSTRAINT {name}", after=after).refusal
    help = f"-- perhaps:\nALTER TABLE books DROP CONSTRAINT {kept};" if kept else f"ALTER TABLE books DROP CONSTRAINT IF EXISTS {name};"
    assert refused == Refusal(error=f'constraint "{name}" of relation "books" does not exist', help=help)


def test_a_statement_that_the_runner_sends_in_pieces_is_refused() -> None:
    sent = half("SELECT 1; DO $$ BEGIN PERFORM 1;\nEND $$")
    before, cut = Predictor(17).predict_migration(replace(sent, line_ends=LineEnds("+goose", ())))
    assert before.refusal is None
    assert cut.refusal == Refusal(
        error="goose sends it only up to the `;` at the end of line 1",
        help="-- put the statement between `-- +goose StatementBegin` and `-- +goose StatementEnd`",
    )
    whole, in_block = Predictor(17).predict_migration(replace(sent, line_ends=LineEnds("+goose", (Span(9, 40),))))
    assert (whole.refusal, in_block.refusal) == (None, None)


def test_the_database_starts_with_the_dump() -> None:
    predictor = Predictor(17)
    predictor.load(Script("shop.sql", "CREATE TABLE public.orders (id int, note text);"))
    [added, missing, created] = predictor.predict_migration(
        half("ALTER TABLE orders ALTER note TYPE varchar; ALTER TABLE other ADD COLUMN a int; CREATE TABLE IF NOT EXISTS other (a int)")
    )
    assert told(added.effects) == ["public.orders ACCESS EXCLUSIVE"]
    assert missing.refusal == Refusal(error='relation "other" does not exist')
    assert created.refusal is None


def test_locks_are_kept_until_the_transaction_ends() -> None:
    predictor = Predictor(17)
    held: list[int] = []
    predictor.begin(Transaction.STATEMENT)
    for one in predicted("BEGIN; ALTER TABLE a ADD x int; LOCK TABLE b; COMMIT; SELECT 1"):
        predictor.predict_statement(one.statement)
        held.append(len(predictor.session.locks))
    assert held == [0, 1, 2, 0, 0]


@pytest.mark.parametrize(("branch", "is_locked"), [(">= 160000", True), ("< 160000", False)])
def test_branch_for_other_releases_does_not_run(branch: str, is_locked: bool) -> None:
    condition = f"current_setting('server_version_num')::int {branch}"
    sql = f"DO $$ BEGIN IF {condition} THEN ALTER TABLE orders ADD n int; END IF; END $$"
    statement = last(sql, after="CREATE TABLE orders (id int)")
    assert bool(statement.effects) == is_locked


def test_call_runs_the_procedure_with_its_arguments() -> None:
    history = """
        CREATE TABLE orders (id int);
        CREATE PROCEDURE grow(name text) LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('ALTER TABLE %I ADD n int', name); END $$;
    """
    statement = last("CALL grow('orders')", after=history)
    assert [str(effect.relation) for effect in statement.effects] == ["public.orders"]
    assert statement.understood


def test_a_dump_does_not_say_which_materialized_views_have_rows() -> None:
    predictor = Predictor(17)
    predictor.load(Script("dump.sql", "CREATE MATERIALIZED VIEW totals AS SELECT 1 AS a WITH NO DATA; CREATE UNIQUE INDEX ON totals (a);"))
    script = Script("refresh.sql", "REFRESH MATERIALIZED VIEW CONCURRENTLY totals;")
    refresh = Half(script, (Span(0, len(script.text)),), Transaction.STATEMENT)
    assert [prediction.refusal for prediction in predictor.predict_migration(refresh)] == [None]


def test_a_refused_change_to_another_enum_has_no_consequence_for_the_next_statement() -> None:
    history = "CREATE TYPE state AS ENUM ('new'); CREATE TABLE orders (id bigint, state state DEFAULT 'new')"
    sql = """
ALTER TYPE state RENAME TO state_old;
CREATE TYPE state AS ENUM ('new', 'sent');
ALTER TABLE orders ALTER COLUMN state TYPE state USING state::text::state;
DROP TYPE state_old;
"""
    refusals = [each.refusal and each.refusal.error for each in predicted(sql, after=history)]
    assert refusals == [None, None, 'default for column "state" cannot be cast automatically to type state', None]


def test_the_numbers_of_objects_do_not_depend_on_trials() -> None:
    predictor = Predictor(17)
    predictor.apply(half(ORDERS))
    before, tried = predictor.catalog.last_oid, set[int]()
    for name in ("items", "parts"):
        with predictor.trial():
            list(predictor.predict_migration(half(f"CREATE TABLE {name} (id int)")))
            with predictor.trial():
                list(predictor.predict_migration(half("CREATE TABLE boxes (id int)")))
                tried.add(predictor.catalog.last_oid)
            list(predictor.predict_migration(half("CREATE TABLE lots (id int)")))
            tried.add(predictor.catalog.last_oid)
        assert predictor.catalog.last_oid == before
    assert len(tried) == 4
    assert before not in tried
