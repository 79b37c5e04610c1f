"""Why a server of the user did not create a database, and what to do."""

from typing import TYPE_CHECKING, Any

from migsafe.errors import MigsafeError
from migsafe.replaying.refusals import failure_of
from migsafe.replaying.servers.connections import connection_error

if TYPE_CHECKING:
    from psycopg import Connection

_SESSIONS = """
    SELECT pid, coalesce(usename, backend_type), coalesce(application_name, ''), coalesce(state, 'in an unknown state'),
        pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - state_change)::bigint, coalesce(query, '')
    FROM pg_catalog.pg_stat_activity WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid() ORDER BY backend_start
"""
_MAX_SESSIONS, _MAX_QUERY = 5, 100
_IN_USE, _NO_DATABASE, _NOT_PERMITTED = "55006", "3D000", "42501"


def creation_error(connection: "Connection[Any]", error: Any, template: str | None) -> MigsafeError:
    """Returns the error for a psycopg.Error that CREATE DATABASE, a copy of `template` if that is given, raised on the connection."""
    failure = failure_of(error)
    copied = f"a copy of the database {template}" if template is not None else "a database"
    message = f"the server does not create {copied}: {failure.message}"
    if connection.closed:
        return connection_error(str(error), "--server")
    match failure.sqlstate:
        case code if code == _IN_USE and template is not None:
            return _busy_template(connection, template, error.diag.message_detail or failure.message)
        case code if code == _NO_DATABASE:
            return MigsafeError(f"the server has no database {template}", "Check the name after --template.")
        case code if code == _NOT_PERMITTED and template is not None:
            return MigsafeError(message, "Connect with --server as the owner of the template, with CREATEDB, or as a superuser.")
        case code if code == _NOT_PERMITTED:
            return MigsafeError(message, "The role of the connection string needs CREATEDB: ALTER ROLE … CREATEDB.")
    return MigsafeError(message, failure.hint)


def _busy_template(connection: "Connection[Any]", template: str, detail: str) -> MigsafeError:
    """Returns the error that names the sessions because of which PostgreSQL does not copy a database."""
    sessions = connection.execute(_SESSIONS, (template,)).fetchall()
    lines = [_describe(*session) for session in sessions[:_MAX_SESSIONS]]
    if len(sessions) > _MAX_SESSIONS:
        lines.append(f"and {len(sessions) - _MAX_SESSIONS} more")
    hint = ["PostgreSQL copies a database only while no other session is connected to it."]
    if sessions:
        pids = ", ".join(str(pid) for pid, *_ in sessions[:_MAX_SESSIONS])
        hint += [
            f"Disconnect them, or end them: SELECT pg_terminate_backend(pid) FROM unnest(ARRAY[{pids}]) AS pid;",  # noqa: S608  # numbers
            "If they come back, name a database after --template that no application uses, for example a restored dump.",
        ]
    if "prepared transaction" in detail:
        hint.append("Its prepared transactions are in pg_prepared_xacts: COMMIT PREPARED or ROLLBACK PREPARED ends them.")
    elif not sessions:
        hint.append("The sessions have ended meanwhile: try again.")
    listed = "".join(f"\n    {line}" for line in lines)
    return MigsafeError(f"the template {template} is in use: {detail.rstrip('.')}{listed}", "\n  ".join(hint))


def _describe(pid: int, user: str, application: str, state: str, seconds: int | None, query: str) -> str:
    """Describes a session in one line."""
    words = [f"pid {pid}", f"user {user}"]
    if application:
        words.append(f"application {application}")
    words.append(f"{state} for {seconds} s" if seconds is not None else state)
    text = " ".join(query.split())
    shown = text if len(text) <= _MAX_QUERY else f"{text[: _MAX_QUERY - 1]}…"
    return ", ".join(words) + (f": {shown}" if shown else "")
