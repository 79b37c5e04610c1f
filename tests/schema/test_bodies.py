"""Which operations the triggers and functions of a statement run."""

from migsafe.prediction.predictor import Predictor
from migsafe.schema.bodies import called_operations
from migsafe.sql.statements import read


def test_triggers_that_write_each_others_tables_are_followed_once() -> None:
    # Followed at every depth again, these would run more than ten million operations.
    tables = [f"t{number}" for number in range(9)]
    sql = "".join(f"CREATE TABLE {table} (id bigint PRIMARY KEY, n integer);" for table in tables)
    for table in tables:
        updates = " ".join(f"UPDATE {other} SET n = n + 1;" for other in tables if other != table)
        sql += f"CREATE FUNCTION {table}_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {updates} RETURN NEW; END $$;"
        sql += f"CREATE TRIGGER changed AFTER UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_changed();"
    predictor = Predictor(17)
    for statement in read(sql):
        predictor.predict_statement(statement)
    (update,) = next(iter(read("UPDATE t0 SET n = 1"))).operations
    assert 72 <= len(list(called_operations(predictor.catalog, update))) < 1000
