"""What runs create on a server of the user: the names of databases and roles, and their removal, also after a run that was killed."""

import os
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from migsafe.patterns import lazy_pattern
from migsafe.replaying.refusals import error_class, failure_of
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_RUN = lazy_pattern(r"migsafe_[1-9][0-9]*_[0-9a-f]{8}_")
"""The beginning of all names. It is this strict because other databases, too, may be called migsafe_…"""

_DATABASES = "SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE 'migsafe\\_%' ORDER BY oid"
_ROLES = "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname LIKE 'migsafe\\_%' ORDER BY oid"
_ALIVE = "SELECT FROM pg_catalog.pg_stat_activity WHERE application_name = %s"
_CREATED_ROLES = """
    SELECT r.rolname FROM pg_catalog.pg_auth_members AS m JOIN pg_catalog.pg_roles AS r ON r.oid = m.roleid
    WHERE m.member = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = %s) AND m.admin_option ORDER BY r.oid DESC
"""
"""The roles that a role has created: since PostgreSQL 16, it administers them. migsafe grants roles without the admin option."""


def new_run() -> str:
    """Returns the beginning of the names of what a run creates."""
    return f"migsafe_{os.getpid()}_{secrets.token_hex(4)}_"


def role_of(run: str) -> str:
    """Returns the name of the role that a run creates."""
    return f"{run}owner"


def session_name(run: str) -> str:
    """Returns the application name of the session that shows that a run is alive."""
    return f"migsafe {run.strip('_')}"


def drop_database(connection: "Connection[Any]", name: str) -> None:
    """Drops a database that a run has created, and ends the sessions in it. Raises psycopg.Error."""
    connection.execute(f"DROP DATABASE IF EXISTS {Name(name)} WITH (FORCE)".encode())


def drop_role(connection: "Connection[Any]", name: str) -> None:
    """Drops the role that a run has created, and the roles that migrations have created as that role. Raises psycopg.Error."""
    created = [role for (role,) in connection.execute(_CREATED_ROLES, (name,)).fetchall()]
    for role in (*created, name):
        # Privileges on shared objects, and memberships that the role has granted, would prevent DROP ROLE.
        connection.execute(f"DROP OWNED BY {Name(role)}".encode())
        connection.execute(f"DROP ROLE {Name(role)}".encode())


def remove_leftovers(connection: "Connection[Any]") -> list[str]:
    """Drops the databases and roles of dead runs: those without the session that each live run has. Returns notes for the user: what was
    removed, and what could not be removed, with the commands that do so."""
    removed: list[str] = []
    remaining: list[tuple[str, str]] = []
    reason = ""
    for kind, query, drop in (("DATABASE", _DATABASES, drop_database), ("ROLE", _ROLES, drop_role)):
        for (name,) in connection.execute(query.encode()).fetchall():
            if not _is_dead(connection, name) or (kind == "ROLE" and name != role_of(_run_of(name) or "")):
                continue
            try:
                drop(connection, name)
                removed.append(f"{kind.lower()} {name}")
            except error_class() as error:
                reason = reason or failure_of(error).message
                remaining.append((kind, name))
    notes = []
    if removed:
        notes.append(f"removed from the server what a killed run had left behind: {', '.join(removed)}")
    if remaining:
        notes.append(f"a killed run has left something behind on the server, and it cannot be removed: {reason}{removal(remaining)}")
    return notes


def removal(objects: Iterable[tuple[str, str]]) -> str:
    """Returns the lines of a message that say how to remove objects: kinds and names."""
    commands = []
    for kind, name in objects:
        if kind == "DATABASE":
            commands.append(f"DROP DATABASE IF EXISTS {Name(name)} WITH (FORCE);")
        else:
            commands.append(f"DROP OWNED BY {Name(name)}; DROP ROLE {Name(name)};")
    return "".join(f"\n  {line}" for line in ("Remove it in psql, as a superuser or as the role that created it:", *commands))


def _run_of(name: str) -> str | None:
    match = _RUN.match(name)
    return match[0] if match is not None else None


def _is_dead(connection: "Connection[Any]", name: str) -> bool:
    """Whether a database or role belongs to a run that has ended. Every role can see the application names of other sessions."""
    run = _run_of(name)
    return run is not None and connection.execute(_ALIVE, (session_name(run),)).fetchone() is None
