"""The rule pending-trigger-events reports what servers refuse, and nothing that they accept."""

from collections.abc import Iterator

import psycopg
import pytest

from migsafe.linting.rulebook import shipped_rules
from migsafe.replaying.servers.server import Server
from tests.support.linted import judge_sql
from tests.support.servers import oldest_and_newest

pytestmark = pytest.mark.server

SCHEMA = """
CREATE TABLE depots (id bigint PRIMARY KEY, name text);
CREATE TABLE parcels (id bigint PRIMARY KEY, note text, depot_id bigint CONSTRAINT fkey REFERENCES depots DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE drivers (id bigint PRIMARY KEY, depot_id bigint REFERENCES depots ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE routes (id bigint PRIMARY KEY, parcel_id bigint REFERENCES parcels ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE scans (id bigint);
CREATE CONSTRAINT TRIGGER looks AFTER INSERT ON scans DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION look();
CREATE TABLE gates (id bigint, depot_id bigint REFERENCES depots DEFERRABLE);
CREATE INDEX parcels_note_idx ON parcels (note);
INSERT INTO depots VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO parcels VALUES (1, 'a', 1);
INSERT INTO gates VALUES (1, 1);
"""
INSERT = "INSERT INTO parcels VALUES (2, 'b', 2)"
REFUSED = [
    (INSERT, "ALTER TABLE parcels ADD COLUMN weight bigint"),
    (INSERT, "ALTER TABLE parcels ENABLE ROW LEVEL SECURITY"),
    (INSERT, "ALTER TABLE parcels DISABLE TRIGGER USER"),
    (INSERT, "ALTER TABLE parcels VALIDATE CONSTRAINT fkey"),
    (INSERT, "CREATE INDEX ON parcels (depot_id)"),
    (INSERT, "TRUNCATE parcels CASCADE"),
    (INSERT, "DROP TABLE parcels CASCADE"),
    (INSERT, "CLUSTER parcels USING parcels_pkey"),
    ("UPDATE parcels SET depot_id = 2 WHERE id = 1", "ALTER TABLE parcels ADD COLUMN weight bigint"),
    ("DELETE FROM depots WHERE id = 3", "ALTER TABLE depots ADD COLUMN weight bigint"),
    ("UPDATE depots SET id = 4 WHERE id = 3", "ALTER TABLE depots ADD COLUMN weight bigint"),
    ("INSERT INTO scans VALUES (1)", "ALTER TABLE scans ADD COLUMN weight bigint"),
    (
        "MERGE INTO parcels p USING depots d ON p.id = d.id WHEN NOT MATCHED THEN INSERT VALUES (d.id, 'x', d.id)",
        "ALTER TABLE parcels ADD COLUMN weight bigint",
    ),
    ("MERGE INTO depots d USING gates g ON d.id = g.id + 2 WHEN MATCHED THEN DELETE", "ALTER TABLE depots ADD COLUMN weight bigint"),
    ("SET CONSTRAINTS ALL DEFERRED; INSERT INTO gates VALUES (2, 2)", "ALTER TABLE gates ADD COLUMN weight bigint"),
    (
        "ALTER TABLE scans DISABLE TRIGGER looks; ALTER TABLE scans ENABLE TRIGGER looks; INSERT INTO scans VALUES (1)",
        "ALTER TABLE scans ADD COLUMN weight bigint",
    ),
    ("ALTER TABLE parcels DISABLE TRIGGER USER; " + INSERT, "ALTER TABLE parcels ADD COLUMN weight bigint"),
    ("INSERT INTO scans VALUES (1); SET session_replication_role = replica", "ALTER TABLE scans ADD COLUMN weight bigint"),
]
ACCEPTED = [
    (INSERT, "ALTER TABLE parcels RENAME COLUMN note TO remark"),
    (INSERT, "ALTER TABLE parcels RENAME CONSTRAINT fkey TO parcels_depot_fkey"),
    (INSERT, "ALTER TABLE parcels RENAME TO boxes"),
    (INSERT, "DROP INDEX parcels_note_idx"),
    (INSERT, "CREATE POLICY own ON parcels USING (true)"),
    (INSERT, "CREATE TRIGGER looks AFTER INSERT ON parcels FOR EACH ROW EXECUTE FUNCTION look()"),
    (INSERT, "ALTER TABLE depots ADD COLUMN weight bigint"),
    (INSERT + "; SET CONSTRAINTS ALL IMMEDIATE", "ALTER TABLE parcels ADD COLUMN weight bigint"),
    (INSERT + "; SET CONSTRAINTS fkey IMMEDIATE", "ALTER TABLE parcels ADD COLUMN weight bigint"),
    ("SAVEPOINT a; " + INSERT + "; ROLLBACK TO a", "ALTER TABLE parcels ADD COLUMN weight bigint"),
    (INSERT + "; COMMIT; BEGIN", "ALTER TABLE parcels ADD COLUMN weight bigint"),
    ("UPDATE parcels SET note = 'c' WHERE id = 1", "ALTER TABLE parcels ADD COLUMN weight bigint"),
    ("UPDATE depots SET name = 'c' WHERE id = 3", "ALTER TABLE depots ADD COLUMN weight bigint"),
    ("DELETE FROM parcels WHERE id = 1", "ALTER TABLE parcels ADD COLUMN weight bigint"),
    ("MERGE INTO scans s USING depots d ON s.id = d.id WHEN MATCHED THEN DELETE", "ALTER TABLE scans ADD COLUMN weight bigint"),
    ("DELETE FROM scans", "ALTER TABLE scans ADD COLUMN weight bigint"),
    ("INSERT INTO gates VALUES (2, 2)", "ALTER TABLE gates ADD COLUMN weight bigint"),
    ("ALTER TABLE scans DISABLE TRIGGER looks; INSERT INTO scans VALUES (1)", "ALTER TABLE scans ENABLE TRIGGER looks"),
    ("ALTER TABLE scans DISABLE TRIGGER USER; INSERT INTO scans VALUES (1)", "ALTER TABLE scans ADD COLUMN weight bigint"),
    ("ALTER TABLE scans ENABLE REPLICA TRIGGER looks; INSERT INTO scans VALUES (1)", "ALTER TABLE scans ADD COLUMN weight bigint"),
    ("ALTER TABLE parcels DISABLE TRIGGER ALL; " + INSERT, "ALTER TABLE parcels ADD COLUMN weight bigint"),
    ("SET session_replication_role = replica; " + INSERT, "ALTER TABLE parcels ADD COLUMN weight bigint"),
]


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        yield server


@pytest.mark.parametrize(("writes", "change"), [*REFUSED, *ACCEPTED])
def test_pending_events_are_reported_where_the_server_refuses(server: Server, writes: str, change: str) -> None:
    if "MERGE" in writes and server.installation.major < 15:
        pytest.skip("a newer syntax")
    message = None
    with server.connect() as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.execute(SCHEMA.encode())
        connection.execute("BEGIN")
        for command in (*writes.split("; "), change):
            try:
                connection.execute(command.encode())
            except psycopg.errors.ObjectInUse as error:
                message = error.diag.message_primary
        connection.execute("ROLLBACK")
    rules = [rule for rule in shipped_rules() if rule.name == "pending-trigger-events"]
    findings = judge_sql(f"{SCHEMA}-- next migration\nBEGIN; {writes}; {change}; COMMIT;", rules).findings
    assert (message is not None) == ((writes, change) in REFUSED)
    assert len(findings) == (message is not None)
    assert all(message is not None and message in finding.message for finding in findings)
