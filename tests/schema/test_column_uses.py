"""The columns that views and policies use, compared with what PostgreSQL records in pg_depend."""

import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from migsafe.schema.column_uses import column_uses
from migsafe.schema.objects import Attached, Relation
from migsafe.sources import Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read
from tests.support.servers import each_installation

SCHEMA = """
CREATE TYPE span AS (low int, high int);
CREATE TABLE item (id int PRIMARY KEY, name text, data jsonb, score int, made date, owner_id int, range span, tags text[]);
CREATE TABLE owner (id int PRIMARY KEY, name text, score int, item_id int);
CREATE TABLE vote (item_id int, owner_id int, value int, made date);
CREATE SCHEMA app;
CREATE TABLE app.item (id int, note text);
CREATE FUNCTION label(item) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
CREATE FUNCTION pairs(int) RETURNS TABLE (name text, score int) LANGUAGE sql AS $$ SELECT 'x', 1 $$;
CREATE VIEW named AS SELECT id, name FROM item;
"""

QUERIES = [
    "SELECT i.data->'score' AS score FROM item i",
    "SELECT i.data->>'name' AS name FROM item i ORDER BY name",
    "SELECT label(i.*) AS name FROM item i",
    "SELECT label(i) AS score FROM item AS i WHERE i IS NOT NULL",
    "SELECT i.label FROM item i",
    "SELECT to_jsonb(i) - 'score' AS data FROM item i",
    "SELECT count(i.*) AS score, count(*) AS name FROM item i",
    "SELECT i.* FROM item i, owner",
    "SELECT * FROM owner",
    "TABLE owner",
    "SELECT ROW(o.*) IS NULL AS r FROM owner o",
    "SELECT ROW(o.id, o) IS NULL AS r FROM owner o",
    "SELECT (i).name AS label FROM item i",
    "SELECT (o).* FROM owner o",
    "SELECT (range).low AS score FROM item",
    "SELECT (i.range).high AS name FROM item i",
    "SELECT (range).* FROM item",
    "SELECT item.id FROM item",
    "SELECT public.item.score FROM public.item",
    "SELECT app.item.note, i.id AS x FROM app.item, public.item i",
    "SELECT x.a, x.name FROM item AS x (a)",
    "SELECT x.id FROM (SELECT id, name FROM item) AS x",
    "SELECT x.a FROM (SELECT id, name FROM item) AS x (a, score)",
    "SELECT 1 AS one FROM (SELECT * FROM owner) AS x",
    "WITH unused AS (SELECT score FROM item) SELECT 1 AS one",
    "WITH a AS (SELECT id AS score FROM item), b AS (SELECT score FROM a) SELECT b.score, o.name FROM b JOIN owner o ON o.id = b.score",
    "WITH item AS (SELECT id, name FROM owner) SELECT name FROM item",
    "WITH RECURSIVE t(n) AS (SELECT id FROM owner UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n AS score FROM t",
    "WITH RECURSIVE t AS (SELECT id, name FROM owner UNION ALL SELECT i.id, t.name FROM t JOIN item i ON i.owner_id = t.id) SELECT * FROM t",
    "SELECT i.name FROM item i JOIN owner USING (id)",
    "SELECT id FROM item JOIN owner USING (id)",
    "SELECT 1 AS x FROM item NATURAL JOIN owner",
    "SELECT made FROM item FULL JOIN vote USING (made, owner_id)",
    "SELECT j.value FROM (item i JOIN vote v ON v.item_id = i.id) AS j",
    "SELECT v.value FROM item i JOIN (vote v JOIN owner o ON o.id = v.owner_id) ON v.item_id = i.id",
    "SELECT i.id, l.score FROM item i, LATERAL (SELECT max(value) AS score FROM vote v WHERE v.item_id = i.id) l",
    "SELECT i.id, l.n FROM item i LEFT JOIN LATERAL (SELECT o.name AS n FROM owner o WHERE o.id = i.owner_id LIMIT 1) l ON true",
    "SELECT e.key AS name FROM item i, jsonb_each(i.data) AS e",
    "SELECT e.value AS score FROM item i CROSS JOIN LATERAL jsonb_array_elements(i.data) AS e(value)",
    "SELECT t AS name FROM item, unnest(tags) AS t",
    "SELECT t.x, t.name FROM item i, unnest(i.tags) WITH ORDINALITY AS t(x, name)",
    "SELECT p.name, p.score FROM item i, pairs(i.id) p",
    "SELECT r.a FROM item i, jsonb_to_record(i.data) AS r(a int, name text)",
    "SELECT g AS score FROM owner, generate_series(1, owner.id) AS g",
    "SELECT lower(name) AS name FROM item ORDER BY name",
    "SELECT id AS name FROM item ORDER BY name, score + 1",
    "SELECT id FROM item ORDER BY made",
    "SELECT id AS score FROM item GROUP BY id, score",
    "SELECT made AS day, count(*) AS n FROM item GROUP BY day ORDER BY n DESC",
    "SELECT owner_id, max(score) AS made FROM item GROUP BY 1 HAVING min(id) > 3",
    "SELECT owner_id, made, count(*) AS n FROM item GROUP BY GROUPING SETS ((owner_id), (made))",
    "SELECT owner_id, count(*) AS n FROM item GROUP BY ROLLUP (owner_id, made)",
    "SELECT DISTINCT ON (name) id AS name FROM owner ORDER BY name, score",
    "SELECT DISTINCT ON (score) id FROM owner",
    "SELECT sum(value) OVER w AS score FROM vote WINDOW w AS (PARTITION BY made ORDER BY owner_id)",
    "SELECT sum(value) OVER (PARTITION BY item_id) AS made FROM vote",
    "SELECT string_agg(name, ',' ORDER BY score) AS score FROM owner",
    "SELECT count(*) FILTER (WHERE score > 1) AS name FROM owner",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY score) AS id FROM owner",
    "SELECT id FROM item UNION SELECT item_id FROM vote ORDER BY id",
    "SELECT id, name FROM item EXCEPT SELECT * FROM (SELECT owner_id, 'x' FROM vote) AS y",
    "SELECT name FROM item WHERE EXISTS (SELECT * FROM vote WHERE item_id = item.id)",
    "SELECT name FROM item WHERE id IN (SELECT item_id FROM vote WHERE score > 2)",
    "SELECT name FROM owner WHERE (id, score) IN (SELECT item_id, value FROM vote)",
    "SELECT (SELECT name FROM owner o WHERE o.id = i.owner_id) AS score FROM item i",
    "SELECT ARRAY(SELECT value FROM vote WHERE item_id = id) AS tags FROM item",
    "SELECT id FROM item WHERE made = ANY (SELECT made FROM vote)",
    "SELECT CASE WHEN score > 1 THEN 'name' ELSE name END AS data FROM owner",
    "SELECT made::date AS date, date '2000-01-01' AS made, extract(year FROM made) AS y FROM vote",
    "SELECT tags[1] AS tag, tags[1:2] AS name FROM item",
    "SELECT coalesce(o.name, i.name) AS name FROM item i LEFT JOIN owner o ON o.item_id = i.id",
    "SELECT id FROM item WHERE row(id, name) = row(1, 'x')",
    "SELECT 'score' AS score, $$name$$ AS name FROM vote",
    "VALUES (1, 'a'), (2, 'b')",
    "SELECT v.score, item.id FROM item JOIN (VALUES (1, 2)) AS v(id, score) ON v.id = item.id",
    "SELECT x.column1 AS score FROM (VALUES (1)) AS x",
    "SELECT score FROM named, owner",
    "SELECT n.name FROM named n JOIN item i USING (id)",
    "SELECT o.ctid AS name, o.tableoid AS score FROM owner o",
    "SELECT current_date AS made, current_user AS name FROM vote",
    "SELECT id FROM ONLY item WHERE score BETWEEN 1 AND 2 AND name LIKE 'x%' AND made IS DISTINCT FROM NULL",
    "SELECT id FROM item TABLESAMPLE SYSTEM (10)",
    "SELECT make_interval(days => score) AS name FROM owner",
    'SELECT "item"."name" AS "Score" FROM "item" ORDER BY "Score"',
    "SELECT made AT TIME ZONE 'UTC' AS t, score IS NULL AS n, NOT (name = 'x') AS s FROM item",
    "SELECT id FROM item ORDER BY (SELECT max(value) FROM vote v WHERE v.item_id = item.id)",
    "SELECT o.id FROM owner o WHERE o.score = (SELECT count(*) FROM (SELECT made FROM item WHERE owner_id = o.id) s)",
]

