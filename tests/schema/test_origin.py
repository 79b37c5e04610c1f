"""Which relations a CREATE … IF NOT EXISTS creates: depends on whether the history is read from its first migration."""

from pathlib import Path

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.sources import Half, Transaction
from migsafe.sql.operations import Name
from migsafe.text import Script, Span


def predictor_after(*migrations: str, dump: str | None = None) -> Predictor:
    """Returns the predictor after a history that is read from its first migration, or that starts with a dump."""
    predictor = Predictor(17)
    predictor.begin_history(from_first_migration=dump is None)
    if dump is not None:
        predictor.load(Script(Path("dump.sql"), dump))
    for number, text in enumerate(migrations, 1):
        half = Half(Script(Path(f"{number}.sql"), text), (Span(0, len(text)),), Transaction.STATEMENT)
        predictor.look_ahead(half)
        for _ in predictor.predict_migration(half):
            pass
    return predictor


def is_new(predictor: Predictor, name: str = "a") -> bool:
    return predictor.catalog.is_new(predictor.catalog.relation(Name(name)))


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE IF NOT EXISTS a (id int)",
        "CREATE TABLE IF NOT EXISTS app.a (id int); ALTER TABLE app.a SET SCHEMA public",
        "CREATE TABLE IF NOT EXISTS a (id int); ALTER TABLE a ADD COLUMN IF NOT EXISTS n int",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS a AS SELECT 1 AS id",
        "CREATE TABLE IF NOT EXISTS a AS SELECT 1 AS id WITH NO DATA",
        "CREATE OR REPLACE VIEW a AS SELECT 1 AS id",
        "DO $$ BEGIN IF to_regclass('a') IS NULL THEN CREATE TABLE a (id int); END IF; END $$",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE ' || x() || ' DROP COLUMN n'; END $$; CREATE TABLE IF NOT EXISTS a (id int)",
        "CREATE TRIGGER t AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION f(); CREATE TABLE IF NOT EXISTS a (id int)",
    ],
)
def test_first_migration_creates_a_relation_if_not_exists(sql: str) -> None:
    assert is_new(predictor_after(sql))


def test_later_opaque_code_cannot_have_created_it() -> None:
    predictor = Predictor(17)
    predictor.begin_history(from_first_migration=True)
    text = "CREATE TABLE IF NOT EXISTS a (id int); CREATE INDEX ON a (id); DO $$ BEGIN EXECUTE x(); END $$"
    half = Half(Script("1.sql", text), (Span(0, len(text)),), Transaction.STATEMENT)
    predictor.look_ahead(half)
    _, index, _ = predictor.predict_migration(half)
    assert [effect.new for effect in index.effects] == [True]


@pytest.mark.parametrize(
    "code",
    [
        "format('CREATE TABLE IF NOT EXISTS %I.b (id int)', s)",
        "format('CREATE TRIGGER t AFTER UPDATE ON %I.b FOR EACH ROW EXECUTE FUNCTION f()', s)",
        "format('ALTER TABLE %I.c RENAME TO b', s)",
    ],
)
def test_dynamic_sql_in_the_schema_of_each_tenant_may_create_only_what_it_names(code: str) -> None:
    loop = f"DO $$ BEGIN FOR s IN SELECT slug FROM tenants LOOP EXECUTE {code}; END LOOP; END $$"
    predictor = predictor_after(
        "CREATE TABLE tenants (slug text)", loop, "CREATE TABLE IF NOT EXISTS a (id int); CREATE TABLE IF NOT EXISTS b ()"
    )
    assert is_new(predictor)
    assert is_new(predictor, "b") is ("TRIGGER" in code)


@pytest.mark.parametrize(
    ("history", "guard", "runs"),
    [
        ("CREATE TABLE b (id int)", "to_regclass('a') IS NOT NULL", False),
        ("CREATE TABLE b (id int); ALTER TABLE a ADD COLUMN m int", "to_regclass('a') IS NOT NULL", True),
        ("CREATE TABLE b (id int); DO $$ BEGIN EXECUTE x(); END $$", "to_regclass('a') IS NOT NULL", True),
        # The application of another schema makes its own tables.
        ("CREATE TABLE app.b (id int)", "to_regclass('a') IS NOT NULL", True),
        ("CREATE TABLE a (id int)", "(SELECT count(*) FROM a) > 0", True),
    ],
)
@pytest.mark.parametrize("sql", ["ALTER TABLE a ADD COLUMN n int", "ALTER TABLE a RENAME TO c", "UPDATE a SET n = 1"])
def test_a_guarded_statement_about_a_relation_that_no_migration_made_does_not_run(history: str, guard: str, runs: bool, sql: str) -> None:
    text = f"DO $$ BEGIN IF {guard} THEN {sql}; END IF; END $$"
    assert _locks_a(predictor_after(history), text) is runs
    # The index shows that the table is older than the history.
    assert _locks_a(predictor_after(history), f"{text}; CREATE INDEX ON a (id)")


