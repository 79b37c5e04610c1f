"""A private server, started from PostgreSQL's programs on this machine."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from migsafe import versions
from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.server import Server
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

OWNER = "owner"
"""The role that migrations run as: it owns the database, may make trusted extensions, and is no superuser."""


class PrivateHost:
    """A private server from `with` to the end of the block. `superuser` lets migrations do what they like."""

    def __init__(self, installation: Installation, *, superuser: bool = False) -> None:
        # What a temporary file took is said to the session that made it.
        self._server = Server(installation, {"log_temp_files": "0"})
        self._role = "postgres" if superuser else OWNER

    def __enter__(self) -> Self:
        self._server.__enter__()
        with self._server.connect() as connection:
            # Until 15, who may make roles may also make himself one that runs programs.
            may = " CREATEROLE" if self.major >= versions.CREATEROLE_IS_LIMITED else ""
            connection.execute(f"CREATE ROLE {OWNER} LOGIN{may}".encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.__exit__(kind, error, trace)

    @property
    def server(self) -> Server:
        """The server itself."""
        return self._server

    @property
    def title(self) -> str:
        """What it is, for people."""
        return f"PostgreSQL {self._server.installation.version}, a private server"

    @property
    def major(self) -> int:
        """Its major version."""
        return self._server.installation.major

    @property
    def only_database(self) -> str | None:
        """It has as many databases as are wanted."""
        return None

    @property
    def start_database(self) -> str | None:
        """It begins with an empty one."""
        return None

    def connect(self, database: str) -> "Connection[Any]":
        """Connect as the superuser."""
        return self._server.connect(database)

    def connect_as_migrator(self, database: str) -> "Connection[Any]":
        """Connect as the role that migrations run as; what the server says of temporary files comes as notices."""
        return self._server.connect(database, user=self._role, options="-c client_min_messages=log")

    def create_database(self, database: str, template: str | None = None) -> None:
        """Make a database, which the role that migrations run as owns."""
        # Copying files is the quicker way where it is not the only one.
        how = " STRATEGY file_copy" if self.major >= versions.CREATE_DATABASE_STRATEGY else ""
        self._execute(f"CREATE DATABASE {Name(database)} OWNER {self._role} TEMPLATE {Name(template or 'template0')}{how}")

    def drop_database(self, database: str) -> None:
        """Drop a database, and whoever is connected to it."""
        self._server.drop_database(database)

    def create_role(self, name: str) -> bool:
        """Make a role; all of this server's are ours."""
        self._execute(f"CREATE ROLE {Name(name)}; GRANT {Name(name)} TO {self._role}")
        return True

    def _execute(self, sql: str) -> None:
        with self._server.connect() as connection:
            connection.execute(sql.encode())
