"""Relations that migrations name without a schema, and that only another schema has: the runner's connection sets search_path."""

from typing import TYPE_CHECKING, Any

from migsafe.replaying.refusals import UNDEFINED_TABLE, Failure, missing_object
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_OTHERS = """
    SELECT n.nspname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relname = %s AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1
"""


def found_elsewhere(connection: "Connection[Any]", failure: Failure) -> str:
    """Returns the end of a sentence about a relation that does not exist: that another schema has it, and how the sessions of the replay get
    the search_path of the runner's connection; '' if that is not the error, or no schema has it."""
    name = missing_object(failure) if failure.sqlstate == UNDEFINED_TABLE else ""
    if not name or "." in name:
        return ""
    schemas = [schema for (schema,) in connection.execute(_OTHERS, (name,)).fetchall()]
    if not schemas:
        return ""
    found = Name(name, schemas[0])
    return (
        f"; {found} exists, in a schema that search_path does not contain. If the connection of the migrations sets search_path, do the same "
        f"with `ALTER ROLE CURRENT_USER SET search_path = {Name(schemas[0])}, public;` in a file, and --schema"
    )