def _locks_a(predictor: Predictor, text: str) -> bool:
    half = Half(Script(Path("2.sql"), text), (Span(0, len(text)),), Transaction.STATEMENT)
    guarded = next(iter(predictor.predict_migration(half)))
    return any(effect.relation.name == "a" for effect in guarded.effects)


@pytest.mark.parametrize(
    "code", ["'ALTER TABLE public.' || quote_ident(t) || ' SET SCHEMA app;'", "format('alter table if exists public.%I set schema app', t)"]
)
def test_a_loop_that_moves_tables_to_another_schema_keeps_what_is_known_of_them(code: str) -> None:
    loop = f"DO $$ BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP EXECUTE {code}; END LOOP; END $$"
    predictor = predictor_after("CREATE TABLE a (id bigserial, n varchar(9)); CREATE INDEX i ON a (n)", f"CREATE SCHEMA app; {loop}")
    catalog = predictor.catalog
    table, index = catalog.relation(Name("a", "app")), catalog.index(Name("i", "app"))
    assert table is not None
    assert index is not None
    assert [str(column.type) for column in table.columns] == ["bigint", "character varying(9)"]
    # Those that the loop has left out keep their names.
    assert not catalog.is_absent(Name("a", "public"))


@pytest.mark.parametrize(("rename", "runs"), [("", True), ("ALTER TABLE b RENAME TO a; ", False)])
def test_a_guarded_drop_is_of_a_table_that_something_else_made_unless_the_migration_has_moved_it(rename: str, runs: bool) -> None:
    predictor = predictor_after("CREATE TABLE c (id int)")
    text = f"DO $$ BEGIN IF to_regclass('b') IS NOT NULL THEN {rename}DROP TABLE a; END IF; END $$"
    half = Half(Script(Path("2.sql"), text), (Span(0, len(text)),), Transaction.STATEMENT)
    (prediction,) = predictor.predict_migration(half)
    assert any(effect.relation.name == "a" for effect in prediction.effects) is runs


def test_table_created_if_not_exists_is_completely_known() -> None:
    relation = predictor_after("CREATE TABLE IF NOT EXISTS a (id int)").catalog.relation(Name("a"))
    assert relation is not None
    assert relation.complete


def test_later_migration_creates_a_table_if_not_exists() -> None:
    assert is_new(predictor_after("CREATE TABLE b (id int)", "CREATE TABLE IF NOT EXISTS a (id int)"))
    assert is_new(predictor_after("CREATE TABLE b (id int)", "ALTER TABLE c ADD n int; CREATE TABLE IF NOT EXISTS a (id int)"))
    assert is_new(predictor_after("CREATE TABLE a (id int)", "DROP TABLE a", "CREATE TABLE IF NOT EXISTS a (id int)"))


def test_table_of_an_earlier_migration_exists() -> None:
    assert not is_new(predictor_after("CREATE TABLE a (id int)", "CREATE TABLE IF NOT EXISTS a (id int)"))
    assert not is_new(
        predictor_after("CREATE TABLE a (id int)", "DO $$ BEGIN IF to_regclass('a') IS NULL THEN CREATE TABLE a (id int); END IF; END $$")
    )


@pytest.mark.parametrize(
    "first",
    [
        "ALTER TABLE b ADD COLUMN n int; CREATE TABLE IF NOT EXISTS a (id int)",
        "CREATE TABLE IF NOT EXISTS a (id int); ALTER TABLE b ADD COLUMN n int",
        "CREATE TABLE IF NOT EXISTS a (id int REFERENCES b)",
        "CREATE TABLE IF NOT EXISTS a (id int); DROP TABLE b",
    ],
)
def test_first_migration_of_a_history_that_begins_part_way_may_find_an_older_table(first: str) -> None:
    assert not is_new(predictor_after(first))


@pytest.mark.parametrize("first", ["ALTER TABLE b ADD COLUMN n int", "CREATE TABLE IF NOT EXISTS c (id int); DROP TABLE b"])
def test_later_migration_of_such_a_history_creates_a_table_that_no_statement_has_used(first: str) -> None:
    predictor = predictor_after(first, "CREATE TABLE IF NOT EXISTS a (id int)")
    relation = predictor.catalog.relation(Name("a"))
    assert relation is not None
    # Its columns are not certain, so that nothing is refused because of them.
    assert (predictor.catalog.is_new(relation), relation.complete) == (True, False)


@pytest.mark.parametrize(
    "use",
    [
        "ALTER TABLE a ADD COLUMN n int",
        "CREATE TABLE c (id int REFERENCES a)",
        "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()",
        "DO $$ BEGIN EXECUTE x(); END $$",
        "DO $$ BEGIN EXECUTE format('CREATE TABLE %I.a (id int)', s()); END $$",
    ],
)
def test_later_migration_of_such_a_history_may_find_a_table_that_a_statement_has_used(use: str) -> None:
    create = "CREATE TABLE IF NOT EXISTS a (id int)"
    assert not is_new(predictor_after("ALTER TABLE b ADD COLUMN n int", use, create))
    assert not is_new(predictor_after(f"ALTER TABLE b ADD COLUMN n int; {use}", create))


