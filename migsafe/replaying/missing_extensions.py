"""Extensions that migrations use and none of them creates: which available extension has an object that does not exist."""

import re
from typing import TYPE_CHECKING, Any

from migsafe.patterns import lazy_pattern
from migsafe.replaying.refusals import Failure, error_class
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_IDENTIFIER = r'(?:[\w$"]+\.)?"?([\w$]+)"?'
_MISSING = {
    re.compile(rf'operator class "{_IDENTIFIER}" does not exist for access method ".+"'): ("pg_opclass", "opcname"),
    re.compile(rf'type "{_IDENTIFIER}" does not exist'): ("pg_type", "typname"),
    re.compile(rf"function {_IDENTIFIER}\(.*\) does not exist"): ("pg_proc", "proname"),
    re.compile(r"operator does not exist: (?:.+ )?([-+*/<>=~!@#%^&|`?]+)(?: .+)?"): ("pg_operator", "oprname"),
}
"""PostgreSQL's messages, and the catalogue that has the object, with the column of its name."""
_CHANGE = lazy_pattern(r"\b(?:create|drop)\s+extension\s+(?:if\s+(?:not\s+)?exists\s+)?\"?([\w-]+)", re.IGNORECASE)
_AVAILABLE = """
    SELECT name FROM pg_catalog.pg_available_extensions
    WHERE installed_version IS NULL AND name <> ALL (%s) AND name NOT LIKE 'pl%%' ORDER BY name
"""
"""The extensions that can be created, without procedural languages (plperl, plv8, …)."""


def changed_extensions(text: str) -> set[str]:
    """Returns the extensions that a migration creates or drops: if one of them does not exist, that is its own doing."""
    return {name.lower() for name in _CHANGE.findall(text)}


def is_object_missing(failure: Failure) -> bool:
    """Whether a statement failed because of a missing object that an extension can have."""
    return _missing_object(failure) is not None


def create_missing_extension(connection: "Connection[Any]", failure: Failure, excluded: set[str]) -> str | None:
    """Creates the extension that has the object without which a statement failed, in the database of `connection`, which is in autocommit. Each
    available extension is tried in a transaction. Returns its name; None if no extension has the object, or if it may not be created."""
    missing = _missing_object(failure)
    if missing is None:
        return None
    catalogue, column, name = missing
    query = f"""
        SELECT EXISTS (SELECT FROM pg_catalog.{catalogue} AS o JOIN pg_catalog.pg_depend AS d ON d.objid = o.oid
            AND d.classid = 'pg_catalog.{catalogue}'::pg_catalog.regclass AND d.deptype = 'e' WHERE o.{column} = %s)
    """  # noqa: S608  # the names are those above
    for (extension,) in connection.execute(_AVAILABLE, (sorted(excluded),)).fetchall():
        connection.execute("BEGIN")
        try:
            connection.execute(f"CREATE EXTENSION {Name(extension)} CASCADE".encode())
            [(has_object,)] = connection.execute(query.encode(), (name,)).fetchall()
        except error_class():
            has_object = False
        connection.execute("COMMIT" if has_object else "ROLLBACK")
        if has_object:
            return str(extension)
    return None


def _missing_object(failure: Failure) -> tuple[str, str, str] | None:
    for pattern, (catalogue, column) in _MISSING.items():
        match = pattern.fullmatch(failure.message)
        if match is not None:
            return catalogue, column, match[1]
    return None
