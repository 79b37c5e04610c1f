"""The scripts on real servers: what their lines say is what PostgreSQL does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migsafe.lock import LockMode
from migsafe.session import milliseconds, sent
from migsafe.sources import Transaction
from tests.session.script import REFUSED, SCRIPTS, expectation, half, state
from tests.session.test_settings import TIMES

psycopg = pytest.importorskip("psycopg")

OBSERVE = """
    SELECT (SELECT setting FROM pg_settings WHERE name = 'lock_timeout'),
        array_to_string(current_schemas(false), '|'),
        (SELECT nullif(setting, reset_val) FROM pg_settings WHERE name = 'TimeZone'),
        nullif(current_setting('role'), 'none'),
        (SELECT string_agg(mode, ' ') FROM pg_locks WHERE pid = pg_backend_pid() AND relation = to_regclass('public.t') AND granted)
"""
MODES = {mode.pg_locks: mode for mode in LockMode}


@pytest.fixture
def connection(server: str) -> Iterator[Any]:
    with psycopg.connect(server, autocommit=True) as found:
        found.execute('CREATE SCHEMA IF NOT EXISTS a; CREATE SCHEMA IF NOT EXISTS b; CREATE SCHEMA IF NOT EXISTS "A b"')
        found.execute("CREATE TABLE IF NOT EXISTS t (); CREATE TABLE IF NOT EXISTS u ()")
        yield found


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_lines_say_what_the_server_does(connection: Any, path: Path) -> None:
    migration = half(path)
    query: list[tuple[str, str, int]] = []
    found, expected = [], []
    if migration.transaction is Transaction.FILE:
        connection.execute("BEGIN")
    for statement, _, last in sent(migration):
        sql = migration.script.text[statement.span.start : statement.span.end]
        says = expectation(migration.script, statement.span.end)
        place = migration.script.position(statement.span.start).line
        query.append((sql, says, place))
        if last or migration.transaction is not Transaction.QUERY:
            for (_, said, line), seen in zip(query, observed(connection, [sql for sql, _, _ in query]), strict=True):
                # What stands between the statements of one query is seen from inside it, which is always a block.
                expected.append((line, said if line == place else said.removesuffix("block").removesuffix(", ")))
                found.append((line, seen))
            query.clear()
    assert found == expected


def observed(connection: Any, statements: list[str]) -> Iterator[str]:
    """What holds after each statement of one query."""
    *earlier, last = statements
    cursor = connection.cursor()
    try:
        cursor.execute(";".join([f"{sql};{OBSERVE}" for sql in earlier] + [last]))
    except psycopg.Error:
        yield from [""] * len(earlier)
        yield REFUSED
        return
    for _ in earlier:
        while cursor.description is None or len(cursor.description) != 5:
            assert cursor.nextset()
        yield seen(cursor.fetchone(), block=False)
        cursor.nextset()
    block = connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    yield seen(connection.execute(OBSERVE).fetchone(), block=block)


def seen(row: tuple[Any, ...], *, block: bool) -> str:
    timeout, path, zone, role, modes = row
    schemas = tuple(schema for schema in path.split("|") if schema and schema != "pg_catalog")
    lock = max((MODES[mode] for mode in modes.split()), default=None) if modes else None
    return state(int(timeout), schemas, zone, role, block, lock)


def test_times_are_read_as_the_server_reads_them(connection: Any) -> None:
    def taken(value: str) -> int | None:
        try:
            connection.execute("SELECT set_config('lock_timeout', %s, false)", (value,))
        except psycopg.Error:
            return None
        [(found,)] = connection.execute("SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'").fetchall()
        return int(found)

    assert {value: taken(value) for value in TIMES} == {value: milliseconds(value) for value in TIMES}
