"""A server that the user calls disposable: migsafe creates databases on it, or, with --in-place, changes the database itself."""

import os
import secrets
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from migsafe import versions
from migsafe.errors import ConfigError, MigsafeError
from migsafe.replaying.servers.object_ownership import transfer_ownership
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_PREFIX = "migsafe_"
_OURS = "SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE 'migsafe\\_%'"
_OUR_ROLES = "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname LIKE 'migsafe\\_%\\_owner'"
_ALIVE = "SELECT FROM pg_catalog.pg_stat_activity WHERE application_name = %s"
_OTHERS = """
    SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL
"""
"""The other sessions of roles in the database; only a superuser can see the type of a backend."""


class ExistingHost:
    """The server of a connection string, inside a `with` block; at its end the databases that migsafe created are dropped.

    `template` is a database of the server: the replay begins with a copy of it. `in_place` repeats the name of the connection string's
    database: the replay runs in that database and creates no other. Raises MigsafeError for a server that is in recovery or refuses the
    connection.
    """

    def __init__(self, dsn: str, *, template: str | None = None, in_place: str | None = None, superuser: bool = False) -> None:
        self._dsn = dsn
        self._template = template
        self._in_place = in_place
        self._superuser = superuser
        self._run = f"{_PREFIX}{os.getpid()}_{secrets.token_hex(4)}_"
        self._created: dict[str, str] = {}
        self._role: str | None = None
        self._password = secrets.token_hex(16)
        self._keeper: Connection[Any] | None = None
        self._major = 0
        self._version = ""

    def __enter__(self) -> Self:
        # The application name shows other runs, which remove what dead runs left behind, that this run is alive.
        self._keeper = keeper = _connect(self._dsn, application_name=_name_of(self._run))
        try:
            self._check_server(keeper)
            if self._in_place is None:
                self._drop_leftovers(keeper)
            self._create_owner(keeper)
        except BaseException:
            keeper.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name in list(self._created):
            with suppress(Exception):  # the server may have stopped; the next run drops what is left
                self.drop_database(name)
        if self._keeper is not None:
            with suppress(Exception):
                if self._role is not None:
                    self._keeper.execute(f"DROP ROLE {self._role}".encode())
            self._keeper.close()

    @property
    def title(self) -> str:
        """A description of the server, for reports."""
        assert self._keeper is not None
        info = self._keeper.info
        where = f"the database {info.dbname}" if self._in_place else "databases of our own"
        return f"PostgreSQL {self._version} at {info.host or 'a local socket'}, in {where}"

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
        return _connect(self._dsn, dbname=self._created.get(database, database))

    def connect_as_migrator(self, database: str) -> "Connection[Any]":
        """Connects as the role that migrations run as: the connection string's, or one that migsafe created if that is a superuser."""
        login = {"user": self._role, "password": self._password} if self._role is not None else {}
        return _connect(self._dsn, dbname=self._created.get(database, database), options="-c client_min_messages=log", **login)

    def create_database(self, database: str, template: str | None = None) -> None:
        """Creates a database whose name contains the name of the run."""
        name = f"{self._run}{database}"
        source = Name(self._created.get(template, template)) if template is not None else Name("template0")
        strategy = " STRATEGY file_copy" if self._major >= versions.CREATE_DATABASE_STRATEGY else ""
        owner = f" OWNER {Name(self._role)}" if self._role is not None else ""
        self._execute(f"CREATE DATABASE {Name(name)} TEMPLATE {source}{strategy}{owner}")
        self._created[database] = name
        if self._role is not None and template is not None and template not in self._created:
            with self.connect(database) as connection:
                transfer_ownership(connection, self._role)

    def drop_database(self, database: str) -> None:
        """Drops a database that this run created, and no other."""
        name = self._created.pop(database, None)
        if name is not None:
            self._execute(f"DROP DATABASE IF EXISTS {Name(name)} WITH (FORCE)")

    def create_role(self, name: str) -> bool:
        """Returns False: the server has roles that do not belong to migsafe."""
        return False

    def _check_server(self, keeper: "Connection[Any]") -> None:
        """Reads the version, and raises an error if the replay may not run here."""
        [(number, version, recovering)] = keeper.execute(
            "SELECT pg_catalog.current_setting('server_version_num')::int, pg_catalog.current_setting('server_version'), "
            "pg_catalog.pg_is_in_recovery()"
        ).fetchall()
        self._major, self._version = number // 10_000, version.partition(" ")[0]
        if recovering:
            raise MigsafeError("the server is a standby (in recovery) and cannot run migrations", "`--from DSN` runs them on a copy of it.")
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
        [(client_count,)] = keeper.execute(_OTHERS).fetchall()
        if client_count:
            clients = "1 other client" if client_count == 1 else f"{client_count} other clients"
            raise MigsafeError(
                f"{clients} connected to {self._in_place}: the database is in use", "--in-place needs a database without other sessions."
            )

    def _drop_leftovers(self, keeper: "Connection[Any]") -> None:
        """Drops databases and roles of dead runs: those whose connection no longer exists."""
        for (name,) in keeper.execute(_OURS).fetchall():
            if _is_dead(keeper, name):
                keeper.execute(f"DROP DATABASE IF EXISTS {Name(name)} WITH (FORCE)".encode())
        for (name,) in keeper.execute(_OUR_ROLES).fetchall():
            if _is_dead(keeper, name):
                with suppress(Exception):  # other objects may depend on the role by now
                    keeper.execute(f"DROP ROLE IF EXISTS {Name(name)}".encode())

    def _create_owner(self, keeper: "Connection[Any]") -> None:
        """Creates a role that is not a superuser, if the connection string's role is one. It logs in itself: in a superuser's session, a
        migration could become superuser again with RESET ROLE."""
        if self._superuser or self._in_place or keeper.info.parameter_status("is_superuser") != "on":
            return
        role = f"{self._run}owner"
        createrole = " CREATEROLE" if self._major >= versions.CREATEROLE_IS_LIMITED else ""
        keeper.execute(f"CREATE ROLE {role} LOGIN{createrole} PASSWORD '{self._password}'".encode())
        self._role = role
        try:
            _connect(self._dsn, user=role, password=self._password).close()
        except MigsafeError as error:
            keeper.execute(f"DROP ROLE {role}".encode())
            raise MigsafeError(
                f"the connection string's role is a superuser, and the server does not let a new role log in: {error.message}",
                "Connect as a role that is not a superuser and may create databases, or add --superuser.",
            ) from error

    def _execute(self, sql: str) -> None:
        assert self._keeper is not None
        self._keeper.execute(sql.encode())


def _name_of(run: str) -> str:
    return f"migsafe {run.strip('_')}"


def _is_dead(keeper: "Connection[Any]", name: str) -> bool:
    """Whether a database or role belongs to a run that has ended. Every role can see the application names of other sessions."""
    run = "_".join(name.split("_")[:3])
    return keeper.execute(_ALIVE, (_name_of(run),)).fetchone() is None


def _connect(dsn: str, **overrides: str) -> "Connection[Any]":
    import psycopg  # noqa: PLC0415  # start-up must not pay for it

    settings = {"application_name": "migsafe", "client_encoding": "utf8", **overrides}
    try:
        return psycopg.connect(dsn, autocommit=True, prepare_threshold=None, **settings)  # type: ignore[arg-type]
    except psycopg.Error as error:
        raise MigsafeError(f"cannot connect: {str(error).strip()}", "Check the connection string after --server.") from error
