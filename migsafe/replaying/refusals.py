"""Statements that PostgreSQL refused: the errors, and what they mean for a replay."""

from typing import Any

from msgspec import Struct

from migsafe import versions
from migsafe.patterns import lazy_pattern
from migsafe.replaying.servers.time_limits import INTERRUPTED
from migsafe.schema.extension_functions import extension_with_function
from migsafe.schema.extensions import EXTENSION_TYPES
from migsafe.sql.operations import Name

_MISSING_ROLE = lazy_pattern(r'role "(.+)" does not exist')
_MISSING_OBJECT = lazy_pattern(r'(?:relation|schema|type|column) "(.+?)"')
_MISSING_FUNCTION = lazy_pattern(r"(?:function|procedure) (?:[^\s(]+\.)?([^\s.(]+)\(.*\) does not exist")
_MISSING_TYPE = lazy_pattern(r'type "(?:[^"]+\.)?([^".]+)" does not exist')
_OF_MISSING_OBJECTS = ("42P01", "3F000", "42704", "42703")
"""The error codes for a table, a schema, another object and a column that does not exist."""
_DENIED_SCHEMA = lazy_pattern(r"permission denied for schema (.+)")
_DENIED_EXTENSION = lazy_pattern(r'permission denied to create extension "(.+)"')
_MISSING_SCHEMA = lazy_pattern(r'schema "(.+)" does not exist')
UNDEFINED_TABLE = "42P01"
_MISSING_EXTENSION = lazy_pattern(r'extension "(.+)" is not available|could not open extension control file ".*?([^/"]+)\.control"')
_NOT_UNDERSTOOD = ("42601", "0A000", "42883")
"""The error codes for a syntax error, a feature that is not supported and a function that does not exist."""
_TEMPLATES = ('syntax error at or near "$"', 'syntax error at or near "{"')
_DENIALS = ("must be superuser", "must be able to SET ROLE", "must be member of role")
_SHUTDOWN = ("57P01", "57P02", "57P03")
"""The error codes of sessions that an administrator, a crash of another session or a restart has ended."""
_LIBPQ_GUESS = lazy_pattern(r"^This probably means|^before or while processing")
_DISK_FULL, _NO_SPACE = "53100", "No space left on device"
"""The error code; of a server that ends because of it, only the message arrives."""
_UNDEFINED_FUNCTION = "42883"
_UNDEFINED_OBJECT, _INSUFFICIENT_PRIVILEGE, _INVALID_SCHEMA_NAME = "42704", "42501", "3F000"


class Failure(Struct, frozen=True):
    """PostgreSQL's error for a statement. `sqlstate` is the error code; it can be empty if the connection was lost. `column` is the column that
    the error is about, `table` its table and `constraint` the constraint, if it names them. `lost` says that the connection ended, so that
    nothing is known of the statement, `stopped` that migsafe ended it because it took too long, or because the user interrupted it."""

    message: str
    sqlstate: str = ""
    hint: str = ""
    column: str = ""
    table: Name | None = None
    constraint: str = ""
    lost: bool = False
    stopped: bool = False

    @property
    def is_interruption(self) -> bool:
        """Whether the user interrupted the statement, so that it is not known whether it would have failed."""
        return self.stopped and self.message == INTERRUPTED

    @property
    def is_disk_full(self) -> bool:
        """Whether the server had no space left, which says nothing about the statement."""
        return self.sqlstate == _DISK_FULL or _NO_SPACE in self.message


def error_class() -> "type[Any]":
    """Returns psycopg.Error, for an except clause."""
    from psycopg import Error  # noqa: PLC0415  # start-up must not pay for it

    return Error


def failure_of(error: Any, stopped: str = "") -> Failure:
    """Returns the failure that a psycopg.Error describes; `stopped` is the reason if migsafe itself stopped the statement."""
    diagnostic = error.diag
    message = stopped or diagnostic.message_primary or str(error).strip()
    lost = not stopped and _is_lost(error)
    if lost:
        lines = [line.strip() for line in message.removeprefix("consuming input failed: ").splitlines()]
        message = f"the server ended the connection: {'; '.join(line for line in lines if not _LIBPQ_GUESS.search(line))}"
    return Failure(
        message,
        error.sqlstate or "",
        diagnostic.message_hint or "",
        diagnostic.column_name or "",
        Name(diagnostic.table_name, diagnostic.schema_name) if diagnostic.table_name else None,
        diagnostic.constraint_name or "",
        lost,
        bool(stopped),
    )


def _is_lost(error: Any) -> bool:
    """Whether an error is that the connection has ended: libpq's own errors have no error code."""
    from psycopg import OperationalError  # noqa: PLC0415  # start-up must not pay for it

    return error.sqlstate in _SHUTDOWN or (error.sqlstate is None and isinstance(error, OperationalError))


