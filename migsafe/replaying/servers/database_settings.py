"""The settings that ALTER DATABASE and ALTER ROLE give to the sessions of a database. A copy of the database does not have them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

_SETTINGS = """
    SELECT entry FROM pg_catalog.pg_database AS d
        JOIN pg_catalog.pg_db_role_setting AS s ON s.setdatabase IN (0, d.oid) AND s.setrole IN (0, d.datdba),
        pg_catalog.unnest(s.setconfig) AS entry
    WHERE d.datname = %s AND (pg_catalog.split_part(entry, '=', 1) LIKE '%%.%%'
        OR EXISTS (SELECT FROM pg_catalog.pg_settings WHERE context = 'user' AND name ILIKE pg_catalog.split_part(entry, '=', 1)))
    ORDER BY s.setdatabase <> 0, s.setrole <> 0
"""
"""Those of the database and of its owner, which every role may set. Of two values, the later row is the one that PostgreSQL uses
(process_settings in postinit.c)."""


def session_options(connection: "Connection[Any]", database: str) -> str:
    """Returns the settings with which the sessions of a database's owner begin, as options of a connection."""
    settings = dict(setting.split("=", 1) for (setting,) in connection.execute(_SETTINGS, (database,)).fetchall())
    return "".join(f" -c {_escaped(f'{name}={value}')}" for name, value in settings.items())


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character.isspace() or character == "\\" else character for character in text)
