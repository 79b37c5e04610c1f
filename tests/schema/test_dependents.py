"""The objects that prevent a change of a column or a table, or that are dropped with it."""

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.schema.catalog import Catalog
from migsafe.sources import Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read

TABLES = "CREATE TABLE a (id int, date date, note text, data jsonb); CREATE TABLE b (id int, note text, text text);"


def refusal_of(sql: str) -> str | None:
    """Returns why PostgreSQL refuses the last statement."""
    refusal = None
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    for statement in read(TABLES + sql):
        refusal = predictor.predict_statement(statement).refusal
    return refusal


def catalog_after(sql: str) -> Catalog:
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    for statement in read(TABLES + sql):
        predictor.predict_statement(statement)
    return predictor.catalog


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIEW v AS SELECT a.data->'note' AS note FROM a; ALTER TABLE a DROP COLUMN note",
        "CREATE VIEW v AS SELECT to_json(a.*) AS x FROM a; ALTER TABLE a DROP COLUMN note",
        "CREATE VIEW v AS SELECT b.note FROM a, b; ALTER TABLE a DROP COLUMN note",
        "CREATE VIEW v AS SELECT id AS note FROM a; ALTER TABLE a ALTER note TYPE varchar(9)",
        "CREATE POLICY p ON a USING (id IN (SELECT b.id FROM b WHERE b.note = 'x')); ALTER TABLE a DROP COLUMN note",
        "CREATE POLICY p ON a USING (id > 1); ALTER POLICY p ON a USING (note = 'x'); ALTER TABLE a DROP COLUMN id",
        "CREATE TRIGGER t AFTER UPDATE ON b FOR EACH ROW WHEN (new.id::text = 'x') EXECUTE FUNCTION f(); ALTER TABLE b DROP COLUMN text",
        "CREATE TABLE c (text text, n int GENERATED ALWAYS AS (length('1'::text)) STORED); ALTER TABLE c DROP COLUMN text",
        "CREATE TABLE c (id int, a text); DROP TABLE a",
        "CREATE TABLE date (id int); CREATE TABLE c (d date); DROP TABLE date",
    ],
)
def test_statement_is_accepted(sql: str) -> None:
    assert refusal_of(sql) is None


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIEW v AS SELECT data->'note' AS note, note AS n FROM a; ALTER TABLE a DROP COLUMN note",
        "CREATE VIEW v AS SELECT id FROM a ORDER BY note; ALTER TABLE a ALTER note TYPE varchar(9)",
        "CREATE VIEW v AS SELECT id FROM a ORDER BY note; ALTER TABLE a RENAME note TO n; ALTER TABLE a DROP COLUMN n",
        "CREATE POLICY p ON a USING (id > 1); ALTER POLICY p ON a WITH CHECK (note = 'x'); ALTER TABLE a DROP COLUMN id",
        "CREATE POLICY p ON a USING (id IN (SELECT b.id FROM b WHERE b.note = 'x')); ALTER TABLE b DROP COLUMN note",
        "CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW WHEN (new.note = 'x') EXECUTE FUNCTION f(); ALTER TABLE a DROP COLUMN note",
        "CREATE RULE r AS ON DELETE TO a DO ALSO DELETE FROM b; DROP TABLE b",
        "CREATE TABLE c (id int, old a); DROP TABLE a",
        "CREATE TABLE c (id int, old a[]); DROP TABLE a",
    ],
)
def test_statement_is_refused(sql: str) -> None:
    assert refusal_of(sql) is not None


def test_statistics_are_dropped_with_a_column() -> None:
    catalog = catalog_after("CREATE STATISTICS s ON id, (lower(note)) FROM a; ALTER TABLE a DROP COLUMN note")
    assert catalog.object_named("statistics", Name("s", "public")) is None


def test_view_whose_query_cannot_be_read_may_have_been_dropped() -> None:
    predictor = Predictor(17)
    predictor.catalog.analyse_query = lambda sql, relations: None
    predictor.begin(Transaction.STATEMENT)
    view = "CREATE VIEW v AS SELECT id FROM a WHERE note = 'x';"
    for statement in read(f"{TABLES} {view} ALTER TABLE a DROP COLUMN note; ALTER TABLE a DROP COLUMN IF EXISTS note CASCADE"):
        assert predictor.predict_statement(statement).refusal is None
    assert predictor.catalog.relation(Name("v")) is not None
    for statement in read("ALTER TABLE a ADD note text; DROP VIEW v;" + view + "ALTER TABLE a DROP COLUMN note CASCADE"):
        predictor.predict_statement(statement)
    assert predictor.catalog.relation(Name("v")) is None
    assert not predictor.catalog.is_absent(Name("v"))
