"""Histories with contradictions or unknown objects, and large ones: no crash, no hang, sensible effects."""

import sys
from collections import Counter

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.schema.catalog import Catalog
from migsafe.sources import Half, Transaction
from migsafe.sql.operations import Name
from migsafe.text import Script, Span


def after(sql: str) -> Predictor:
    """Returns the predictor after a migration, with the effects of every statement predicted."""
    predictor = Predictor(17)
    for _ in predictor.predict_migration(Half(Script("odd.sql", sql), (Span(0, len(sql)),), Transaction.STATEMENT)):
        pass
    return predictor


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE a (b int REFERENCES b); CREATE TABLE b (a int PRIMARY KEY REFERENCES a (b)); DROP TABLE a, b; DROP TABLE a CASCADE",
        "CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a); DELETE FROM a; TRUNCATE a CASCADE; DROP TABLE a",
        "CREATE TABLE a (); CREATE TABLE b () INHERITS (a); ALTER TABLE a INHERIT b; ALTER TABLE a ADD COLUMN x int; DROP TABLE a CASCADE",
        "CREATE TABLE a (); ALTER TABLE a INHERIT a; ALTER TABLE a ADD COLUMN x int; ALTER TABLE a DROP COLUMN x; DROP TABLE a",
        "CREATE TABLE a (x int) PARTITION BY LIST (x); ALTER TABLE a ATTACH PARTITION a DEFAULT; CREATE INDEX ON a (x); DROP TABLE a",
        "CREATE VIEW a AS SELECT 1; CREATE OR REPLACE VIEW a AS SELECT * FROM a; SELECT * FROM a; DROP VIEW a",
        "CREATE VIEW a AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM a; LOCK TABLE a; UPDATE a SET x = 1; DROP VIEW a CASCADE",
        "CREATE DOMAIN d AS e; CREATE DOMAIN e AS d; CREATE TABLE t (x d); ALTER TABLE t ALTER x TYPE e; ALTER DOMAIN d SET NOT NULL",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT f()'; SELECT f(); ALTER TABLE t ADD COLUMN x int DEFAULT f()",
        "ALTER TABLE t RENAME TO t; ALTER TABLE t RENAME a TO a; ALTER TABLE t RENAME CONSTRAINT c TO c; ALTER INDEX i RENAME TO i",
        "ROLLBACK; COMMIT; ROLLBACK TO s; RELEASE s; BEGIN; BEGIN; SAVEPOINT s; SAVEPOINT s; ROLLBACK TO s; ROLLBACK; ROLLBACK",
        "CREATE TABLE t (x int, x int, PRIMARY KEY (y), UNIQUE (z), CHECK (w > 0), FOREIGN KEY (v) REFERENCES gone (u))",
        "CREATE TABLE t (LIKE t INCLUDING ALL); CREATE TABLE u PARTITION OF t DEFAULT; CREATE TABLE v OF w; ALTER TABLE t NOT OF",
        "ALTER TABLE gone ATTACH PARTITION gone DEFAULT; ALTER INDEX gone ATTACH PARTITION gone; ALTER TABLE gone DETACH PARTITION gone",
        "DROP TABLE a, a; DROP SCHEMA public CASCADE; DROP SCHEMA public CASCADE; CREATE TABLE a (); SET search_path TO ''; CREATE TABLE b ()",
        'CREATE TABLE "" (""" int); DROP TABLE "a.b"."c.d"; ALTER TABLE a.b.c.d ADD x int; CREATE TABLE pg_catalog.t ()',
    ],
)
def test_contradictions_raise_no_error(sql: str) -> None:
    after(sql)


STATEMENTS = """
    ALTER TABLE t ADD COLUMN a int; ALTER TABLE t DROP COLUMN b CASCADE; ALTER TABLE t ALTER c TYPE text; ALTER TABLE t ALTER d SET NOT NULL;
    ALTER TABLE t ADD PRIMARY KEY USING INDEX i; ALTER TABLE t ADD FOREIGN KEY (e) REFERENCES u; ALTER TABLE t VALIDATE CONSTRAINT f;
    ALTER TABLE t DROP CONSTRAINT g; CREATE INDEX ON t (h); DROP INDEX j; REINDEX TABLE t; CLUSTER t; TRUNCATE t; LOCK TABLE t;
    CREATE TRIGGER k BEFORE INSERT ON t EXECUTE FUNCTION l(); DROP TRIGGER m ON t; ALTER TABLE t RENAME n TO o; COMMENT ON TABLE t IS 'x';
    UPDATE t SET p = 1; DELETE FROM t; INSERT INTO t SELECT * FROM v; REFRESH MATERIALIZED VIEW w; DROP TABLE x CASCADE; VACUUM t
"""


@pytest.mark.parametrize("statement", STATEMENTS.split(";"), ids=str.strip)
def test_unknown_relations_are_locked_like_known_ones(statement: str) -> None:
    predictor = Predictor(17)
    [prediction] = predictor.predict_migration(Half(Script("a.sql", statement), (Span(0, len(statement)),), Transaction.NONE))
    assert prediction.effects or "DROP INDEX" in statement
    assert prediction.refusal is None or "LOCK TABLE" in prediction.refusal.error


def calls(sql: str) -> int:
    """Returns how many functions a prediction calls: a measure of time that other processes do not affect."""
    counted: Counter[str] = Counter()

    def count(frame: object, event: str, argument: object) -> None:
        counted[event] += 1

    predictor = Predictor(17)
    steps = predictor.predict_migration(Half(Script("large.sql", sql), (Span(0, len(sql)),), Transaction.STATEMENT))
    sys.setprofile(count)
    try:
        for _ in steps:
            pass
    finally:
        sys.setprofile(None)
    return counted["call"] + counted["c_call"]


LARGE = {
    "tables": "CREATE TABLE t{n} (id bigint PRIMARY KEY, x int); ",
    "foreign keys": "CREATE TABLE t{n} (id bigint PRIMARY KEY, x int REFERENCES t0); ",
    "indexes of one table": "CREATE INDEX i{n} ON t0 (x); ",
    "views": "CREATE VIEW v{n} AS SELECT * FROM t0; ",
    "functions replaced": "CREATE OR REPLACE FUNCTION f{n}() RETURNS int LANGUAGE sql AS 'SELECT 1'; ",
    "transactions": "BEGIN; CREATE TABLE t{n} (); ROLLBACK; ",
}


@pytest.mark.parametrize("statement", LARGE.values(), ids=LARGE.keys())
def test_the_cost_of_a_statement_does_not_grow_with_the_history(statement: str) -> None:
    """Twice as many statements cost about twice as much; quadratic cost would be four times as much."""
    first = "CREATE TABLE t0 (id bigint PRIMARY KEY, x int); "
    small, large = (calls(first + "".join(statement.format(n=n) for n in range(1, size))) for size in (150, 300))
    assert large < 2.6 * small


def test_ten_thousand_tables() -> None:
    sql = "".join(f"CREATE TABLE t{n} (id bigint PRIMARY KEY, x int REFERENCES t{n // 2}); " for n in range(10_000))
    catalog: Catalog = after(sql).catalog
    assert sum(1 for _ in catalog.relations()) == 10_000
    root = catalog.relation(Name("t1"))
    assert root is not None
    assert len(catalog.foreign_keys_to(root.oid)) == 2
