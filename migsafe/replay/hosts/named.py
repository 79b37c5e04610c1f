"""A server that somebody names as disposable: databases of our own on it, or, where that is said twice, the one that is named."""

import os
import socket
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from migsafe.errors import ConfigError, MigsafeError
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_PREFIX = "migsafe_"
_OURS = "SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE 'migsafe\\_%'"
_KEY = "pg_catalog.hashtextextended('migsafe ' || %s, 0)"
_OWNER = """
    SELECT r.rolname, r.rolsuper FROM pg_catalog.pg_database AS d JOIN pg_catalog.pg_roles AS r ON r.oid = d.datdba WHERE d.datname = %s
"""
_OTHERS = """
    SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'
"""


class Named:
    """The server of a connection string, from `with` to the end of the block; its databases of ours are dropped then.

    `template` is a database of it to begin with a copy of. `in_place` is the name of the string's own database, typed out, to run in
    that one and make no other. Raises MigsafeError for a server that is in recovery, or refuses us.
    """

    def __init__(self, dsn: str, *, template: str | None = None, in_place: str | None = None, superuser: bool = False) -> None:
        self._dsn = dsn
        self._template = template
        self._in_place = in_place
        self._superuser = superuser
        self._run = f"{_PREFIX}{os.getpid()}_{abs(hash(socket.gethostname())) % 10_000}_"
        self._made: dict[str, str] = {}
        self._role: str | None = None
        self._own_role: str | None = None
        self._keeper: Connection[Any] | None = None
        self._major = 0
        self._version = ""

    def __enter__(self) -> Self:
        self._keeper = keeper = _connected(self._dsn)
        try:
            self._look(keeper)
            if self._in_place is None:
                self._clear(keeper)
                self._lock(keeper, self._run)
            self._take_role(keeper)
        except BaseException:
            keeper.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name in list(self._made):
            with suppress(Exception):  # the server may be gone; the next run clears what is left
                self.drop(name)
        if self._keeper is not None:
            with suppress(Exception):
                if self._own_role is not None:
                    self._keeper.execute(f"DROP OWNED BY {self._own_role}; DROP ROLE {self._own_role}".encode())
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
    def only(self) -> str | None:
        """The database that was typed out for --in-place."""
        return self._in_place

    @property
    def start(self) -> str | None:
        """The template."""
        return self._in_place or self._template

    def connect(self, database: str) -> "Connection[Any]":
        """Connect as the string says."""
        return _connected(self._dsn, dbname=self._made.get(database, database))

    def work(self, database: str) -> "Connection[Any]":
        """Connect as the role that migrations run as: the string's own, or one that is no superuser if that one is."""
        options = "-c client_min_messages=log" + (f" -c role={_escaped(self._role)}" if self._role is not None else "")
        return _connected(self._dsn, dbname=self._made.get(database, database), options=options)

    def create(self, database: str, template: str | None = None) -> None:
        """Make a database under a name that tells whose it is."""
        name = f"{self._run}{database}"
        copied = Name(self._made.get(template, template)) if template is not None else Name("template0")
        how = " STRATEGY file_copy" if self._major >= 15 else ""
        owner = f" OWNER {Name(self._role)}" if self._role is not None else ""
        self._execute(f"CREATE DATABASE {Name(name)} TEMPLATE {copied}{how}{owner}")
        self._made[database] = name

    def drop(self, database: str) -> None:
        """Drop a database that we have made, and no other."""
        name = self._made.pop(database, None)
        if name is not None:
            self._execute(f"DROP DATABASE IF EXISTS {Name(name)} WITH (FORCE)")

    def make_role(self, name: str) -> bool:
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
        [(others,)] = keeper.execute(_OTHERS).fetchall()
        if others:
            clients = "1 other client" if others == 1 else f"{others} other clients"
            raise MigsafeError(f"{clients} connected to {self._in_place}: it is in use", "--in-place is for a database that nobody uses.")

    def _clear(self, keeper: "Connection[Any]") -> None:
        """Drop what runs have left behind that are dead: whose lock nobody holds."""
        for (name,) in keeper.execute(_OURS).fetchall():
            run = "_".join(name.split("_")[:3]) + "_"
            [(free,)] = keeper.execute(f"SELECT pg_catalog.pg_try_advisory_lock({_KEY})", (run,)).fetchall()
            if free:
                keeper.execute(f"DROP DATABASE IF EXISTS {Name(name)} WITH (FORCE)".encode())
                keeper.execute(f"SELECT pg_catalog.pg_advisory_unlock({_KEY})", (run,))

    def _lock(self, keeper: "Connection[Any]", run: str) -> None:
        keeper.execute(f"SELECT pg_catalog.pg_advisory_lock({_KEY})", (run,))

    def _take_role(self, keeper: "Connection[Any]") -> None:
        """A role that is no superuser, where the string's own is one: the template's owner, or one of ours."""
        if self._superuser or self._in_place or keeper.info.parameter_status("is_superuser") != "on":
            return
        if self._template is not None:
            [(owner, is_superuser)] = keeper.execute(_OWNER, (self._template,)).fetchall() or [(None, True)]
            self._role = None if is_superuser else str(owner)
            return
        role = f"{self._run}owner"
        keeper.execute(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} CREATEROLE".encode())
        self._role = self._own_role = role

    def _execute(self, sql: str) -> None:
        assert self._keeper is not None
        self._keeper.execute(sql.encode())


def _escaped(value: str) -> str:
    """A value among a connection's options."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _connected(dsn: str, **others: str) -> "Connection[Any]":
    import psycopg  # noqa: PLC0415  # start-up must not pay for it

    try:
        return psycopg.connect(dsn, autocommit=True, prepare_threshold=None, application_name="migsafe", client_encoding="utf8", **others)  # type: ignore[arg-type]
    except psycopg.Error as error:
        raise MigsafeError(f"cannot connect: {str(error).strip()}", "Check the connection string after --server.") from error