def missing_role(failure: Failure) -> str | None:
    """Returns the role that does not exist, if that is the error."""
    match = _MISSING_ROLE.fullmatch(failure.message) if failure.sqlstate == _UNDEFINED_OBJECT else None
    return match[1] if match is not None else None


def missing_object(failure: Failure) -> str:
    """Returns the relation, schema, type or column that does not exist, if that is the error; empty if it is another error."""
    match = _MISSING_OBJECT.search(failure.message) if failure.sqlstate in _OF_MISSING_OBJECTS else None
    return match[1] if match is not None else ""


def missing_schema(failure: Failure) -> str | None:
    """Returns the schema that does not exist, if that is the error."""
    match = _MISSING_SCHEMA.fullmatch(failure.message) if failure.sqlstate == _INVALID_SCHEMA_NAME else None
    return match[1] if match is not None else None


def has_no_schema_to_create_in(failure: Failure) -> bool:
    """Whether no schema of search_path exists, so that an object without a schema in its name cannot be created."""
    return failure.sqlstate == _INVALID_SCHEMA_NAME and failure.message == "no schema has been selected to create in"


def denied_schema(failure: Failure) -> str | None:
    """Returns the schema that a role may not use, if that is the error."""
    match = _DENIED_SCHEMA.fullmatch(failure.message) if failure.sqlstate == _INSUFFICIENT_PRIVILEGE else None
    return match[1] if match is not None else None


def denied_extension(failure: Failure) -> str | None:
    """Returns the extension that only a superuser may create, if that is the error."""
    match = _DENIED_EXTENSION.fullmatch(failure.message) if failure.sqlstate == _INSUFFICIENT_PRIVILEGE else None
    return match[1] if match is not None else None


def missing_extension(failure: Failure) -> str | None:
    """Returns the extension that is not installed on the server, if that is the error."""
    return extension_missing_in(failure.message)


def extension_of_missing_object(failure: Failure) -> str | None:
    """Returns the extension that has a type or a function of the name that does not exist, if that is the error."""
    if failure.sqlstate == _UNDEFINED_FUNCTION:
        match = _MISSING_FUNCTION.match(failure.message)
        return extension_with_function(match[1]) if match is not None else None
    match = _MISSING_TYPE.fullmatch(failure.message) if failure.sqlstate == _UNDEFINED_OBJECT else None
    return next((extension for extension, types in EXTENSION_TYPES.items() if match is not None and match[1] in types), None)


def extension_missing_in(message: str) -> str | None:
    """Returns the extension that a message says is not installed on the server."""
    match = _MISSING_EXTENSION.search(message)
    return match[1] or match[2] if match is not None else None


def hint_for(failure: Failure, major: int) -> str:
    """Returns advice for an error that depends on the server, whose major version is given, not on the migration; empty if there is none."""
    if failure.is_disk_full:
        return "The server's disk is full: free some space, choose another disk with TMPDIR, or insert fewer rows (--rows, --max-rows)."
    message, extension = failure.message, missing_extension(failure)
    assumed = extension_of_missing_object(failure)
    if extension is not None or assumed is not None:
        why = f"It is an object of the extension {assumed}, which no migration creates. " if assumed is not None else ""
        return (
            f"{why}Install the extension's package for this PostgreSQL, or choose another PostgreSQL with --pg-bin or --server. "
            f"To leave it out, with all that needs it: --without-extension {extension or assumed}"
        )
    if message.endswith("not supported in this build"):
        return "This PostgreSQL was built without it: choose another one with --pg-bin or --server."
    if failure.sqlstate == UNDEFINED_TABLE:
        return (
            "If no migration creates it, begin with the schema of a database that has it: --schema with the output of `pg_dump --schema-only`, "
            "--template or --from."
        )
    if message.endswith(_TEMPLATES):
        return "If a template begins there, give it a value in template-values of the configuration."
    if failure.sqlstate in _NOT_UNDERSTOOD and major < versions.NEWEST:
        return f"This is PostgreSQL {major}. If the migrations need a newer one, choose it with --pg-version, --pg-bin or --server."
    if "permission denied to create role" in message:
        return (
            "Before PostgreSQL 16, a role that can create roles can also run programs on the server. "
            "Use a newer PostgreSQL (--pg-version), or --superuser."
        )
    if "permission denied" in message or message.startswith(_DENIALS):
        return "Migrations run as the database's owner, which is not a superuser; --superuser runs them as one."
    if message.startswith("role ") and "does not exist" in message:
        return "The migrations use a role that no migration creates."
    return ""