POLICIES = [
    "name = 'x'",
    "item.owner_id = 1",
    "EXISTS (SELECT 1 FROM owner o WHERE o.id = owner_id AND o.name = 'score')",
    "id IN (SELECT item_id FROM vote WHERE value > score)",
    "label(item.*) = 'name'",
]


@pytest.fixture(scope="module", params=each_installation())
def connection(request: pytest.FixtureRequest) -> Iterator["psycopg.Connection[Any]"]:
    with Server(request.param) as server:
        server.create_database("uses")
        with server.connect("uses", autocommit=False) as connection:
            connection.execute(SCHEMA.encode())
            connection.commit()
            yield connection


def recorded(connection: "psycopg.Connection[Any]", statement: str, dependents: str) -> set[str] | str:
    """Returns the columns that PostgreSQL records for the object of a statement; its message if it refuses the statement."""
    try:
        connection.execute(statement.encode())
        rows = connection.execute(
            f"""SELECT DISTINCT a.attrelid::regclass || '.' || a.attname FROM pg_depend d JOIN pg_attribute a
                ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND d.refclassid = 'pg_class'::regclass
                JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
                WHERE a.attnum > 0 AND (d.classid, d.objid) IN ({dependents})"""
        ).fetchall()
    except psycopg.Error as error:
        return str(error)
    finally:
        connection.rollback()
    return {row[0] for row in rows}


