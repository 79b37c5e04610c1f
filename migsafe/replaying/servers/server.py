"""A disposable PostgreSQL."""

import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

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
    # Nothing here outlives the server.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Under wal_level=minimal a rewrite writes almost no WAL: what is measured would not be what production does.
    "wal_level": "replica",
    # What runs by itself would be measured with the statement.
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
    # The counters of parallel workers come late, and compiling says nothing about locks.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "jit": "off",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "120",
    "max_locks_per_transaction": "512",
    "max_prepared_transactions": "5",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_min_messages": "warning",
}
_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 20.0
_PAUSE = 0.01
_LAST_LINES = 10


class Server:
    """A PostgreSQL server of our own, from `with` to the end of the block.

    It serves a private socket only, as an account without privileges, from a folder that is removed with it. `settings` go before the
    usual ones. `data` fills the folder of its files, where it does not begin as a new one. Raises MigsafeError, with the last of the
    server's log, if it does not start.
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
        """Its major version."""
        return self.installation.major

    @property
    def folder(self) -> Path:
        """The server's folder: its socket, its log, its data."""
        if self._folder is None:
            raise MigsafeError("the server is not running")
        return self._folder

    def connect(
        self, database: str = "postgres", *, autocommit: bool = True, user: str = "postgres", options: str = ""
    ) -> "Connection[TupleRow]":
        """Connect, as the superuser if nobody else is named. In autocommit, transactions are what the SQL says: BEGIN, COMMIT."""
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
            # A statement is sent as it stands, never prepared: a plan that is kept holds no locks, and would hide them.
            prepare_threshold=None,
        )

    def create_database(self, name: str, template: str | None = None) -> None:
        """Creates a database, as a copy of `template` if it is given; no session may be connected to the template."""
        # Without fsync, copying files costs half of what logging every block costs.
        strategy = " STRATEGY file_copy" if self.major >= 15 else ""
        self._execute(f"CREATE DATABASE {Name(name)} TEMPLATE {Name(template or 'template0')}{strategy}")

    def drop_database(self, name: str) -> None:
        """Drop a database, and whoever is connected to it."""
        self._execute(f"DROP DATABASE IF EXISTS {Name(name)} WITH (FORCE)")

    def log(self) -> str:
        """The last lines of what the server said."""
        try:
            with (self.folder / "log").open(encoding="utf-8", errors="replace") as log:
                return "".join(deque(log, _LAST_LINES)).strip()
        except OSError:
            return ""

    def stop(self) -> None:
        """Stop the server and remove its folder; nothing if that is done already."""
        if self._process is not None:
            _end(self._process)
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _execute(self, sql: str) -> None:
        with self.connect() as connection:
            connection.execute(sql.encode())

    def _start(self) -> None:
        place = work_folders()
        postgres = place.runnable_programs(self.installation) / "postgres"
        self._folder = place.new_server_folder()
        data = self._folder / "data"
        if self._data is not None:
            self._data(data)
        else:
            create_cluster(place, self.installation, data)
        settings = {**self._settings, "unix_socket_directories": str(self._folder)}
        if self._data is not None:
            settings["hba_file"] = str(data / "migsafe_hba.conf")
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = place.account.start([postgres, "-D", data, *options], self._folder, log.fileno())
        self._wait(self._process, data / "postmaster.pid")

    def _wait(self, process: "subprocess.Popen[bytes]", status: Path) -> None:
        """Wait until the server takes connections: the last line of its status file says so."""
        until = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < until:
            if process.poll() is not None:
                raise MigsafeError(f"{self.installation} did not start", self.log())
            if status.exists() and status.read_text().endswith("ready   \n"):
                return
            time.sleep(_PAUSE)
        raise MigsafeError(f"{self.installation} did not start within {_START_TIMEOUT:.0f} seconds", self.log())


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Stop a server: fast, then at once, then without asking."""
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            continue
