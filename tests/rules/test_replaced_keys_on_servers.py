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


# A type change with a row of the old column, and what each of two releases writes with what the other then reads.
SIDE_BY_SIDE = [
    ("integer NOT NULL DEFAULT 0", "bigint", "", ("7", "8"), ("7", "8")),
    ("boolean", "integer", "USING v::integer", ("true", "false"), ("1", "0")),
    ("integer", "boolean", "USING (v::boolean)", ("0", "1"), ("false", "true")),
    ("timestamp", "timestamptz(3)", "USING v AT TIME ZONE 'UTC'", ("2026-01-01 12:00:00", "2026-01-02 13:30:00"), None),
    ("text NOT NULL", "integer", "USING NULLIF(trim(v), '')::integer", ("12", "13"), ("12", "13")),
    ("text", "json", "USING v::json", ('{"a": 1}', "[]"), ('{"a": 1}', "[]")),
]


@pytest.mark.server
@pytest.mark.parametrize(("old", "new", "using", "olds", "news"), SIDE_BY_SIDE)
def test_old_and_new_releases_read_what_the_other_writes(
    connection: psycopg.Connection[Any], old: str, new: str, using: str, olds: tuple[str, str], news: tuple[str, str] | None
) -> None:
    news = news or (f"{olds[0]}+00", f"{olds[1]}+00")
    connection.execute("SET timezone = 'UTC'")
    table = f"CREATE TABLE parcels (id bigint PRIMARY KEY, v {old}, w text);"
    connection.execute(table.encode())
    connection.execute("INSERT INTO parcels (id, v) VALUES (1, %s), (2, %s)", olds)
    for statement in _statements(_safe_way(connection, f"{table}\n-- next migration\nALTER TABLE parcels ALTER COLUMN v TYPE {new} {using};")):
        connection.execute(statement)
    writes: list[tuple[str, tuple[str, ...]]] = [
        ("INSERT INTO parcels (id, v) VALUES (3, %s)", olds[:1]),
        ("INSERT INTO parcels (id, v_new) VALUES (4, %s)", news[:1]),
        ("INSERT INTO parcels (id, v, v_new) VALUES (5, %s, %s)", (olds[0], news[0])),
        ("UPDATE parcels SET v = %s WHERE id = 1", olds[1:]),
        ("UPDATE parcels SET v_new = %s WHERE id = 2", news[:1]),
        ("UPDATE parcels SET v = %s, v_new = %s WHERE id = 3", (olds[1], news[1])),
        ("UPDATE parcels SET w = 'seen'", ()),
    ]
    for sql, values in writes:
        connection.execute(sql.encode(), values)
    seen = connection.execute("SELECT id, v::text, v_new::text FROM parcels ORDER BY id").fetchall()
    expected = (1, 0, 1, 0, 0)
    assert seen == [(number, olds[at], news[at]) for number, at in enumerate(expected, 1)]


@pytest.mark.server
def test_without_a_conversion_back_the_new_column_keeps_what_the_new_release_writes(connection: psycopg.Connection[Any]) -> None:
    table = "CREATE TABLE parcels (id bigint PRIMARY KEY, v text, w text);"
    connection.execute(table.encode())
    help_ = _safe_way(connection, f"{table}\n-- next migration\nALTER TABLE parcels ALTER COLUMN v TYPE text[] USING string_to_array(v, ',');")
    assert "no conversion back is known" in help_
    for statement in _statements(help_):
        connection.execute(statement)
    connection.execute("INSERT INTO parcels (id, v) VALUES (1, 'a,b')")
    connection.execute("INSERT INTO parcels (id, v, v_new) VALUES (2, 'a', '{a}')")
    connection.execute("UPDATE parcels SET v_new = '{c}' WHERE id = 2")
    connection.execute("UPDATE parcels SET w = 'seen'")
    assert connection.execute("SELECT v_new FROM parcels ORDER BY id").fetchall() == [(["a", "b"],), (["c"],)]


def _safe_way(connection: psycopg.Connection[Any], sql: str) -> str:
    findings = judge_sql(sql, pg_version=connection.info.server_version // 10000).findings
    return next(each.help for each in findings if "_new_sync" in each.help)


def _statements(help_: str) -> Iterator[bytes]:
    for text in NEXT_MIGRATION.split(help_):
        for statement in read(text):
            yield text[statement.span.start : statement.span.end].encode()
