"""`kill -9` at ten moments of a replay: at the latest after the next run no program runs, and no folder, slot, database or role is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.server import Server
from tests.support import servers
from tests.support.processes import Process, data_folders, descendants, within
from tests.support.servers import FOUND

pytestmark = [
    pytest.mark.server,
    pytest.mark.process,
    pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="finds processes in /proc"),
]

TABLE = "CREATE TABLE orders (id int PRIMARY KEY, note text);"
SLEEP = "SELECT pg_sleep(600);"
LOCKS_AND_SLEEPS = "BEGIN; LOCK TABLE orders; SELECT pg_sleep(600); COMMIT;"
QUERIES = "-- name: note_of\nSELECT note FROM orders WHERE id = :id;\n-- name: take_note!\nUPDATE orders SET note = :note WHERE id = :id;\n"
SLOW_CHECK = """
    CREATE FUNCTION slow(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN true; END $$;
    CREATE TABLE filled (id int CHECK (slow(id)));
"""
FILLS = "ALTER TABLE filled ADD note text;"
SLEEPS_AGAIN = """
    DO $$ BEGIN IF to_regclass('again') IS NOT NULL THEN PERFORM pg_sleep(600); END IF; END $$;
    CREATE TABLE IF NOT EXISTS again (id int);
"""
LEFT = """
    SELECT 'session ' || pid FROM pg_stat_activity
        WHERE (application_name ~ '^migsafe' OR backend_type = 'walsender') AND pid <> pg_backend_pid()
    UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
    UNION ALL SELECT datname FROM pg_database WHERE datname ~ '^migsafe'
    UNION ALL SELECT rolname FROM pg_roles WHERE rolname ~ '^migsafe'
"""
SESSION = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


class Moment(NamedTuple):
    """A moment at which a replay is killed: from where it starts, its history and its migration. `reached` is a program that runs then;
    without it, one of them sleeps. With `both`, the process that cleans up is killed, too. With `load`, sessions send and execute queries."""

    origin: str
    history: str = TABLE
    migration: str = SLEEP
    reached: str = ""
    both: bool = False
    load: bool = False


MOMENTS = {
    "local, initdb": Moment("local", reached="initdb"),
    "local, history": Moment("local", SLEEP),
    "local, seeding": Moment("local", SLOW_CHECK, FILLS),
    "local, migration": Moment("local", migration=LOCKS_AND_SLEEPS, both=True, load=True),
    "from, copy": Moment("from", reached="pg_basebackup"),
    "from, copy and cleaning": Moment("from", reached="pg_basebackup", both=True),
    "from, migration": Moment("from"),
    "server, seeding": Moment("server", SLOW_CHECK, FILLS),
    "server, migration": Moment("server", migration=LOCKS_AND_SLEEPS, load=True),
    "template, experiment": Moment("template", migration=SLEEPS_AGAIN),
}


def moments() -> list[pytest.param]:  # type: ignore[valid-type]
    """Each moment on one version, so that each origin is on two; with --all-servers, on each that has the programs."""
    copying = [installation for installation in FOUND if (installation.bindir / "pg_basebackup").exists()]
    if not copying:
        return [pytest.param(None, None, marks=pytest.mark.skip(reason="no pg_basebackup on this machine"))]
    return [
        pytest.param(moment, installation, id=f"{name}, {installation.major}")
        for number, (name, moment) in enumerate(MOMENTS.items())
        for installation in (FOUND if servers.all_servers else [(copying[0], copying[-1])[number % 2]])
        if moment.origin != "from" or installation in copying
    ]


@pytest.fixture(scope="module")
def start_source() -> Iterator[Callable[[Installation], Server]]:
    """Returns the running server of an installation, with a database to copy."""
    running: dict[Installation, Server] = {}
    with ExitStack() as stack:

        def start(installation: Installation) -> Server:
            if installation not in running:
                running[installation] = server = stack.enter_context(Server(installation, {"max_wal_senders": "4", "full_page_writes": "on"}))
                with server.connect() as connection:
                    connection.execute("CREATE DATABASE shop")
                with server.connect("shop") as connection:
                    connection.execute(f"{TABLE} INSERT INTO orders VALUES (1, 'of a customer')".encode())
            return running[installation]

        yield start


class Run:
    """`migsafe replay` as a process."""

    def __init__(self, folder: Path, moment: Moment, source: Server) -> None:
        self.source = source
        self.moment = moment
        self._folder = folder
        (folder / "0001.sql").write_text(moment.history)
        (folder / "0002.sql").write_text(moment.migration)
        (folder / "app").mkdir()
        (folder / "app" / "queries.sql").write_text(QUERIES)
        self._queries = ["--queries", str(folder / "app"), "--load", "3"] if moment.load else []
        # An empty cache: initdb runs.
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")} if moment.reached == "initdb" else dict(os.environ)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "migsafe",
                "replay",
                "--rows",
                "5",
                "--check",
                "rerun",
                *self._queries,
                *self._options(),
                str(folder / "0002.sql"),
            ],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _options(self) -> list[str]:
        dsn = f"host={self.source.folder} port=5432 user=postgres dbname="
        pg_bin = ["--pg-bin", str(self.source.installation.bindir)]
        match self.moment.origin:
            case "from":
                return ["--from", f"{dsn}shop", *pg_bin]
            case "server":
                return ["--server", f"{dsn}postgres"]
            case "template":
                return ["--server", f"{dsn}postgres", "--template", "shop"]
        return pg_bin

    def is_there(self) -> bool:
        """Whether the moment is reached."""
        if self._process.poll() is not None:
            pytest.fail(f"the replay has ended: {self._process.communicate()}")
        if self.moment.reached:
            return self.moment.reached in self._programs()
        if self.moment.origin in {"server", "template"}:
            return is_sleeping(self.source.folder)
        return any(is_sleeping(data.parent) for data in data_folders(self._process.pid))

    def kill(self) -> list[Process]:
        """Kills the run; returns the processes that it had started."""
        os.kill(self._process.pid, signal.SIGSTOP)  # so that it starts no other process meanwhile
        processes = descendants(self._process.pid)
        if self.moment.both:
            for process in processes:
                if cleans_up(process):
                    os.kill(process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.communicate(timeout=60)
        return processes

    def next_run(self) -> str:
        """Runs another replay, on the same server or locally; returns its notes."""
        for file in ("0001.sql", "0002.sql"):
            (self._folder / file).write_text("SELECT 1;")
        where = self._options() if self.moment.origin in {"server", "template"} else ["--pg-bin", str(self.source.installation.bindir)]
        command = [sys.executable, "-m", "migsafe", "replay", "--rows", "0", "--check", "none", *where, str(self._folder)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        return run.stderr

    def _programs(self) -> set[str]:
        return {Path(words[0]).name for process in descendants(self._process.pid) if (words := process.words)}


def is_sleeping(folder: Path) -> bool:
    """Whether a session of the server with this socket sleeps."""
    with psycopg.connect(host=str(folder), port=5432, user="postgres", dbname="postgres", autocommit=True) as connection:
        return connection.execute(SESSION).fetchone() is not None


def cleans_up(process: Process) -> bool:
    return any(word.endswith("/cleanup.py") for word in process.words)


def on_the_server(server: Server) -> list[tuple[str]]:
    """Returns what runs have left on a server: sessions, slots, databases, roles."""
    with server.connect() as connection:
        return connection.execute(LEFT).fetchall()


@pytest.mark.parametrize(("moment", "installation"), moments())
def test_nothing_is_left(moment: Moment, installation: Installation, start_source: Callable[[Installation], Server], tmp_path: Path) -> None:
    source = start_source(installation)
    run = Run(tmp_path, moment, source)
    assert within(60, run.is_there)
    processes = run.kill()
    folders = [Path(process.words[-1]) for process in processes if cleans_up(process)]
    if moment.both or moment.origin in {"server", "template"}:
        notes = run.next_run()
        assert ("removed from the server what a killed run had left behind: database migsafe_" in notes) == (not moment.both)
    assert within(30, lambda: not any(process.is_alive for process in processes))
    assert within(30, lambda: not any(folder.exists() for folder in folders))
    assert within(30, lambda: on_the_server(source) == [])
