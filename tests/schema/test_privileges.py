"""Privileges, row security, replica identity and types of sequences in the simulated database."""

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Relation
from migsafe.schema.privileges import has_replica_identity
from migsafe.sources import Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read

TABLE = "CREATE TABLE a (id int, name text); "


def catalog_after(sql: str) -> Catalog:
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    for statement in read(sql):
        predictor.predict_statement(statement)
    return predictor.catalog


def relation_after(sql: str, name: str = "a") -> Relation:
    relation = catalog_after(sql).relation(Name(name))
    assert relation is not None
    return relation


@pytest.mark.parametrize(
    ("sql", "privileges"),
    [
        ("GRANT SELECT, INSERT ON a TO clerk, boss", {"clerk select", "clerk insert", "boss select", "boss insert"}),
        ("GRANT SELECT, INSERT ON a TO clerk; REVOKE INSERT ON a FROM clerk", {"clerk select"}),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk; REVOKE ALL ON a FROM boss", {"clerk select"}),
        ("GRANT ALL ON a TO clerk; REVOKE ALL ON ALL TABLES IN SCHEMA public FROM clerk", set()),
        ("GRANT SELECT ON a TO clerk WITH GRANT OPTION; REVOKE GRANT OPTION FOR SELECT ON a FROM clerk", {"clerk select"}),
        ("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO clerk", set()),
        ("GRANT SELECT ON a TO clerk; ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME TO a", {"clerk select"}),
        ("GRANT SELECT ON a TO clerk; DROP TABLE a; CREATE TABLE a (id int)", set()),
    ],
)
def test_grant_and_revoke(sql: str, privileges: set[str]) -> None:
    assert {" ".join(privilege) for privilege in relation_after(TABLE + sql).privileges} == privileges


@pytest.mark.parametrize(
    ("defaults", "privileges"),
    [
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO clerk", {"clerk select"}),
        ("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO clerk", {"clerk select"}),
        ("ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO clerk", set()),
        ("ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO clerk", set()),
        ("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO c; ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM c", set()),
    ],
)
def test_new_objects_get_the_default_privileges(defaults: str, privileges: set[str]) -> None:
    assert {" ".join(privilege) for privilege in relation_after(f"{defaults}; {TABLE}").privileges} == privileges


def test_a_routine_has_privileges_of_its_own() -> None:
    catalog = catalog_after("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION f TO clerk")
    assert [tuple(privilege) for privilege in catalog.functions(Name("f"))[0].privileges] == [
        ("public", "execute"),
        ("clerk", "execute"),
    ]


def test_row_security() -> None:
    table = relation_after(TABLE + "ALTER TABLE a ENABLE ROW LEVEL SECURITY; ALTER TABLE a FORCE ROW LEVEL SECURITY")
    assert (table.row_security, table.forced_row_security) == (True, True)
    table = relation_after(TABLE + "ALTER TABLE a ENABLE ROW LEVEL SECURITY; ALTER TABLE a DISABLE ROW LEVEL SECURITY")
    assert (table.row_security, table.forced_row_security) == (False, False)


@pytest.mark.parametrize(
    ("sql", "known"),
    [
        (TABLE, False),
        ("CREATE TABLE a (id int PRIMARY KEY)", True),
        (TABLE + "ALTER TABLE a REPLICA IDENTITY FULL", True),
        ("CREATE TABLE a (id int PRIMARY KEY); ALTER TABLE a REPLICA IDENTITY NOTHING", False),
        ("CREATE TABLE a (id int NOT NULL CONSTRAINT k UNIQUE); ALTER TABLE a REPLICA IDENTITY USING INDEX k", True),
        ("ALTER TABLE a ADD COLUMN b int", None),
    ],
)
def test_replica_identity(sql: str, known: bool | None) -> None:
    catalog = catalog_after(sql)
    relation = catalog.relation(Name("a"))
    assert relation is not None
    assert has_replica_identity(catalog, relation) is known


@pytest.mark.parametrize(
    ("sql", "sequence_type"),
    [
        ("CREATE TABLE a (id serial)", "integer"),
        ("CREATE TABLE a (id bigserial)", "bigint"),
        ("CREATE TABLE a (id serial); ALTER TABLE a ALTER id TYPE bigint", "integer"),
        ("CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY); ALTER TABLE a ALTER id TYPE bigint", "bigint"),
        ("CREATE TABLE a (id serial); ALTER SEQUENCE a_id_seq AS bigint", "bigint"),
        ("CREATE SEQUENCE a_id_seq", "bigint"),
        ("CREATE SEQUENCE a_id_seq AS smallint", "smallint"),
    ],
)
def test_the_type_of_a_sequence(sql: str, sequence_type: str) -> None:
    assert relation_after(sql, "a_id_seq").sequence_type == sequence_type
