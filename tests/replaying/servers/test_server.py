"""Servers start, answer queries, and leave nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import psycopg
import pytest

from migsafe.errors import MigsafeError
from migsafe.replaying.servers import cleanup
from migsafe.replaying.servers import installations as binaries
from migsafe.replaying.servers.account import Account, copy_installation, find_unprivileged_account
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.installations import Installation, find_installations, inspect_installation
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.server import Server
from migsafe.replaying.servers.start import Start
from migsafe.replaying.servers.work_folders import remove_leftovers
from tests.support.servers import any_installation, each_installation

pytestmark = pytest.mark.server


@pytest.mark.parametrize("installation", each_installation())
def test_a_server_runs_the_version_of_its_installation(installation: Installation) -> None:
    with Server(installation) as server, server.connect() as connection:
        number = connection.info.server_version
        settings = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
        collation = connection.execute("SELECT datcollate, pg_encoding_to_char(encoding) FROM pg_database").fetchall()
    assert number // 10_000 == installation.major
    assert settings["listen_addresses"] == ""
    assert settings["wal_level"] == "replica"
    assert settings["autovacuum"] == settings["fsync"] == settings["jit"] == "off"
    assert settings["max_parallel_workers_per_gather"] == "0"
    assert settings["TimeZone"] == "UTC"
    assert set(collation) == {("C", "UTF8")}


def test_databases_are_copied_and_dropped() -> None:
    with Server(any_installation()) as server:
        server.create_database("shop")
        with server.connect("shop") as connection:
            connection.execute("CREATE TABLE orders (id int)")
        server.create_database("Copy of shop", template="shop")
        with server.connect("Copy of shop") as connection:
            assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
            server.drop_database("Copy of shop")
        with pytest.raises(psycopg.OperationalError), server.connect("Copy of shop"):
            pass


def test_two_servers_at_once_are_independent() -> None:
    installation = any_installation()
    with Server(installation) as first, Server(installation) as second:
        first.create_database("shop")
        with second.connect() as connection:
            assert connection.execute("SELECT 1 FROM pg_database WHERE datname = 'shop'").fetchone() is None


def test_the_folder_of_a_live_run_is_not_taken_for_that_of_a_dead_one(tmp_path: Path) -> None:
    with Server(any_installation()) as server:
        dead = Path(tempfile.mkdtemp(prefix="migsafe.", dir=server.folder.parents[1]))
        remove_leftovers()
        assert not dead.exists()
        with server.connect() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_program_that_ignores_its_parent_s_death_is_found_by_the_file_that_it_inherited(tmp_path: Path) -> None:
    (tmp_path / cleanup.PROGRAMS_FILE).touch()
    descriptor = cleanup.lock(str(tmp_path / cleanup.PROGRAMS_FILE))
    assert descriptor is not None
    with Account(inherited=(descriptor,)).start(["sleep", "600"], tmp_path, subprocess.DEVNULL) as program:
        os.close(descriptor)
        assert cleanup.lock(str(tmp_path / cleanup.PROGRAMS_FILE)) is None
        assert cleanup.clean_up(str(tmp_path))
        assert program.wait(10) == -signal.SIGKILL
    assert not tmp_path.exists()


@pytest.mark.skipif(shutil.which("lsof") is None, reason="lsof is not installed")
def test_without_proc_the_programs_are_found_by_lsof(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with file.open() as opened, subprocess.Popen(["sleep", "600"], pass_fds=[opened.fileno()]) as program:
        assert list(cleanup._users_by_lsof(str(file))) == [(program.pid, "sleep")]
        program.kill()


def test_nothing_remains_after_the_block_even_after_an_error() -> None:
    server = Server(any_installation())
    with pytest.raises(KeyError):
        _fails_in(server, seen := [])
    [(folder, pid)] = seen
    assert not folder.exists()
    assert not _alive(pid)


def test_the_reason_of_a_failed_start_is_reported() -> None:
    server = Server(any_installation(), {"shared_buffers": "a lot"})
    with pytest.raises(MigsafeError) as raised, server:
        pass
    assert "did not start" in raised.value.message
    assert "shared_buffers" in raised.value.hint
    with pytest.raises(MigsafeError, match="not running"):
        _ = server.folder


WAITS = """
    import sys, time
    from pathlib import Path
    from migsafe.replaying.servers.installations import inspect_installation
    from migsafe.replaying.servers.server import Server

    with Server(inspect_installation(Path(sys.argv[1]))) as server:
        print(server.folder, flush=True)
        time.sleep(60)
"""


@pytest.mark.process
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_nothing_remains_after_the_process_is_terminated(how: signal.Signals) -> None:
    command = [sys.executable, "-c", dedent(WAITS), str(any_installation().bindir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        pid = _postmaster(folder)
        process.send_signal(how)
        process.wait(30)
    assert _within(30, lambda: not _alive(pid))
    assert _within(30, lambda: not folder.parent.exists())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run programs as another user")
def test_programs_in_an_inaccessible_folder_are_copied(tmp_path: Path) -> None:
    installation = any_installation()
    tmp_path.chmod(0o700)
    if installation.bindir.parents[1] == Path("/usr/lib/postgresql"):
        pytest.skip("programs of the system find their files by absolute paths")
    closed = copy_installation(installation.bindir, tmp_path)
    assert not find_unprivileged_account().can_run(closed / "postgres", Path("/"))
    with Server(inspect_installation(closed)) as server, server.connect() as connection:
        assert connection.info.server_version // 10_000 == installation.major


def test_the_embedded_extra_is_found_and_never_imported() -> None:
    found = [installation for installation in find_installations() if installation.embedded]
    if not found:
        pytest.skip("the extra `embedded` is not installed")
    assert binaries.EMBEDDED not in sys.modules


def test_folders_in_the_environment_variable_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = any_installation()
    link = tmp_path / "postgresql"
    link.symlink_to(installation.bindir)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(binaries, "_USUAL", ())
    monkeypatch.setattr(binaries, "embedded_bindirs", lambda: ())
    monkeypatch.setenv(binaries.BINDIRS, os.pathsep.join([str(tmp_path / "nowhere"), str(link)]))
    assert [installation.version for installation in find_installations()] == [installation.version]


def test_a_folder_without_postgresql_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MigsafeError, match="no PostgreSQL in this folder"):
        inspect_installation(tmp_path)


def test_programs_that_do_not_run_are_refused(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        shutil.copy("/bin/false", tmp_path / name)
    with pytest.raises(MigsafeError, match="does not run"):
        inspect_installation(tmp_path)


def _fails_in(server: Server, seen: list[tuple[Path, int]]) -> None:
    with server:
        seen.append((server.folder, _postmaster(server.folder)))
        raise KeyError


def _postmaster(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _within(seconds: float, true: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_a_server_that_starts_beside_the_command_stops_with_it() -> None:
    host = PrivateHost(any_installation())
    with Start(lambda: host) as start:
        start.begin()
        # The command ends here without having waited, for example because a file does not exist.
    assert start.host is host
    with pytest.raises(MigsafeError, match="not running"):
        _ = host.server.folder


def test_an_error_of_the_start_arrives_where_the_command_waits() -> None:
    def fail() -> Host:
        raise MigsafeError("there is no PostgreSQL on this machine")

    with Start(fail) as start:
        start.begin()
        with pytest.raises(MigsafeError, match="no PostgreSQL"):
            start.wait()
