"""A physical copy of a server: pg_basebackup of a primary or a standby, started as a private server.

The source is only read. The copy is not a standby, archives nothing, does not listen on TCP, and asks for no password.
"""

import os
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
from migsafe.replaying.servers.server import Server
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


class PhysicalCopyHost:
    """A copy of the server of a connection string; it runs inside a `with` block. A replay begins with the connection string's database.

    Raises MigsafeError if the source cannot be read, or if no installation has its version.
    """

    def __init__(self, dsn: str, installations: "list[Installation]", *, superuser: bool = False) -> None:
        self._superuser = superuser
        self._dsn = dsn
        self._installations = installations
        self._server: Server | None = None
        self._database = ""
        self._admin = ""
        self._owner = ""
        self.notes: list[str] = []
        self._session_options = ""

    def __enter__(self) -> Self:
        installation = self._installation()
        settings = {**_SOURCE_ONLY, "log_temp_files": "0"}
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
        command: list[str | Path] = [program, "-d", self._dsn, "-D", folder, "-X", "stream", "-c", "fast", "--no-password"]
        folders = work_folders()
        try:
            # The source's password and certificates are in the user's environment and home. Without --slot, the replication slot is temporary:
            # the source drops it when the connection ends.
            folders.user.run(command, folder.parent, os.environ)
        except MigsafeError as error:
            raise MigsafeError(
                f"the copy failed: {error.hint}", "The role needs REPLICATION, and pg_hba.conf a line that allows replication connections."
            ) from error
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
