"""The scripts on real servers, which must have the states that the lines expect."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from migsafe.lock import LockMode
from migsafe.replaying.servers.server import Server
from migsafe.session import Session, milliseconds, sent_statements
from migsafe.sources import Transaction
from migsafe.sql.operations import LockTable
from migsafe.sql.statements import read
from tests.session.script import REFUSED, SCRIPTS, describe_session, describe_state, expectation, read_half
from tests.session.test_settings import DURATIONS

pytestmark = pytest.mark.server

OBSERVE = """
    SELECT (SELECT setting FROM pg_settings WHERE name = 'lock_timeout'),
        array_to_string(current_schemas(false), '|'),
        (SELECT nullif(setting, reset_val) FROM pg_settings WHERE name = 'TimeZone'),
        nullif(current_setting('role'), 'none'),
        (SELECT string_agg(mode, ' ') FROM pg_locks WHERE pid = pg_backend_pid() AND relation = to_regclass('public.t') AND granted)
"""
MODES = {mode.pg_locks: mode for mode in LockMode}


STATEMENTS = [
    *("BEGIN", "COMMIT", "ROLLBACK", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN"),
    *("SAVEPOINT one", "SAVEPOINT two", "ROLLBACK TO one", "ROLLBACK TO two", "RELEASE one", "RELEASE two"),
    *("SET lock_timeout = 1", "SET LOCAL lock_timeout = 2", "SET lock_timeout TO DEFAULT", "SET LOCAL lock_timeout TO DEFAULT"),
    *("RESET lock_timeout", "RESET ALL", "DISCARD ALL", "SET search_path TO a, public", "SET LOCAL search_path TO b", "RESET search_path"),
    *("SELECT set_config('lock_timeout', '3', true)", "SELECT set_config('lock_timeout', '4', false)", "SET ROLE pg_monitor", "RESET ROLE"),
    *("LOCK TABLE public.t IN SHARE MODE", "LOCK TABLE public.t IN ACCESS SHARE MODE", "LOCK TABLE public.t"),
    *("DO $$ BEGIN SET LOCAL lock_timeout = 5; SET search_path TO b; END $$", "DO $$ BEGIN SET lock_timeout = 6; COMMIT; END $$"),
    *("DO $$ BEGIN SET lock_timeout = 7; ROLLBACK; SET LOCAL search_path TO a; COMMIT; END $$", "SELECT 1"),
]


@pytest.fixture(scope="module")
def database(server: Server) -> Server:
    """A server with the objects that the scripts use."""
    with server.connect() as connection:
        for schema in ("a", "b", '"A b"'):
            connection.execute(f"CREATE SCHEMA {schema}; GRANT USAGE ON SCHEMA {schema} TO PUBLIC")
        connection.execute("CREATE TABLE t (); GRANT ALL ON TABLE t TO PUBLIC")
    return server


@pytest.fixture
def connection(database: Server) -> Iterator[Any]:
    with database.connect() as connection:
        yield connection


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_server_has_the_expected_states(connection: Any, path: Path) -> None:
    migration = read_half(path)
    query: list[tuple[str, str, int]] = []
    observed_states, expected_states = [], []
    if migration.transaction is Transaction.FILE:
        connection.execute("BEGIN")
    for statement, _, last in sent_statements(migration):
        sql = migration.script.text[statement.span.start : statement.span.end]
        expected_state = expectation(migration.script, statement.span.end)
        first_line = migration.script.position(statement.span.start).line
        query.append((sql, expected_state, first_line))
        if last or migration.transaction is not Transaction.QUERY:
            for (_, expected_of_statement, line), observed_state in zip(query, observed(connection, [sql for sql, _, _ in query]), strict=True):
                # The state between the statements of one query is read inside the query, which is always a block.
                expected_states.append(
                    (line, expected_of_statement if line == first_line else expected_of_statement.removesuffix("block").removesuffix(", "))
                )
                observed_states.append((line, observed_state))
            query.clear()
    assert observed_states == expected_states


def observed(connection: Any, statements: list[str]) -> Iterator[str]:
    """Returns the state after each statement of one query."""
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
        yield describe_row(cursor.fetchone(), block=False)
        cursor.nextset()
    block = connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    yield describe_row(connection.execute(OBSERVE).fetchone(), block=block)


def describe_row(row: tuple[Any, ...], *, block: bool) -> str:
    timeout, path, zone, role, modes = row
    schemas = tuple(schema for schema in path.split("|") if schema and schema != "pg_catalog")
    lock = max((MODES[mode] for mode in modes.split()), default=None) if modes else None
    return describe_state(int(timeout), schemas, zone, role, block, lock)


@hypothesis_settings(max_examples=60, deadline=None, derandomize=True)
@given(script=strategies.lists(strategies.sampled_from(STATEMENTS), max_size=30))
def test_any_script_has_the_same_state_as_on_the_server(database: Server, script: list[str]) -> None:
    session = Session(Transaction.STATEMENT)
    with database.connect() as connection:
        for sql in script:
            [statement] = read(sql)
            session.begin_statement(statement)
            refused = False
            for operation in statement.operations:
                refused = refused or session.refusal(operation) is not None
                if isinstance(operation, LockTable) and not refused:
                    session.record_lock("t", LockMode(operation.mode))
                session.apply(operation)
            session.end_statement()
            [observed_state] = observed(connection, [sql])
            assert observed_state == (REFUSED if refused else describe_session(session)), sql
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                break


def test_durations_are_parsed_as_on_the_server(connection: Any) -> None:
    def duration_on_server(value: str) -> int | None:
        try:
            connection.execute("SELECT set_config('lock_timeout', %s, false)", (value,))
        except psycopg.Error:
            return None
        [(milliseconds_on_server,)] = connection.execute("SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'").fetchall()
        return int(milliseconds_on_server)

    assert {value: duration_on_server(value) for value in DURATIONS} == {value: milliseconds(value) for value in DURATIONS}
