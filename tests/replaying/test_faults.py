"""Faults of a migration, the machine or the user during a replay: they are reported, no process remains, and nothing of the user's is
changed."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from migsafe.replaying.budgets import Budgets
from migsafe.replaying.findings import findings_of
from migsafe.replaying.servers import work_folders
from migsafe.replaying.servers.existing import ExistingHost
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.server import Server
from tests.support.processes import data_folders, within
from tests.support.replays import FinishedReplay, replay_files
from tests.support.servers import any_installation

pytestmark = pytest.mark.server

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, note text);\n"
FOREVER = "SELECT pg_sleep(600);"


def failure_of(done: FinishedReplay) -> str:
    """Returns the message of the failed statement."""
    assert done.problems == []
    assert done.recording.failure is not None
    return done.recording.failure.message


def run(host: PrivateHost, folder: Path, text: str, **options: object) -> FinishedReplay:
    return replay_files(host, folder, {"0001.sql": ORDERS, "0002.sql": text}, only="0002.sql", rows=None, **options)


@pytest.mark.parametrize(
    "text",
    [
        "COPY orders (note) FROM PROGRAM 'echo run';",
        "COPY orders (note) FROM '/etc/passwd';",
        "COPY orders TO '/tmp/orders.txt';",
        "SELECT pg_read_file('/etc/passwd');",
        "SELECT lo_import('/etc/passwd');",
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc', 'getpid';",
        "SET ROLE postgres;",
        "RESET ROLE; SET SESSION AUTHORIZATION postgres;",
        "SET ROLE NONE; COPY orders (note) FROM PROGRAM 'echo run';",
        "ALTER ROLE CURRENT_USER SUPERUSER;",
        "GRANT pg_execute_server_program TO CURRENT_USER;",
        "ALTER SYSTEM SET archive_command = 'rm -rf /';",
        "DROP DATABASE template1;",
        "DROP OWNED BY postgres;",
    ],
)
def test_a_migration_cannot_do_more_than_an_owner(host: PrivateHost, tmp_path: Path, text: str) -> None:
    done = run(host, tmp_path, text)
    assert done.recording.failure is not None
    assert done.recording.failure.sqlstate == "42501"  # insufficient_privilege


def test_a_migration_that_drops_its_database_or_its_role(host: PrivateHost, tmp_path: Path) -> None:
    drop = "DO $$ BEGIN EXECUTE format('DROP DATABASE %I', current_database()); END $$;"
    assert "DROP DATABASE cannot" in failure_of(run(host, tmp_path, drop))
    assert "cannot be dropped" in failure_of(run(host, tmp_path, "DROP ROLE owner;")) or host.major < 16
    assert run(host, tmp_path, "SELECT 1;").recording.failure is None


def test_superuser_permits_what_an_owner_cannot_do(tmp_path: Path) -> None:
    with PrivateHost(any_installation(), superuser=True) as host:
        done = run(host, tmp_path, "COPY orders (id) FROM PROGRAM 'echo 1'; SET ROLE postgres;")
        assert done.recording.failure is None


def test_a_statement_that_takes_too_long_is_stopped(host: PrivateHost, tmp_path: Path) -> None:
    done = run(host, tmp_path, f"SET statement_timeout = 0; {FOREVER} SELECT 1;", statement_limit=0.3)
    assert failure_of(done) == "stopped after 0.3 s, the time limit of a statement"
    assert len(done.statements) == 2
    assert done.statements[-1].duration_ms < 60_000


def test_a_block_that_catches_the_cancel_is_terminated(host: PrivateHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migsafe.replaying.servers.time_limits._GRACE", 0.2)
    stubborn = "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;"
    done = run(host, tmp_path, stubborn, statement_limit=0.2)
    assert failure_of(done) == "stopped after 0.2 s, the time limit of a statement"
    assert run(host, tmp_path, "SELECT 1;").recording.failure is None


def test_an_experiment_that_takes_much_longer_than_the_migration_is_not_finished(
    host: PrivateHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migsafe.replaying.running._EXPERIMENT_SECONDS", 0.5)
    monkeypatch.setattr("migsafe.replaying.running._TIMES_LONGER", 0)
    again = "DO $$ BEGIN IF to_regclass('a') IS NOT NULL THEN PERFORM pg_sleep(600); END IF; END $$;\nCREATE TABLE IF NOT EXISTS a (id int);"
    files = {"1_a.up.sql": again, "1_a.down.sql": f"\n{FOREVER}"}
    done = replay_files(host, tmp_path, files, "rerun", "round trip", rows=None)
    assert (done.problems, done.recording.failure) == ([], None)
    assert [(outcome.passed, outcome.summary) for outcome in done.replayed[0].outcomes] == [
        (None, "not finished: line 1 was stopped after 0.5 s"),
        (None, "not finished: line 2 of the downgrade was stopped after 0.5 s"),
    ]


def test_a_statement_of_the_history_is_stopped_too(host: PrivateHost, tmp_path: Path) -> None:
    done = replay_files(host, tmp_path, {"0001.sql": FOREVER, "0002.sql": "SELECT 1;"}, only="0002.sql", statement_limit=0.2)
    assert done.replayed == []
    assert "stopped after 0.2 s" in done.problems[0]


def test_a_replay_that_takes_too_long_is_stopped(host: PrivateHost, tmp_path: Path) -> None:
    done = run(host, tmp_path, f"SELECT 1; {FOREVER}", run_limit=1.0)
    assert failure_of(done) == "stopped: the whole replay has reached its time limit of 1 s"
    files = {"0001.sql": ORDERS, "0002.sql": "SELECT pg_sleep(0.6);", "0003.sql": "SELECT pg_sleep(0.6);", "0004.sql": "SELECT 1;"}
    done = replay_files(host, tmp_path, files, run_limit=0.9)
    assert len(done.replayed) < 4
    assert all("limit" in problem for problem in done.problems)


def test_psql_commands_are_reported_as_skipped(host: PrivateHost, tmp_path: Path) -> None:
    done = run(host, tmp_path, "\\connect elsewhere\nALTER TABLE orders ADD a int;\n\\i other.sql\n")
    assert done.recording.failure is None
    assert [statement.skip_reason for statement in done.statements if statement.skip_reason] == [
        "\\connect is a psql command",
        "\\i is a psql command",
    ]


def test_a_server_that_is_killed_during_a_replay(tmp_path: Path) -> None:
    with PrivateHost(any_installation()) as host:
        folder = host.server.folder
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        killer = threading.Thread(target=lambda: within(60, lambda: is_sleeping(folder)) and os.kill(pid, signal.SIGKILL))
        killer.start()
        # A backend notices that its server has ended only when it next checks for it.
        done = run(host, tmp_path, "DO $$ BEGIN LOOP PERFORM pg_sleep(0.05); END LOOP; END $$;", statement_limit=5)
        killer.join()
        assert done.problems or done.recording.failure is not None
    assert not folder.exists()


def test_what_was_measured_before_a_server_of_the_user_ends_is_reported(tmp_path: Path) -> None:
    sleeps_again = "DO $$ BEGIN IF to_regclass('a') IS NOT NULL THEN PERFORM pg_sleep(600); END IF; END $$; CREATE TABLE a (id int);"
    with Server(any_installation()) as server:
        pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
        # An immediate shutdown, during an experiment.
        killer = threading.Thread(target=lambda: within(60, lambda: is_sleeping(server.folder)) and os.kill(pid, signal.SIGQUIT))
        killer.start()
        with ExistingHost(f"host={server.folder} port=5432 user=postgres dbname=postgres") as host:
            done = replay_files(host, tmp_path, {"0001.sql": ORDERS, "0002.sql": sleeps_again, "0003.sql": "SELECT 1;"}, "rerun")
        killer.join()
        assert [each.migration.id for each in done.replayed] == ["0001"]
        assert (len(done.problems), done.run.not_run[-1]) == (1, f"{tmp_path}/0003.sql")
        assert "the next run does" in host.notes[0]


def test_a_full_disk(tmp_path: Path) -> None:
    # A limit on the file size of backends has the same effect as a full disk.
    with PrivateHost(any_installation()) as host, host.server.connect() as connection:
        connection.execute("ALTER SYSTEM SET temp_file_limit = '1MB'")
        connection.execute("SELECT pg_reload_conf()")
        done = run(host, tmp_path, "CREATE TABLE s AS SELECT n FROM generate_series(1, 1000000) AS n ORDER BY n DESC;")
        assert "temp_file_limit" in failure_of(done)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_small_disk_for_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=0755", "migsafe", str(disk)], check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        for folder in (tmp_path, *tmp_path.parents):
            if not folder.stat().st_mode & 0o001:
                pytest.skip("the server's account cannot come here")
        monkeypatch.setattr(work_folders, "_MEMORY", disk)
        monkeypatch.setattr(work_folders, "_ENOUGH", 1)
        monkeypatch.setattr(work_folders, "_folders_by_process", [])
        with PrivateHost(any_installation()) as host:
            assert host.server.folder.is_relative_to(disk)
            done = run(host, tmp_path, "CREATE TABLE large AS SELECT repeat(md5(n::text), 60) FROM generate_series(1, 300000) AS n;")
            assert (
                done.problems or "No space left on device" in failure_of(done) or "PANIC" in failure_of(done) or "terminat" in failure_of(done)
            )
        work_folders._folders_by_process[-1].clear()
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def test_a_path_that_is_too_long_for_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(work_folders, "_MEMORY", long)
    monkeypatch.setattr(work_folders, "_ENOUGH", 1)
    monkeypatch.setattr(work_folders.tempfile, "gettempdir", lambda: str(long))
    monkeypatch.setattr(work_folders, "_folders_by_process", [])
    with Server(any_installation()) as server, server.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert not server.folder.is_relative_to(long)
    work_folders._folders_by_process[-1].clear()


@pytest.mark.parametrize("error", ["USING ERRCODE = 'disk_full'", ": No space left on device'"], ids=["refused", "of the system"])
def test_a_full_disk_is_no_failure_of_the_migration(any_host: PrivateHost, tmp_path: Path, error: str) -> None:
    raises = f"RAISE EXCEPTION 'could not extend file'{error}" if error.startswith("USING") else f"RAISE EXCEPTION 'could not write{error}"
    done = run(any_host, tmp_path, f"DO $$ BEGIN {raises}; END $$;")
    [problem] = done.run.problems
    assert problem.message.startswith(f"{tmp_path}/0002.sql: could not ")
    assert "The server's disk is full" in problem.hint
    assert [finding.rule for finding in findings_of(done.replayed[-1], Budgets())] == []


@pytest.mark.process
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_migsafe_is_terminated_during_a_replay(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "0001.sql").write_text(FOREVER)
    process = started(tmp_path)
    folder, server, socket = its_server(process)
    assert within(60, lambda: is_sleeping(socket))
    process.send_signal(how)
    report, complaints = process.communicate(timeout=60)
    assert process.returncode == (130 if how is not signal.SIGKILL else -signal.SIGKILL)
    assert how is signal.SIGKILL or "Verdict: not passed: it was interrupted." in report
    assert within(60, lambda: not alive(server) and not folder.exists())
    assert "Traceback" not in complaints


@pytest.mark.process
def test_two_replays_at_once(tmp_path: Path) -> None:
    (tmp_path / "0001.sql").write_text(ORDERS)
    processes = [started(tmp_path) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs


def started(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "migsafe", "replay", "--rows", "0", "--pg-bin", str(any_installation().bindir), str(folder)]
    environment = {**os.environ, "PGHOST": "nowhere.invalid", "PGUSER": "nobody", "PGDATABASE": "none", "PGOPTIONS": "-c work_mem=wrong"}
    return subprocess.Popen(
        command,
        env=environment,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def its_server(process: "subprocess.Popen[str]") -> tuple[Path, int, Path]:
    """Waits until the server of a process is ready; returns the folder of its servers, the server's pid, and the folder of its socket."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        for data in data_folders(process.pid):
            return data.parents[1], int((data / "postmaster.pid").read_text().split()[0]), data.parent
        time.sleep(0.02)
    pytest.fail(f"no server came up: {process.stderr.read() if process.stderr else ''}")


def is_sleeping(socket: Path) -> bool:
    """Whether a migration on the server with this socket runs pg_sleep."""
    with psycopg.connect(host=str(socket), port=5432, user="postgres", dbname="postgres", autocommit=True) as connection:
        query = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid <> pg_backend_pid()"
        return connection.execute(query).fetchone() is not None


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
