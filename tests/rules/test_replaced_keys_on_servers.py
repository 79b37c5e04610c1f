"""The safe way to change the type of a key keeps the key, the foreign keys and the sequence, on a server with rows."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migsafe.replaying.servers.server import Server
from migsafe.sql.statements import read
from tests.support.linted import NEXT_MIGRATION, judge_sql
from tests.support.servers import oldest_and_newest

TABLES = """
CREATE TABLE readers (id serial PRIMARY KEY, name text);
CREATE TABLE loans (id bigint PRIMARY KEY, reader integer REFERENCES readers ON DELETE CASCADE);
CREATE INDEX loans_reader_idx ON loans (reader);
"""
ROWS = """
INSERT INTO readers (name) SELECT n::text FROM generate_series(1, 100) AS n;
INSERT INTO loans SELECT n, n FROM generate_series(1, 100) AS n;
"""
LATER = "; before that, in one transaction:\n"


@pytest.fixture(params=oldest_and_newest())
def connection(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    with Server(request.param) as server, server.connect() as connection:
        connection.autocommit = True
        yield connection


@pytest.mark.server
def test_the_key_its_references_and_its_sequence_move_to_the_new_column(connection: psycopg.Connection[Any]) -> None:
    major = connection.info.server_version // 10000
    sql = f"{TABLES}-- next migration\nALTER TABLE readers ALTER COLUMN id TYPE bigint;"
    (finding,) = [each for each in judge_sql(sql, pg_version=major).findings if each.rule == "type-change-rewrites"]
    assert "ACCESS EXCLUSIVE on public.loans" in finding.message
    steps, _, later = finding.help.partition(LATER)
    for text in (TABLES, ROWS, *NEXT_MIGRATION.split(steps)):
        for statement in read(text):
            connection.execute(text[statement.span.start : statement.span.end].encode())
    for line in ("BEGIN", *(line.removeprefix("-- ") for line in later.splitlines()), "COMMIT"):
        connection.execute(line.encode())
    connection.execute("DROP TRIGGER readers_id_new_sync ON readers; ALTER TABLE loans DROP COLUMN reader; ALTER TABLE readers DROP COLUMN id")
    connection.execute("INSERT INTO readers (name) VALUES ('new')")
    keys = connection.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype IN ('p', 'f')").fetchall()
    assert ("PRIMARY KEY (id_new)",) in keys
    assert ("FOREIGN KEY (reader_new) REFERENCES readers(id_new) ON DELETE CASCADE",) in keys
    assert connection.execute("SELECT max(id_new) FROM readers").fetchone() == (101,)
    assert connection.execute("SELECT count(*) FROM loans JOIN readers ON readers.id_new = loans.reader_new").fetchone() == (100,)
    assert connection.execute("SELECT data_type::text FROM pg_sequences WHERE sequencename = 'readers_id_seq'").fetchone() == ("bigint",)
