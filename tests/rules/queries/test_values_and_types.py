"""Which queries a migration breaks although all their names still resolve: by the types of operands, and by NULL."""

import pytest

from migsafe.linting.rulebook import shipped_rules
from tests.support.linted import judge_with_queries

RULES = [rule for rule in shipped_rules() if rule.name in ("query-breaks", "insert-breaks", "query-needs-migration")]


def messages(sql: str) -> list[str]:
    """Returns the messages of the findings."""
    return [finding.message for finding in judge_with_queries(sql, RULES).findings]


REQUIRED = "ALTER TABLE tags ALTER COLUMN label SET NOT NULL;"
DEFAULTED = "ALTER TABLE tags ALTER COLUMN label SET DEFAULT '-', ALTER COLUMN label SET NOT NULL;"
FILLED = f"""{REQUIRED} CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.label := 1; RETURN NEW; END';
CREATE TRIGGER fill BEFORE INSERT ON tags FOR EACH ROW EXECUTE FUNCTION fill();"""
MERGE = "MERGE INTO tags t USING orders o ON t.id = o.id WHEN NOT MATCHED THEN INSERT"


@pytest.mark.parametrize(
    ("sql", "query", "why"),
    [
        (REQUIRED, "INSERT INTO tags (id, label) VALUES ($1, $2), ($3, NULL)", "it gives label NULL, which is then NOT NULL"),
        (DEFAULTED, "INSERT INTO tags VALUES ($1, NULL::text)", "it gives label NULL, which is then NOT NULL"),
        (REQUIRED, "INSERT INTO tags (label, id) SELECT NULL, id FROM orders", "it gives label NULL, which is then NOT NULL"),
        (REQUIRED, "INSERT INTO tags (id, label) VALUES ($1, 'NULL')", ""),
        (REQUIRED, "INSERT INTO tags (label, id) VALUES (coalesce(NULL, $2), $1)", ""),
        (FILLED, "INSERT INTO tags (id, label) VALUES ($1, NULL)", ""),
        (REQUIRED, f"{MERGE} (id) VALUES (o.id)", "it leaves out label, which is then NOT NULL and has no default"),
        (REQUIRED, f"{MERGE} VALUES (o.id)", "it leaves out label, which is then NOT NULL and has no default"),
        (DEFAULTED, f"{MERGE} (id, label) VALUES (o.id, NULL)", "it gives label NULL, which is then NOT NULL"),
        (REQUIRED, f"{MERGE} (id, label) VALUES (o.id, o.note)", ""),
        (DEFAULTED, f"{MERGE} (id) VALUES (o.id)", ""),
        (DEFAULTED, f"{MERGE} (id, label) VALUES (o.id, DEFAULT)", ""),
        (REQUIRED, "MERGE INTO tags t USING orders o ON t.id = o.id WHEN NOT MATCHED THEN DO NOTHING", ""),
    ],
)
def test_a_row_that_stores_null_breaks_when_its_column_becomes_not_null(sql: str, query: str, why: str) -> None:
    before = "CREATE TABLE tags (id bigint PRIMARY KEY, label text);\n-- next migration\n"
    found = messages(f"{before}{sql}\n-- queries: db/tags.sql\n-- name: AddTag :exec\n{query};\n")
    assert [each.rpartition("sends: ")[2] for each in found] == ([why] if why else [])


