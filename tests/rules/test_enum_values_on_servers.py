"""enum-value-used-in-transaction reports what PostgreSQL refuses, and nothing else, on each version."""

from collections.abc import Iterator

import psycopg
import pytest

from migsafe.linting.judge import judge
from migsafe.linting.rulebook import Rulebook, choose_rules, shipped_rules
from migsafe.replaying.servers.server import Server
from tests.support.linted import as_history, migration
from tests.support.servers import oldest_and_newest, server_with_model

pytestmark = pytest.mark.server

RULE = choose_rules(shipped_rules(), ["enum-value-used-in-transaction"])
SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE p (id integer, m mood, note text);
CREATE TABLE q (id integer, note text);
INSERT INTO p VALUES (1, 'sad', 'a'), (2, 'ok', 'b');
CREATE TABLE parts (m mood, n text) PARTITION BY LIST (m);
"""
ADD = "ALTER TYPE mood ADD VALUE 'new'"
AFTER_ADDING = """
INSERT INTO p (m) VALUES ('new')
INSERT INTO p VALUES (3, 'new', 'b')
INSERT INTO p (id, note) VALUES (3, 'new')
INSERT INTO p (m) SELECT 'new'
INSERT INTO p (note) SELECT 'new'
INSERT INTO p (id, m) VALUES (1, 'ok'), (2, 'new')
UPDATE p SET m = 'new'
UPDATE p SET m = 'new' WHERE false
UPDATE p SET note = 'new'
UPDATE p SET note = 'new', m = 'ok'
UPDATE p SET (note, m) = ('a', 'new')
UPDATE p SET m = 'new'::text::mood WHERE id = 1
UPDATE p SET m = CASE WHEN id = 1 THEN 'new' ELSE m END
UPDATE p SET m = CASE note WHEN 'new' THEN 'ok'::mood ELSE m END
UPDATE p SET m = coalesce(m, 'new')
UPDATE q SET note = 'new' FROM p WHERE p.m = 'ok'
UPDATE q SET note = 'a' FROM p WHERE p.m = 'new'
WITH found AS (SELECT id FROM p WHERE m = 'new') UPDATE q SET note = 'a' FROM found WHERE q.id = found.id
WITH found AS (SELECT id FROM p WHERE note = 'new') DELETE FROM q USING found WHERE q.id = found.id
DELETE FROM p WHERE m = 'new'
DELETE FROM p WHERE note = 'new'
SELECT 'new'::mood
SELECT CAST('new' AS public.mood)
SELECT 'new'
SELECT 'new'::text
SELECT * FROM p WHERE m = 'new'
SELECT * FROM p WHERE m IN ('new', 'ok')
SELECT * FROM p WHERE m NOT IN ('ok', 'new')
SELECT * FROM p WHERE m IS DISTINCT FROM 'new'
SELECT * FROM p WHERE m BETWEEN 'sad' AND 'new'
SELECT * FROM p WHERE m = ANY (ARRAY['new']::mood[])
SELECT * FROM p WHERE m::text = 'new'
SELECT * FROM p WHERE note = 'new'
SELECT * FROM p AS other WHERE other.m = 'new'
SELECT * FROM p AS other WHERE other.note = 'new'
SELECT * FROM p ORDER BY m
SELECT coalesce(m, 'new') FROM p
SELECT CASE WHEN m = 'ok' THEN 'new' ELSE m END FROM p
SELECT enum_range(NULL::mood)
SELECT enum_last(NULL::mood)
SELECT enum_first(NULL::mood)
SELECT enum_range('sad'::mood, 'ok'::mood)
MERGE_15 INTO p USING q ON p.id = q.id WHEN MATCHED THEN UPDATE SET m = 'new'
MERGE_15 INTO p USING q ON p.id = q.id WHEN NOT MATCHED THEN INSERT (id, note) VALUES (1, 'new')
MERGE_15 INTO p USING q ON p.id = q.id WHEN NOT MATCHED THEN INSERT (id, m) VALUES (1, 'new')
ALTER TABLE p ALTER COLUMN m SET DEFAULT 'new'
ALTER TABLE p ALTER COLUMN note SET DEFAULT 'new'
ALTER TABLE p ADD COLUMN c mood DEFAULT 'new'
ALTER TABLE p ADD COLUMN c text DEFAULT 'new'
ALTER TABLE p ADD COLUMN c mood CHECK (c <> 'new')
ALTER TABLE p ADD CHECK (m <> 'new')
ALTER TABLE p ADD CHECK (note <> 'new')
ALTER TABLE q ADD COLUMN m mood
ALTER TABLE q ALTER COLUMN note TYPE mood USING 'new'::mood
ALTER TABLE q ALTER COLUMN note TYPE mood USING 'ok'::mood
ALTER TABLE p ALTER COLUMN m TYPE text USING CASE m WHEN 'ok' THEN 'new' END
ALTER TABLE p ALTER COLUMN m TYPE text USING CASE m WHEN 'new' THEN 'old' END
CREATE TABLE r (m mood DEFAULT 'new')
CREATE TABLE r (m text DEFAULT 'new')
CREATE TABLE r (m mood CHECK (m IN ('sad', 'new')))
CREATE TABLE r (m mood, n text, CHECK (n <> 'new'))
CREATE TABLE part PARTITION OF parts FOR VALUES IN ('new')
CREATE TABLE part PARTITION OF parts FOR VALUES IN ('ok')
CREATE TABLE r AS SELECT * FROM p WHERE m = 'new'
CREATE INDEX ON p (id) WHERE m = 'new'
CREATE INDEX ON p (id) WHERE note = 'new'
CREATE INDEX ON p ((m = 'new'))
CREATE VIEW v AS SELECT * FROM p WHERE m = 'new'
CREATE MATERIALIZED VIEW v AS SELECT * FROM p WHERE note = 'new'
CREATE POLICY x ON p USING (m = 'new')
CREATE POLICY x ON p USING (note = 'new')
CREATE TRIGGER t BEFORE UPDATE ON p FOR EACH ROW WHEN (NEW.m = 'new') EXECUTE FUNCTION suppress_redundant_updates_trigger()
CREATE TRIGGER t BEFORE UPDATE ON p FOR EACH ROW WHEN (NEW.note = 'new') EXECUTE FUNCTION suppress_redundant_updates_trigger()
CREATE DOMAIN d AS mood CHECK (VALUE <> 'new')
CREATE DOMAIN d AS mood DEFAULT 'new'
CREATE DOMAIN d AS text CHECK (VALUE <> 'new')
CREATE FUNCTION f() RETURNS mood LANGUAGE sql AS $$ SELECT 'new'::mood $$
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'new'::text $$
CREATE FUNCTION f() RETURNS mood LANGUAGE plpgsql AS $$ BEGIN RETURN 'new'::mood; END $$
CREATE FUNCTION f(a mood DEFAULT 'new') RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$
CREATE FUNCTION f(a text DEFAULT 'new') RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$
PREPARE z AS SELECT 'new'::mood
PREPARE z AS UPDATE p SET m = 'new'
COPY (SELECT 1 FROM p WHERE m = 'new') TO '/dev/null'
COMMENT ON TYPE mood IS 'new'
ALTER TYPE mood ADD VALUE 'newer' AFTER 'new'
ALTER TYPE mood RENAME VALUE 'new' TO 'newer'
DO $$ BEGIN UPDATE p SET m = 'new'; END $$
DO $$ BEGIN UPDATE p SET note = 'new'; END $$
DO $$ BEGIN EXECUTE 'UPDATE p SET m = ''new'''; END $$
DO $$ BEGIN EXECUTE 'UPDATE p SET note = ''new'''; END $$
""".strip().splitlines()
SEQUENCES = [
    ("CREATE TYPE t AS ENUM ('a')", "SELECT 'a'::t"),
    ("CREATE TYPE t AS ENUM ('a')", "ALTER TYPE t ADD VALUE 'b'", "SELECT 'b'::t"),
    ("CREATE TYPE t AS ENUM ()", "ALTER TYPE t ADD VALUE 'b'", "CREATE TABLE r (a t DEFAULT 'b')"),
    ("CREATE TYPE t AS ENUM ('a')", "ALTER TYPE t RENAME TO u", "ALTER TYPE u ADD VALUE 'b'", "SELECT 'b'::u"),
    ("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", "SELECT 'fine'::mood"),
    ("ALTER TYPE mood RENAME TO feeling", "ALTER TYPE feeling ADD VALUE 'b'", "SELECT 'b'::feeling"),
    (ADD, "ALTER TYPE mood RENAME TO feeling", "UPDATE p SET m = 'new'"),
    (ADD, "ALTER TABLE p RENAME COLUMN m TO feeling", "UPDATE p SET feeling = 'new'"),
    ("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok'", "SELECT 'ok'::mood"),
    ("SAVEPOINT a", ADD, "RELEASE a", "SELECT 'new'::mood"),
    ("DO $$ BEGIN ALTER TYPE mood ADD VALUE 'new'; END $$", "SELECT 'new'::mood"),
    (ADD, "COMMIT", "BEGIN", "UPDATE p SET m = 'new'"),
]


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with server_with_model(request.param, SETUP) as server:
        yield server


def test_what_is_reported_is_what_is_refused(server: Server) -> None:
    version = server.installation.major
    uses = [use.replace("MERGE_15", "MERGE") for use in AFTER_ADDING if version >= 15 or not use.startswith("MERGE_15")]
    found = {use: refused(server, (ADD, use), "model") for use in uses}
    assert sum(found.values()) > 40
    assert [use for use in uses if found[use] != reported((ADD, use), version)] == []


@pytest.mark.parametrize("sequence", SEQUENCES, ids="; ".join)
def test_types_that_the_transaction_itself_created_or_renamed(server: Server, sequence: tuple[str, ...]) -> None:
    if "COMMIT" not in sequence:
        assert refused(server, sequence, "model") == reported(sequence, server.installation.major)
        return
    server.create_database("copy", template="model")
    try:
        assert refused(server, sequence, "copy") == reported(sequence, server.installation.major)
    finally:
        server.drop_database("copy")


def refused(server: Server, sequence: tuple[str, ...], database: str) -> bool:
    with server.connect(database) as connection:
        connection.execute("BEGIN")
        try:
            for sql in sequence:
                connection.execute(sql.encode())
        except psycopg.errors.UnsafeNewEnumValueUsage:
            return True
        finally:
            connection.execute("ROLLBACK")
    return False


def reported(sequence: tuple[str, ...], version: int) -> bool:
    script = ";\n".join(("BEGIN", *sequence, "COMMIT;"))
    return bool(judge(as_history([migration(SETUP), migration(script)], version), Rulebook(RULE), version).findings)
