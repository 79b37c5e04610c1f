"""A physical copy of a server: pg_basebackup of a primary or a standby, started as a private server.

The source is only read. The copy is not a standby, archives nothing, does not listen on TCP, and asks for no password.
"""

import os
import re
import shutil
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from migsafe import versions
from migsafe.errors import MigsafeError
from migsafe.replaying.servers.connections import connect_to_server
from migsafe.replaying.servers.database_settings import session_options
from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.object_ownership import transfer_ownership
from migsafe.replaying.servers.server import FOR_LOAD, Server
from migsafe.replaying.servers.work_folders import work_folders
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_SOURCE_ONLY = {
    # What exists only on the source: its keys, its archive, its preloaded libraries.
    "ssl": "off",
    "archive_mode": "off",
    "archive_command": "",
    "restore_command": "",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "synchronous_standby_names": "",
    "shared_preload_libraries": "",
    "session_preload_libraries": "",
    "local_preload_libraries": "",
    "log_destination": "stderr",
    "event_source": "PostgreSQL",
    "external_pid_file": "",
    "huge_pages": "off",
}
_REMOVED = ("standby.signal", "recovery.signal", "postgresql.auto.conf")
_TRUSTED = "local all all trust\n"
_SUPERUSER = "SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid LIMIT 1"
_OWNER = "migsafe_owner"
_SIZE = """
    SELECT coalesce(
        pg_catalog.sum(pg_catalog.pg_database_size(oid) * CASE WHEN datname = pg_catalog.current_database() THEN 3 ELSE 1 END), 0
    )::bigint
    FROM pg_catalog.pg_database WHERE pg_catalog.has_database_privilege(oid, 'CONNECT')
"""
"""The bytes of the databases, with two copies of the replayed one for the experiments. Without CONNECT, a role may not ask for a size."""

_COPY_ADVICE = (
    ("max_wal_senders|replication slots are in use", "The copy needs two free connections of max_wal_senders and a free replication slot."),
    ("No space left on device", "Set TMPDIR to a folder with more room (and a short path), or use a thin clone: --server dblab:URL."),
    ("", "The role needs REPLICATION, and pg_hba.conf a line that allows replication connections."),
)
"""Advice for the messages of pg_basebackup."""


