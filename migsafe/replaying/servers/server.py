"""A disposable PostgreSQL server."""

import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from migsafe import versions
from migsafe.errors import MigsafeError
from migsafe.replaying.servers.clusters import create_cluster
from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.work_folders import work_folders
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    # No data outlives the server.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # With wal_level=minimal a rewrite writes almost no WAL, so the measurement would differ from production.
    "wal_level": "replica",
    # Background work would be measured together with the statement.
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
    # The counters of parallel workers arrive late, and JIT compilation does not affect locks.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "jit": "off",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",
    # The time to read pg_locks grows with the number of possible backends: the probe sessions of 30 tables take 60.
    "max_connections": "80",
    "max_wal_senders": "0",
    "autovacuum_max_workers": "1",
    # PostgreSQL 18 has as many slots for fast locks in each backend.
    "max_locks_per_transaction": "128",
    "max_prepared_transactions": "5",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_min_messages": "warning",
}
FOR_LOAD = {"max_connections": "130"}
"""The settings of a server to which the sessions of --load connect, up to 50."""
_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 20.0
_PAUSE = 0.01
_LAST_LINES = 10


class Server:
    """A private PostgreSQL server that runs inside a `with` block.

    It listens on a private socket only, runs as an unprivileged account, and its folder is removed when it stops. `settings` override the
    default settings. `data` fills the data directory; without it the server starts with a new cluster. Raises MigsafeError with the last
    lines of the server's log if the server does not start.
    """

    def __init__(
        self, installation: Installation, settings: Mapping[str, str] | None = None, data: Callable[[Path], None] | None = None
    ) -> None:
        self.installation = installation
        self._data = data
        self._settings = {**_SETTINGS, **(settings or {})}
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.installation.major

    @property
    def folder(self) -> Path:
        """The server's folder, with its socket, log and data."""
        if self._folder is None:
            raise MigsafeError("the server is not running")
        return self._folder

    def connect(
        self, database: str = "postgres", *, autocommit: bool = True, user: str = "postgres", options: str = ""
    ) -> "Connection[TupleRow]":
        """Connects, by default as the superuser. In autocommit, only BEGIN and COMMIT in the SQL open and end transactions."""
        import psycopg  # noqa: PLC0415  # start-up must not pay for it

        return psycopg.connect(
            host=str(self.folder),
            port=int(self._settings["port"]),
            user=user,
            dbname=database,
            autocommit=autocommit,
            client_encoding="utf8",
            application_name="migsafe",
            options=options,
            sslmode="disable",
            gssencmode="disable",
            # Never prepare statements: a cached plan takes fewer locks, so the measurement would miss some.
            prepare_threshold=None,
        )

    def create_database(self, name: str, template: str | None = None) -> None:
        """Creates a database, as a copy of `template` if it is given; no session may be connected to the template."""
        # Without fsync, copying files costs half of what logging every block costs.
        strategy = " STRATEGY file_copy" if self.major >= versions.CREATE_DATABASE_STRATEGY else ""
        self._execute(f"CREATE DATABASE {Name(name)} TEMPLATE {Name(template or 'template0')}{strategy}")

    def drop_database(self, name: str) -> None:
        """Drops a database and ends the sessions in it."""
        self._execute(f"DROP DATABASE IF EXISTS {Name(name)} WITH (FORCE)")

    def log(self) -> str:
        """Returns the last lines of the server's log."""
        try:
            with (self.folder / "log").open(encoding="utf-8", errors="replace") as log:
                return "".join(deque(log, _LAST_LINES)).strip()
        except OSError:
            return ""

    def stop(self) -> None:
        """Stops the server and removes its folder; does nothing if that has been done already."""
        if self._process is not None:
            _stop_process(self._process)
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _execute(self, sql: str) -> None:
        with self.connect() as connection:
            connection.execute(sql.encode())

    def _start(self) -> None:
        folders = work_folders()
        postgres = folders.runnable_programs(self.installation) / "postgres"
        self._folder = folders.new_server_folder()
        data = self._folder / "data"
        if self._data is not None:
            self._data(data)
        else:
            create_cluster(folders, self.installation, data)
        settings = {**self._settings, "unix_socket_directories": str(self._folder)}
        if self._data is not None:
            settings["hba_file"] = str(data / "migsafe_hba.conf")
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = folders.account.start([postgres, "-D", data, *options], self._folder, log.fileno())
        self._wait(self._process, data / "postmaster.pid")

    def _wait(self, process: "subprocess.Popen[bytes]", status: Path) -> None:
        """Waits until the server accepts connections, which the last line of its status file tells."""
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise MigsafeError(f"{self.installation} did not start", self.log())
            if status.exists() and status.read_text().endswith("ready   \n"):
                return
            time.sleep(_PAUSE)
        raise MigsafeError(f"{self.installation} did not start within {_START_TIMEOUT:.0f} seconds", self.log())


def _stop_process(process: "subprocess.Popen[bytes]") -> None:
    """Stops a server: fast shutdown, then immediate shutdown, then SIGKILL."""
    for stop_signal in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(stop_signal)
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            continue
