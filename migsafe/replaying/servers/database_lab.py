"""A thin clone from a Database Lab Engine: the engine for databases that are too large to copy.

Its API is that of its OpenAPI file: POST /clone, GET /clone/{id} until it is there, DELETE /clone/{id}; `Verification-Token` lets us in.
"""

import secrets
import time
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import msgspec
from msgspec import Struct

from migsafe.errors import ConfigError, MigsafeError
from migsafe.replaying.servers.existing import ExistingHost

if TYPE_CHECKING:
    from psycopg import Connection

_PAUSE = 1.0
_PATIENCE = 600.0
_TIMEOUT = 30.0
_GOING, _THERE = ("CREATING", "RESETTING"), "OK"


class _Status(Struct):
    code: str = ""
    message: str = ""


class _Database(Struct, rename="camel"):
    conn_str: str = ""
    host: str = ""
    port: str = ""
    username: str = ""
    db_name: str = ""


class _Clone(Struct):
    id: str
    status: _Status = msgspec.field(default_factory=_Status)
    db: _Database = msgspec.field(default_factory=_Database)


class DatabaseLabHost:
    """A clone from the engine at a URL, from `with` to the end of the block. Raises MigsafeError where the engine refuses, or takes too
    long."""

    def __init__(self, url: str, token: str | None, *, database: str = "postgres", superuser: bool = False, pause: float = _PAUSE) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"--server dblab:{url}: is no URL", "It reads as dblab:https://dblab.example.com")
        if not token:
            raise ConfigError("the Database Lab Engine asks for a token", "Set DBLAB_TOKEN to the engine's verification token.")
        self._url = url.rstrip("/")
        self._token = token
        self._database = database
        self._superuser = superuser
        self._pause = pause
        self._clone: str | None = None
        self._named: ExistingHost | None = None

    def __enter__(self) -> Self:
        try:
            self._named = self._cloned()
            self._named.__enter__()
        except BaseException:
            self._delete()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._named is not None:
            self._named.__exit__(kind, error, trace)
        self._delete()

    @property
    def title(self) -> str:
        """What it is, for people."""
        return f"{self._host.title}, a thin clone of {self._url}"

    @property
    def major(self) -> int:
        """Its major version."""
        return self._host.major

    @property
    def only_database(self) -> str | None:
        """A clone is one database, and cannot be copied."""
        return self._host.only_database

    @property
    def start_database(self) -> str | None:
        """The clone's database."""
        return self._host.start_database

    def connect(self, database: str) -> "Connection[Any]":
        """Connect to the clone."""
        return self._host.connect(database)

    def connect_as_migrator(self, database: str) -> "Connection[Any]":
        """Connect to the clone as its user."""
        return self._host.connect_as_migrator(database)

    def create_database(self, database: str, template: str | None = None) -> None:
        """A clone has no other databases of ours."""
        raise MigsafeError("a thin clone is one database")

    def drop_database(self, database: str) -> None:
        """Nothing: the clone goes as a whole."""

    def create_role(self, name: str) -> bool:
        """None: a clone has the roles of what it is a clone of."""
        return False

    @property
    def _host(self) -> ExistingHost:
        if self._named is None:
            raise MigsafeError("the clone is not there")
        return self._named

    def _cloned(self) -> ExistingHost:
        """Ask for a clone, and wait until it is there."""
        name, password = f"migsafe-{secrets.token_hex(4)}", secrets.token_hex(16)
        user = {"username": "migsafe", "password": password, "restricted": not self._superuser, "db_name": self._database}
        self._clone = name
        clone = self._asked("POST", "/clone", {"id": name, "protected": False, "db": user})
        until = time.monotonic() + _PATIENCE
        while clone.status.code in _GOING and time.monotonic() < until:
            time.sleep(self._pause)
            clone = self._asked("GET", f"/clone/{name}")
        if clone.status.code != _THERE:
            raise MigsafeError(f"{self._url}: the clone is not there: {clone.status.message or clone.status.code}")
        at = clone.db
        dsn = f"host={at.host} port={at.port} user={at.username or 'migsafe'} dbname={at.db_name or self._database} password={password}"
        return ExistingHost(dsn, in_place=at.db_name or self._database, superuser=self._superuser)

    def _delete(self) -> None:
        if self._clone is not None:
            with suppress(MigsafeError):
                self._asked("DELETE", f"/clone/{self._clone}")
            self._clone = None

    def _asked(self, method: str, path: str, body: object = None) -> _Clone:
        data = msgspec.json.encode(body) if body is not None else None
        headers = {"Verification-Token": self._token, "Content-Type": "application/json"}
        request = Request(self._url + path, data, headers, method=method)  # noqa: S310  # http or https, as checked above
        try:
            with urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
                said = answer.read()
            return msgspec.json.decode(said, type=_Clone) if said.strip() and method != "DELETE" else _Clone("")
        except HTTPError as error:
            detail = error.read().decode("utf-8", "replace").strip()[:300]
            raise MigsafeError(f"{self._url}{path}: {error.code} {error.reason}: {detail}", "Check the URL and DBLAB_TOKEN.") from error
        except (URLError, OSError) as error:
            raise MigsafeError(f"{self._url}: cannot be reached: {error}") from error
        except msgspec.DecodeError as error:
            raise MigsafeError(f"{self._url}{path}: what it answered is no clone: {error}") from error