class PhysicalCopyHost:
    """A copy of the server of a connection string; it runs inside a `with` block. A replay begins with the connection string's database.
    `loaded` says that the sessions of --load will connect.

    Raises MigsafeError if the source cannot be read, or if no installation has its version.
    """

    def __init__(self, dsn: str, installations: "list[Installation]", *, superuser: bool = False, loaded: bool = False) -> None:
        self._superuser = superuser
        self._loaded = loaded
        self._dsn = dsn
        self._installations = installations
        self._server: Server | None = None
        self._database = ""
        self._admin = ""
        self._room = 0
        self._owner = ""
        self.notes: list[str] = []
        self._session_options = ""

    def __enter__(self) -> Self:
        installation = self._installation()
        work_folders(self._room)
        settings = {**_SOURCE_ONLY, "log_temp_files": "0", **(FOR_LOAD if self._loaded else {})}
        server = Server(installation, settings, data=lambda folder: self._copy(installation, folder))
        self._server = server.__enter__()
        try:
            self._create_owner()
        except BaseException:
            server.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._server is not None:
            self._server.__exit__(kind, error, trace)

    @property
    def title(self) -> str:
        """A description of the server, for reports."""
        return f"PostgreSQL {self._running.installation.version}, a physical copy of the server of {self._database}"

    @property
    def origin(self) -> str:
        """The server that the rows come from."""
        return f"a physical copy of the server of {self._database}"

    @property
    def major(self) -> int:
        """The server's major version."""
        return self._running.installation.major

    @property
    def only_database(self) -> str | None:
        """None: databases can be created."""
        return None

    @property
    def start_database(self) -> str | None:
        """The connection string's database."""
        return self._database

    def connect(self, database: str) -> "Connection[Any]":
        """Connects as the copy's superuser."""
        return self._running.connect(database, user=self._admin)

    def connect_as_migrator(self, database: str) -> "Connection[Any]":
        """Connects as a role that can do what the database's owner can do, and is not a superuser."""
        return self._running.connect(database, user=self._owner, options=f"-c client_min_messages=log{self._session_options}")

    def create_database(self, database: str, template: str | None = None) -> None:
        """Creates a database that the role of the migrations owns."""
        strategy = " STRATEGY file_copy" if self.major >= versions.CREATE_DATABASE_STRATEGY else ""
        self._execute(f"CREATE DATABASE {Name(database)} OWNER {Name(self._owner)} TEMPLATE {Name(template or 'template0')}{strategy}")

    def drop_database(self, database: str) -> None:
        """Drops a database of the copy."""
        self._execute(f"DROP DATABASE IF EXISTS {Name(database)} WITH (FORCE)")

    def create_role(self, name: str) -> bool:
        """Returns False: a role that the copy lacks does not exist on the source either."""
        return False

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise MigsafeError("the copy is not running")
        return self._server

    def _create_owner(self) -> None:
        """Creates the role of the migrations: it owns what superusers own in the copy, and is not a superuser."""
        self._owner = self._admin
        with self.connect(self._database) as connection:
            self._session_options = session_options(connection, self._database)
        if self._superuser:
            return
        self._execute(f"DROP ROLE IF EXISTS {_OWNER}")
        self._execute(f"CREATE ROLE {_OWNER} LOGIN{' CREATEROLE' if self.major >= versions.CREATEROLE_IS_LIMITED else ''}")
        with self.connect(self._database) as connection:
            transfer_ownership(connection, _OWNER)
        self._owner = _OWNER

    def _execute(self, sql: str) -> None:
        with self.connect("template1") as connection:
            connection.execute(sql.encode())

    def _installation(self) -> Installation:
        """The PostgreSQL that the copy needs: of the source's major version, with pg_basebackup."""
        with connect_to_server(self._dsn, "--from") as source:
            self._database = source.info.dbname
            major = source.info.server_version // 10_000
            [(self._admin,)] = source.execute(_SUPERUSER).fetchall()
            [(self._room,)] = source.execute(_SIZE).fetchall()
        for installation in self._installations:
            if installation.major == major and (installation.bindir / "pg_basebackup").exists():
                return installation
        raise MigsafeError(
            f"a copy of PostgreSQL {major} needs the programs of PostgreSQL {major} on this machine, including pg_basebackup",
            "Give their folder with --pg-bin.",
        )

    def _copy(self, installation: Installation, folder: Path) -> None:
        """Copies the source's files into a folder, so that the copy does not start as a standby."""
        program = installation.bindir / "pg_basebackup"
        dsn, environment = _without_password(self._dsn)
        command: list[str | Path] = [program, "-d", dsn, "-D", folder, "-X", "stream", "-c", "fast", "--no-password"]
        folders = work_folders()
        try:
            # The user's environment and home have certificates and passwords. Without --slot, the replication slot is temporary: the source
            # drops it when the connection ends.
            folders.user.run(command, folder.parent, environment)
        except MigsafeError as error:
            advice = next(advice for pattern, advice in _COPY_ADVICE if re.search(pattern, error.hint))
            raise MigsafeError(f"the copy failed: {error.hint}", advice) from error
        for name in _REMOVED:
            (folder / name).unlink(missing_ok=True)
        (folder / "postgresql.auto.conf").touch()
        (folder / "migsafe_hba.conf").write_text(_TRUSTED)
        for name in ("postgresql.conf", "pg_ident.conf"):
            # Some packages keep these files in another folder.
            (folder / name).touch()
        account = folders.account
        if account.uid is not None:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, account.uid, account.gid)


def _without_password(dsn: str) -> tuple[str, dict[str, str]]:
    """Returns a connection string without its password, and an environment with it: other users can see the arguments of a program."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo  # noqa: PLC0415  # start-up must not pay for it

    words = conninfo_to_dict(dsn)
    password = words.pop("password", None)
    return make_conninfo("", **words), {**os.environ, **({"PGPASSWORD": str(password)} if password is not None else {})}
