"""A private server, started from an installation on this machine."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from migsafe import versions
from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.server import FOR_LOAD, Server
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

OWNER = "owner"
"""The role that migrations run as: it owns the database, can create trusted extensions, and is not a superuser."""

_PROTECT_SERVER = """
    SET allow_system_table_mods = on;
    UPDATE pg_authid SET rolsuper = true
    WHERE rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
"""
"""Before 16, a role with CREATEROLE can grant itself any role that is not a superuser (GRANT, manual of PostgreSQL 15), also those that run
programs and read files on the server. These roles cannot log in."""


class PrivateHost:
    """A private server that runs inside a `with` block. With `superuser`, migrations run as a superuser. `loaded` says that the
    sessions of --load will connect."""

    def __init__(self, installation: Installation, *, superuser: bool = False, loaded: bool = False) -> None:
        # The server reports the size of a temporary file to the session that created it.
        self._server = Server(installation, {"log_temp_files": "0", **(FOR_LOAD if loaded else {})})
        self._role = "postgres" if superuser else OWNER
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        self._server.__enter__()
        with self._server.connect() as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE".encode())
            if self.major < versions.CREATEROLE_IS_LIMITED:
                connection.execute(_PROTECT_SERVER.encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.__exit__(kind, error, trace)

    @property
    def server(self) -> Server:
        """The running server."""
        return self._server

    @property
    def title(self) -> str:
        """A description of the server, for reports."""
        return f"PostgreSQL {self._server.installation.version}, a private server"

    @property
    def origin(self) -> str:
        """Empty: the rows are generated."""
        return ""

    @property
    def major(self) -> int:
        """The server's major version."""
        return self._server.installation.major

    @property
    def only_database(self) -> str | None:
        """None: databases can be created."""
        return None

    @property
    def start_database(self) -> str | None:
        """None: a replay begins with an empty database."""
        return None

    def connect(self, database: str) -> "Connection[Any]":
        """Connects as the superuser."""
        return self._server.connect(database)

    def connect_as_migrator(self, database: str) -> "Connection[Any]":
        """Connects as the role that migrations run as; messages about temporary files arrive as notices."""
        return self._server.connect(database, user=self._role, options="-c client_min_messages=log")

    def create_database(self, database: str, template: str | None = None) -> None:
        """Creates a database that the role of the migrations owns."""
        # Since 15, copying files is not the only strategy; without fsync it is the faster one.
        strategy = " STRATEGY file_copy" if self.major >= versions.CREATE_DATABASE_STRATEGY else ""
        self._execute(f"CREATE DATABASE {Name(database)} OWNER {self._role} TEMPLATE {Name(template or 'template0')}{strategy}")

    def drop_database(self, database: str) -> None:
        """Drops a database and ends the sessions in it."""
        self._server.drop_database(database)

    def create_role(self, name: str) -> bool:
        """Creates a role; all roles of this server belong to migsafe."""
        self._execute(f"CREATE ROLE {Name(name)}; GRANT {Name(name)} TO {self._role}")
        return True

    def _execute(self, sql: str) -> None:
        with self._server.connect() as connection:
            connection.execute(sql.encode())
