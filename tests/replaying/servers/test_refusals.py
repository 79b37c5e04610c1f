"""Servers that refuse a connection or a database, or go away: the message says why, and what to do."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from migsafe.errors import MigsafeError
from migsafe.replaying.servers.connections import connection_error
from migsafe.replaying.servers.existing import ExistingHost
from migsafe.replaying.servers.server import Server
from tests.support.processes import within
from tests.support.servers import oldest_and_newest

pytestmark = pytest.mark.server

SLEEPING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname ~ '^migsafe'"


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        rules = "local all secret scram-sha-256\nlocal all forbidden reject\nlocal all all trust\n"
        (server.folder / "data" / "pg_hba.conf").write_text(rules)
        with server.connect() as connection:
            connection.execute(
                "CREATE ROLE app LOGIN CREATEDB; CREATE ROLE poor LOGIN; CREATE ROLE secret LOGIN PASSWORD 'right'; "
                "CREATE ROLE forbidden LOGIN; CREATE ROLE few LOGIN CREATEDB CONNECTION LIMIT 0"
            )
            connection.execute("CREATE DATABASE shop OWNER app")
            connection.execute("SELECT pg_reload_conf()")
        yield server


def dsn(server: Server, user: str, database: str = "postgres", more: str = "") -> str:
    return f"host={server.folder} port=5432 user={user} dbname={database} {more}"


def error_of(host: ExistingHost, template: str | None = None) -> MigsafeError:
    """Returns the error of a host that is entered and creates a database."""
    with pytest.raises(MigsafeError) as raised, host:
        host.create_database("d", template)
    assert host.notes == []
    return raised.value


@pytest.mark.parametrize(
    ("user", "database", "more", "message", "advice"),
    [
        ("secret", "postgres", "password=wrong", "password authentication failed", "Check the user and the password"),
        ("secret", "postgres", "passfile=/nowhere", "no password supplied", "Check the user and the password"),
        ("forbidden", "postgres", "", "pg_hba.conf", "does not allow this user"),
        ("nobody", "postgres", "", 'role "nobody" does not exist', "Check the name of the user"),
        ("app", "none", "", 'database "none" does not exist', "Check the name of the database"),
        ("few", "postgres", "", 'too many connections for role "few"', "no free connection"),
        ("app", "postgres", "options='-c default_transaction_read_only=on'", "the server is read-only", "default_transaction_read_only=off"),
        ("poor", "postgres", "", "permission denied to create database", "needs CREATEDB"),
    ],
)
def test_a_server_that_refuses(server: Server, user: str, database: str, more: str, message: str, advice: str) -> None:
    error = error_of(ExistingHost(dsn(server, user, database, more)))
    assert message in error.message
    assert advice in error.hint


def test_messages_of_servers_that_are_not_there() -> None:
    for text, advice in (
        (
            'connection to server at "h" (::1), port 5432 failed: Connection refused\n\tIs the server running on that host?',
            "Check that the server",
        ),
        ("FATAL:  the database system is starting up", "is not ready"),
        ("FATAL:  the database system is shutting down", "is being stopped"),
        ("FATAL:  sorry, too many clients already", "no free connection"),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", "no free connection"),
        ("something else", "Check the connection string after --from."),
    ):
        assert advice in connection_error(text, "--from").hint
    assert connection_error("connection failed: refused\n\tIs the server running locally?", "--from").message == "cannot connect: refused"


def test_a_template_that_is_in_use(server: Server) -> None:
    with psycopg.connect(dsn(server, "app", "shop", "application_name=web"), autocommit=True) as session:
        pid = session.info.backend_pid
        session.execute("BEGIN")
        session.execute("CREATE TABLE prepared (id int)")
        session.execute("PREPARE TRANSACTION 'half'")
        session.execute("SELECT 1 AS   column_of_the_application")
        error = error_of(ExistingHost(dsn(server, "app"), template="shop"), "shop")
        session.execute("ROLLBACK PREPARED 'half'")
    assert "the template shop is in use: There are 1 other session(s) and 1 prepared transaction(s)" in error.message
    assert f"pid {pid}, user app, application web, idle for " in error.message
    assert "SELECT 1 AS column_of_the_application" in error.message
    assert f"pg_terminate_backend(pid) FROM unnest(ARRAY[{pid}])" in error.hint
    assert "pg_prepared_xacts" in error.hint


def test_a_template_of_another_owner_or_that_does_not_exist(server: Server) -> None:
    with server.connect() as connection:
        connection.execute("CREATE DATABASE theirs")
    error = error_of(ExistingHost(dsn(server, "app"), template="theirs"), "theirs")
    assert "permission denied to copy database" in error.message
    assert "as the owner of the template" in error.hint
    assert error_of(ExistingHost(dsn(server, "app"), template="none"), "none").message == "the server has no database none"


@pytest.mark.process
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP], ids=lambda how: how.name)
def test_a_signal_ends_a_replay_and_a_second_one_does_not_interrupt_the_removal(server: Server, tmp_path: Path, how: signal.Signals) -> None:
    with started(server, tmp_path) as process, server.connect() as admin:
        assert within(60, lambda: admin.execute(SLEEPING).fetchone())
        process.send_signal(how)
        process.send_signal(how)
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Traceback" not in complaints
        assert_nothing_is_left(admin)


@pytest.mark.process
def test_a_server_that_ends_the_sessions_of_a_replay(server: Server, tmp_path: Path) -> None:
    with started(server, tmp_path) as process, server.connect() as admin:
        assert within(60, lambda: admin.execute(SLEEPING).fetchone())
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^migsafe' AND pid <> pg_backend_pid()")
        report, complaints = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "the server ended the connection: terminating connection due to administrator command" in complaints
        assert "PostgreSQL rejects" not in report
        assert "internal error" not in complaints
        assert_nothing_is_left(admin)


@contextmanager
def started(server: Server, folder: Path) -> "Iterator[subprocess.Popen[str]]":
    """Starts a replay on a server, of a migration that sleeps."""
    (folder / "0001.sql").write_text("SELECT pg_sleep(600);")
    command = [sys.executable, "-m", "migsafe", "replay", "--rows", "0", "--server", dsn(server, "postgres"), str(folder)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
        start_new_session=True,
        preexec_fn=_heeds_signals,  # noqa: PLW1509  # it only sets a handler
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _heeds_signals() -> None:
    # Under nohup, or in the background of a script, the tests and what they start ignore these.
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def assert_nothing_is_left(admin: "psycopg.Connection[tuple[object, ...]]") -> None:
    query = "SELECT datname FROM pg_database WHERE datname ~ '^migsafe' UNION ALL SELECT rolname FROM pg_roles WHERE rolname ~ '^migsafe'"
    assert admin.execute(query).fetchall() == []
