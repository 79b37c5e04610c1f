"""A server that somebody names as disposable: databases of our own on it, or, where that is said twice, the one that is named."""

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
"""Whoever works in the database under a role's name; what kind of backend it is only a superuser may see."""


class ExistingHost:
    """The server of a connection string, from `with` to the end of the block; its databases of ours are dropped then.

    `template` is a database of it to begin with a copy of. `in_place` is the name of the string's own database, typed out, to run in
    that one and make no other. Raises MigsafeError for a server that is in recovery, or refuses us.
    """

    def __init__(self, dsn: str, *, template: str | None = None, in_place: str | None = None, superuser: bool = False) -> None:
        self._dsn = dsn
        self._template = template
        self._in_place = in_place
        self._superuser = superuser
        self._run = f"{_PREFIX}{os.getpid()}_{secrets.token_hex(4)}_"
        self._made: dict[str, str] = {}
        self._role: str | None = None
        self._password = secrets.token_hex(16)
        self._keeper: Connection[Any] | None = None
        self._major = 0
        self._version = ""

    def __enter__(self) -> Self:
        # The name that this connection goes by says that the run is alive, to who clears what dead ones have left.
        self._keeper = keeper = _connected(self._dsn, application_name=_name_of(self._run))
        try:
            self._look(keeper)
            if self._in_place is None:
                self._clear(keeper)
            self._take_role(keeper)
        except BaseException:
            keeper.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name in list(self._made):
            with suppress(Exception):  # the server may be gone; the next run clears what is left
                self.drop_database(name)
        if self._keeper is not None:
            with suppress(Exception):
                if self._role is not None:
                    self._keeper.execute(f"DROP ROLE {self._role}".encode())
            self._keeper.close()

    @property
    def title(self) -> str:
        """What it is, for people."""
        assert self._keeper is not None
        info = self._keeper.info
        where = f"the database {info.dbname}" if self._in_place else "databases of our own"
        return f"PostgreSQL {self._version} at {info.host or 'a local socket'}, in {where}"

    @property
    def major(self) -> int:
        """Its major version."""
        return self._major

    @property
    def only_database(self) -> str | None:
        """The database that was typed out for --in-place."""
        return self._in_place

    @property
    def start_database(self) -> str | None:
        """The template."""
        return self._in_place or self._template

    def connect(self, database: str) -> "Connection[Any]":
        """Connect as the string says."""
        return _connected(self._dsn, dbname=self._made.get(database, database))

    def connect_as_migrator(self, database: str) -> "Connection[Any]":
        """Connect as the role that migrations run as: the string's own, or one of ours if that one is a superuser."""
        login = {"user": self._role, "password": self._password} if self._role is not None else {}
        return _connected(self._dsn, dbname=self._made.get(database, database), options="-c client_min_messages=log", **login)

    def create_database(self, database: str, template: str | None = None) -> None:
        """Make a database under a name that tells whose it is."""
        name = f"{self._run}{database}"
        copied = Name(self._made.get(template, template)) if template is not None else Name("template0")
        how = " STRATEGY file_copy" if self._major >= versions.CREATE_DATABASE_STRATEGY else ""
        owner = f" OWNER {Name(self._role)}" if self._role is not None else ""
        self._execute(f"CREATE DATABASE {Name(name)} TEMPLATE {copied}{how}{owner}")
        self._made[database] = name
        if self._role is not None and template is not None and template not in self._made:
            with self.connect(database) as connection:
                transfer_ownership(connection, self._role)

    def drop_database(self, database: str) -> None:
        """Drop a database that we have made, and no other."""
        name = self._made.pop(database, None)
        if name is not None:
            self._execute(f"DROP DATABASE IF EXISTS {Name(name)} WITH (FORCE)")

    def create_role(self, name: str) -> bool:
        """None: the server has others' roles, too."""
        return False

    def _look(self, keeper: "Connection[Any]") -> None:
        """What server it is, and whether we may."""
        [(number, version, recovering)] = keeper.execute(
            "SELECT pg_catalog.current_setting('server_version_num')::int, pg_catalog.current_setting('server_version'), "
            "pg_catalog.pg_is_in_recovery()"
        ).fetchall()
        self._major, self._version = number // 10_000, version.partition(" ")[0]
        if recovering:
            raise MigsafeError("the server is in recovery: nothing can be run on a standby", "`--from DSN` makes a copy of it to run on.")
        if self._in_place is None:
            return
        if self._in_place != keeper.info.dbname:
            raise ConfigError(
                f"--in-place {self._in_place}: the connection string names the database {keeper.info.dbname}",
                "Type out the name of the database that may be changed for good.",
            )
        if keeper.info.parameter_status("is_superuser") == "on" and not self._superuser:
            raise ConfigError(
                f"--in-place {self._in_place}: the connection string's role is a superuser, and could run programs on the server",
                "Name the database's owner instead, or say --superuser.",
            )
        [(others,)] = keeper.execute(_OTHERS).fetchall()
        if others:
            clients = "1 other client" if others == 1 else f"{others} other clients"
            raise MigsafeError(f"{clients} connected to {self._in_place}: it is in use", "--in-place is for a database that nobody uses.")

    def _clear(self, keeper: "Connection[Any]") -> None:
        """Drop what runs have left behind that are dead: whose connection is gone."""
        for (name,) in keeper.execute(_OURS).fetchall():
            if _is_dead(keeper, name):
                keeper.execute(f"DROP DATABASE IF EXISTS {Name(name)} WITH (FORCE)".encode())
        for (name,) in keeper.execute(_OUR_ROLES).fetchall():
            if _is_dead(keeper, name):
                with suppress(Exception):  # a role that somebody has put to use
                    keeper.execute(f"DROP ROLE IF EXISTS {Name(name)}".encode())

    def _take_role(self, keeper: "Connection[Any]") -> None:
        """A role of ours that is no superuser, where the string's own is one. It logs in by itself: from a session of a superuser's a
        migration could become one again."""
        if self._superuser or self._in_place or keeper.info.parameter_status("is_superuser") != "on":
            return
        role = f"{self._run}owner"
        may = " CREATEROLE" if self._major >= versions.CREATEROLE_IS_LIMITED else ""
        keeper.execute(f"CREATE ROLE {role} LOGIN{may} PASSWORD '{self._password}'".encode())
        self._role = role
        try:
            _connected(self._dsn, user=role, password=self._password).close()
        except MigsafeError as error:
            keeper.execute(f"DROP ROLE {role}".encode())
            raise MigsafeError(
                f"the connection string's role is a superuser, and the server lets no other role of ours in: {error.what}",
                "Name a role that is no superuser and may create databases, or say --superuser.",
            ) from error

    def _execute(self, sql: str) -> None:
        assert self._keeper is not None
        self._keeper.execute(sql.encode())


def _name_of(run: str) -> str:
    return f"migsafe {run.strip('_')}"


def _is_dead(keeper: "Connection[Any]", name: str) -> bool:
    """Whether a database or role is of a run that has gone. All who look may see what others' connections call themselves."""
    run = "_".join(name.split("_")[:3])
    return keeper.execute(_ALIVE, (_name_of(run),)).fetchone() is None


def _connected(dsn: str, **others: str) -> "Connection[Any]":
    import psycopg  # noqa: PLC0415  # start-up must not pay for it

    settings = {"application_name": "migsafe", "client_encoding": "utf8", **others}
    try:
        return psycopg.connect(dsn, autocommit=True, prepare_threshold=None, **settings)  # type: ignore[arg-type]
    except psycopg.Error as error:
        raise MigsafeError(f"cannot connect: {str(error).strip()}", "Check the connection string after --server.") from error