OF_VIEW = "SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite WHERE ev_class = 'v'::regclass"
OF_POLICY = "SELECT 'pg_policy'::regclass, oid FROM pg_policy"


def predicted(statement: str, kind: type[Relation | Attached]) -> tuple[set[str], set[str]]:
    """Returns the columns that the object of a statement certainly uses, and those that it may use."""
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    for read_statement in read(SCHEMA + statement):
        predictor.predict_statement(read_statement, with_effects=False)
    catalog = predictor.catalog
    user = catalog.relation(Name("v")) if kind is Relation else catalog.objects_of(Attached)[0]
    assert isinstance(user, Relation | Attached)
    uses = column_uses(catalog, user)

    def names(numbers: frozenset[tuple[int, int]]) -> set[str]:
        found = set()
        for oid, number in numbers:
            relation = catalog.require(Relation, oid)
            column = relation.column_numbered(number)
            assert column is not None
            found.add(f"{relation.name}.{column.name}".removeprefix("public."))
        return found

    return names(uses.certain), names(uses.possible)


def differences(connection: "psycopg.Connection[Any]", statements: list[str], kind: type[Relation | Attached], dependents: str) -> list[str]:
    found = ((statement, predicted(statement, kind)[0], recorded(connection, statement, dependents)) for statement in statements)
    return [f"{statement}: predicted {certain}, recorded {expected}" for statement, certain, expected in found if certain != expected]


@pytest.mark.server
def test_views_depend_on_the_predicted_columns(connection: "psycopg.Connection[Any]") -> None:
    assert differences(connection, [f"CREATE VIEW v AS {query}" for query in QUERIES], Relation, OF_VIEW) == []


@pytest.mark.server
def test_policies_depend_on_the_predicted_columns(connection: "psycopg.Connection[Any]") -> None:
    statements = [f"CREATE POLICY p ON item USING ({condition})" for condition in POLICIES]
    assert differences(connection, statements, Attached, OF_POLICY) == []


def generated_query(choose: random.Random, depth: int = 2) -> str:
    """Returns a query of random parts; many are invalid."""
    names = ["id", "name", "score", "made", "value", "item_id", "owner_id", "data"]
    aliases = ["a", "b", "item", "owner", "vote"]

    def column() -> str:
        word = choose.choice(names)
        return f"{choose.choice(aliases)}.{word}" if choose.random() < 0.5 else word

    def source() -> str:
        if depth and choose.random() < 0.3:
            lateral = "LATERAL " if choose.random() < 0.5 else ""
            return f"{lateral}({generated_query(choose, depth - 1)}) AS {choose.choice(aliases)}"
        table = choose.choice(["item", "owner", "vote"])
        return f"{table} AS {choose.choice(aliases)}" if choose.random() < 0.5 else table

    def output() -> str:
        value = choose.choice([column(), column(), f"({column()} IS NULL)", "1", choose.choice(aliases), f"{choose.choice(aliases)}.*"])
        return value if "*" in value or choose.random() < 0.5 else f"{value} AS {choose.choice(names)}"

    sql = f"SELECT {', '.join(output() for _ in range(choose.randint(1, 2)))} FROM {source()}"
    if choose.random() < 0.5:
        join = choose.choice([" JOIN {} USING ({})", ", {}", " NATURAL JOIN {}", " LEFT JOIN {} ON {} IS NULL"])
        sql += join.format(source(), choose.choice(names))
    if depth and choose.random() < 0.3:
        sql += f" WHERE EXISTS ({generated_query(choose, depth - 1)})"
    if choose.random() < 0.3:
        sql += f" ORDER BY {column()}"
    return sql


@pytest.mark.server
def test_generated_views_depend_on_the_predicted_columns(connection: "psycopg.Connection[Any]") -> None:
    choose = random.Random(20)
    compared = 0
    for _ in range(600):
        statement = f"CREATE VIEW v AS {generated_query(choose)}"
        expected = recorded(connection, statement, OF_VIEW)
        if isinstance(expected, str):
            continue
        compared += 1
        certain, possible = predicted(statement, Relation)
        assert certain <= expected, statement
        assert expected <= certain | possible, statement
    assert compared > 50
