"""The relations that are new at the end of a migration."""

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.schema.catalog import Catalog
from migsafe.sources import Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read


def catalog_after(sql: str) -> Catalog:
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    for statement in read(sql + "; SELECT"):
        predictor.predict_statement(statement)
    return predictor.catalog


def is_new(catalog: Catalog) -> bool:
    return catalog.is_new(catalog.relation(Name("a")))


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE a (id int)",
        "CREATE TABLE public.a (id int)",
        "CREATE TABLE a AS SELECT 1 AS id WITH NO DATA",
        "CREATE MATERIALIZED VIEW a AS SELECT 1 AS id",
        "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (2)",
        "CREATE TABLE b (id int); ALTER TABLE b RENAME TO a",
        "CREATE TABLE x.a (id int); ALTER TABLE x.a SET SCHEMA public",
        "DROP TABLE a; CREATE TABLE a (id int)",
        "DROP TABLE IF EXISTS a; CREATE TABLE IF NOT EXISTS a (id int)",
        "CREATE TEMP TABLE a AS SELECT 1 AS id",
        "CREATE TABLE a (id int) PARTITION BY RANGE (id); CREATE TABLE b (id int); ALTER TABLE a ATTACH PARTITION b DEFAULT",
        "DO $$ BEGIN CREATE TABLE a (id int); END $$",
        "SET search_path TO x; CREATE TABLE public.a (id int); RESET search_path",
    ],
)
def test_relation_is_new(sql: str) -> None:
    assert is_new(catalog_after(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "CREATE TABLE IF NOT EXISTS a (id int)",
        "CREATE TABLE x.a (id int)",
        "CREATE TABLE a AS SELECT 1 AS id",
        "CREATE TABLE a (id int); INSERT INTO a SELECT id FROM b",
        "CREATE TABLE a (id int); COPY a FROM '/data/a'",
        "CREATE TABLE a (id int); MERGE INTO a USING b ON a.id = b.id WHEN NOT MATCHED THEN INSERT VALUES (b.id)",
        "CREATE TABLE a (id int); DROP TABLE a",
        "CREATE TABLE a (id int); ALTER TABLE a RENAME TO b",
        "CREATE TABLE a (id int) PARTITION BY RANGE (id); ALTER TABLE a ATTACH PARTITION old DEFAULT",
        "DO $$ BEGIN IF to_regclass('a') IS NULL THEN CREATE TABLE a (id int); END IF; END $$",
        "SET search_path TO x; CREATE TABLE a (id int); RESET search_path",
    ],
)
def test_relation_is_not_new(sql: str) -> None:
    assert not is_new(catalog_after(sql))


FILLS = [
    "INSERT INTO a SELECT id FROM b",
    "COPY a FROM '/data/a'",
    "MERGE INTO a USING b ON a.id = b.id WHEN NOT MATCHED THEN INSERT VALUES (b.id)",
    "WITH moved AS (INSERT INTO a SELECT id FROM b RETURNING id) UPDATE b SET id = moved.id FROM moved",
    "WITH gone AS (DELETE FROM b RETURNING id) INSERT INTO a SELECT id FROM gone",
    "DO $$ BEGIN INSERT INTO a SELECT id FROM b; END $$",
    "ALTER TABLE a RENAME TO c; INSERT INTO c SELECT id FROM b; ALTER TABLE c RENAME TO a",
    "SAVEPOINT s; INSERT INTO a SELECT id FROM b; ROLLBACK TO s; INSERT INTO a SELECT id FROM b; RELEASE s",
]


@pytest.mark.parametrize("fill", FILLS)
def test_a_filled_relation_is_new_until_its_transaction_ends(fill: str) -> None:
    assert is_new(catalog_after(f"BEGIN; CREATE TABLE a (id int); {fill}"))
    assert not is_new(catalog_after(f"BEGIN; CREATE TABLE a (id int); {fill}; COMMIT"))
    assert not is_new(catalog_after(f"CREATE TABLE a (id int); {fill}"))


def test_a_relation_that_may_be_older_is_not_new_in_its_transaction() -> None:
    assert not is_new(catalog_after("BEGIN; CREATE TABLE IF NOT EXISTS a (id int)"))
    assert not is_new(catalog_after("BEGIN; DO $$ BEGIN IF x() THEN CREATE TABLE a (id int); END IF; END $$"))


def test_truncate_makes_a_relation_of_the_migration_empty_again() -> None:
    assert is_new(catalog_after("CREATE TABLE a (id int); INSERT INTO a SELECT id FROM b; TRUNCATE a"))
    assert not is_new(catalog_after("CREATE TABLE IF NOT EXISTS a (id int); INSERT INTO a SELECT id FROM b; TRUNCATE a"))


def test_relation_created_in_a_branch_is_new_only_inside_the_branch() -> None:
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    [statement] = read("DO $$ BEGIN IF true THEN CREATE TABLE a (id int); CREATE INDEX ON a (id); END IF; END $$")
    effects = [effect for _, effects_of_operation in predictor.predict_operations(statement) for effect in effects_of_operation]
    assert [effect.new for effect in effects] == [True]
    assert not is_new(predictor.catalog)


@pytest.mark.parametrize(
    ("setting", "schema"),
    [
        ("", "public"),
        ("SET search_path TO app, public", "app"),
        ('SET search_path TO "$user", app', "app"),
        ("BEGIN; SET LOCAL search_path = 'App'", "App"),
        ("SELECT pg_catalog.set_config('search_path', 'app', false)", "app"),
        ("SELECT pg_catalog.set_config('search_path', '', false)", "public"),
        ("SET search_path TO app; SET search_path TO DEFAULT", "public"),
        ("SET search_path TO app; RESET ALL", "public"),
        ("SET search_path TO app; DISCARD ALL", "public"),
    ],
)
def test_unqualified_name_resolves_to_the_first_schema_of_search_path(setting: str, schema: str) -> None:
    assert catalog_after(setting).resolve(Name("orders")) == Name("orders", schema)


def test_name_resolves_to_the_relation_that_the_migration_created() -> None:
    assert catalog_after("CREATE TABLE b.t (id int); SET search_path TO a, b").resolve(Name("t")) == Name("t", "b")


def test_an_index_that_only_another_schema_has_is_dropped() -> None:
    """The search_path of the runner has this schema, or the DROP would have failed."""
    catalog = catalog_after("CREATE SCHEMA shop; CREATE TABLE shop.t (id bigint); CREATE INDEX t_id ON shop.t (id); DROP INDEX t_id")
    assert catalog.index(Name("t_id", "shop")) is None
