"""A thin clone from a Database Lab Engine, for databases that are too large to copy.

The API is that of the engine's OpenAPI file: POST /clone, GET /clone/{id} until the clone is ready, DELETE /clone/{id}; the header
`Verification-Token` authenticates.
"""

import secrets
import time
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
_CLONE_TIMEOUT = 600.0
_REQUEST_TIMEOUT = 30.0
_PENDING, _READY = ("CREATING", "RESETTING"), "OK"
_NOT_FOUND = 404


class _EngineRefuses(MigsafeError):
    """The engine answered a request with an error, so that the request has changed nothing. `status` is that of HTTP."""

    status = 0


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
    """A clone from the engine at a URL; it exists inside a `with` block. Raises MigsafeError if the engine refuses or takes too long."""

    def __init__(self, url: str, token: str | None, *, database: str = "postgres", superuser: bool = False, pause: float = _PAUSE) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"--server dblab:{url}: not an http or https URL", "Example: --server dblab:https://dblab.example.com/api")
        if not token:
            raise ConfigError("the Database Lab Engine needs a token", "Set DBLAB_TOKEN to the engine's verification token.")
        self._url = url.rstrip("/")
        self._token = token
        self._database = database
        self._superuser = superuser
        self._pause = pause
        self._clone: str | None = None
        self._named: ExistingHost | None = None
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._named = self._create_clone()
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
        """A description of the server, for reports."""
        return f"{self._host.title}, a thin clone of {self._url}"

    @property
    def origin(self) -> str:
        """The clone that the rows come from."""
        return f"a thin clone of {self._url}"

    @property
    def major(self) -> int:
        """The server's major version."""
        return self._host.major

    @property
    def only_database(self) -> str | None:
        """The clone's database: a clone is one database and cannot be copied."""
        return self._host.only_database

    @property
    def start_database(self) -> str | None:
        """The clone's database."""
        return self._host.start_database

    def connect(self, database: str) -> "Connection[Any]":
        """Connects to the clone."""
        return self._host.connect(database)

    def connect_as_migrator(self, database: str) -> "Connection[Any]":
        """Connects to the clone as the role that migrations run as."""
        return self._host.connect_as_migrator(database)

    def create_database(self, database: str, template: str | None = None) -> None:
        """Raises MigsafeError: a clone has one database."""
        raise MigsafeError("a thin clone is one database")

    def drop_database(self, database: str) -> None:
        """Does nothing: the clone is deleted as a whole."""

    def create_role(self, name: str) -> bool:
        """Returns False: a clone has the roles of its source."""
        return False

    @property
    def _host(self) -> ExistingHost:
        if self._named is None:
            raise MigsafeError("there is no clone")
        return self._named

    def _create_clone(self) -> ExistingHost:
        """Creates a clone and waits until it is ready."""
        name, password = f"migsafe-{secrets.token_hex(4)}", secrets.token_hex(16)
        user = {"username": "migsafe", "password": password, "restricted": not self._superuser, "db_name": self._database}
        self._clone = name
        try:
            clone = self._request("POST", "/clone", {"id": name, "protected": False, "db": user})
        except _EngineRefuses:
            self._clone = None  # nothing was created
            raise
        until = time.monotonic() + _CLONE_TIMEOUT
        while clone.status.code in _PENDING and time.monotonic() < until:
            time.sleep(self._pause)
            clone = self._request("GET", f"/clone/{name}")
        if clone.status.code != _READY:
            raise MigsafeError(f"{self._url}: the clone is not ready: {clone.status.message or clone.status.code}")
        database = clone.db
        name, username = database.db_name or self._database, database.username or "migsafe"
        dsn = f"host={database.host} port={database.port} user={username} dbname={name} password={password}"
        return ExistingHost(dsn, in_place=name, superuser=self._superuser)

    def _delete(self) -> None:
        if self._clone is not None:
            try:
                self._request("DELETE", f"/clone/{self._clone}")
            except MigsafeError as error:
                if isinstance(error, _EngineRefuses) and error.status == _NOT_FOUND:
                    return  # the engine has deleted it, because it was idle for too long
                self.notes.append(f"the clone {self._clone} remains, because the engine did not delete it: {error.message}")
            self._clone = None

    def _request(self, method: str, path: str, body: object = None) -> _Clone:
        data = msgspec.json.encode(body) if body is not None else None
        headers = {"Verification-Token": self._token, "Content-Type": "application/json"}
        request = Request(self._url + path, data, headers, method=method)  # noqa: S310  # http or https, as checked above
        try:
            with urlopen(request, timeout=_REQUEST_TIMEOUT) as response:  # noqa: S310
                reply = response.read()
            return msgspec.json.decode(reply, type=_Clone) if reply.strip() and method != "DELETE" else _Clone("")
        except HTTPError as error:
            detail = error.read().decode("utf-8", "replace").strip()[:300]
            refusal = _EngineRefuses(f"{self._url}{path}: {error.code} {error.reason}{f': {detail}' if detail else ''}", self._hint(error.code))
            refusal.status = error.code
            raise refusal from error
        except (URLError, OSError) as error:
            raise MigsafeError(f"{self._url} cannot be reached: {error}") from error
        except msgspec.DecodeError as error:
            raise MigsafeError(f"{self._url}{path}: unexpected reply: {error}", self._hint(_NOT_FOUND)) from error

    def _hint(self, status: int) -> str:
        if status == _NOT_FOUND and not self._url.endswith("/api"):
            return f"If this is the address of the engine's UI, its API is at {self._url}/api."
        return "Check the URL and DBLAB_TOKEN."