TYPED = """CREATE TABLE visits (id bigint PRIMARY KEY, age int, tags text[], meta jsonb, day date, seen timestamptz, hidden boolean);
CREATE FUNCTION grade(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION label_of(text, int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';"""
RETYPED = """ALTER TABLE visits ALTER age TYPE text, ALTER tags TYPE text USING tags[1], ALTER meta TYPE json, ALTER day TYPE timestamptz,
ALTER seen TYPE text, ALTER hidden TYPE int USING 1;
DROP FUNCTION grade(int); CREATE FUNCTION grade(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
DROP FUNCTION label_of; CREATE FUNCTION label_of(uuid, int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';"""
NO_LONGER = [
    ("SELECT age + 1 FROM visits", "operator does not exist: text + integer"),
    ("UPDATE visits SET age = age + $2 WHERE id = $1", "operator does not exist: text + unknown"),
    ("SELECT -age FROM visits", "operator does not exist: - text"),
    ("SELECT sum(age) FROM visits", "function sum(text) does not exist"),
    ("SELECT id FROM visits GROUP BY id HAVING max(age) + 1 > 2", "operator does not exist: text + integer"),
    ("SELECT coalesce(age, 0) FROM visits", "COALESCE types text and integer cannot be matched"),
    ("SELECT greatest(age, 0) FROM visits", "GREATEST types text and integer cannot be matched"),
    ("SELECT id FROM visits WHERE age BETWEEN 1 AND 5", "operator does not exist: text >= integer"),
    ("SELECT id FROM visits WHERE meta @> $1", "operator does not exist: json @> unknown"),
    ("SELECT id FROM visits WHERE $1 = ANY(tags)", "op ANY/ALL (array) requires array on right side"),
    ("SELECT id FROM visits WHERE tags && $1", "operator does not exist: text && unknown"),
    ("SELECT unnest(tags) FROM visits", "function unnest(text) does not exist"),
    ("SELECT tag FROM visits v, unnest(v.tags) tag", "function unnest(text) does not exist"),
    ("SELECT array_append(tags, $1) FROM visits", "function array_append(text, unknown) does not exist"),
    ("SELECT day + 1 FROM visits", "operator does not exist: timestamp with time zone + integer"),
    ("SELECT id FROM visits WHERE seen > now()", "operator does not exist: text > timestamp with time zone"),
    ("SELECT date_trunc('day', seen) FROM visits", "function date_trunc(unknown, text) does not exist"),
    ("SELECT id FROM visits WHERE hidden", "argument of WHERE must be type boolean, not type integer"),
    ("SELECT id FROM visits WHERE hidden = true", "operator does not exist: integer = boolean"),
    ("SELECT grade(1)", "function grade(integer) does not exist"),
    ("SELECT grade($1::int)", "function grade(integer) does not exist"),
    ("SELECT label_of(meta ->> 'a') FROM visits", "function label_of(text) does not exist"),
]
STILL = """SELECT id FROM visits WHERE age = $1
SELECT age::int + 1, age || 'x' FROM visits
SELECT coalesce(age, $1) FROM visits
SELECT min(age), count(age) FROM visits
SELECT id FROM visits WHERE seen BETWEEN $1 AND $2
SELECT id FROM visits WHERE id = ANY($1)
SELECT tag FROM visits, unnest($1::text[]) tag
SELECT meta ->> 'a' FROM visits WHERE hidden = $1
SELECT day - interval '1 day', day > now() FROM visits
SELECT grade(age), grade($1), grade('1') FROM visits
SELECT label_of($1), label_of($1, 2)""".splitlines()


@pytest.mark.parametrize(("query", "message"), [*NO_LONGER, *((query, "") for query in STILL)])
def test_a_query_breaks_if_postgresql_has_nothing_for_the_new_types_of_its_operands(query: str, message: str) -> None:
    found = messages(f"{TYPED}\n-- next migration\n{RETYPED}\n-- queries: db/visits.sql\n-- name: Visits :many\n{query};\n")
    assert [each.rpartition("answers ")[2] for each in found] == ([f"`{message}`"] if message else [])


def test_types_that_a_later_operation_restores_break_no_query() -> None:
    query = "-- queries: db/visits.sql\n-- name: Visits :many\nSELECT age + 1 FROM visits;\n"
    change, back = "ALTER TABLE visits ALTER age TYPE text;\n", "ALTER TABLE visits ALTER age TYPE int USING age::int;\n"
    replaced = "ALTER TABLE visits DROP COLUMN age;\nALTER TABLE visits ADD COLUMN age text;\n"
    before = f"{TYPED}\n-- next migration\n"
    assert messages(f"{before}{change}{back}{query}") == []
    assert messages(f"{before}{change}-- next migration\n{back}{query}") == []
    assert len(messages(f"{before}{change}-- next migration\nSELECT 1;\n{query}")) == 1
    assert len(messages(f"{before}{replaced}{query}")) == 1


@pytest.mark.parametrize("query", ["SELECT $1::kind", "SELECT id FROM (SELECT $1::public.kind AS id) kinds"])
def test_a_new_query_needs_the_migration_that_creates_the_type_that_it_names(query: str) -> None:
    new = f"-- new queries: db/kinds.sql\n-- name: Kinds :many\n{query};\n"
    created = "CREATE TYPE kind AS ENUM ('a');\n"
    [message] = messages(f"CREATE TABLE kinds (id int);\n{created}{new}")
    assert message.startswith("the new query Kinds (db/kinds.sql:1) needs CREATE TYPE")
    assert messages(f"CREATE TABLE kinds (id int);\n{created}{new.replace('kind AS', 'elsewhere AS').replace('::kind', '::elsewhere')}") == []
    assert messages(f"{created}{new.replace('new queries', 'queries')}") == []