def test_schema_of_someone_else_may_have_an_older_table() -> None:
    predictor = predictor_after("ALTER TABLE auth.users ADD COLUMN n int; CREATE TABLE IF NOT EXISTS auth.roles (id int)")
    relation = predictor.catalog.relation(Name("roles", "auth"))
    assert relation is not None
    assert not predictor.catalog.is_new(relation)


@pytest.mark.parametrize(
    "code",
    [
        "EXECUTE x()",
        "EXECUTE 'CREATE TABLE ' || x() || ' (id int)'",
        "EXECUTE 'ALTER TABLE ' || x() || ' RENAME TO ' || y()",
    ],
)
def test_opaque_code_may_have_created_a_table(code: str) -> None:
    assert not is_new(predictor_after(f"DO $$ BEGIN {code}; END $$", "CREATE TABLE IF NOT EXISTS a (id int)"))


@pytest.mark.parametrize(
    "code",
    [
        "EXECUTE 'CREATE VIEW ' || x() || ' AS SELECT 1'",
        "EXECUTE format('CREATE OR REPLACE VIEW %I AS SELECT 1', x())",
        "EXECUTE 'CREATE OR REPLACE FUNCTION ' || x() || $b$() RETURNS int LANGUAGE sql AS 'SELECT 1'$b$",
        "EXECUTE format('CREATE PROCEDURE %I() LANGUAGE sql AS $b$SELECT 1$b$', x())",
    ],
)
def test_opaque_code_that_makes_views_and_functions_makes_no_table(code: str) -> None:
    assert is_new(predictor_after(f"DO $$ BEGIN {code}; END $$", "CREATE TABLE IF NOT EXISTS a (id int)"))
    both = "EXECUTE 'CREATE VIEW ' || x() || ' AS SELECT 1; CREATE TABLE ' || y() || '()'"
    assert not is_new(predictor_after(f"DO $$ BEGIN {both}; END $$", "CREATE TABLE IF NOT EXISTS a (id int)"))


def test_dump_has_all_tables_that_exist() -> None:
    assert is_new(predictor_after("CREATE TABLE IF NOT EXISTS a (id int)", dump="CREATE TABLE b (id int);"))
    assert not is_new(predictor_after("CREATE TABLE IF NOT EXISTS a (id int)", dump="CREATE TABLE a (id int);"))
    assert not is_new(
        predictor_after("DO $$ BEGIN EXECUTE x(); END $$", "CREATE TABLE IF NOT EXISTS a (id int)", dump="CREATE TABLE b (id int);")
    )


def test_looking_ahead_leaves_the_database_as_it_is() -> None:
    predictor = Predictor(17)
    predictor.begin_history(from_first_migration=True)
    text = "CREATE TABLE IF NOT EXISTS a (id int)"
    predictor.look_ahead(Half(Script(Path("1.sql"), text), (Span(0, len(text)),), Transaction.STATEMENT))
    assert predictor.catalog.relation(Name("a")) is None


def test_an_unqualified_name_is_that_of_the_only_table_in_another_schema() -> None:
    predictor = predictor_after(
        "CREATE SCHEMA app; CREATE TABLE app.a (id int, n int)", "ALTER TABLE a DROP COLUMN n", "ALTER TABLE app.a ADD COLUMN n text"
    )
    table = predictor.catalog.relation(Name("a", "app"))
    assert table is not None
    assert [str(column.type) for column in table.columns] == ["integer", "text"]
    assert predictor.refused is None


def refusals_of(predictor: Predictor, text: str) -> list[str | None]:
    half = Half(Script("last.sql", text), (Span(0, len(text)),), Transaction.STATEMENT)
    predictor.look_ahead(half)
    refusals = [prediction.refusal for prediction in predictor.predict_migration(half)]
    return [None if refusal is None else refusal.error for refusal in refusals]


REFERENCE = "CREATE TABLE log (id bigint CONSTRAINT log_id_fkey REFERENCES objects (id))"


def test_a_view_may_have_replaced_a_table_that_the_history_did_not_create() -> None:
    predictor = predictor_after("ALTER TABLE objects ADD COLUMN note text", REFERENCE)
    text = "DROP VIEW objects; CREATE VIEW objects AS SELECT 1 AS id; ALTER TABLE log DROP CONSTRAINT log_id_fkey"
    assert refusals_of(predictor, text) == [None, None, None]


def test_a_table_of_the_history_is_not_a_view() -> None:
    predictor = predictor_after("CREATE TABLE objects (id bigint PRIMARY KEY)", REFERENCE)
    assert refusals_of(predictor, "DROP VIEW objects") == ['"objects" is not a view']


def test_a_table_of_unknown_origin_keeps_its_dependents() -> None:
    predictor = predictor_after("ALTER TABLE objects ADD COLUMN note text", REFERENCE)
    assert refusals_of(predictor, "DROP TABLE objects") == ["cannot drop table objects because other objects depend on it"]
