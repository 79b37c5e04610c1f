"""A server that the user calls disposable: migsafe creates databases on it, or, with --in-place, changes the database itself."""

import secrets
import time
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from migsafe import versions
from migsafe.errors import ConfigError, MigsafeError
from migsafe.replaying.refusals import error_class
from migsafe.replaying.servers.connections import connect_to_server
from migsafe.replaying.servers.creation_errors import creation_error
from migsafe.replaying.servers.database_settings import session_options
from migsafe.replaying.servers.object_ownership import transfer_ownership
from migsafe.replaying.servers.server_leftovers import drop_database, drop_role, new_run, removal, remove_leftovers, role_of, session_name
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_OPTION = "--server"
_OTHERS = """
    SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL
"""
"""The other sessions of roles in the database; only a superuser can see the type of a backend."""

_PAUSE, _MOST_PAUSES = 0.1, 10
"""Seconds: a session whose client has just closed it takes a moment to end."""

_KEEP_SESSION = "SET idle_session_timeout = 0"
"""The session that shows that the run is alive is idle during long statements."""

_END_WITH_CLIENT = "client_connection_check_interval=1000"
"""Ends a long statement when this process is killed. Some systems do not support it."""


class ExistingHost:
    """The server of a connection string, inside a `with` block; at its end the databases that migsafe created are dropped.

    `template` is a database of the server: the replay begins with a copy of it. `in_place` repeats the name of the connection string's
    database: the replay runs in that database and creates no other. Raises MigsafeError for a server that is in recovery or refuses the
    connection. `notes` tell the user what was removed or remains of this run and of killed runs.
    """

    def __init__(self, dsn: str, *, template: str | None = None, in_place: str | None = None, superuser: bool = False) -> None:
        self._dsn = dsn
        self._template = template
        self._in_place = in_place
        self._superuser = superuser
        self._run = new_run()
        self._created: dict[str, str] = {}
        self._role: str | None = None
        self._session_options = ""
        self._password = secrets.token_hex(16)
        self._keeper: Connection[Any] | None = None
        self._ends_with_client = False
        self._major = 0
        self._version = ""
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._keeper = keeper = self._connect_keeper()
            self._check_server(keeper)
            if self._in_place is None:
                self.notes += remove_leftovers(keeper)
            self._create_owner(keeper)
            if self._template is not None:
                self._session_options = session_options(keeper, self._template)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Drops what the run has created. What remains, for example because the server has stopped, is among the notes."""
        remaining = []
        for database, name in list(self._created.items()):
            try:
                self.drop_database(database)
            except (MigsafeError, error_class()):
                remaining.append(("DATABASE", name))
        if self._role is not None:
            try:
                drop_role(self._open_keeper(), self._role)
            except (MigsafeError, error_class()):
                remaining.append(("ROLE", self._role))
        if remaining:
            self.notes.append(f"this run could not remove what it has created on the server; the next run does{removal(remaining)}")
        if self._keeper is not None:
            self._keeper.close()

    @property
    def title(self) -> str:
        """A description of the server, for reports."""
        assert self._keeper is not None
        info = self._keeper.info
        where = f"the database {info.dbname}" if self._in_place else "databases that migsafe creates"
        return f"PostgreSQL {self._version} at {info.host or 'a local socket'}, in {where}"

    @property
    def origin(self) -> str:
        """The database that the rows come from."""
        if self._in_place:
            return f"those of the database {self._in_place}"
        return f"those of the template {self._template}" if self._template else ""

    @property
    def major(self) -> int:
        """The server's major version."""
        return self._major

    @property
    def only_database(self) -> str | None:
        """The database of --in-place."""
        return self._in_place

    @property
    def start_database(self) -> str | None:
        """The database of --in-place, or the template."""
        return self._in_place or self._template

    def connect(self, database: str) -> "Connection[Any]":
        """Connects as the connection string's role."""
        return connect_to_server(self._dsn, _OPTION, dbname=self._created.get(database, database), **self._options())

    def connect_as_migrator(self, database: str) -> "Connection[Any]":
        """Connects as the role that migrations run as: the connection string's, or one that migsafe created if that is a superuser."""
        login = {"user": self._role, "password": self._password} if self._role is not None else {}
        options = self._options(f"-c client_min_messages=log{self._session_options}")
        return connect_to_server(self._dsn, _OPTION, dbname=self._created.get(database, database), **options, **login)

    def create_database(self, database: str, template: str | None = None) -> None:
        """Creates a database whose name contains the name of the run. Raises MigsafeError."""
        name = f"{self._run}{database}"
        source = Name(self._created.get(template, template)) if template is not None else Name("template0")
        strategy = " STRATEGY file_copy" if self._major >= versions.CREATE_DATABASE_STRATEGY else ""
        owner = f" OWNER {Name(self._role)}" if self._role is not None else ""
        foreign = template is not None and template not in self._created
        self._created[database] = name  # before it exists, so that it is dropped if an interrupt comes in between
        keeper = self._open_keeper()
        try:
            keeper.execute(f"CREATE DATABASE {Name(name)} TEMPLATE {source}{strategy}{owner}".encode())
        except error_class() as error:
            if not keeper.closed:
                del self._created[database]
            raise creation_error(keeper, error, template) from error
        if self._role is not None and foreign:
            with self.connect(database) as connection:
                transfer_ownership(connection, self._role)

    def drop_database(self, database: str) -> None:
        """Drops a database that this run created, and no other. Raises psycopg.Error."""
        if database in self._created:
            drop_database(self._open_keeper(), self._created[database])
            del self._created[database]

    def create_role(self, name: str) -> bool:
        """Returns False: the server has roles that do not belong to migsafe."""
        return False

    def _check_server(self, keeper: "Connection[Any]") -> None:
        """Reads the version, and raises an error if the replay may not run here."""
        [(number, version, recovering, read_only)] = keeper.execute(
            "SELECT pg_catalog.current_setting('server_version_num')::int, pg_catalog.current_setting('server_version'), "
            "pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only')"
        ).fetchall()
        self._major, self._version = number // 10_000, version.partition(" ")[0]
        if recovering:
            raise MigsafeError("the server is a standby (in recovery) and cannot run migrations", "`--from DSN` runs them on a copy of it.")
        if read_only == "on":
            raise MigsafeError(
                "the server is read-only: default_transaction_read_only is on",
                "Turn it off for this role or in the connection string: options='-c default_transaction_read_only=off'. If the server is a "
                "read-only copy, `--from DSN` runs migrations on a copy of it.",
            )
        if self._in_place is None:
            return
        if self._in_place != keeper.info.dbname:
            raise ConfigError(
                f"--in-place {self._in_place}: the connection string names the database {keeper.info.dbname}",
                "Give the name of the database that may be changed permanently.",
            )
        if keeper.info.parameter_status("is_superuser") == "on" and not self._superuser:
            raise ConfigError(
                f"--in-place {self._in_place}: the connection string's role is a superuser and could run programs on the server",
                "Connect as the database's owner instead, or add --superuser.",
            )
        client_count = _other_sessions(keeper)
        if client_count:
            clients = "1 other client" if client_count == 1 else f"{client_count} other clients"
            raise MigsafeError(
                f"{clients} connected to {self._in_place}: the database is in use", "--in-place needs a database without other sessions."
            )

    def _create_owner(self, keeper: "Connection[Any]") -> None:
        """Creates a role that is not a superuser, if the connection string's role is one. It logs in itself: in a superuser's session, a
        migration could become superuser again with RESET ROLE."""
        if self._superuser or self._in_place or keeper.info.parameter_status("is_superuser") != "on":
            return
        role = role_of(self._run)
        createrole = " CREATEROLE" if self._major >= versions.CREATEROLE_IS_LIMITED else ""
        keeper.execute(f"CREATE ROLE {role} LOGIN{createrole} PASSWORD '{self._password}'".encode())
        self._role = role
        try:
            connect_to_server(self._dsn, _OPTION, user=role, password=self._password).close()
        except MigsafeError as error:
            raise MigsafeError(
                f"the connection string's role is a superuser, and the server does not let a new role log in: {error.message}",
                "Connect as a role that is not a superuser and may create databases, or add --superuser.",
            ) from error

    def _connect_keeper(self) -> "Connection[Any]":
        """Opens the session whose application name shows other runs, which remove what dead runs left behind, that this run is alive."""
        keeper = connect_to_server(self._dsn, _OPTION, application_name=session_name(self._run))
        with suppress(error_class()):
            keeper.execute(_KEEP_SESSION)
            keeper.execute(f"SET {_END_WITH_CLIENT}".encode())
            self._ends_with_client = True
        return keeper

    def _open_keeper(self) -> "Connection[Any]":
        """Returns that session; opens another one if the server has ended it."""
        if self._keeper is None or self._keeper.closed:
            self._keeper = self._connect_keeper()
        return self._keeper

    def _options(self, *options: str) -> dict[str, str]:
        words = [*options, *([f"-c {_END_WITH_CLIENT}"] if self._ends_with_client else [])]
        return {"options": " ".join(words)} if words else {}


def _other_sessions(keeper: "Connection[Any]") -> int:
    """Returns the number of the other sessions in the database that do not end within a second."""
    count = 0
    for pause in range(_MOST_PAUSES + 1):
        if pause:
            time.sleep(_PAUSE)
        [(count,)] = keeper.execute(_OTHERS).fetchall()
        if not count:
            break
    return count
